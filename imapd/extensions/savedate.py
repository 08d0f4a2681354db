"""SAVEDATE: when a message came into its mailbox, whatever its internal date says (RFC 8514).

Dates are told in UTC, and days are days of UTC: what is told of a message must not change,
and a machine's zone may.  Of a message whose store does not know, SAVEDATE is NIL, and the
search keys look at the internal date (4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from imapd.commands.fetch_items import Fetched, Rows
from imapd.dialect import Capability, Feature, FetchItem, SearchKey
from imapd.model.dates import InternalDate, day_of, from_timestamp
from imapd.model.message import INTERNAL_DATE, SAVED
from imapd.model.search import Cost, Key
from imapd.query.keys import Relation
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "SAVEDATE"

#: The ordinal of 1 January 1970, and the seconds of a day.
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400


def _dates(rows: Rows) -> Sequence[bytes]:
    return [
        b"NIL" if seconds is None else b'"%b"' % from_timestamp(seconds)
        for seconds in rows.columns[SAVED]
    ]


_SAVEDATE: Final = Fetched(b"SAVEDATE %b", frozenset((SAVED,)), _dates)


def _fetched(cursor: Cursor) -> Fetched:
    """``fetch-att =/ "SAVEDATE"``."""
    return _SAVEDATE


def _saved(relation: Relation) -> Callable[[Cursor], Key]:
    def saved(cursor: Cursor) -> Key:
        """``"SAVEDBEFORE" SP date``, and so on."""
        cursor.space()
        day = grammar.date(cursor)
        is_so = relation.of(day)

        def test(seconds: int | None, internal: InternalDate) -> bool:
            return is_so(day_of(internal) if seconds is None else _EPOCH + seconds // _DAY)

        return Key("SAVED" + relation.name, Cost.COLUMN, (SAVED, INTERNAL_DATE), test, (day,))

    return saved


def _is_supported(cursor: Cursor) -> Key:
    """``"SAVEDATESUPPORTED"``."""
    return Key("SAVEDATESUPPORTED", Cost.COLUMN, (SAVED,), lambda seconds: seconds is not None)


FEATURE = Feature(
    name=NAME,
    rfc=8514,
    summary="when a message came into its mailbox",
    capabilities=(Capability(NAME),),
    fetch_items=(FetchItem("SAVEDATE", _fetched),),
    search_keys=(
        SearchKey("SAVEDBEFORE", _saved(Relation.BEFORE)),
        SearchKey("SAVEDON", _saved(Relation.ON)),
        SearchKey("SAVEDSINCE", _saved(Relation.SINCE)),
        SearchKey("SAVEDATESUPPORTED", _is_supported),
    ),
)
