"""The Date field: days and moments."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.mime.sent import sent_day, sent_moment


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("Fri, 21 Nov 1997 09:55:06 -0600", date(1997, 11, 21), id="rfc5322"),
        pytest.param("Thu,\r\n  13\r\n  Feb\r\n 1969\r\n 23:32 -0330 (NST)", date(1969, 2, 13),
                     id="rfc5322 folded"),
        pytest.param("21 Nov 97 09:55:06 GMT", date(1997, 11, 21), id="rfc5322 obsolete"),
        pytest.param("1 Jan 49 00:00 UT", date(2049, 1, 1), id="two digits"),
        pytest.param("1 Jan 100 00:00 UT", date(2000, 1, 1), id="three digits"),
        pytest.param("(c) Sat, 1 jan 2022", date(2022, 1, 1), id="comment, no time"),
        pytest.param("Wed Jul 17 02:23:25 1996", date(1996, 7, 17), id="asctime"),
        pytest.param("Wed Jul 17 02:23:25 PDT 1996", date(1996, 7, 17), id="asctime with zone"),
        pytest.param("Monday, 02-Sept-2024 10:00", date(2024, 9, 2), id="rfc850"),
        pytest.param("2024-02-29T00:00:00Z", date(2024, 2, 29), id="iso"),
        pytest.param("Tue,17 Sep 2024 23:59:59 -1200", date(2024, 9, 17), id="own day"),
        pytest.param("31 Feb 2024 00:00:00 +0000", None, id="no such day"),
        pytest.param("1 Foo 2024 00:00:00 +0000", None, id="no such month"),
        pytest.param("1 Jan 0000 00:00:00 +0000", None, id="no such year"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
    ],
)  # fmt: skip
def test_sent_day(text: str, day: date | None) -> None:
    """The sender's own day, whatever the time and zone."""
    expected = None if day is None else day.toordinal()
    assert sent_day(b"Date: " + text.encode() + b"\r\n\r\n") == expected


def test_sent_day_without_date() -> None:
    """No Date field, no day."""
    assert sent_day(b"Subject: x\r\n\r\n") is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # RFC 5256, 2.2.
        pytest.param("31 Dec 2000 16:01:33 -0800", "2001-01-01 00:01:33", id="rfc5256"),
        pytest.param("Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21 15:55:06", id="rfc5322"),
        pytest.param("Thu,\r\n  13\r\n  Feb\r\n 1969\r\n 23:32 -0330 (NST)", "1969-02-14 03:02:00",
                     id="rfc5322 folded"),
        pytest.param("21 Nov 97 09(comment):  55  :  06 -0600", "1997-11-21 15:55:06", id="comment inside"),
        pytest.param("21 Nov 97 (c) 09 : 55 : 06 (d) -0600", "1997-11-21 15:55:06", id="comments"),
        pytest.param("21 Nov 97 09:55:06 GMT", "1997-11-21 09:55:06", id="rfc5322 obsolete"),
        pytest.param("21 Nov 97 09:55:06 EDT", "1997-11-21 13:55:06", id="a zone by name"),
        pytest.param("21 Nov 97 09:55:06 K", "1997-11-21 09:55:06", id="a military zone"),
        pytest.param("21 Nov 97 09:55:06 CEST", "1997-11-21 09:55:06", id="an unknown zone"),
        pytest.param("21 Nov 97 09:55:06 +0160", "1997-11-21 09:55:06", id="a zone that cannot be"),
        pytest.param("21 Nov 97 09:55:06", "1997-11-21 09:55:06", id="no zone"),
        pytest.param("31 Dec 2016 23:59:60 +0000", "2017-01-01 00:00:00", id="leap second"),
        pytest.param("21 Nov 97 24:55:06 -0600", "1997-11-21 06:00:00", id="an hour that cannot be"),
        pytest.param("21 Nov 97 00:61 -0600", "1997-11-21 06:00:00", id="a minute that cannot be"),
        pytest.param("21 Nov 97 in the evening", "1997-11-21 00:00:00", id="no time"),
        pytest.param("Wed Jul 17 02:23:25 1996", "1996-07-17 02:23:25", id="asctime"),
        pytest.param("Wed Jul 17 02:23:25 PDT 1996", "1996-07-17 09:23:25", id="asctime with zone"),
        pytest.param("Wed Jul 17 02:23:25 1996 -0700", "1996-07-17 09:23:25", id="zone behind asctime"),
        pytest.param("Jul 17, 1996 02:23:25 -0700", "1996-07-17 09:23:25", id="month first"),
        pytest.param("2024-02-29T23:30:00.25-01:00", "2024-03-01 00:30:00", id="iso"),
        pytest.param("2024-02-29 23:30:00Z", "2024-02-29 23:30:00", id="iso with space"),
    ],
)  # fmt: skip
def test_sent_moment(text: str, moment: str) -> None:
    """The moment in UTC; what is wrong with a time or zone does not take the day away."""
    expected = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc).timestamp()
    assert sent_moment(b"Date: " + text.encode() + b"\r\n\r\n") == expected


@pytest.mark.parametrize("header", ["Date: 31 Feb 2024 00:00 GMT", "Date: soon", "Date:", "X: y"])
def test_no_moment(header: str) -> None:
    """Without a day there is no moment."""
    assert sent_moment(header.encode() + b"\r\n\r\n") is None


_ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 2), timezones=_ZONES))
def test_every_date(moment: datetime) -> None:
    """A Date as RFC 5322 has it names its moment."""
    header = b"Date: " + format_datetime(moment).encode() + b"\r\n\r\n"
    assert sent_moment(header) == moment.replace(microsecond=0).timestamp()


@given(st.binary() | st.text("0123456789: +-TZJan,().").map(str.encode))
def test_any_octets(value: bytes) -> None:
    """Whatever stands there, there is a moment where there is a day."""
    header = b"Date: 1 Jan 2024" + value + b"\n\n"
    assert (sent_moment(header) is None) == (sent_day(header) is None)
