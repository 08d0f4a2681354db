"""UTF8=ONLY, by configuration (RFC 9755, 7)."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd.preparing import prepare
from tests.dialogue import Server, letter, same
from tests.test_switching import CONFIG

REFUSED = "a NO [CANNOT] This server is for clients that ENABLE UTF8=ACCEPT"


@pytest.fixture
def server() -> Server:
    """As the configuration makes it."""
    prepared = prepare(evolve(CONFIG, utf8_only=True), MemoryReactorClock())
    return Server(dialect=prepared.factory.policy.dialect)


def test_advertised(server: Server) -> None:
    """It is said in place of UTF8=ACCEPT, never with it."""
    names = server.client().command("CAPABILITY")[0].split()
    assert "UTF8=ONLY" in names
    assert "UTF8=ACCEPT" not in names


def test_not_unasked() -> None:
    """Without the key it is not there."""
    dialect = prepare(CONFIG, MemoryReactorClock()).factory.policy.dialect
    assert "UTF8=ONLY" not in {feature.name for feature in dialect.features}


@pytest.mark.parametrize(
    "command",
    ["SELECT INBOX", "EXAMINE INBOX", 'LIST "" *', 'LSUB "" *', "CREATE x", "STATUS INBOX (UIDNEXT)",
     "NAMESPACE", "IDLE"],
)  # fmt: skip
def test_refused(server: Server, command: str) -> None:
    """Before ENABLE UTF8=ACCEPT whatever might need UTF-8 is NO [CANNOT]."""
    same(server.client().do(command), REFUSED)


def test_append_refused(server: Server) -> None:
    """So is a message, whose octets are not taken for commands."""
    client = server.client()
    text = letter("x", "b LOGOUT\r\n")
    same(client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(text), text)), REFUSED)
    same(client.do("NOOP"), "a OK NOOP completed")


def test_revision_2_is_not_enough(server: Server) -> None:
    """The client must say UTF8=ACCEPT, whatever else it enables."""
    same(server.login(enable="IMAP4rev2").do("SELECT INBOX"), REFUSED)


@pytest.mark.parametrize(
    "command",
    ["CAPABILITY", "NOOP", "ID NIL", "ENABLE CONDSTORE", "UNAUTHENTICATE", "LOGOUT"],
)
def test_permitted(server: Server, command: str) -> None:
    """What needs no UTF-8 is answered."""
    told = server.client().command(command)
    assert told[-1].startswith("a OK "), told


def test_enabled(server: Server) -> None:
    """After ENABLE UTF8=ACCEPT everything is there, names in UTF-8."""
    client = server.client()
    same(client.do("ENABLE UTF8=ACCEPT"), "* ENABLED UTF8=ACCEPT", "a OK ENABLE completed")
    client.ok('CREATE "Entwürfe"')
    client.append(letter("Grüße"), mailbox='"Entwürfe"')
    assert '"Entwürfe"'.encode() in client.ok('LIST "" *')


def test_after_unauthenticate(server: Server) -> None:
    """The next user has to enable it too."""
    client = server.login(enable="UTF8=ACCEPT")
    client.ok("UNAUTHENTICATE")
    same(client.log_in("bob").do("SELECT INBOX"), REFUSED)
