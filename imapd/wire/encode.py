"""Values to the octets of a response (RFC 9051, 9)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from imapd.wire import mutf7

__all__ = ["astring", "mailbox", "nstring", "quoted", "string", "text", "value"]

_ASTRING: Final = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
_QUOTABLE: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_QUOTABLE_MOST: Final = 1_000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


def quoted(octets: bytes) -> bytes:
    """``quoted``; the octets have no CR, LF or NUL."""
    if b"\\" in octets or b'"' in octets:
        octets = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % octets


def string(octets: bytes, utf8: bool = False) -> bytes:
    """``string``: quoted where that can be, else a literal; NUL has no place in either."""
    if len(octets) <= _QUOTABLE_MOST:
        if _QUOTABLE.fullmatch(octets):
            return quoted(octets)
        if utf8 and not (b"\r" in octets or b"\n" in octets or b"\0" in octets):
            try:
                octets.decode("utf-8")
            except ValueError:
                pass
            else:
                return quoted(octets)
    octets = octets.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(octets), octets)


def astring(octets: bytes) -> bytes:
    """``astring``."""
    return octets if _ASTRING.fullmatch(octets) else string(octets)


def nstring(octets: bytes | None, utf8: bool = False) -> bytes:
    """``nstring``."""
    return b"NIL" if octets is None else string(octets, utf8)


def value(octets: bytes | None) -> bytes:
    """``value = nstring / literal8`` of annotations (RFC 5257, 5; RFC 5464, 5): any octets, or NIL."""
    if octets is not None and b"\0" in octets:
        return b"~{%d}\r\n%b" % (len(octets), octets)
    return nstring(octets)


@lru_cache(maxsize=4096)
def mailbox(name: str, utf8: bool = False) -> bytes:
    """``mailbox``: modified UTF-7, or UTF-8 for who enabled it."""
    if utf8:
        return string(name.encode("utf-8", "replace"), utf8)
    octets = mutf7.encode(name)
    return octets if _ASTRING.fullmatch(octets) and octets.upper() != b"NIL" else quoted(octets)


@lru_cache(maxsize=256)
def text(words: str, utf8: bool = False) -> bytes:
    """``text`` of a response: never empty, one line; 7 bits, or UTF-8 for who enabled it."""
    return _UNPRINTABLE.sub(" ", words).encode("utf-8" if utf8 else "ascii", "replace") or b"."
