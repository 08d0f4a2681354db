"""Octets to text in the charset they claim, which may be wrong, unknown or missing."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final

__all__ = ["codec", "decode"]

_NAME: Final = re.compile(r"[A-Za-z0-9_.:()+-]{1,40}").fullmatch

#: Codecs of Python that are no charset of mail, or that take more than linear time.
_NOT_MAIL: Final = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "raw_unicode_escape", "undefined",
     "unicode-escape", "unicode_escape", "mbcs", "oem"}
)  # fmt: skip

#: What senders mean by a charset, where it is more than they say: the superset
#: that their software really writes (the WHATWG encoding standard has the same table).
_SUPERSET: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "x-sjis": "cp932",
}

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def decode(data: bytes, charset: bytes | None, whole: bool = True) -> str:
    """Text, whatever the octets are.

    In order: the charset named; UTF-8; the charset named with replacement characters, if
    it is not ASCII; Latin-1.  If the data is not `whole`, what it has of its last character is left out.
    """
    named = None if charset is None else codec(charset)
    for name in (named, "utf-8"):
        if name is not None:
            try:
                return _tidy(name, _decoded(data, name, "strict", whole))
            except ValueError:
                pass
    if named in (None, "ascii", "cp1252"):
        return data.decode("latin-1")
    return _tidy(named, _decoded(data, named, "replace", whole))


def _decoded(data: bytes, name: str, errors: str, whole: bool) -> str:
    if whole:
        return data.decode(name, errors)
    return codecs.getincrementaldecoder(name)(errors).decode(data)


def _tidy(name: str, text: str) -> str:
    # Of the codecs that are let through, only this one makes lone surrogates.
    return _SURROGATES.sub("\ufffd", text) if name == "utf-7" else text


@lru_cache(maxsize=256)
def codec(charset: bytes) -> str | None:
    """The name of Python's codec for a charset, if it has one that suits."""
    name = charset.decode("latin-1").strip().lower()
    if _NAME(name) is None:
        return None
    try:
        found = codecs.lookup(_SUPERSET.get(name, name))
        if found.name in _NOT_MAIL:
            return None
        b"a".decode(found.name, "replace")  # refuses what is no text encoding
    except (LookupError, ValueError):
        return None
    superset = _SUPERSET.get(found.name)
    return found.name if superset is None else superset
