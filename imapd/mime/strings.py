"""Octets of a header as IMAP strings: quoted where RFC 9051 lets them be, else literals.

A literal is CHAR8, which has no NUL; and a value that went through unfolding has no line
end of its own, so what is left of CR and LF is damage and becomes a space.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["nstring", "string"]

#: Octets of the longest value sent as a quoted string: RFC 2683, 3.2.1.5 asks
#: for short lines, and a client's line buffer is easier to fill than its literal's.
_QUOTED: Final = 1_000

_UNSAFE: Final = re.compile(rb'[\x00\r\n"\\]').search
_SPECIAL: Final = re.compile(rb'["\\]')
_UNFIT: Final = bytes.maketrans(b"\r\n", b"  ")


def string(value: bytes) -> bytes:
    """RFC 9051: string = quoted / literal."""
    if len(value) <= _QUOTED and value.isascii() and _UNSAFE(value) is None:
        return b'"%b"' % value
    value = value.translate(_UNFIT, b"\0")
    if len(value) <= _QUOTED and value.isascii():
        return b'"%b"' % _SPECIAL.sub(rb"\\\g<0>", value)
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """RFC 9051: nstring = string / nil."""
    return b"NIL" if value is None else string(value)
