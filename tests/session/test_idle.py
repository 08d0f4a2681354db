"""IDLE: whatever another session does is shown at once, to one or to thousands (RFC 2177)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.task import Clock

from imapd.server.imap import IMAPProtocol
from imapd.session.image import Image
from imapd.store.errors import StoreUnavailable
from imapd.store.memory.account import MemoryAccount
from imapd.store.memory.mailbox import MemoryMailbox
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore

_IDLERS = 2_000


@pytest.fixture
def idler(anywhere: Server) -> Dialogue:
    """A client of IMAP4rev2 that idles in a mailbox with three messages."""
    client = anywhere.login(enable="IMAP4rev2")
    client.ok("CREATE box")
    client.fill(3, "box").select("box")
    assert client.send(b"i IDLE\r\n") == b"+ idling\r\n"
    return client


@pytest.fixture
def other(anywhere: Server, idler: Dialogue) -> Dialogue:
    """Another session of the user, in the same mailbox."""
    del idler
    return anywhere.client(select="box")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("COPY 1 box", ["* 4 EXISTS"]),
        ("STORE 2 +FLAGS (\\Seen)", ["* 2 FETCH (UID 2 FLAGS (\\Seen))"]),
        ("STORE 2 +FLAGS.SILENT (\\Flagged)", ["* 2 FETCH (UID 2 FLAGS (\\Flagged))"]),
        (
            "STORE 1,3 +FLAGS ($Work)",
            [
                "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)",
                "* 1 FETCH (UID 1 FLAGS ($Work))",
                "* 3 FETCH (UID 3 FLAGS ($Work))",
            ],
        ),
        ("FETCH 3 BODY[]", ["* 3 FETCH (UID 3 FLAGS (\\Seen))"]),
        ("MOVE 1:2 INBOX", ["* 2 EXPUNGE", "* 1 EXPUNGE"]),
        ("DELETE box", ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]),
    ],
    ids=["new", "flag", "silently", "keyword", "read", "moved", "mailbox deleted"],
)  # fmt: skip
def test_changes_show_at_once(
    anywhere: Server, idler: Dialogue, other: Dialogue, command: str, told: list[str]
) -> None:
    """Each kind of change has been told before any time has passed."""
    before = anywhere.clock.seconds()
    other.ok(command)
    same(idler.read(), *told)
    assert anywhere.clock.seconds() == before


def test_an_arrival(anywhere: Server, idler: Dialogue, other: Dialogue) -> None:
    """A message that comes by APPEND shows at once, with its flags when they are asked for."""
    before = anywhere.clock.seconds()
    other.append(letter("new"), mailbox="box", flags="\\Flagged")
    same(idler.read(), "* 4 EXISTS")
    assert anywhere.clock.seconds() == before


def test_expunge(anywhere: Server, idler: Dialogue, other: Dialogue) -> None:
    """Messages that are deleted and removed show at once, by the numbers of that moment."""
    before = anywhere.clock.seconds()
    other.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)")
    same(
        idler.read(),
        "* 1 FETCH (UID 1 FLAGS (\\Deleted))",
        "* 3 FETCH (UID 3 FLAGS (\\Deleted))",
    )
    other.ok("EXPUNGE")
    same(idler.read(), "* 3 EXPUNGE", "* 1 EXPUNGE")
    assert anywhere.clock.seconds() == before


def test_after_the_mailbox_was_deleted(idler: Dialogue, other: Dialogue) -> None:
    """Who idled in a mailbox that was deleted can go on elsewhere."""
    other.ok("DELETE box")
    idler.read()
    assert idler.send(b"DONE\r\n") == b"i OK IDLE ended\r\n"
    assert b"* 0 EXISTS\r\n" in idler.ok("SELECT INBOX")


def test_while_the_store_cannot_be_asked() -> None:
    """A store that is away for a while does not end IDLE: what came meanwhile is told when it is back."""
    clock = Clock()
    store = DistantStore(clock, None)
    server = Server(store, clock=clock)
    idler = server.client(select="INBOX")
    assert idler.send(b"i IDLE\r\n") == b"+ idling\r\n"
    store.faults["changes_since"] = StoreUnavailable()
    server.deliver(letter())
    assert idler.read() == b""
    server.advance(60)
    assert idler.read() == b""
    del store.faults["changes_since"]
    server.advance(10)
    same(idler.read(), "* 1 EXISTS", "* 1 RECENT")
    store.faults["changes_since"] = StoreUnavailable()
    server.deliver(letter())
    idler.send(b"DONE\r\n")
    store.faults.clear()
    same(idler.do("NOOP"), "* 2 EXISTS", "* 2 RECENT", "a OK NOOP completed")


def test_silence_beside_an_idler(idler: Dialogue, other: Dialogue) -> None:
    """What a client changes with .SILENT is not told to it, though others hear of it meanwhile."""
    assert other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)") == b""
    assert other.ok("NOOP") == b""
    same(idler.read(), "* 2 FETCH (UID 2 FLAGS (\\Flagged))")


def test_thousands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that 2,000 sessions see is read from the store once at most, and written once to each."""
    server = Server()
    other = server.client().fill(3).select()
    idlers = [server.client(select="INBOX") for _ in range(_IDLERS)]
    for each in idlers:
        assert each.send(b"i IDLE\r\n") == b"+ idling\r\n"
    done: list[str] = []

    def counted(owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def count(*args: Any, **keywords: Any) -> Any:
            done.append(name)
            return real(*args, **keywords)

        monkeypatch.setattr(owner, name, count)

    for name in ("changes_since", "uids", "scan", "claim_recent", "status"):
        counted(MemoryMailbox, name)
    counted(MemoryAccount, "mailboxes")
    counted(Image, "refresh")
    counted(IMAPProtocol, "write")
    other.post(b"a STORE 2 +FLAGS.SILENT (\\Flagged)\r\n")
    server.settle()
    assert {each.read() for each in idlers} == {b"* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\n"}
    # The answer to who did it is one more.
    assert done.count("write") == _IDLERS + 1
    # None is needed where the answer of STORE brings the change before the first idler is told.
    assert sorted(each for each in done if each != "write") in ([], ["changes_since", "refresh"])
