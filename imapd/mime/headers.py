"""A header block: its fields, and the subset that HEADER.FIELDS asks for.

Rules, for whatever was stored:

* A line ends with LF, with or without CR before it.
* A line that begins with a space or tab continues the one before it.
* A field is a name without spaces or control characters, optional spaces (RFC 5322, 4.5),
  a colon, and the rest.  A line that is none (an mbox ``From `` line, say) is passed over;
  only the blank line ends the block.
* Text is bytes: 8-bit octets are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache, partial
from typing import Final

from attrs import frozen

__all__ = ["Field", "fields", "finder", "first", "select", "selector", "unfold"]

#: A field's text after the colon, continuation lines included, without its last LF.
_VALUE: Final = rb"[^\n]*(?:\n[ \t][^\n]*)*"
_FIELD: Final = re.compile(rb"(?:\A|(?<=\n))([!-9;-~\x80-\xff]+)[ \t]*:(" + _VALUE + rb")\n?")
_LINE: Final = re.compile(rb"\n([!-9;-~\x80-\xff]+)[ \t]*:" + _VALUE)
_NAME: Final = re.compile(rb"[!-9;-~\x80-\xff]+").fullmatch
_FOLD: Final = re.compile(rb"\r?\n(?=[ \t])")
_LINE_END: Final = re.compile(rb"\r?\n")
_SPACE: Final = b" \t\r\n"


@frozen
class Field:
    """One header field: its text after the colon as it stands, and where it lies in the block."""

    name: bytes
    value: bytes
    start: int
    stop: int


def fields(header: bytes) -> Iterator[Field]:
    """The fields of a block in their order."""
    for match in _FIELD.finditer(header):
        yield Field(match[1], match[2], match.start(), match.end())


def unfold(value: bytes) -> bytes:
    """A field's text on one line (RFC 5322, 2.2.3), without the spaces around it."""
    if b"\n" in value:
        value = _FOLD.sub(b"", value)
    return value.strip(_SPACE)


def first(header: bytes, name: bytes) -> bytes | None:
    """The unfolded text of the first field of that name."""
    for _, value in finder((name.lower(),))(b"\n" + header):
        return unfold(value)
    return None


@lru_cache(maxsize=64)
def finder(names: tuple[bytes, ...]) -> Callable[[bytes], list[tuple[bytes, bytes]]]:
    """A function from a block with LF before it to the (name, value) pairs of the fields so named."""
    pattern = rb"\n(" + _any_of(names) + rb")[ \t]*:(" + _VALUE + rb")"
    return re.compile(pattern).findall


def select(header: bytes, names: Collection[bytes], exclude: bool = False) -> bytes:
    """HEADER.FIELDS, or HEADER.FIELDS.NOT: whole fields as they stand, then the blank line.

    Every line ends with CRLF.  HEADER.FIELDS.NOT is what remains when the named fields are
    taken away, so it keeps lines that are no fields.
    """
    return selector(names, exclude)(header)


def selector(names: Collection[bytes], exclude: bool = False) -> Callable[[bytes], bytes]:
    """`select` of these names, for many headers."""
    choose = _chooser(tuple(names))[exclude]

    def chosen_of(header: bytes) -> bytes:
        if header[-4:] == b"\r\n\r\n":
            lines = b"\n" + header[:-3]
        else:
            lines = header.rstrip(b"\r\n")
            lines = b"\n" + lines + b"\r" if lines else b""
        chosen = choose(lines)
        if not chosen:
            return b"\r\n"
        chosen = chosen[1:] + b"\n\r\n"
        if chosen.count(b"\n") != chosen.count(b"\r\n"):
            chosen = _LINE_END.sub(b"\r\n", chosen)
        return chosen

    return chosen_of


#: More names than this are looked up, not matched: a client may send thousands.
_MATCHED: Final = 50


@lru_cache(maxsize=256)
def _chooser(
    names: tuple[bytes, ...],
) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """What keeps the fields so named, and what takes them away."""
    wanted = frozenset(name.lower() for name in names if _NAME(name))
    if 0 < len(wanted) <= _MATCHED:
        pattern = re.compile(rb"\n" + _any_of(sorted(wanted)) + rb"[ \t]*:" + _VALUE)
        return lambda lines: b"".join(pattern.findall(lines)), partial(pattern.sub, b"")

    def pick(lines: bytes) -> bytes:
        return b"".join(m[0] for m in _LINE.finditer(lines) if m[1].lower() in wanted)

    def drop(lines: bytes) -> bytes:
        return _LINE.sub(lambda m: b"" if m[1].lower() in wanted else m[0], lines)

    return pick, drop


def _any_of(names: Collection[bytes]) -> bytes:
    # Character sets, not (?i:...), and a look at the first letter: so a line
    # of another name costs nearly nothing.
    letters = b"".join(sorted({re.escape(name[:1].lower() + name[:1].upper()) for name in names}))
    words = (b"".join(_either_case(name[at : at + 1]) for at in range(len(name))) for name in names)
    return rb"(?=[" + letters + rb"])(?:" + b"|".join(words) + rb")"


def _either_case(letter: bytes) -> bytes:
    if letter.isalpha():
        return b"[" + letter.upper() + letter.lower() + b"]"
    return re.escape(letter)
