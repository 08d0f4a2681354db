"""Text as it is put in order: by i;unicode-casemap (RFC 5051, 2), which RFC 5256 asks for.

Each character becomes its title case and is decomposed; what comes of it compares by code
points, as its UTF-8 does by octets.  For equality and for substrings `imapd.query.fold`
serves as well, and faster; the order it gives is another: there ``_`` comes before letters.
"""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

__all__ = ["collate"]


class _Prepared(dict[int, str]):
    """What becomes of each character, found out once."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        title = character.title()
        # UnicodeData.txt knows title cases of one character alone.
        prepared = self[point] = normalize("NFKD", title if len(title) == 1 else character)
        return prepared


#: A mark of the end of a line, or of the text, can only come of an encoded word: they are spaces.
_PREPARED: Final = _Prepared({ord(character): " " for character in "\t\n\r\0"})


def collate(text: str) -> str:
    """The form that is in order where the text is."""
    if text.isascii() and text.isprintable():
        return text.upper()
    return text.translate(_PREPARED)
