"""The words of a header, without reading its fields one by one.

Rules of this file:

* The words are those of `header_text`; this is only sooner.
* What unfolding takes away is followed by a space, and a name by a colon, both of which are cut
  off.  So fields in ASCII without encoded words have the words that their octets have.
* Encoded words are decoded by themselves if what stands beside them is cut off.  Not long ones:
  how marks in a row are folded depends on all the text before them (`imapd.query.fold`).
* Only fields have words.  A block with a line that belongs to none is read field by field.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from imapd.mime.words import decode
from imapd.model.limits import Limits
from imapd.query.fold import fold_line
from imapd.query.text import header_text
from imapd.query.words import words_of

__all__ = ["header_words"]

_MOST: Final = Limits().mime_header
#: A line that neither begins a field nor continues one, and is not the blank line at the end.
_STRAY: Final = re.compile(rb"\n(?![!-9;-~\x80-\xff]+[ \t]*:|[ \t]|\r?\n?\Z)").search
_FIELD_END: Final = re.compile(rb"\n(?![ \t])")
_FOLD: Final = re.compile(rb"\r?\n(?=[ \t])")
_IN_NAME: Final = re.compile(rb"\n[!-9;-~]*=\?[!-9;-~]*[ \t]*:").search
_WORD: Final = rb"=\?[^?*\s]{1,60}(?:\*[^?\s]{0,60})?\?[BbQq]\?[^?\r\n]*\?="
#: Encoded words in a row: spaces between two vanish, and a character may lie in both.
_ENCODED: Final = re.compile(_WORD + rb"(?:[ \t\r]*" + _WORD + rb")*")
_BESIDE: Final = re.compile(rb"[0-9A-Za-z]").match
#: Octets of encoded words in a row that are decoded by themselves: fewer than 128 characters,
#: of which `fold` makes pieces.
_ROW: Final = 128
#: And of the block: fewer characters than are folded at once.
_BLOCK: Final = 65_536
#: Octets of a block whose words are remembered: the headers of parts are mostly the same few.
_SHORT: Final = 256


def header_words(block: bytes) -> set[bytes]:
    """The words of a header block, each once."""
    return set(_remembered(block)) if len(block) <= _SHORT else _words(block[:_MOST])


@lru_cache(maxsize=512)
def _remembered(block: bytes) -> tuple[bytes, ...]:
    return tuple(_words(block))


def _words(block: bytes) -> set[bytes]:
    if block[:1] in (b" ", b"\t") or _STRAY(b"\n" + block):
        return _read(block)
    if block.isascii():
        return _of_ascii(block)
    words: set[bytes] = set()
    plain: list[bytes] = []
    for field in _FIELD_END.split(block):
        if field.isascii():
            plain.append(field)
        else:
            words |= _read(field)
    return words | _of_ascii(b"\n".join(plain))


def _read(block: bytes) -> set[bytes]:
    return words_of(header_text(block))


def _of_ascii(block: bytes) -> set[bytes]:
    """Of fields in ASCII, and nothing else."""
    if b"=?" not in block:
        return _plain(block)
    lines = _FOLD.sub(b"", block)
    if len(lines) > _BLOCK or _IN_NAME(b"\n" + lines):
        return _read(block)
    words: set[bytes] = set()
    pieces: list[bytes] = []
    at = 0
    for match in _ENCODED.finditer(lines):
        start, stop = match.span()
        if stop - start > _ROW or _BESIDE(lines, start - 1) or _BESIDE(lines, stop):
            return _read(block)
        words.update(_decoded(match[0]))
        pieces.append(lines[at:start])
        at = stop
    pieces.append(lines[at:])
    return words | _plain(b" ".join(pieces))


def _plain(block: bytes) -> set[bytes]:
    return words_of(block.decode("ascii").lower())


#: Names come again, in mail to and from the same people.
@lru_cache(maxsize=1024)
def _decoded(encoded: bytes) -> tuple[bytes, ...]:
    return tuple(words_of(fold_line(decode(encoded))))
