"""Text in charsets that are right, wrong or unknown."""

from __future__ import annotations

import encodings
import pkgutil

import pytest

from imapd.mime.charsets import codec, decode


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        pytest.param(b"\xe9", b"iso-8859-1", "\xe9", id="as told"),
        pytest.param(b"\x80", b"ISO-8859-1", "\u20ac", id="Windows letters"),
        pytest.param(b"\x81", b"iso-8859-1", "\x81", id="no letter at all"),
        pytest.param(b"\xc3\xa9", b"us-ascii", "\xe9", id="really UTF-8"),
        pytest.param(b"\xe9", b"us-ascii", "\xe9", id="really Latin-1"),
        pytest.param(b"\xc3\xa9\xff", b"utf-8", "\xe9\ufffd", id="damaged UTF-8"),
        pytest.param(b"+2AA-", b"utf-7", "\ufffd", id="lone surrogate"),
        pytest.param(b"\xe9", None, "\xe9", id="none named"),
        pytest.param(b"a", b"", "a", id="empty name"),
        pytest.param(b"a", b"x" * 10_000, "a", id="very long name"),
        pytest.param(b"a", b"../etc\0", "a", id="no name"),
        pytest.param(b"a", b"undefined", "a", id="Python's own"),
        pytest.param(b"a", b"unicode_escape", "a", id="Python's escapes"),
        pytest.param(b"\x82\xa0", b"Shift_JIS", "\u3042", id="Japanese"),
    ],
)
def test_decode(data: bytes, charset: bytes | None, text: str) -> None:
    """Octets always become text, without lone surrogates."""
    assert decode(data, charset) == text
    text.encode("utf-8")


#: Every charset that Python knows.
_ALL = sorted(
    {
        found
        for module in pkgutil.iter_modules(encodings.__path__)
        if (found := codec(module.name.encode("ascii"))) is not None
    }
)


@pytest.mark.parametrize("name", _ALL)
def test_part_of_a_text(name: str) -> None:
    """Whatever the charset, a text that was cut anywhere is its beginning, without half a character."""
    for text in ("naïve", "Καλημέρα", "отпуск", "日本語の文", "한국어", "abc"):
        try:
            octets = text.encode(name)
        except UnicodeEncodeError:
            continue
        if octets.decode(name) != text:
            continue  # it knows no capitals, or reads from right to left
        for stop in range(len(octets)):
            read = decode(octets[:stop], name.encode("ascii"), whole=False)
            assert text.startswith(read), (octets[:stop], read)
    assert "utf-16" in _ALL
    assert len(_ALL) > 80
