"""Content-transfer-encodings undone (RFC 2045, 6), for BINARY, previews and search.

Damage is read as a mail program would: what is no base64 digit is passed over, what is no
quoted-printable escape stands for itself.  Each function is linear in its input.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from typing import Final

__all__ = ["UnknownEncoding", "decode", "decode_base64", "decode_quoted_printable"]

_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_DIGITS) - set(b"="))
_PADDING: Final = re.compile(rb"=+")

#: Spaces before a line end were added on the way (RFC 2045, 6.7, rule 3).  The look-behind
#: keeps a long run of spaces from being tried once for each of them.
_TRAILING: Final = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n|\Z)")
#: ``a2b_qp`` would drop all that follows these up to the next line end.
_LONE_CR: Final = re.compile(rb"=(?=\r(?!\n))")


class UnknownEncoding(ValueError):
    """The part has a content-transfer-encoding that is not known here (RFC 3516: UNKNOWN-CTE)."""


def decode_base64(data: bytes) -> bytes:
    """The octets of base64; several padded pieces in a row count as one text."""
    data = data.translate(None, _NOT_BASE64)
    if b"=" not in data:
        return _quartets(data)
    return b"".join(map(_quartets, _PADDING.split(data)))


def _quartets(digits: bytes) -> bytes:
    odd = len(digits) % 4
    if odd == 1:  # six bits, not an octet
        digits = digits[:-1]
    elif odd:
        digits += b"=" * (4 - odd)
    return a2b_base64(digits)


def decode_quoted_printable(data: bytes) -> bytes:
    """The octets of quoted-printable text."""
    data = _TRAILING.sub(b"", data)
    if b"=\r" in data:
        data = _LONE_CR.sub(b"=3D", data)
    return a2b_qp(data)


def _identity(data: bytes) -> bytes:
    return data


_DECODERS: Final = {
    b"": _identity,
    b"7bit": _identity,
    b"8bit": _identity,
    b"binary": _identity,
    b"base64": decode_base64,
    b"quoted-printable": decode_quoted_printable,
}


def decode(data: bytes, encoding: bytes) -> bytes:
    """What was encoded; `UnknownEncoding` if the name says nothing to us."""
    decoder = _DECODERS.get(encoding.strip().lower())
    if decoder is None:
        raise UnknownEncoding(encoding.decode("latin-1"))
    return decoder(data)
