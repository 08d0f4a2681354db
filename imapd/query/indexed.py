"""A message's octets to the words that an index keeps of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final
from unicodedata import unidata_version

from imapd.mime.octets import Octets
from imapd.mime.parse import parse
from imapd.query.header_words import header_words
from imapd.query.segment import Words
from imapd.query.text import MessageText
from imapd.query.words import runs_of, shorten

__all__ = ["VERSION", "words_in"]

#: An index is good as long as this stays.  The number goes up when other words come out of a
#: message than before: from any change of what text a message has, how it is folded, cut into
#: words or kept in a segment.
VERSION: Final = f"2 {unidata_version} {sys.byteorder}"

#: Different words, and characters of text, of a message that is indexed.
_WORDS: Final = 50_000
_CHARACTERS: Final = 1 << 24


def words_in(octets: Octets, pause: Callable[[], object]) -> Words | None:
    """The words by `Place`; None if there are too many.  `pause` is called now and then."""
    part = parse(octets)
    pause()
    text = MessageText(octets, part)
    header = header_words(octets[: part.body_start])
    parts: set[bytes] = set()
    for below in text.below():
        parts |= header_words(octets[below.header_start : below.body_start])
    body: set[bytes] = set()
    most = _WORDS - len(header) - len(parts)
    characters = 0
    for each in text.bodies():
        pause()
        characters += len(each)
        if characters > _CHARACTERS:
            return None
        for runs in runs_of(each):
            body.update(runs)
            pause()
            if len(body) > most:
                shorten(body)
                if len(body) > most:
                    return None
    shorten(body)
    # Without any text there is always room.
    return None if len(body) > max(most, 0) else (header, parts, body)
