r"""\Recent (RFC 3501, 2.3.2): the first session that selects a mailbox has it, and only that one."""

from __future__ import annotations

from twisted.internet.task import Clock

from tests.dialogue import Server, letter, same
from tests.distant import DistantStore


def _recent(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if line.endswith(b" RECENT")]


def _flags(number: int, recent: bool) -> str:
    flags = "\\Recent" if recent else ""
    return f"* {number} FETCH (FLAGS ({flags}))"


def test_first_come(anywhere: Server) -> None:
    """One session is told that messages are recent, the next is not."""
    anywhere.client().fill(2)
    assert _recent(anywhere.client().do("SELECT INBOX")) == [b"* 2 RECENT"]
    assert _recent(anywhere.client().do("SELECT INBOX")) == [b"* 0 RECENT"]


def test_examine_keeps_it(anywhere: Server) -> None:
    r"""EXAMINE shows how many are recent, as SELECT does, but takes nothing (RFC 3501, 6.3.2)."""
    anywhere.client().fill(2)
    one = anywhere.client()
    assert _recent(one.do("EXAMINE INBOX")) == [b"* 2 RECENT"]
    same(
        one.do("FETCH 1 FLAGS"),
        "* 1 FETCH (FLAGS (\\Recent))",
        "a OK FETCH completed",
    )
    assert _recent(anywhere.client().do("SELECT INBOX")) == [b"* 2 RECENT"]


def test_status_and_search_agree(anywhere: Server) -> None:
    """STATUS counts what nobody has claimed; SEARCH finds what this session has."""
    anywhere.client().fill(3)
    one, other = anywhere.client(), anywhere.client()
    same(one.do("STATUS INBOX (RECENT)"), "* STATUS INBOX (RECENT 3)", "a OK STATUS completed")
    one.select()
    same(other.do("STATUS INBOX (RECENT)"), "* STATUS INBOX (RECENT 0)", "a OK STATUS completed")
    one.ok("STORE 1 FLAGS.SILENT (\\Seen)")
    same(one.do("SEARCH RECENT"), "* SEARCH 1 2 3", "a OK SEARCH completed")
    same(one.do("SEARCH NEW"), "* SEARCH 2 3", "a OK SEARCH completed")
    same(one.do("SEARCH OLD"), "* SEARCH", "a OK SEARCH completed")
    other.select()
    same(other.do("SEARCH OLD"), "* SEARCH 1 2 3", "a OK SEARCH completed")


def test_new_messages_are_recent_to_one(anywhere: Server) -> None:
    """A message that comes while two sessions look is recent for exactly one of them."""
    one, other = anywhere.client(select="INBOX"), anywhere.client(select="INBOX")
    anywhere.client().append(letter())
    counts = sorted(_recent(one.do("NOOP")) + _recent(other.do("NOOP")))
    assert counts == [b"* 0 RECENT", b"* 1 RECENT"]


def test_each_has_its_own(anywhere: Server) -> None:
    """Of what comes while two sessions look, each shows as recent what it was told of first."""
    one, other = anywhere.client(select="INBOX"), anywhere.client(select="INBOX")
    mine: list[list[int]] = [[], []]
    for number, turn in enumerate((0, 0, 1, 0, 1, 1, 0, 1), 1):
        anywhere.client().append(letter())
        first, second = (one, other) if turn == 0 else (other, one)
        first.ok("NOOP")
        second.ok("NOOP")
        mine[turn].append(number)
    for session, its in zip((one, other), mine):
        same(
            session.do("FETCH 1:* FLAGS"),
            *(_flags(n, n in its) for n in range(1, 9)),
            "a OK FETCH completed",
        )
        same(
            session.do("FETCH 2,5 FLAGS"),
            *(_flags(n, n in its) for n in (2, 5)),
            "a OK FETCH completed",
        )


def test_reselecting_ends_it(anywhere: Server) -> None:
    """A message is recent for one visit."""
    one = anywhere.client().fill(1).select()
    assert _recent(one.do("SELECT INBOX")) == [b"* 0 RECENT"]


def test_examine_shows_what_comes(anywhere: Server) -> None:
    """A session that only looks is told that new mail is recent, and leaves that to the next."""
    one = anywhere.client().fill(1)
    one.ok("EXAMINE INBOX")
    anywhere.client().fill(1)
    assert _recent(one.do("NOOP")) == [b"* 2 RECENT"]
    assert _recent(anywhere.client().do("SELECT INBOX")) == [b"* 2 RECENT"]


def test_rev2_knows_none(anywhere: Server) -> None:
    r"""After ENABLE IMAP4rev2 there is no RECENT and no \Recent (RFC 9051, appendix E)."""
    one = anywhere.client().fill(1)
    one.ok("ENABLE IMAP4rev2")
    assert b"RECENT" not in one.do("SELECT INBOX").upper()
    same(one.do("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS ())", "a OK FETCH completed")
    one.append(letter())
    assert b"RECENT" not in one.do("NOOP")


def test_it_cannot_be_set(anywhere: Server) -> None:
    """No client sets or clears it."""
    one = anywhere.client().fill(1).select()
    assert one.do("STORE 1 FLAGS (\\Recent)").startswith(b"a BAD ")
    assert one.do("APPEND INBOX (\\Recent) {2}").startswith(b"a BAD ")
    same(
        one.do("STORE 1 FLAGS ()"),
        "* 1 FETCH (FLAGS (\\Recent))",
        "a OK STORE completed",
    )


def test_a_message_that_comes_while_it_is_taken() -> None:
    """Mail that arrives while a slow store is asked whose it is, is recent for somebody all the same."""
    clock = Clock()
    server = Server(DistantStore(clock, 1.0), clock=clock)
    writer = server.client().fill(1)
    reader = server.client()
    reader.post(b"a SELECT INBOX\r\n")
    for turn in range(40):
        server.advance(0.25)
        if turn % 3 == 0 and turn < 24:
            writer.post(b"a APPEND INBOX {2+}\r\n\r\n\r\n")
    server.rest()
    reader.read()
    assert _recent(reader.do("NOOP")) in ([], [b"* 9 RECENT"])
    same(
        reader.do("SEARCH RETURN (COUNT) RECENT"),
        '* ESEARCH (TAG "a") COUNT 9',
        "a OK SEARCH completed",
    )
