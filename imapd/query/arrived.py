"""INTERNALDATE as numbers, to be compared and put in order."""

from __future__ import annotations

from typing import Final

from imapd.model.dates import InternalDate, day_of, timestamp_of
from imapd.model.message import INTERNAL_DATE
from imapd.query.derived import Derived, Form

__all__ = ["ARRIVED", "ARRIVED_DAY"]


class _Days(dict[bytes, int]):
    """The ordinals of days as INTERNALDATEs write them."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= _DAYS_MOST:
            self.clear()
        day = self[text] = day_of(text)
        return day


#: A hundred years and more.
_DAYS_MOST: Final = 50_000
_day: Final = _Days().__getitem__


def _day_of(internal: InternalDate) -> int:
    return _day(internal[:11])


#: int: the proleptic ordinal of its own day, time and zone disregarded (RFC 9051, 6.4.4).
ARRIVED_DAY: Final = Derived("arrived day 1", Form.NUMBER, _day_of, INTERNAL_DATE)
#: int: seconds since 1970 in UTC (RFC 5256, 3: ARRIVAL).
ARRIVED: Final = Derived("arrived 1", Form.NUMBER, timestamp_of, INTERNAL_DATE)
