"""Text as searches compare it: what differs only in case or in how it is encoded is one.

After i;unicode-casemap (RFC 5051): that collation maps each character to its title case
and decomposes it.  Here characters are decomposed (NFKD) and case-folded, which makes one
of all that it makes one of, and of a little more (``ß`` and ``ss``), at the speed of two
calls.  As with RFC 5051, whoever looks for ``cafe`` finds ``café`` too: its accent comes
after.  The form is for comparing only, and is its own: folding it again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from unicodedata import combining, normalize

__all__ = ["fold", "fold_line"]

#: Characters that are folded at once.
_AT_ONCE: Final = 65_536
#: What marks are among; so many in a row are no writing.
_AMONG: Final = "[\u0300-\u1dff\u20d0-\u20f0\u2cef-\U0010ffff]"
_MANY: Final = 128
_CROWDED: Final = re.compile(f"{_AMONG}{{{_MANY}}}").search
#: To look for in every so manieth character first: most texts have none there.
_PERHAPS: Final = re.compile(_AMONG).search
#: Characters that are folded at once then, and marks in a row that are put in order: Unicode's
#: Stream-Safe Text Format has 30.
_FEW: Final = 64
_MARKS: Final = 32


def fold(text: str) -> str:
    """The form in which texts that count as equal are equal."""
    if text.isascii():
        return text.lower()
    if len(text) > _AT_ONCE:
        return "".join(map(_fold, _pieces(text, _AT_ONCE)))
    return _fold(text)


def _pieces(text: str, size: int) -> Iterator[str]:
    """A long text in pieces: other threads would have to wait for the whole.

    Each begins with a character that is no mark of the one before, unless marks do not end.
    """
    at = 0
    while at < len(text):
        stop = at + size
        most = min(len(text), stop + _MARKS)
        while stop < most and combining(text[stop]):
            stop += 1
        yield text[at:stop]
        at = stop


def _fold(text: str) -> str:
    # Marks are put in order one by one: the time for one character may be that of all its marks.
    if _PERHAPS(text[_MANY - 1 :: _MANY]) and _CROWDED(text):
        return "".join(map(_decomposed, _pieces(text, _FEW)))
    return _decomposed(text)


def _decomposed(text: str) -> str:
    # Dotless i: its title case is I (RFC 5051, 2 (a)), its case folding itself.
    text = normalize("NFKD", text).replace("\u0131", "i").casefold()
    return normalize("NFKD", text)


_SPACES: Final = str.maketrans("\t\n\r\0", "    ")


def fold_line(text: str) -> str:
    """The same for a header field: a tab, often all that a fold left, is a space.

    So is what ends lines, which only an encoded word can bring: what comes is one line.
    """
    return fold(text if text.isprintable() else text.translate(_SPACES))
