"""SEARCH=FUZZY as a client sees it (RFC 6203)."""

from __future__ import annotations

import pytest

from imapd.server import flow
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server, letter, same

_LETTERS = (
    letter("IMAP breaks", "We looked at the server.\r\n"),
    letter("Re: server", "The imap server is broken, hello.\r\n", "Cc: Zoë <zoe@example.net>"),
    letter("Hello", "Nothing.\r\n", "X-Topic: Breaking imaps"),
    letter("Café", "Guten Tag, helo.\r\n", "To: Jürgen Müller <jm@example.org>"),
    letter("lunch", "<p>The <b>serv</b>er</p>\r\n", "Content-Type: text/html"),
)


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client of RFC 3501 that has selected five messages."""
    return anywhere.login().append(*_LETTERS).select()


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "SEARCH=FUZZY" in server.connect().command("CAPABILITY")[0].split(" ")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ('FUZZY SUBJECT "break imap"', "1"),
        ('SUBJECT "break imap"', ""),
        ("FUZZY SUBJECT cafe", "4"),
        ("FUZZY SUBJECT Helo", "3"),
        ("fuzzy body helo", "2 4"),
        ("BODY helo", "4"),
        ("FUZZY TEXT Helo", "2 3 4"),
        ('FUZZY TEXT "servers imap"', "1 2"),
        ("FUZZY BODY sevrer", "1 2 5"),
        ("FUZZY FROM Alise", "1 2 3 4 5"),
        ("FUZZY TO Jurgan", "4"),
        ("FUZZY CC zoe", "2"),
        ("FUZZY BCC zoe", ""),
        ("FUZZY HEADER X-Topic break", "3"),
        ('FUZZY HEADER X-Topic ""', "3"),
        ("FUZZY HEADER Subject helo", "3"),
        ("FUZZY HEADER No-Such helo", ""),
        ('FUZZY TEXT ""', "1 2 3 4 5"),
        ('FUZZY BODY ""', "1 2 3 4 5"),
        ("FUZZY 2:3", "2 3"),
        ("FUZZY (UNSEEN 1)", "1"),
        ("FUZZY SEEN", ""),
        ("NOT FUZZY SUBJECT Helo", "1 2 4 5"),
        ("FUZZY NOT SUBJECT Helo", "1 2 4 5"),
        ("FUZZY (OR SUBJECT Helo SUBJECT lunsh)", "3 5"),
        ("OR FUZZY SUBJECT Helo SUBJECT lunch", "3 5"),
        ("FUZZY FUZZY SUBJECT Helo", "3"),
        # Outside of FUZZY a key means what it says.
        ("FUZZY SUBJECT Helo BODY Nothng", ""),
        ("SUBJECT Helo FUZZY BODY Nothng", ""),
        ("FUZZY SUBJECT Helo FUZZY BODY Nothng", "3"),
    ],
)
def test_search(alice: Dialogue, keys: str, found: str) -> None:
    """Strings are looked for in other forms too, and all else exactly (3, 5)."""
    assert alice.command(f"SEARCH {keys}")[0] == f"* SEARCH {found}".rstrip()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT hello", "ALL 3 RELEVANCY (100)"),
        ("SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT hello", "ALL 2:4 RELEVANCY (80 100 44)"),
        ("UID SEARCH RETURN (RELEVANCY) FUZZY BODY hello", "UID RELEVANCY (100 55)"),
        ("SEARCH RETURN (RELEVANCY COUNT) FUZZY SUBJECT nowhere", "COUNT 0 RELEVANCY ()"),
        ("SEARCH RETURN (MIN MAX RELEVANCY) FUZZY SUBJECT Helo", "MIN 3 MAX 3 RELEVANCY (55)"),
        ("SEARCH RETURN (PARTIAL 2:9 RELEVANCY) FUZZY TEXT hello",
         "PARTIAL (2:9 3:4) RELEVANCY (100 44)"),
        ("SEARCH RETURN (PARTIAL -1:-1 RELEVANCY) FUZZY TEXT hello", "PARTIAL (-1:-1 4) RELEVANCY (44)"),
        ("SEARCH RETURN (RELEVANCY) FUZZY ALL", "RELEVANCY (100 100 100 100 100)"),
        # What several keys say is taken together; exact ones have no say.  No message is opened
        # for what one of two keys has found already.
        ("SEARCH RETURN (ALL RELEVANCY) 3 FUZZY SUBJECT Helo FUZZY BODY nothing", "ALL 3 RELEVANCY (78)"),
        ("SEARCH RETURN (ALL RELEVANCY) OR FUZZY SUBJECT Helo FUZZY BODY nothing", "ALL 3 RELEVANCY (55)"),
    ],
)  # fmt: skip
def test_relevancy(alice: Dialogue, command: str, told: str) -> None:
    """How well each message matches is told in the order of the result (4)."""
    assert alice.command(command)[0] == f'* ESEARCH (TAG "a") {told}'


@pytest.mark.parametrize(
    ("command", "told"),
    [
        # Scores of 2 to 4 are 80, 100 and 44.
        ("SORT (RELEVANCY) UTF-8 FUZZY TEXT hello", "* SORT 3 2 4"),
        ("SORT (REVERSE RELEVANCY) UTF-8 FUZZY TEXT hello", "* SORT 4 2 3"),
        ("SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT hello",
         '* ESEARCH (TAG "a") ALL 3,2,4 RELEVANCY (100 80 44)'),
        ("SORT RETURN (PARTIAL 1:2) (RELEVANCY) UTF-8 FUZZY TEXT hello",
         '* ESEARCH (TAG "a") PARTIAL (1:2 3,2)'),
    ],
)  # fmt: skip
def test_best_first(alice: Dialogue, command: str, told: str) -> None:
    """SORT can tell the best first (6)."""
    assert alice.command(command) == [told, "a OK SORT completed"]


def test_relevancy_needs_fuzzy(alice: Dialogue) -> None:
    """Without FUZZY there is no relevancy (4), in an empty mailbox either."""
    for keys in ("ALL", "SUBJECT hello", "NOT TEXT x"):
        assert alice.do(f"SEARCH RETURN (RELEVANCY) {keys}").startswith(b"a BAD ")
        assert alice.do(f"SORT (RELEVANCY) UTF-8 {keys}").startswith(b"a BAD ")
    alice.ok("CREATE empty")
    alice.select("empty")
    assert alice.do("SEARCH RETURN (RELEVANCY) ALL").startswith(b"a BAD ")
    assert (
        alice.ok("SEARCH RETURN (RELEVANCY) FUZZY ALL") == b'* ESEARCH (TAG "a") RELEVANCY ()\r\n'
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("SORT (RELEVANCY) UTF-8 FUZZY TEXT hello", "* SORT 3 2 4"),
        ("SORT (REVERSE RELEVANCY) UTF-8 FUZZY TEXT hello", "* SORT 4 2 3"),
        ("UID SORT (RELEVANCY REVERSE ARRIVAL) UTF-8 FUZZY ALL", "* SORT 1 2 3 4 5"),
        ("SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT hello",
         '* ESEARCH (TAG "a") ALL 3,2,4 RELEVANCY (100 80 44)'),
        ("SORT RETURN (RELEVANCY PARTIAL 1:2) (RELEVANCY) UTF-8 FUZZY TEXT hello",
         '* ESEARCH (TAG "a") PARTIAL (1:2 3,2) RELEVANCY (100 80)'),
        ("SORT RETURN (PARTIAL 1:2) (RELEVANCY) UTF-8 FUZZY TEXT hello",
         '* ESEARCH (TAG "a") PARTIAL (1:2 3,2)'),
        ("SORT (RELEVANCY) UTF-8 FUZZY TEXT nowhere", "* SORT"),
    ],
)  # fmt: skip
def test_sort(alice: Dialogue, command: str, told: str) -> None:
    """SORT brings the most relevant first, and tells how relevant each is (6)."""
    assert alice.command(command)[0] == told


def test_sort_needs_fuzzy(alice: Dialogue) -> None:
    """Without FUZZY there is nothing to sort by (6)."""
    assert alice.do("SORT (RELEVANCY) UTF-8 ALL").startswith(b"a BAD ")
    assert alice.do("SORT (RELEVANCY ARRIVAL) UTF-8 SUBJECT hello").startswith(b"a BAD ")


def test_saved(alice: Dialogue) -> None:
    """What FUZZY finds can be saved, and RELEVANCY changes nothing about that."""
    alice.ok("SEARCH RETURN (SAVE RELEVANCY) FUZZY TEXT Helo")
    assert alice.command("SEARCH $")[0] == "* SEARCH 2 3 4"


def test_charset(alice: Dialogue) -> None:
    """Strings are in the charset of the command."""
    assert alice.do(b"SEARCH CHARSET ISO-8859-1 FUZZY TO {6+}\r\nJ\xfcrgan").startswith(
        b"* SEARCH 4\r\n"
    )


@pytest.mark.parametrize(
    "command",
    ["SEARCH FUZZY", "SEARCH FUZZY ", "SEARCH FUZZY FOO", "SEARCH FUZZY SUBJECT", "SEARCH FUZZY (SUBJECT x",
     "SEARCH RETURN (RELEVANCY 1) FUZZY ALL", "SEARCH " + "FUZZY " * 50 + "ALL"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, command: str) -> None:
    """What the grammar has not is BAD; so is what is nested beyond the limits."""
    assert alice.do(command).startswith(b"a BAD ")
    same(alice.do("SEARCH SUBJECT Helo"), "* SEARCH", "a OK SEARCH completed")


def test_too_many(alice: Dialogue) -> None:
    """More strings than anybody types are refused before work begins (8)."""
    many = " ".join(["FUZZY (SUBJECT a BODY b)"] * 20)
    assert alice.command(f"SEARCH {many}")[0].startswith("* SEARCH")
    several = " ".join(f"FUZZY TEXT word{number}" for number in range(21))
    assert alice.command(f"SEARCH {several}")[0].startswith("a NO [LIMIT] ")


def test_abandoned(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client hangs up, its search stops."""
    opened: list[int] = []
    original = memory.MemoryMailbox.read
    monkeypatch.setattr(
        memory.MemoryMailbox, "read", lambda self, uid: (opened.append(uid), original(self, uid))[1]
    )
    monkeypatch.setattr(flow, "_SLICE", -1.0)
    client = server.login().append(*_LETTERS).select()
    client.post(b"a SEARCH RETURN (RELEVANCY) FUZZY BODY nowhere\r\n")
    client.hang_up()
    assert len(opened) < 3
