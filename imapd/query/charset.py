"""Search strings in the charset that the client named (RFC 9051, 6.4.4)."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final

__all__ = ["codec", "decode"]

_NAME: Final = re.compile(r"[A-Za-z0-9_.:()+-]{1,40}").fullmatch
#: Codecs of Python that are no charset.
_NO_CHARSET: Final = frozenset(
    ("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
)


@lru_cache(maxsize=64)
def codec(charset: bytes) -> str | None:
    """The name of Python's codec for a charset in any spelling; None if it has none."""
    name = charset.decode("latin-1")
    if _NAME(name) is None:
        return None
    try:
        found = codecs.lookup(name)
        b" ".decode(found.name, "replace")  # refuses what is no text encoding
    except (LookupError, ValueError):
        return None
    return None if found.name.replace("_", "-") in _NO_CHARSET else found.name


def decode(octets: bytes, codec: str) -> str:
    """The text of a search string.

    Clients name a charset and send another, or none and 8-bit octets in quoted strings:
    what `codec` cannot read is UTF-8, and what is not UTF-8 is Latin-1.
    """
    for name in (codec, "utf-8"):
        try:
            text = octets.decode(name)
            text.encode("utf-8")  # UTF-7 makes lone surrogates, which no text has
        except ValueError:
            continue
        return text
    return octets.decode("latin-1")
