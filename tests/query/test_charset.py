"""The charset of search strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query.charset import codec, decode


@pytest.mark.parametrize(
    "name",
    [b"UTF-8", b"utf8", b"utf-8", b"Utf_8", b"US-ASCII", b"us-ascii", b"ISO-8859-1", b"latin1",
     b"KOI8-R", b"windows-1252", b"Shift_JIS", b"iso-2022-jp", b"GB18030", b"Big5", b"EUC-KR",
     b"utf-7", b"UTF-16"],
)  # fmt: skip
def test_known(name: bytes) -> None:
    """Every charset of Python's is known, in any spelling."""
    assert codec(name) is not None


@pytest.mark.parametrize(
    "name",
    [b"", b"x-unknown", b"base64", b"rot13", b"zlib", b"idna", b"punycode", b"unicode_escape",
     b"raw_unicode_escape", b"undefined", b"a" * 50, b"../../etc/passwd", b"\xff\xfe", b"utf 8"],
)  # fmt: skip
def test_unknown(name: bytes) -> None:
    """What is no charset of text is refused."""
    assert codec(name) is None


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        (b"abc", b"us-ascii", "abc"),
        ("мать".encode(), b"utf-8", "мать"),
        ("мать".encode("koi8-r"), b"KOI8-R", "мать"),
        ("日本".encode("iso-2022-jp"), b"ISO-2022-JP", "日本"),
        # A charset that does not fit: UTF-8, and if it is not that, Latin-1.
        ("caf\u00e9".encode(), b"us-ascii", "caf\u00e9"),
        (b"caf\xe9", b"us-ascii", "caf\u00e9"),
        (b"caf\xe9", b"utf-8", "caf\u00e9"),
        (b"+2AA-", b"utf-7", "+2AA-"),
    ],
)
def test_decoded(octets: bytes, charset: bytes, text: str) -> None:
    """A string is read in its charset, or in the one that the client must have meant."""
    name = codec(charset)
    assert name is not None
    assert decode(octets, name) == text


@given(st.binary(), st.sampled_from(["ascii", "utf-8", "utf-7", "utf-16", "shift_jis", "koi8-r"]))
def test_any_octets(octets: bytes, name: str) -> None:
    """Any octets give some text that can be compared."""
    decode(octets, name).encode("utf-8")
