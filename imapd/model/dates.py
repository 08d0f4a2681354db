"""Dates as IMAP writes them (RFC 9051, 9: date-time, date).

An INTERNALDATE is its 26 octets, ``b"17-Jul-1996 02:44:25 -0700"``: the zone is
kept as given, and a listing joins it as it is.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Final

__all__ = [
    "MONTHS",
    "InternalDate",
    "day_of",
    "from_datetime",
    "from_timestamp",
    "parse_internal_date",
    "timestamp_of",
    "to_datetime",
]

InternalDate = bytes

MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun",
                 b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")  # fmt: skip
_NUMBER: Final = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_DATE_TIME: Final = re.compile(
    rb"( \d|\d\d?)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"
)
#: What most clients send: written as we do, of a day that every month has.
_USUAL: Final = re.compile(
    rb"(?: [1-9]|1\d|2[0-8])-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[12]\d{3}"
    rb" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d (?:\+(?:0\d|1[0-4])[0-5]\d|-(?:0[1-9]|1[0-4])[0-5]\d)"
)


def from_datetime(moment: datetime) -> InternalDate:
    """An aware datetime in its own zone; whole minutes of the zone are kept."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("an internal date needs a time zone")
    minutes = round(offset.total_seconds() / 60)
    sign = b"+" if minutes >= 0 else b"-"
    hours, minutes = divmod(abs(minutes), 60)
    return b"%2d-%b-%04d %02d:%02d:%02d %b%02d%02d" % (
        moment.day, MONTHS[moment.month - 1], moment.year,
        moment.hour, moment.minute, moment.second, sign, hours, minutes,
    )  # fmt: skip


def from_timestamp(seconds: int) -> InternalDate:
    """Seconds since 1970, in UTC."""
    return from_datetime(datetime.fromtimestamp(seconds, timezone.utc))


def parse_internal_date(text: bytes) -> InternalDate:
    """The 26 octets for a client's date-time; ValueError unless such a moment exists."""
    if _USUAL.fullmatch(text) is not None:
        return text
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date-time")
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    number = _NUMBER.get(month.lower())
    if number is None or int(zone_minutes) > 59:
        raise ValueError("not a date-time")
    zone = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    moment = datetime(
        int(year), number, int(day), int(hour), int(minute), min(int(second), 59),
        tzinfo=timezone(-zone if sign == b"-" else zone),
    )  # fmt: skip
    moment.timestamp()
    return from_datetime(moment)


def to_datetime(internal: InternalDate) -> datetime:
    """The aware datetime of 26 octets that this module made."""
    zone = timedelta(hours=int(internal[22:24]), minutes=int(internal[24:26]))
    return datetime(
        int(internal[7:11]), _NUMBER[internal[3:6].lower()], int(internal[:2]),
        int(internal[12:14]), int(internal[15:17]), int(internal[18:20]),
        tzinfo=timezone(-zone if internal[21:22] == b"-" else zone),
    )  # fmt: skip


def day_of(internal: InternalDate) -> int:
    """The ordinal of its day, time and zone disregarded (RFC 9051, 6.4.4: BEFORE, ON, SINCE)."""
    return date(int(internal[7:11]), _NUMBER[internal[3:6].lower()], int(internal[:2])).toordinal()


def timestamp_of(internal: InternalDate) -> int:
    """Seconds since 1970 in UTC."""
    return int(to_datetime(internal).timestamp())
