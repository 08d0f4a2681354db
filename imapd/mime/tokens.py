"""Tokens of structured header fields (RFC 5322, 3.2; RFC 2045, 5.1), whatever was written.

Any octets give tokens.  A comment that does not end, ends with the field; the mark of a quoted
string that does not end is passed over, so ``"Name <user@host>`` still has its address.
Time is linear, also in the depth of comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

__all__ = ["Kind", "Token", "skip", "tokens", "unquote"]


class Kind(Enum):
    """What a token is."""

    ATOM = 1
    QUOTED = 2  #: a quoted string; its text is without the quoting
    LITERAL = 3  #: a domain literal, brackets included
    SPECIAL = 4  #: one of ``<>@,;:`` or a stray ``)`` or backslash
    COMMENT = 5  #: its text is without the outer parentheses and the quoting


class Token(NamedTuple):
    """One token, and whether space came before it.

    A tuple, since a header may be a megabyte of commas and each is one of these.
    """

    kind: Kind
    text: bytes
    spaced: bool


_TOKEN: Final = re.compile(
    rb"""([^\x00-\x20"(),:;<>@\[\]\\]+)"""  # dots and 8-bit octets are of atoms here
    rb"""|"([^"\\]*(?:\\.[^"\\]*)*)("?)"""
    rb"""|(\[[^\[\]\\]*\]?)"""
    rb"""|([),:;<>@\]\\])"""
    rb"""|(\()"""
    rb"""|[\x00-\x20]+""",
    re.DOTALL,
)
_KINDS: Final = (Kind.ATOM, Kind.QUOTED, Kind.QUOTED, Kind.LITERAL, Kind.SPECIAL)
_PAIR: Final = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT_MARK: Final = re.compile(rb"[()\\]")
_SPACE: Final = re.compile(rb"[\x00-\x20]*")


def unquote(text: bytes) -> bytes:
    """Text without its quoted pairs' backslashes."""
    return _PAIR.sub(rb"\1", text) if b"\\" in text else text


def tokens(value: bytes) -> Iterator[Token]:
    """The tokens of a field's text."""
    at, spaced = 0, False
    while (match := _TOKEN.match(value, at)) is not None:
        group = match.lastindex
        if group == 3 and not match[3]:
            # From here on no mark is looked at: each might be tried to the end.
            value = value[match.start() :].replace(b'"', b" ")
            at = 0
            continue
        at = match.end()
        if group is None:
            spaced = True
            continue
        if group == 6:
            start, at = at, _comment_end(value, at)
            stop = at - 1 if value[at - 1 : at] == b")" else at
            yield Token(Kind.COMMENT, unquote(value[start : max(start, stop)]), spaced)
            spaced = True
        else:
            kind = _KINDS[group - 1]
            text = match[2] if group == 3 else match[group]
            yield Token(kind, unquote(text) if kind is Kind.QUOTED else text, spaced)
            spaced = False


def skip(value: bytes, at: int) -> int:
    """The offset after the spaces and comments at an offset (RFC 5322: CFWS)."""
    while True:
        match = _SPACE.match(value, at)
        assert match is not None
        at = match.end()
        if value[at : at + 1] != b"(":
            return at
        at = _comment_end(value, at + 1)


def _comment_end(value: bytes, at: int) -> int:
    """The offset after the comment whose opening parenthesis lies before an offset."""
    depth = 1
    while (match := _COMMENT_MARK.search(value, at)) is not None:
        at = match.end()
        mark = match[0]
        if mark == b"(":
            depth += 1
        elif mark == b")":
            depth -= 1
            if not depth:
                return at
        else:
            at += 1
    return len(value)
