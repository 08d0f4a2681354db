"""What every test can ask for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.dialogue")

from tests.backends import BACKENDS, Backend  # noqa: E402
from tests.dialogue import Server  # noqa: E402
from tests.unhandled import unhandled  # noqa: E402

# A slow machine is no failure.
settings.register_profile("imapd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("imapd")


def pytest_collection_finish() -> None:
    """What importing and collecting made is not looked at each time that garbage is collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _failures_handled() -> Iterator[None]:
    """No Deferred is left with a failure; else some later module's test would be blamed."""
    with unhandled() as left:
        yield
    assert not left, "\n".join(left)


@pytest.fixture(autouse=True)
def _servers_closed() -> Iterator[None]:
    """Each server that a test made comes to its end, and has logged no failure."""
    yield
    for server in tuple(Server.made):
        server.close()


@pytest.fixture
def server() -> Server:
    """A server over the memory store; whatever it logs as a failure fails the test."""
    return Server()


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """Each kind of store in turn: what a client sees must be the same on all."""
    return BACKENDS[request.param](tmp_path_factory)


@pytest.fixture
def anywhere(backend: Backend) -> Iterator[Server]:
    """A server over each kind of store in turn."""
    made = backend.server()
    yield made
    made.close()
    backend.close()
