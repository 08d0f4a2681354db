"""The grammar of search programs: what clients write, as the value that it is."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.commands.search_keys import KEYS, search_keys
from imapd.dialect import Dialect, Feature, SearchKey
from imapd.model.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from imapd.model.limits import Limits
from imapd.model.numset import STAR, SequenceSet
from imapd.model.search import And, Not, Or, Program, Recent, SequenceNumbers, UIDs
from imapd.query import keys
from imapd.query.keys import ALL, Relation
from imapd.wire.cursor import BadSyntax, Cursor

_DIALECT = Dialect.of([Feature("test", 0, search_keys=KEYS)])
_DAY = date(1994, 2, 1).toordinal()
_SEEN = keys.flag(SEEN)
_DRAFT = keys.flag(DRAFT)
_FLAGGED = keys.flag(FLAGGED)


def _read(octets: bytes, charset: str = "utf-8", limits: Limits | None = None) -> Program:
    cursor = Cursor(octets, limits or Limits(), vocabulary=_DIALECT)
    cursor.charset = charset
    program = search_keys(cursor)
    cursor.end()
    assert cursor.depth == 0
    return program


def _numbers(*ranges: tuple[int, int], saved: bool = False) -> SequenceNumbers:
    return SequenceNumbers(SequenceSet(ranges, saved))


@pytest.mark.parametrize(
    ("octets", "program"),
    [
        (b"ALL", ALL),
        (b"ANSWERED", keys.flag(ANSWERED)),
        (b"BCC x", keys.address(b"bcc", "x")),
        (b"BEFORE 1-Feb-1994", keys.internal_date(Relation.BEFORE, _DAY)),
        (b"BODY x", keys.body("x")),
        (b"CC x", keys.address(b"cc", "x")),
        (b"DELETED", keys.flag(DELETED)),
        (b"DRAFT", _DRAFT),
        (b"FLAGGED", _FLAGGED),
        (b"FROM Smith", keys.address(b"from", "Smith")),
        (b"HEADER X-Spam yes", keys.header(b"X-Spam", "yes")),
        (b'HEADER "Message-ID" ""', keys.header(b"message-id", "")),
        (b"KEYWORD $Junk", keys.keyword("$Junk")),
        (b"LARGER 4294967296", keys.larger(4_294_967_296)),
        (b"NEW", And((Recent(), Not(_SEEN)))),
        (b"NOT SEEN", Not(_SEEN)),
        (b"OLD", Not(Recent())),
        (b"ON 1-Feb-1994", keys.internal_date(Relation.ON, _DAY)),
        (b"OR SEEN DRAFT", Or((_SEEN, _DRAFT))),
        (b"RECENT", Recent()),
        (b"SEEN", _SEEN),
        (b"SENTBEFORE 1-Feb-1994", keys.sent(Relation.BEFORE, _DAY)),
        (b"SENTON 1-Feb-1994", keys.sent(Relation.ON, _DAY)),
        (b"SENTSINCE 1-Feb-1994", keys.sent(Relation.SINCE, _DAY)),
        (b"SINCE 1-Feb-1994", keys.internal_date(Relation.SINCE, _DAY)),
        (b"SMALLER 0", keys.smaller(0)),
        (b"SUBJECT x", keys.header(b"subject", "x")),
        (b"TEXT x", keys.text("x")),
        (b"TO x", keys.address(b"to", "x")),
        (b"UID 1:3,7", UIDs(SequenceSet(((1, 3), (7, 7))))),
        (b"UID $", UIDs(SequenceSet(saved=True))),
        (b"UNANSWERED", Not(keys.flag(ANSWERED))),
        (b"UNDELETED", Not(keys.flag(DELETED))),
        (b"UNDRAFT", Not(_DRAFT)),
        (b"UNFLAGGED", Not(_FLAGGED)),
        (b"UNKEYWORD $Junk", Not(keys.keyword("$Junk"))),
        (b"UNSEEN", Not(_SEEN)),
        (b"1:5,*", _numbers((1, 5), (STAR, STAR))),
        (b"*:3", _numbers((STAR, 3))),
        (b"$", _numbers(saved=True)),
        (b"(SEEN)", _SEEN),
        (b"(SEEN DRAFT)", And((_SEEN, _DRAFT))),
        (b"SEEN DRAFT", And((_SEEN, _DRAFT))),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_keys(octets: bytes, program: Program) -> None:
    """Every key of RFC 9051 and RFC 3501."""
    assert _read(octets) == program


_NAMES = (
    "ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT FLAGGED FROM HEADER KEYWORD LARGER NEW NOT "
    "OLD ON OR RECENT SEEN SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID "
    "UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD UNSEEN"
)


def test_all_are_here() -> None:
    """No key of the RFCs is missing from the table above, nor from the server."""
    assert {key.name for key in KEYS} | {"OR", "NOT"} == set(_NAMES.split())


@pytest.mark.parametrize(
    ("octets", "program"),
    [
        pytest.param(b"uNsEEn", Not(_SEEN), id="any case"),
        pytest.param(b"(OR (SEEN) (DRAFT))", Or((_SEEN, _DRAFT)), id="parenthesised OR"),
        pytest.param(b"NOT ((OR SEEN DRAFT))", Not(Or((_SEEN, _DRAFT))), id="NOT of lists"),
        pytest.param(b"NOT NOT SEEN", _SEEN, id="NOT NOT"),
        pytest.param(b"NOT UNSEEN", _SEEN, id="NOT UN"),
        pytest.param(
            b"NOT OR SEEN DRAFT FLAGGED", And((Not(Or((_SEEN, _DRAFT))), _FLAGGED)), id="binding"
        ),
        pytest.param(
            b"OR SEEN (DRAFT FLAGGED)", Or((_SEEN, And((_DRAFT, _FLAGGED)))), id="OR of a list"
        ),
        pytest.param(b"SEEN  DRAFT ", And((_SEEN, _DRAFT)), id="extra spaces"),
        pytest.param(b"( SEEN )", _SEEN, id="spaces in a list"),
        pytest.param(b'SINCE "1-feb-1994"', keys.internal_date(Relation.SINCE, _DAY), id="date"),
        pytest.param(b"SINCE 01-Feb-1994", keys.internal_date(Relation.SINCE, _DAY), id="01"),
        pytest.param(b"SUBJECT NIL", keys.header(b"subject", "NIL"), id="NIL is a word"),
        pytest.param(b"KEYWORD NIL", keys.keyword("NIL"), id="NIL is a keyword"),
        pytest.param(b"SUBJECT {3}\r\na b", keys.header(b"subject", "a b"), id="literal"),
        pytest.param(b"SUBJECT {3+}\r\na b DRAFT",
                     And((keys.header(b"subject", "a b"), _DRAFT)), id="literal+"),
        pytest.param('SUBJECT "жук"'.encode(), keys.header(b"subject", "жук"), id="raw utf-8"),
        pytest.param(b'SUBJECT "caf\xe9"', keys.header(b"subject", "café"), id="raw latin-1"),
        pytest.param(b'SUBJECT "a\\"b"', keys.header(b"subject", 'a"b'), id="escape"),
        pytest.param(b"FROM a@b.example", keys.address(b"from", "a@b.example"), id="atom"),
        pytest.param(b"UID 5 3", And((UIDs(SequenceSet(((5, 5),))), _numbers((3, 3)))), id="UID"),
    ],
)  # fmt: skip
def test_as_clients_write(octets: bytes, program: Program) -> None:
    """What real clients send, odd as it may look."""
    assert _read(octets) == program


def test_charset() -> None:
    """Strings are read in the charset of the search."""
    assert _read("SUBJECT {4}\r\nмать".encode("koi8-r"), "koi8-r") == keys.header(
        b"subject", "мать"
    )


@pytest.mark.parametrize(
    "octets",
    [b"", b" SEEN", b"FOO", b"SEEN,DRAFT", b"SEEN)", b"(SEEN", b"()", b"(SEEN)DRAFT", b"NOT",
     b"NOT ", b"OR", b"OR SEEN", b"OR SEEN ", b"OR (SEEN DRAFT)", b"SINCE", b"SINCE x",
     b"SINCE 30-Feb-1994", b"SINCE 1-Foo-1994", b"SINCE 1-Feb-94", b'SINCE "1-Feb-1994',
     b"SUBJECT", b"SUBJECT (a)", b"HEADER X", b"KEYWORD", b'KEYWORD "x"', b"KEYWORD \\Seen",
     b"LARGER -1", b"LARGER x", b"LARGER 9223372036854775808", b"UID", b"UID x", b"UID 0", b"0",
     b"1:", b"1,,2", b"1;2", b"SUBJECT \xff", b'SUBJECT "a', b"SUBJECT {9}\r\nabc", b"RETURN () SEEN"],
)  # fmt: skip
def test_bad(octets: bytes) -> None:
    """What is no search program is refused as a whole."""
    with pytest.raises(BadSyntax):
        _read(octets)


@pytest.mark.parametrize(
    "octets",
    [b"OR SEEN " * 500 + b"SEEN", b"OR " * 500 + b"SEEN " * 500 + b"SEEN"],
    ids=["to the right", "to the left"],
)
def test_long_chain(octets: bytes) -> None:
    """Hundreds of alternatives are one OR, however they are nested."""
    program = _read(octets)
    assert isinstance(program, Or)
    assert len(program.programs) == 501


@pytest.mark.parametrize(
    "octets", [b"(" * 33 + b"SEEN" + b")" * 33, b"NOT " * 33 + b"SEEN", b"NOT (" * 17 + b"SEEN" + b")" * 17]
)  # fmt: skip
def test_too_deep(octets: bytes) -> None:
    """Nesting has a bound."""
    with pytest.raises(BadSyntax, match="deep"):
        _read(octets)


@pytest.mark.parametrize(
    "octets",
    [b"SEEN 1 SEEN UNSEEN SEEN", b"(SEEN SEEN SEEN SEEN SEEN)",
     b"OR SEEN OR SEEN OR SEEN OR SEEN SEEN", b"OR OR OR OR OR SEEN", b"(((((SEEN)))))",
     b"(SEEN SEEN SEEN) (SEEN SEEN)", b"NOT (SEEN SEEN SEEN) (SEEN SEEN)"],
)  # fmt: skip
def test_too_many(octets: bytes) -> None:
    """The number of keys has a bound."""
    with pytest.raises(BadSyntax, match="too many"):
        _read(octets, limits=Limits(search_keys=4))


@pytest.mark.parametrize("octets", [b"UNSEEN 1 NOT SEEN DRAFT", b"OR SEEN OR SEEN SEEN"])
def test_just_enough(octets: bytes) -> None:
    """NOT, OR and parentheses are not counted as keys of their own."""
    _read(octets, limits=Limits(search_keys=4))


def test_key_of_a_feature() -> None:
    """A feature's own key is read by its grammar, and may have another key in it."""

    def fuzzy(cursor: Cursor) -> Program:
        cursor.space()
        return Not(search_keys(cursor))

    dialect = Dialect.of([Feature("test", 0, search_keys=[*KEYS, SearchKey("X-FUZZY", fuzzy)])])
    cursor = Cursor(b"DRAFT x-fuzzy SEEN", Limits(), vocabulary=dialect)
    assert search_keys(cursor) == And((_DRAFT, Not(_SEEN)))


_tokens = st.lists(
    st.sampled_from(
        [b"SEEN", b"NOT", b"OR", b"(", b")", b" ", b" ", b" ", b"SUBJECT", b"x", b'"y"', b"1:*",
         b"$", b"{1}\r\nz", b"1-Feb-1994", b"SINCE", b"UID", b"\xff", b"HEADER"]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@given(_tokens | st.binary(max_size=60))
def test_any_octets(octets: bytes) -> None:
    """Any octets are a program or a BAD, never another error."""
    with suppress(BadSyntax):
        _read(octets)
