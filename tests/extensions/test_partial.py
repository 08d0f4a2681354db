"""PARTIAL as a client sees it (RFC 9394)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from imapd.extensions.partial import Page
from imapd.query import search as engine
from tests.dialogue import Dialogue, Server, same


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected nine messages with the UIDs 2 to 10."""
    client = anywhere.login(enable="IMAP4rev2").fill(10).select()
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    return client


@pytest.mark.parametrize(
    ("page", "count", "span"),
    [
        ((1, 5), 9, (0, 5)),
        ((5, 1), 9, (0, 5)),
        ((6, 10), 9, (5, 9)),
        ((10, 12), 9, (9, 9)),
        ((1, 1), 0, (0, 0)),
        ((-1, -3), 9, (6, 9)),
        ((-3, -1), 9, (6, 9)),
        ((-8, -12), 9, (0, 2)),
        ((-10, -12), 9, (0, 0)),
        ((-1, -1), 0, (0, 0)),
        ((4294967295, 4294967295), 9, (9, 9)),
    ],
)
def test_page(page: tuple[int, int], count: int, span: tuple[int, int]) -> None:
    """A page is counted from the start or from the end, and has what there is of it (3.1)."""
    assert Page(*page).span(count) == span


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1:3", "(1:3 2:4)"),
        ("3:1", "(3:1 2:4)"),
        ("8:12", "(8:12 9:10)"),
        ("10:12", "(10:12 NIL)"),
        ("-1:-3", "(-1:-3 8:10)"),
        ("-3:-1", "(-3:-1 8:10)"),
        ("-8:-20", "(-8:-20 2:3)"),
        ("-10:-20", "(-10:-20 NIL)"),
    ],
)
def test_search(alice: Dialogue, asked: str, told: str) -> None:
    """SEARCH tells one page of its result, and NIL where there is none (3.1)."""
    same(
        alice.do(f"UID SEARCH RETURN (PARTIAL {asked}) ALL"),
        f'* ESEARCH (TAG "a") UID PARTIAL {told}',
        "a OK UID SEARCH completed",
    )


def test_by_number(alice: Dialogue) -> None:
    """Without UID the page holds sequence numbers."""
    assert alice.ok("SEARCH RETURN (PARTIAL 2:3) UID 5:10") == (
        b'* ESEARCH (TAG "a") PARTIAL (2:3 5:6)\r\n'
    )


def test_in_any_case(alice: Dialogue) -> None:
    """Its name can be written in any case (4)."""
    assert alice.ok("uid search return (partial 1:1) all").endswith(b"PARTIAL (1:1 2)\r\n")


def test_page_of_what_matches(alice: Dialogue) -> None:
    """The page counts the messages that match, from either end."""
    alice.ok("UID STORE 3,5,7,9 +FLAGS.SILENT (\\Flagged)")
    assert alice.ok("UID SEARCH RETURN (PARTIAL 2:3) FLAGGED").endswith(b" (2:3 5,7)\r\n")
    assert alice.ok("UID SEARCH RETURN (PARTIAL -2:-9) FLAGGED").endswith(b" (-2:-9 3,5,7)\r\n")
    assert alice.ok("UID SEARCH RETURN (PARTIAL -1:-1) SUBJECT 9").endswith(b" (-1:-1 9)\r\n")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("COUNT PARTIAL 2:3", "COUNT 9 PARTIAL (2:3 3:4)"),
        ("MIN MAX PARTIAL -2:-2", "MIN 2 MAX 10 PARTIAL (-2:-2 9)"),
        ("MIN PARTIAL -2:-2", "MIN 2 PARTIAL (-2:-2 9)"),
        ("MAX PARTIAL 2:2", "MAX 10 PARTIAL (2:2 3)"),
        ("MIN PARTIAL 2:2", "MIN 2 PARTIAL (2:2 3)"),
        ("MAX PARTIAL -2:-2", "MAX 10 PARTIAL (-2:-2 9)"),
    ],
)
def test_with_other_options(alice: Dialogue, options: str, found: str) -> None:
    """Other options say what they say without a page."""
    answer = alice.ok(f"UID SEARCH RETURN ({options}) ALL").decode("ascii")
    assert answer == f'* ESEARCH (TAG "a") UID {found}\r\n'


@pytest.mark.parametrize(
    ("options", "saved"),
    [
        ("SAVE PARTIAL 2:3", "3:4"),
        ("SAVE PARTIAL 20:30", ""),
        ("SAVE PARTIAL 3:4 MIN", "2,4:5"),
        ("SAVE PARTIAL 3:4 MAX", "4:5,10"),
        ("SAVE PARTIAL -3:-4 MIN MAX", "2,7:8,10"),
        ("SAVE PARTIAL 3:4 COUNT", "2:10"),
        ("SAVE PARTIAL 3:4 COUNT MIN MAX", "2:10"),
    ],
)
def test_save(alice: Dialogue, options: str, saved: str) -> None:
    """What ``$`` is then: the page, with MIN and MAX; with COUNT, everything (3.2, table 1)."""
    alice.ok(f"SEARCH RETURN ({options}) ALL")
    assert alice.ok("UID SEARCH $").decode("ascii") == (
        f'* ESEARCH (TAG "a") UID ALL {saved}\r\n' if saved else '* ESEARCH (TAG "a") UID\r\n'
    )


def _rows(answer: bytes) -> Sequence[int]:
    lines = answer.decode("ascii").splitlines()
    return [int(line.partition("UID ")[2].split(" ")[0].rstrip(")")) for line in lines]


@pytest.mark.parametrize(
    ("uids", "page", "rows"),
    [
        ("1:*", "1:2", [2, 3]),
        ("1:*", "-2:-1", [9, 10]),
        ("3:4,6:8", "2:4", [4, 6, 7]),
        ("3:4,6:8", "-4:-2", [4, 6, 7]),
        ("3:4,6:8", "4:9", [7, 8]),
        ("3:4,6:8", "6:9", []),
        ("20:30", "1:9", []),
    ],
)
def test_uid_fetch(alice: Dialogue, uids: str, page: str, rows: Sequence[int]) -> None:
    """UID FETCH tells only the messages of the page (3.3)."""
    assert _rows(alice.ok(f"UID FETCH {uids} (UID) (PARTIAL {page})")) == rows


def test_only_the_page_is_read(alice: Dialogue) -> None:
    r"""What is not on the page stays unread."""
    alice.ok("UID FETCH 1:* BODY[] (PARTIAL 1:1)")
    assert alice.ok("UID SEARCH SEEN").endswith(b" ALL 2\r\n")


@pytest.mark.parametrize(
    "modifiers", ["PARTIAL -1:-3 CHANGEDSINCE {since}", "CHANGEDSINCE {since} PARTIAL -1:-3"]
)
def test_with_changedsince(alice: Dialogue, modifiers: str) -> None:
    """In any order: first the page, then what changed of it (3.4)."""
    since = int(alice.ok("STATUS INBOX (HIGHESTMODSEQ)").split()[-1].rstrip(b")"))
    alice.ok("UID STORE 3,9 +FLAGS.SILENT (\\Flagged)")
    asked = modifiers.format(since=since)
    assert _rows(alice.ok(f"UID FETCH 1:* (UID) ({asked})")) == [9]


def test_with_uidonly(anywhere: Server) -> None:
    """It pages without sequence numbers too."""
    client = anywhere.login(enable="UIDONLY IMAP4rev2").fill(4).select()
    assert client.ok("UID SEARCH RETURN (PARTIAL -1:-2) ALL").endswith(b" PARTIAL (-1:-2 3:4)\r\n")
    assert client.ok("UID FETCH 1:* FLAGS (PARTIAL -1:-1)") == b"* 4 UIDFETCH (FLAGS ())\r\n"


@pytest.mark.parametrize(
    "command",
    [
        "SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
        "SEARCH RETURN (PARTIAL 1:2 ALL) ALL",
        "SEARCH RETURN (ALL PARTIAL 1:2) ALL",
        "SEARCH RETURN (PARTIAL) ALL",
        "SEARCH RETURN (PARTIAL 1) ALL",
        "SEARCH RETURN (PARTIAL 0:1) ALL",
        "SEARCH RETURN (PARTIAL 1:0) ALL",
        "SEARCH RETURN (PARTIAL 1:*) ALL",
        "SEARCH RETURN (PARTIAL -1:2) ALL",
        "SEARCH RETURN (PARTIAL 1:-2) ALL",
        "SEARCH RETURN (PARTIAL -0:-1) ALL",
        "SEARCH RETURN (PARTIAL 1:4294967296) ALL",
        "SEARCH RETURN (PARTIAL 1:99999999999) ALL",
        "SEARCH RETURN (PARTIAL 1:2,3:4) ALL",
        "UID FETCH 1:* FLAGS (PARTIAL)",
        "UID FETCH 1:* FLAGS (PARTIAL 1:2 PARTIAL 1:2)",
        "UID FETCH 1:* FLAGS (PARTIAL 1:-1)",
        "FETCH 1:* BODY[] (PARTIAL 1:2)",
    ],
)
def test_wrong_parameters(alice: Dialogue, command: str) -> None:
    r"""What the grammar has not is BAD, as is PARTIAL with ALL (3.1) or in FETCH; nothing is done."""
    assert alice.do(command).startswith(b"a BAD ")
    assert alice.ok("UID SEARCH SEEN") == b'* ESEARCH (TAG "a") UID\r\n'


def test_the_last_page_costs_the_last_messages(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages before a page that is counted from the end are not looked at (3.1)."""
    monkeypatch.setattr(engine, "_BLOCK_FIRST", 8)
    client = server.login().fill(32).select()
    opened: list[int] = []
    message = engine._Block._ask_messages

    async def counted(block: engine._Block, *arguments: object) -> object:
        opened.append(block.start)
        return await message(block, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(engine._Block, "_ask_messages", counted)
    client.ok("UID SEARCH RETURN (PARTIAL -1:-4) BODY hello")
    assert opened == [24]
    opened.clear()
    client.ok("UID SEARCH RETURN (MAX) BODY ello")
    assert opened == [24]
    opened.clear()
    client.ok("UID SEARCH RETURN (PARTIAL 9:10) BODY hello")
    assert opened == [0, 8]
