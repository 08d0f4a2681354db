"""SAVEDATE as a client sees it (RFC 8514)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from imapd.model.message import SAVED
from imapd.store.maildir import delivery, moving
from imapd.store.memory import MemoryStore
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server, letter, same

#: Sets the clock of the store to a moment in UTC.
At = Callable[[int, int, int, int], None]


@pytest.fixture
def at(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> At:
    """The stores' own clock, which this test turns."""
    moment = [0.0]

    def turn(year: int, month: int, day: int, hour: int) -> None:
        moment[0] = datetime(year, month, day, hour, 50, 53, tzinfo=timezone.utc).timestamp()

    stub = SimpleNamespace(time=lambda: moment[0])
    monkeypatch.setattr(delivery, "time", stub)
    monkeypatch.setattr(moving, "time", stub)
    if isinstance(anywhere.store, MemoryStore):
        anywhere.store._clock = lambda: moment[0]
    turn(2015, 1, 1, 18)
    return turn


@pytest.fixture
def alice(anywhere: Server, at: At) -> Dialogue:
    """A client with a message of 1994, saved on 1 January 2015."""
    client = anywhere.login(enable="IMAP4rev2")
    return client.append(letter(), date=" 7-Feb-1994 21:52:25 -0800").select()


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "SAVEDATE" in server.connect().command("CAPABILITY")[0].split(" ")


def test_append(alice: Dialogue) -> None:
    """A message is saved when it is appended; its internal date says something else (3, 4.2)."""
    same(
        alice.do("FETCH 1 (SAVEDATE INTERNALDATE)"),
        '* 1 FETCH (SAVEDATE " 1-Jan-2015 18:50:53 +0000"'
        ' INTERNALDATE " 7-Feb-1994 21:52:25 -0800")',
        "a OK FETCH completed",
    )


def test_alone_and_in_any_case(alice: Dialogue) -> None:
    """It can be asked for alone, and by UID, its name in any case (5)."""
    assert alice.ok("UID FETCH 1 savedate") == (
        b'* 1 FETCH (UID 1 SAVEDATE " 1-Jan-2015 18:50:53 +0000")\r\n'
    )


def test_copy(alice: Dialogue, at: At) -> None:
    """A copy was saved when it was made; the source keeps its date (3)."""
    at(2016, 2, 29, 3)
    alice.ok("CREATE other")
    alice.ok("COPY 1 other")
    assert b'" 1-Jan-2015 18:50:53 +0000"' in alice.ok("FETCH 1 SAVEDATE")
    alice.select("other")
    assert alice.ok("FETCH 1 (SAVEDATE INTERNALDATE)") == (
        b'* 1 FETCH (SAVEDATE "29-Feb-2016 03:50:53 +0000" INTERNALDATE " 7-Feb-1994 21:52:25 -0800")\r\n'
    )


def test_move(alice: Dialogue, at: At) -> None:
    """A message that was moved has a new save date (3)."""
    alice.ok("CREATE Trash")
    at(2016, 2, 29, 3)
    alice.ok("MOVE 1 Trash")
    alice.select("Trash")
    assert b'"29-Feb-2016 03:50:53 +0000"' in alice.ok("FETCH 1 SAVEDATE")


def test_replace(alice: Dialogue, at: At) -> None:
    """So has what replaces a message."""
    at(2016, 2, 29, 3)
    alice.ok("REPLACE 1 INBOX", letter("new"))
    assert b'"29-Feb-2016 03:50:53 +0000"' in alice.ok("FETCH 1 SAVEDATE")


def test_it_stays(alice: Dialogue, at: At) -> None:
    """What happens to the message or its mailbox later changes nothing (3)."""
    at(2016, 2, 29, 3)
    alice.ok("CREATE box")
    alice.ok("COPY 1 box")
    at(2017, 3, 1, 4)
    alice.ok("STORE 1 +FLAGS (\\Seen)")
    alice.ok("RENAME box cube")
    assert b'" 1-Jan-2015 18:50:53 +0000"' in alice.ok("FETCH 1 SAVEDATE")
    alice.select("cube")
    assert b'"29-Feb-2016 03:50:53 +0000"' in alice.ok("FETCH 1 SAVEDATE")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("SAVEDBEFORE 1-Jan-2015", ""),
        ("SAVEDBEFORE 2-Jan-2015", " ALL 1"),
        ("SAVEDON 1-Jan-2015", " ALL 1"),
        ("SAVEDON 31-Dec-2014", ""),
        ("SAVEDON 3-Jan-2015", " ALL 2"),
        ("SAVEDSINCE 2-Jan-2015", " ALL 2"),
        ("SAVEDSINCE 1-Jan-2015", " ALL 1:2"),
        ("SAVEDSINCE 4-Jan-2015", ""),
        ("NOT savedon 1-Jan-2015", " ALL 2"),
        ("SAVEDATESUPPORTED", " ALL 1:2"),
        ("NOT SAVEDATESUPPORTED", ""),
        ("BEFORE 1-Jan-2000 SAVEDSINCE 1-Jan-2000", " ALL 1:2"),
    ],
)
def test_search(alice: Dialogue, at: At, keys: str, found: str) -> None:
    """SEARCH looks at the day, with nothing of the time and the zone (4.3)."""
    at(2015, 1, 3, 23)
    alice.append(letter(), date=" 7-Feb-1994 21:52:25 -0800")
    assert alice.ok(f"SEARCH {keys}").startswith(f'* ESEARCH (TAG "a"){found}\r\n'.encode("ascii"))


@pytest.fixture
def ignorant(server: Server, monkeypatch: pytest.MonkeyPatch) -> Dialogue:
    """A client of a store that knows no save dates, with a message of 1994 selected."""
    monkeypatch.setattr(memory, "_SERVED", memory._SERVED - {SAVED})
    client = server.login(enable="IMAP4rev2")
    return client.append(letter(), date=" 7-Feb-1994 21:52:25 -0800").select()


def test_fetch_without_support(ignorant: Dialogue) -> None:
    """Where the store does not know, it is NIL (4.2)."""
    assert ignorant.ok("FETCH 1 SAVEDATE") == b"* 1 FETCH (SAVEDATE NIL)\r\n"
    assert ignorant.ok("FETCH 1 (UID SAVEDATE)") == b"* 1 FETCH (UID 1 SAVEDATE NIL)\r\n"


def test_search_without_support(ignorant: Dialogue) -> None:
    """There the keys look at the internal date, and SAVEDATESUPPORTED matches nothing (4.3)."""
    assert ignorant.ok("SEARCH SAVEDON 7-Feb-1994").endswith(b" ALL 1\r\n")
    assert ignorant.ok("SEARCH SAVEDBEFORE 7-Feb-1994") == b'* ESEARCH (TAG "a")\r\n'
    assert ignorant.ok("SEARCH SAVEDSINCE 7-Feb-1994").endswith(b" ALL 1\r\n")
    assert ignorant.ok("SEARCH SAVEDATESUPPORTED") == b'* ESEARCH (TAG "a")\r\n'


@pytest.mark.parametrize(
    "command",
    ["FETCH 1 SAVEDATE[]", "SEARCH SAVEDON", "SEARCH SAVEDON 1", "SEARCH SAVEDBEFORE 32-Jan-2015",
     "SEARCH SAVEDSINCE 1-Foo-2015", "SEARCH SAVEDATESUPPORTED 1-Jan-2015"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, command: str) -> None:
    """What the grammar has not is BAD."""
    assert alice.do(command).startswith(b"a BAD ")
