"""INPROGRESS as a client sees it (RFC 9585), on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred

from imapd.commands import fetch_rows
from imapd.store.memory import MemoryMailbox
from tests.dialogue import Dialogue, Server, same


@pytest.fixture
def alice(server: Server) -> Dialogue:
    """A client that has selected four messages."""
    return server.login(enable="IMAP4rev2").fill(4).select()


@pytest.fixture
def slow(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Says how many seconds the reading of each message takes from now on."""
    read = MemoryMailbox.read

    def set_seconds(seconds: float) -> None:
        def slowly(mailbox: MemoryMailbox, uid: int) -> object:
            server.clock.advance(seconds)
            return read(mailbox, uid)

        monkeypatch.setattr(MemoryMailbox, "read", slowly)

    return set_seconds


def test_capability(server: Server) -> None:
    """It is advertised (3)."""
    assert "INPROGRESS" in server.connect().command("CAPABILITY")[0].split(" ")


def test_search(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """A search tells every ten seconds or later how far it is, and then what it found (4)."""
    slow(6)
    same(
        alice.send(b'A001 SEARCH TEXT "this will be slow"\r\n'),
        '* OK [INPROGRESS ("A001" 1 4)] Processed 25% of the messages',
        '* OK [INPROGRESS ("A001" 3 4)] Processed 75% of the messages',
        '* ESEARCH (TAG "A001")',
        "A001 OK SEARCH completed",
    )


def test_search_of_the_last(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """It never goes backwards, though a search may begin at the end (4)."""
    slow(11)
    lines = alice.command("SEARCH RETURN (MAX) BODY nothing")
    told = [int(line.split(" ")[4]) for line in lines if "INPROGRESS" in line]
    assert told == sorted(told)
    assert told


def test_fetch(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """FETCH tells it between two rows; it does not say that all is done (4)."""
    slow(10)
    same(
        alice.do("FETCH 1:3 BODY.PEEK[TEXT]"),
        *(line for number in (1, 2, 3) for line in [
            f"* {number} FETCH (BODY[TEXT] {{8}}", "Hello.", ")",
            *([f'* OK [INPROGRESS ("a" {number} 3)] {{{{*}}}}'] if number < 3 else []),
        ]),
        "a OK FETCH completed",
    )  # fmt: skip


def test_fetch_of_columns(server: Server, alice: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one that needs no message to be opened."""
    monkeypatch.setattr(fetch_rows, "_CHUNK", 3)
    chunks = fetch_rows.View.chunks

    def slowly(view: fetch_rows.View, spans: object, most: int) -> object:
        for span in chunks(view, spans, most):  # type: ignore[arg-type]
            server.clock.advance(10)
            yield span

    monkeypatch.setattr(fetch_rows.View, "chunks", slowly)
    lines = alice.command("FETCH 1:* UID")
    assert [line for line in lines if "INPROGRESS" in line] == [
        '* OK [INPROGRESS ("a" 3 4)] Processed 75% of the messages'
    ]
    assert lines[3] == '* OK [INPROGRESS ("a" 3 4)] Processed 75% of the messages'


def test_quick_commands(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """What takes less than ten seconds tells nothing (4)."""
    slow(2)
    assert b"INPROGRESS" not in alice.do("SEARCH TEXT nothing")
    assert b"INPROGRESS" not in alice.do("SEARCH TEXT nothing")


@pytest.mark.parametrize(("command", "method"), [("COPY", "copy"), ("MOVE", "move")])
def test_waiting_for_the_store(
    server: Server, alice: Dialogue, monkeypatch: pytest.MonkeyPatch, command: str, method: str
) -> None:
    """While the store works, the client hears that it does, at once and every ten seconds."""
    done: Deferred[None] = Deferred()
    act = getattr(MemoryMailbox, method)

    async def slowly(mailbox: MemoryMailbox, *arguments: object) -> object:
        await done
        return act(mailbox, *arguments)

    monkeypatch.setattr(MemoryMailbox, method, slowly)
    alice.post(b"A003 %b 2:3 INBOX\r\n" % command.encode("ascii"))
    told = b'* OK [INPROGRESS ("A003" NIL NIL)] Still working on this\r\n'
    server.advance(9)
    assert alice.read() == b""
    server.advance(2)
    assert alice.read() == told
    server.advance(8)
    assert alice.read() == b""
    server.advance(14)
    assert alice.read() == told + told
    done.callback(None)
    answer = alice.send(b"")
    assert b"INPROGRESS" not in answer
    assert b"A003 OK " in answer
    server.advance(60)
    assert b"INPROGRESS" not in alice.read()


def test_tag_with_a_bracket(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """A tag that would end the brackets is NIL (4)."""
    slow(30)
    assert alice.send(b"a] SEARCH TEXT nothing\r\n").startswith(b"* OK [INPROGRESS (NIL 0 4)] ")


def test_never_tagged(alice: Dialogue, slow: Callable[[float], None]) -> None:
    """It is never in a tagged response (4)."""
    slow(30)
    assert "INPROGRESS" not in alice.command("SEARCH TEXT nothing")[-1]


def test_switched_off(slow: Callable[[float], None]) -> None:
    """A listener without it says nothing of it."""
    slow(30)
    server = Server(without=["INPROGRESS"])
    client = server.login().fill(2).select()
    assert client.command("SEARCH TEXT nothing") == ["* SEARCH", "a OK SEARCH completed"]
