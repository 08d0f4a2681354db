"""Modified UTF-7, in which IMAP4rev1 writes mailbox names (RFC 3501, 5.1.3)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Final

__all__ = ["decode", "encode"]

_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+|&")
_SHIFTED: Final = re.compile(rb"&([^-]*)-|[^\x20-\x7e]|&")


#: Characters of names that are remembered: a client may send much longer ones.
_SHORT: Final = 100


def encode(name: str) -> bytes:
    """The octets of a name; lone surrogates raise UnicodeEncodeError."""
    return _encoded_once(name) if len(name) <= _SHORT else _encoded(name)


def _encoded(name: str) -> bytes:

    def shifted(match: re.Match[str]) -> str:
        text = match[0]
        if text == "&":
            return "&-"
        octets = b64encode(text.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
        return "&" + octets.decode("ascii") + "-"

    return _UNPRINTABLE.sub(shifted, name).encode("ascii")


def decode(octets: bytes) -> str:
    """The name of octets.

    Raises ValueError unless they are just what `encode` makes of the name: an unneeded or
    unfinished shift would give one mailbox two names (RFC 3501, 5.1.3).
    """
    return _decoded_once(octets) if len(octets) <= _SHORT else _decoded(octets)


def _decoded(octets: bytes) -> str:
    pieces: list[str] = []
    at = 0
    for match in _SHIFTED.finditer(octets):
        pieces.append(octets[at : match.start()].decode("ascii"))
        at = match.end()
        shifted = match[1]
        if shifted is None:
            raise ValueError("not modified UTF-7")
        if shifted:
            padding = b"=" * (-len(shifted) % 4)
            try:
                utf16 = b64decode(shifted.replace(b",", b"/") + padding, validate=True)
                pieces.append(utf16.decode("utf-16-be"))
            except ValueError as error:
                raise ValueError("not modified UTF-7") from error
        else:
            pieces.append("&")
    pieces.append(octets[at:].decode("ascii"))
    name = "".join(pieces)
    if encode(name) != octets:
        raise ValueError("not modified UTF-7 in its one form")
    return name


_encoded_once: Final = lru_cache(maxsize=1024)(_encoded)
_decoded_once: Final = lru_cache(maxsize=1024)(_decoded)
