"""ENABLE: what it answers, and what features put in place with it (RFC 5161)."""

from __future__ import annotations

from typing import Any

import pytest

from imapd import commands
from imapd.dialect import Dialect, Enable, Feature
from tests.dialogue import Server, same


class Recorder:
    """A feature whose ENABLE notes that it was installed; ``BOTH`` brings ``ONE`` with it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def feature(self) -> Feature:
        """To be built into a dialect."""

        def installs(name: str) -> Any:
            return lambda session: self.said.append(f"{name} for {session.user}")

        return Feature(
            name="RECORDER",
            rfc=5161,
            enables=(
                Enable("ONE", installs=installs("ONE")),
                Enable("BOTH", ("ONE",), installs=installs("BOTH")),
                Enable("Quiet"),
            ),
        )


@pytest.fixture
def recorder() -> Recorder:
    """Says what was installed."""
    return Recorder()


@pytest.fixture
def server(recorder: Recorder) -> Server:
    """A server with that feature."""
    return Server(dialect=Dialect.of([*commands.FEATURES, recorder.feature()]))


def test_enabling_installs(server: Server, recorder: Recorder) -> None:
    """What a feature changes is put in place when a client enables it."""
    client = server.client()
    same(client.do("ENABLE ONE"), "* ENABLED ONE", "a OK ENABLE completed")
    assert recorder.said == ["ONE for alice"]


def test_installed_once(server: Server, recorder: Recorder) -> None:
    """Enabling again changes nothing, and is not told again (RFC 5161, 3.2)."""
    client = server.client()
    client.ok("ENABLE ONE ONE")
    same(client.do("ENABLE ONE"), "* ENABLED", "a OK ENABLE completed")
    assert recorder.said == ["ONE for alice"]


def test_implied(server: Server, recorder: Recorder) -> None:
    """What another feature brings with it is installed and told too."""
    client = server.client()
    same(client.do("ENABLE BOTH"), "* ENABLED BOTH ONE", "a OK ENABLE completed")
    assert recorder.said == ["BOTH for alice", "ONE for alice"]


def test_implied_not_again(server: Server, recorder: Recorder) -> None:
    """What was on already is not installed a second time by what implies it."""
    client = server.client()
    client.ok("ENABLE ONE")
    same(client.do("ENABLE BOTH"), "* ENABLED BOTH", "a OK ENABLE completed")
    assert recorder.said == ["ONE for alice", "BOTH for alice"]


def test_any_case(server: Server) -> None:
    """Names are known in any case, and told as they are registered."""
    same(server.client().do("ENABLE quiet"), "* ENABLED Quiet", "a OK ENABLE completed")


def test_unknown_names(server: Server, recorder: Recorder) -> None:
    """What the server cannot enable is passed over: the others are enabled (RFC 5161, 3.1)."""
    client = server.client()
    same(client.do("ENABLE X-GOOD-IDEA ONE"), "* ENABLED ONE", "a OK ENABLE completed")
    assert recorder.said == ["ONE for alice"]


def test_no_name(server: Server) -> None:
    """ENABLE with nothing to enable is BAD."""
    same(server.client().do("ENABLE"), "a BAD expected a capability at octet 0")


def test_before_login(server: Server, recorder: Recorder) -> None:
    """There is no ENABLE before log-in (RFC 5161, 3.1)."""
    same(server.connect().do("ENABLE ONE"), "a BAD ENABLE is not for this state")
    assert recorder.said == []


def test_rev2_has_no_recent(server: Server) -> None:
    r"""After ENABLE IMAP4rev2 there is no \Recent, and names are UTF-8 (RFC 9051, appendix E)."""
    client = server.client()
    client.ok("CREATE Entw&APw-rfe")
    assert b" RECENT\r\n" in client.ok("SELECT INBOX")
    same(client.do("ENABLE IMAP4rev2"), "* ENABLED IMAP4rev2", "a OK ENABLE completed")
    assert b"RECENT" not in client.ok("SELECT INBOX")
    assert '"/" "Entwürfe"\r\n'.encode() in client.ok('LIST "" Entw%')
