"""Productions that several commands share: known answers, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.limits import Limits
from imapd.model.numset import STAR, SequenceSet
from imapd.model.structure import Partial, Section
from imapd.wire import encode, grammar
from imapd.wire.cursor import BadSyntax, Cursor

_LIMITS = Limits(set_ranges=5, mime_depth=4)


def _all(production: Callable[[Cursor], Any], octets: bytes, utf8: bool = False) -> Any:
    cursor = Cursor(octets, _LIMITS, utf8)
    value = production(cursor)
    if not cursor.at_end():
        raise BadSyntax("more than that")
    return value


_KNOWN: list[tuple[Callable[[Cursor], Any], bytes, Any]] = [
    (grammar.sequence_set, b"1", SequenceSet(((1, 1),))),
    (grammar.sequence_set, b"2,4:7,9,12:*", SequenceSet(((2, 2), (4, 7), (9, 9), (12, STAR)))),
    (grammar.sequence_set, b"*", SequenceSet(((STAR, STAR),))),
    (grammar.sequence_set, b"*:4", SequenceSet(((STAR, 4),))),
    (grammar.sequence_set, b"5:2", SequenceSet(((5, 2),))),
    (grammar.sequence_set, b"4294967295", SequenceSet(((4294967295, 4294967295),))),
    (grammar.sequence_set, b"$", SequenceSet(saved=True)),
    (grammar.flag, b"\\seen", "\\Seen"),
    (grammar.flag, b"\\DELETED", "\\Deleted"),
    (grammar.flag, b"$Forwarded", "$Forwarded"),
    (grammar.flag, b"NonJunk", "NonJunk"),
    (grammar.flag_list, b"()", frozenset()),
    (grammar.flag_list, b"(\\Seen $x \\sEEn)", frozenset({"\\Seen", "$x"})),
    (grammar.date, b"1-Feb-1994", date(1994, 2, 1).toordinal()),
    (grammar.date, b'"01-feb-1994"', date(1994, 2, 1).toordinal()),
    (grammar.date, b"29-FEB-2000", date(2000, 2, 29).toordinal()),
    (grammar.date_time, b'"17-Jul-1996 02:44:25 -0700"', b"17-Jul-1996 02:44:25 -0700"),
    (grammar.date_time, b'" 7-jul-1996 02:44:60 +0000"', b" 7-Jul-1996 02:44:59 +0000"),
    (grammar.section, b"[]", Section((), "", (), b"")),
    (grammar.section, b"[1.2.3]", Section((1, 2, 3), "", (), b"1.2.3")),
    (grammar.section, b"[header]", Section((), "HEADER", (), b"header")),
    (grammar.section, b"[4.1.MIME]", Section((4, 1), "MIME", (), b"4.1.MIME")),
    (grammar.section, b"[2.TEXT]", Section((2,), "TEXT", (), b"2.TEXT")),
    (grammar.section, b"[HEADER.FIELDS (Date From)]",
     Section((), "HEADER.FIELDS", (b"DATE", b"FROM"), b"HEADER.FIELDS (Date From)")),
    (grammar.section, b'[3.HEADER.FIELDS.NOT ("a b")]',
     Section((3,), "HEADER.FIELDS.NOT", (b"A B",), b'3.HEADER.FIELDS.NOT ("a b")')),
    (grammar.section, b"[1.HEADER.FIELDS ({4}\r\na\"b\\)]",
     Section((1,), "HEADER.FIELDS", (b'A"B\\',), b'1.HEADER.FIELDS ("A\\"B\\\\")')),
    (grammar.section_binary, b"[1]", Section((1,), "", (), b"1")),
    (grammar.section_binary, b"[]", Section((), "", (), b"")),
    (grammar.partial, b"<0.1>", Partial(0, 1)),
    (grammar.partial, b"<9223372036854775807.9223372036854775807>",
     Partial(9223372036854775807, 9223372036854775807)),
    (grammar.partial, b"", None),
    (grammar.mailbox, b"inbox", "INBOX"),
    (grammar.mailbox, b'"InBox/x"', "INBOX/x"),
    (grammar.mailbox, b"inboxes", "inboxes"),
    (grammar.mailbox, b"&AOk-t&AOk-", "\u00e9t\u00e9"),
    (grammar.mailbox, b"{3}\r\na b", "a b"),
    (grammar.mailbox, b'"\xc3\xa9"', "\u00e9"),
    (grammar.mailbox, b"R&-D", "R&D"),
    (grammar.list_mailbox, b"a%b*", "a%b*"),
    (grammar.list_mailbox, b'"a b*"', "a b*"),
    (grammar.list_mailbox, b"[Gmail]/%", "[Gmail]/%"),
]  # fmt: skip


@pytest.mark.parametrize(("production", "octets", "value"), _KNOWN)
def test_known(production: Callable[[Cursor], Any], octets: bytes, value: Any) -> None:
    """Octets that are of the grammar's form have one meaning."""
    assert _all(production, octets) == value


_BAD: list[tuple[Callable[[Cursor], Any], list[bytes]]] = [
    (grammar.sequence_set, [b"", b"0", b"1,", b",1", b"1::2", b"1:2:3", b"a", b"-1", b"4294967296", b"1 ",
                            b"00", b"12345678901", b"**", b"1,2,3,4,5,6", b"$1", b"\xb2"]),
    (grammar.flag, [b"", b"\\", b"\\Recent", b"\\*", b"\\Foo", b"(a)", b"a]b", b"\xe9", b'"a"', b"a\\b"]),
    (grammar.flag_list, [b"", b"a", b"(a", b"(\\Seen\\Deleted)"]),
    (grammar.date, [b"", b"1-Foo-2000", b"30-Feb-2000", b"0-Jan-2000", b"1-Jan-0000", b'"1-Jan-2000',
                    b"1-Jan-99", b"1 Jan 2000", b"111-Jan-2000", b"\xb2-Jan-2000"]),
    (grammar.date_time, [b"17-Jul-1996 02:44:25 -0700", b'"17-Jul-1996 24:44:25 -0700"', b'""',
                         b'"17-Jul-1996 02:44:25"', b'"31-Jun-1996 02:44:25 +0000"',
                         b'"17-Jul-1996 02:44:25 +2400"', b'"17-Jul-0000 02:44:25 +0000"',
                         b'"17-Jul-1996 02:44:25 -0799"']),
    (grammar.section, [b"", b"[", b"[0]", b"[1.]", b"[.1]", b"[MIME]", b"[XYZZY]", b"[HEADER.FIELDS]",
                       b"[1.0]", b"[HEADER.FIELDS ()]", b"[HEADER (a)]", b"[TEXT.1]", b"[1.2.3.4.5]", b"[1 ]",
                       b"[HEADER.FIELDS (\xe9)]", b"[HEADER.FIELDS ({2}\r\n\r\n)]", b"[HEADER.FIELDS (a]"]),
    (grammar.section_binary, [b"[TEXT]", b"[1.MIME]", b"[0]"]),
    (grammar.partial, [b"<", b"<0>", b"<0.0>", b"<.1>", b"<1.>", b"<-1.1>", b"<9223372036854775808.1>"]),
    (grammar.mailbox, [b"", b"(", b"a*", b"a%", b'"a', b"{3}\r\nab"]),
    (grammar.list_mailbox, [b"", b"(", b"a b", b'"a']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("production", "octets"), [(production, octets) for production, all in _BAD for octets in all]
)
def test_bad(production: Callable[[Cursor], Any], octets: bytes) -> None:
    """Other octets are refused, never misread."""
    with pytest.raises(BadSyntax):
        _all(production, octets)


@pytest.mark.parametrize(
    "octets", [b"&", b"&AOk", b"&AGE-", b"a&b", b"&&-", b"&Jjo!-", b'"\xe9"', b"&2AA-"]
)
def test_undecodable_names(octets: bytes) -> None:
    """A name that is none in its encoding is one that no mailbox can have."""
    assert _all(grammar.mailbox, octets).startswith(grammar.UNDECODABLE)


def test_names_in_utf8() -> None:
    """For who enabled UTF-8, names are UTF-8, and an ampersand is an ampersand."""
    assert _all(grammar.mailbox, b'"\xc3\xa9"', utf8=True) == "\u00e9"
    assert _all(grammar.mailbox, b"&AOk-", utf8=True) == "&AOk-"


@pytest.mark.parametrize(
    ("name", "octets", "utf8"),
    [
        ("INBOX", b"INBOX", b'"INBOX"'),
        ("a b", b'"a b"', b'"a b"'),
        ("R&D", b"R&-D", b'"R&D"'),
        ("\u00e9t\u00e9", b"&AOk-t&AOk-", '"\u00e9t\u00e9"'.encode()),
        ("NIL", b'"NIL"', b'"NIL"'),
        ("", b'""', b'""'),
        ('a"\\b', b'"a\\"\\\\b"', b'"a\\"\\\\b"'),
        ("\U0001f4e7", b"&2D3c5w-", '"\U0001f4e7"'.encode()),
        ("a*", b'"a*"', b'"a*"'),
    ],
)
def test_names_written(name: str, octets: bytes, utf8: bytes) -> None:
    """A name is written so that every client reads it."""
    assert encode.mailbox(name) == octets
    assert encode.mailbox(name, utf8=True) == utf8


_NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(_NAME, st.booleans())
def test_names_come_back(name: str, utf8: bool) -> None:
    """Every name that is written is read back."""
    written = encode.mailbox(name, utf8)
    if utf8:
        name = name.replace("\0", "")
    if not name:
        return
    head, slash, rest = name.partition("/")
    expected = "INBOX" + slash + rest if head.upper() == "INBOX" else name
    assert _all(grammar.mailbox, written, utf8) == expected


_PRODUCTIONS = [production for production, _ in _BAD]


@given(st.sampled_from(_PRODUCTIONS), st.binary(max_size=30), st.booleans())
def test_any_octets(production: Callable[[Cursor], Any], octets: bytes, utf8: bool) -> None:
    """Any octets give a value or `BadSyntax`, never another error."""
    try:
        production(Cursor(octets, _LIMITS, utf8))
    except BadSyntax as error:
        assert str(error)  # noqa: PT017  (its text goes to the client)
