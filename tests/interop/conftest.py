"""A server for each store, and for each test a user of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from signal import SIGTERM

import pytest

from tests.interop.recording import Recorder, save
from tests.interop.running import Account, Server

_users = count(1)


@pytest.fixture(scope="session", params=["memory", "maildir"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The shipped program, running; at the end it must go in order."""
    server = Server(request.param, tmp_path_factory.mktemp(f"server-{request.param}"))
    server.start()
    yield server
    assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


@pytest.fixture
def account(server: Server, request: pytest.FixtureRequest) -> Iterator[Account]:
    """A new user; afterwards the server's log must hold nothing that went wrong."""
    since = server.log_size()
    name = re.sub(r"\W+", "-", request.node.originalname).strip("-")
    account = Account(server, f"{name}-{next(_users)}")
    folder = os.environ.get("IMAPD_RECORD")
    if folder is None:
        yield account
    else:
        with Recorder((account.host, server.imap)) as recorder:
            # Of the client's program, not of a number that changes from run to run.
            account.user = request.path.stem.removeprefix("test_") + "-" + name
            account.recorded = recorder.port
            yield account
        save(Path(folder), account.user, recorder.connections())
    server.assert_calm(since)


@pytest.fixture(params=["plain", "starttls", "tls"])
def security(request: pytest.FixtureRequest) -> str:
    """How the connection is kept from others."""
    return str(request.param)


@pytest.fixture
def program() -> Callable[..., str]:
    """Where a program is; a test that needs one which is not there skips, saying what to install."""

    def find(name: str, install: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"install with: {install}")
        return path

    return find


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory for programs that keep something there."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home
