"""INTERNALDATE as numbers."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from imapd.query import arrived
from imapd.query.arrived import ARRIVED, ARRIVED_DAY


def test_a_one_digit_day() -> None:
    """Days below ten are written with a space before them."""
    assert ARRIVED_DAY.of(b" 1-Jul-1996 02:44:25 -0700") == date(1996, 7, 1).toordinal()


def test_any_number_of_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The days that are remembered are bounded, and right however many there are."""
    monkeypatch.setattr(arrived, "_DAYS_MOST", 3)
    first = date(1895, 8, 1).toordinal()
    column = [b"%2d-Aug-1895 00:00:00 +0000" % day for day in range(1, 32)]
    assert list(map(ARRIVED_DAY.of, column)) == list(range(first, first + 31))


def test_a_moment() -> None:
    """Zones are taken into account where moments are compared."""
    moment = datetime(1996, 7, 17, 9, 44, 25, tzinfo=timezone.utc)
    assert ARRIVED.of(b"17-Jul-1996 02:44:25 -0700") == moment.timestamp()
    assert ARRIVED.of(b"31-Dec-1969 23:59:59 +0000") == -1
