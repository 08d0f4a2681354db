"""The Date field, whatever was written: its own day, and the moment it names (RFC 5256, 2.2)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from imapd.mime.headers import first
from imapd.mime.tokens import skip
from imapd.model.dates import MONTHS

__all__ = ["sent_day", "sent_moment"]

_MONTH: Final = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
#: ``Wed, 17 Jul 1996`` and its bad copies: no comma, a long name of the day or month,
#: hyphens; ``Wed Jul 17 02:23:25 1996`` of C's asctime; and ISO 8601.
_DAY_FIRST: Final = re.compile(
    rb"(?:[A-Za-z]{2,12}[.,]*[ \t]{0,9},?[ \t]{0,9})?"
    rb"(\d{1,2})[ \t-]{1,9}([A-Za-z]{3})[a-z]{0,6}[ \t.,-]{1,9}(\d{2,4})(?!\d)"
)
_MONTH_FIRST: Final = re.compile(
    rb"(?:[A-Za-z]{2,12}[.,]*[ \t]{1,9})?([A-Za-z]{3})[a-z]{0,6}[ \t]{1,9}(\d{1,2}),?[ \t]{1,9}"
    rb"(?:([\d:]{4,8})[ \t]{1,9}(?:([A-Z]{1,5})[ \t]{1,9})?)?(\d{4})(?!\d)"
)
_ISO: Final = re.compile(rb"(\d{4})-(\d\d)-(\d\d)(?!\d)")

#: hour ":" minute [ ":" second ], with spaces (RFC 5322, 4.3) and fractions of a second.
_TIME: Final = re.compile(
    rb"[T,]?[ \t]{0,9}(\d{1,2})[ \t]{0,9}:[ \t]{0,9}(\d{1,2})(?!\d)"
    rb"(?:[ \t]{0,9}:[ \t]{0,9}(\d{1,2})(?!\d)(?:[.,]\d{1,9})?)?"
)
_ZONE: Final = re.compile(rb"([+-])(\d\d):?(\d\d)(?!\d)|([A-Za-z]{1,5})")
#: obs-zone = "UT" / "GMT" / ...; every other name counts as UTC (RFC 5322, 4.3).
_HOURS: Final = {b"EST": -5, b"EDT": -4, b"CST": -6, b"CDT": -5,
                 b"MST": -7, b"MDT": -6, b"PST": -8, b"PDT": -7}  # fmt: skip

#: Octets behind the day that are looked at.
_REST: Final = 1_000

_EPOCH: Final = date(1970, 1, 1).toordinal()


class _Sent(NamedTuple):
    """A day, and what stands behind it: a time and a zone, or one with the other."""

    day: int
    time: bytes
    zone: bytes | None


def sent_day(header: bytes) -> int | None:
    """The ordinal of the Date field's own day, time and zone disregarded (SENTON and others)."""
    sent = _sent(header)
    return None if sent is None else sent.day


def sent_moment(header: bytes) -> int | None:
    """Seconds from 1970, in UTC, to the Date field's moment; None if it names no day.

    A time that is missing or cannot be is midnight, such a zone UTC.
    """
    sent = _sent(header)
    if sent is None:
        return None
    seconds, zone = _time(sent.time)
    return (sent.day - _EPOCH) * 86_400 + seconds - _zone(sent.zone or zone)


def _sent(header: bytes) -> _Sent | None:
    value = first(header, b"date")
    if value is None:
        return None
    at = skip(value, 0)
    time = zone = None
    if match := _DAY_FIRST.match(value, at):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.match(value, at):
        name, day, time, zone, year = match.groups()
    elif match := _ISO.match(value, at):
        ordinal = _ordinal(int(match[1]), int(match[2]), int(match[3]))
        return None if ordinal is None else _Sent(ordinal, value[match.end() :], None)
    else:
        return None
    number = int(year)
    if len(year) < 4:  # RFC 5322, 4.3
        number += 2000 if number < 50 else 1900
    ordinal = _ordinal(number, _MONTH.get(name.lower(), 0), int(day))
    rest = value[match.end() :]
    return None if ordinal is None else _Sent(ordinal, (time + b" " if time else b"") + rest, zone)


def _ordinal(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _without_comments(text: bytes) -> bytes:
    at = text.find(b"(")
    while at >= 0:
        text = text[:at] + b" " + text[skip(text, at) :]
        at = text.find(b"(", at)
    return text.strip()


def _time(text: bytes) -> tuple[int, bytes]:
    """Seconds since midnight, and what stands behind the time."""
    text = _without_comments(text[:_REST])
    match = _TIME.match(text)
    if match is None:
        return 0, b""
    hour, minute, second = (int(part or b"0") for part in match.groups())
    # RFC 5322, 3.3: 60 is a leap second.
    seconds = hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 >= second else 0
    return seconds, text[match.end() :]


def _zone(text: bytes) -> int:
    """Seconds that a zone is before UTC."""
    match = _ZONE.match(text.lstrip())
    if match is None:
        return 0
    sign, hours, minutes, name = match.groups()
    if name is not None:
        return _HOURS.get(name.upper(), 0) * 3600
    if int(minutes) > 59:
        return 0
    seconds = int(hours) * 3600 + int(minutes) * 60
    return -seconds if sign == b"-" else seconds
