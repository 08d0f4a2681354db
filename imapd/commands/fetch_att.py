"""What a client asks of messages: ``fetch-att`` (RFC 9051, 9), in FETCH and wherever else it may stand."""

from __future__ import annotations

from collections.abc import Iterable

from imapd.commands.fetch_items import Fetched
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["fetch_att", "fetch_atts", "named", "once"]


def fetch_atts(cursor: Cursor) -> list[Fetched]:
    """``"(" fetch-att *(SP fetch-att) ")"``; a repeated item is there once."""
    return once(cursor.listed(fetch_att))


def fetch_att(cursor: Cursor) -> Fetched:
    """``fetch-att``."""
    return named(cursor, cursor.word())


def named(cursor: Cursor, name: bytes) -> Fetched:
    """The item of that name, and what belongs to it at the cursor."""
    item = cursor.vocabulary.fetch_items.get(name)
    if item is None:
        raise BadSyntax("FETCH has no item of that name")
    fetched: Fetched = item.grammar(cursor)
    return fetched


def once(items: Iterable[Fetched]) -> list[Fetched]:
    r"""Each item once; what is asked for with and without PEEK sets \Seen."""
    found: dict[object, Fetched] = {}
    for item in items:
        asked = item.format, item.partial
        found[asked] = item.joined(found[asked]) if asked in found else item
    return list(found.values())
