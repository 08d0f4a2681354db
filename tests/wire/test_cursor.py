"""Productions of the grammar, taken or refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.limits import Limits
from imapd.wire import encode
from imapd.wire.cursor import BadSyntax, Cursor

_LIMITS = Limits(nesting=3, list_length=4)


def _cursor(data: bytes) -> Cursor:
    return Cursor(data, _LIMITS)


#: Production, octets, value, what is left.
_TAKEN: list[tuple[str, bytes, Any, bytes]] = [
    ("atom", b"abc def", b"abc", b" def"),
    ("atom", b"a.b-c+d/e:f;g]", b"a.b-c+d/e:f;g", b"]"),
    ("atom", b"x(", b"x", b"("),
    ("astring", b"a]b c", b"a]b", b" c"),
    ("astring", b'"a b"c', b"a b", b"c"),
    ("astring", b"{3}\r\na\r\nb", b"a\r\n", b"b"),
    ("astring", b"NIL", b"NIL", b""),
    ("string", b'"" ', b"", b" "),
    ("string", b'"a\\"b\\\\c"', b'a"b\\c', b""),
    ("string", b'"\xc3\xa9"', b"\xc3\xa9", b""),
    ("string", b"{0}\r\n", b"", b""),
    ("string", b"{2+}\r\n\r\nx", b"\r\n", b"x"),
    ("string", b"~{2}\r\n\0\0", b"\0\0", b""),
    ("nstring", b"nil)", None, b")"),
    ("nstring", b'"nil"', b"nil", b""),
    ("number", b"0", 0, b""),
    ("number", b"4294967295x", 4294967295, b"x"),
    ("number", b"007", 7, b""),
    ("nz_number", b"1", 1, b""),
    ("word", b"body.peek[", b"BODY.PEEK", b"["),
]  # fmt: skip

_REFUSED: list[tuple[str, bytes]] = [
    ("atom", b""), ("atom", b" a"), ("atom", b'"a"'), ("atom", b"{1}"), ("atom", b"\x7f"), ("atom", b"\xe9"),
    ("atom", b"]"), ("atom", b"*"), ("astring", b""), ("astring", b"(a)"), ("astring", b"%"),
    ("string", b"abc"), ("string", b'"abc'), ("string", b'"a\r\nb"'), ("string", b'"a\0b"'),
    ("string", b'"a\\b"'),
    ("string", b"{3}\r\nab"), ("string", b"{3}ab"), ("string", b"{-1}\r\n"), ("string", b"{99999999999}\r\n"),
    ("nstring", b"NILS"), ("number", b""), ("number", b"-1"), ("number", b"4294967296"),
    ("number", b"99999999999999999999999999"), ("number", b"\xb2"), ("nz_number", b"0"), ("word", b"("),
]  # fmt: skip


@pytest.mark.parametrize(("name", "octets", "value", "left"), _TAKEN)
def test_taken(name: str, octets: bytes, value: Any, left: bytes) -> None:
    """What is of a production's form is taken, and nothing behind it."""
    cursor = _cursor(octets)
    assert getattr(cursor, name)() == value
    assert octets[cursor.at :] == left


@pytest.mark.parametrize(("name", "octets"), _REFUSED)
def test_refused(name: str, octets: bytes) -> None:
    """What is not, is refused."""
    with pytest.raises(BadSyntax):
        getattr(_cursor(octets), name)()


@pytest.mark.parametrize(
    ("octets", "members"),
    [(b"(a)", [b"a"]), (b"(a b c)", [b"a", b"b", b"c"]), (b"( a  b )", [b"a", b"b"])],
)
def test_listed(octets: bytes, members: list[bytes]) -> None:
    """A list has members between parentheses; spaces too many do no harm."""
    cursor = _cursor(octets)
    assert cursor.listed(Cursor.atom) == members
    assert cursor.at_end()


def test_empty_list() -> None:
    """An empty list is one where the grammar says so."""
    assert _cursor(b"()").listed(Cursor.atom, empty=True) == []
    assert _cursor(b"( )").listed(Cursor.atom, empty=True) == []
    with pytest.raises(BadSyntax):
        _cursor(b"()").listed(Cursor.atom)


@pytest.mark.parametrize("octets", [b"(a", b"a)", b"(a b", b"(a(b))", b"(a\tb)", b"(a b c d e)"])
def test_bad_lists(octets: bytes) -> None:
    """A list that is not closed, holds what it must not, or is too long, is refused."""
    with pytest.raises(BadSyntax):
        _cursor(octets).listed(Cursor.atom, empty=True)


def test_nested_too_deeply() -> None:
    """Parentheses have a bound."""
    cursor = _cursor(b"((((")
    for _ in range(3):
        cursor.enter()
    with pytest.raises(BadSyntax, match="nested too deeply"):
        cursor.enter()


def test_skip_word() -> None:
    """A word ends where it ends, in any case."""
    cursor = _cursor(b"return (all)")
    assert not cursor.skip_word(b"RET")
    assert cursor.skip_word(b"RETURN")
    assert cursor.at == 6


def test_end() -> None:
    """A space at the end is forgiven; anything else is not."""
    _cursor(b"  ").end()
    with pytest.raises(BadSyntax, match="expected the end of the command at octet 0"):
        _cursor(b" x").end()


@given(
    st.binary(max_size=40),
    st.sampled_from(["atom", "astring", "string", "nstring", "number", "word"]),
)
def test_any_octets(octets: bytes, name: str) -> None:
    """Any octets give a value or `BadSyntax`, and the cursor stays inside them."""
    cursor = _cursor(octets)
    with suppress(BadSyntax):
        getattr(cursor, name)()
    assert 0 <= cursor.at <= len(octets)


# What is written is read back.


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"", b'""'),
        (b"abc", b'"abc"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"\t\x7f", b'"\t\x7f"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"\xe9", b"{1}\r\n\xe9"),
        (b"a\0b", b"{2}\r\nab"),
        (b"x" * 1_001, b"{1001}\r\n" + b"x" * 1_001),
    ],
)
def test_string_written(octets: bytes, written: bytes) -> None:
    """A string is quoted where it can be, else a literal; NUL has no place in either."""
    assert encode.string(octets) == written
    assert encode.nstring(octets) == written


def test_string_written_in_utf8() -> None:
    """For who enabled UTF-8 it is quoted, if it is UTF-8."""
    assert encode.string(b"\xc3\xa9", utf8=True) == b'"\xc3\xa9"'
    assert encode.string(b"\xe9", utf8=True) == b"{1}\r\n\xe9"
    assert encode.nstring(None) == b"NIL"


@given(st.binary(max_size=60), st.booleans())
def test_strings_come_back(octets: bytes, utf8: bool) -> None:
    """Every string that is written is read back, but for NUL."""
    cursor = Cursor(encode.string(octets, utf8), Limits(), utf8)
    assert cursor.string() == octets.replace(b"\0", b"")
    assert cursor.at_end()


@pytest.mark.parametrize(
    ("words", "octets"),
    [
        ("Done", b"Done"),
        ("", b"."),
        ("a\r\nb\0", b"a  b "),
        ("\u00e9t\u00e9", b"?t?"),
        ("\x7f", b" "),
    ],
)
def test_text(words: str, octets: bytes) -> None:
    """The text of a response is one line, 7 bits, and never empty."""
    assert encode.text(words) == octets


def _listed(cursor: Cursor) -> list[bytes]:
    return cursor.listed(Cursor.atom)


def test_what_was_here_before() -> None:
    """It is taken again as it was, and what is left after it is not part of it."""
    memory: dict[Any, Any] = {}

    def cursor(data: bytes, utf8: bool = False) -> Cursor:
        return Cursor(data, _LIMITS, utf8, memory=memory)

    first, again = cursor(b"1 (a b) (c)"), cursor(b"22 (a b) (c)")
    for each, at in ((first, 2), (again, 3)):
        each.at = at
        assert each.remembered(_listed) == [b"a", b"b"]
        assert each.data[each.at :] == b" (c)"
    assert again.remembered(Cursor.peek) == b" "
    quoted = cursor(b'"\xff"')
    assert quoted.remembered(Cursor.string) == b"\xff"
    with pytest.raises(BadSyntax):
        cursor(b'"\xff"', utf8=True).remembered(Cursor.string)


def test_what_is_remembered_is_bounded() -> None:
    """However many different and long things clients send, and what is refused is refused again."""
    memory: dict[Any, Any] = {}
    for number in range(5_000):
        assert Cursor(b"%d" % number, _LIMITS, memory=memory).remembered(Cursor.number) == number
    for _ in range(2):
        with pytest.raises(BadSyntax):
            Cursor(b"(a", _LIMITS, memory=memory).remembered(_listed)
        long = b"a" * 100_000
        assert Cursor(long, _LIMITS, memory=memory).remembered(Cursor.atom) == long
    assert len(memory) < 1_000
    assert max(len(text) for _, _, text in memory) < 1_000
