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
from imapd.model.dates import from_timestamp
from imapd.model.message import SAVED
from imapd.model.search import And, Key, Not, Or, Program
from imapd.query.arrived import ARRIVED_DAY
from imapd.query.blocks import LEAST, MOST
from imapd.query.keys import Relation, number
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


def _saved(relation: Relation) -> Callable[[Cursor], Program]:
    name = "SAVED" + relation.name

    def saved(cursor: Cursor) -> Program:
        """``"SAVEDBEFORE" SP date``, and so on; without a save date, that of the message."""
        cursor.space()
        first, last = relation.days(grammar.date(cursor))
        start, stop = (first - _EPOCH) * _DAY, (last + 1 - _EPOCH) * _DAY
        return Or(
            (
                number(name, SAVED, start, stop - 1),
                And((Not(_SUPPORTED), number(name, ARRIVED_DAY.name, first, last))),
            )
        )

    return saved


_SUPPORTED: Final = number("SAVEDATESUPPORTED", SAVED, LEAST, MOST)


def _is_supported(cursor: Cursor) -> Key:
    """``"SAVEDATESUPPORTED"``."""
    return _SUPPORTED


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
