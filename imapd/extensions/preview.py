"""PREVIEW: the first words of a message, for a list of messages (RFC 8970).

They are a fact that is computed when a message comes in (`imapd.mime.preview`).  A message whose
store has none, one of an older program's or one that others delivered, gets it when somebody asks
without LAZY; who asks with LAZY is told NIL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from imapd.commands.fetch_items import Fetched, Rows
from imapd.dialect import Capability, Feature, FetchItem
from imapd.model.message import PREVIEW, PREVIEW_AT_HAND, Column
from imapd.wire import encode
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "PREVIEW"

#: Other parentheses may be those of FETCH's own modifiers.
_LAZY: Final = re.compile(rb" +\( *LAZY(?: +LAZY)* *\)", re.IGNORECASE)


def _words(column: Column) -> Callable[[Rows], Sequence[bytes]]:
    def words(rows: Rows) -> Sequence[bytes]:
        return [
            b"NIL" if text is None else encode.string(text.encode("utf-8"))
            for text in rows.columns[column]
        ]

    return words


_WHOLE: Final = Fetched(b"PREVIEW %b", frozenset((PREVIEW,)), _words(PREVIEW), prevails=True)
_AT_HAND: Final = Fetched(b"PREVIEW %b", frozenset((PREVIEW_AT_HAND,)), _words(PREVIEW_AT_HAND))


def _preview(cursor: Cursor) -> Fetched:
    """``"PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]``; ``preview-mod = "LAZY"``."""
    lazy = _LAZY.match(cursor.data, cursor.at)
    if lazy is None:
        return _WHOLE
    cursor.at = lazy.end()
    return _AT_HAND


FEATURE = Feature(
    name=NAME,
    rfc=8970,
    summary="the first words of messages",
    capabilities=(Capability(NAME),),
    fetch_items=(FetchItem("PREVIEW", _preview),),
)
