"""Sets of numbers, flags and dates: values that everything else is made of."""

from __future__ import annotations

import re
from array import array
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.model import dates, flags
from imapd.model.flags import FlagChange, interned
from imapd.model.mailbox import canonical
from imapd.model.numset import EMPTY, STAR, NumSet, SequenceSet

# NumSet.

_NUMBERS = st.frozensets(st.integers(1, 60), max_size=30)


@pytest.mark.parametrize(
    ("ranges", "wire"),
    [([(1, 1)], b"1"), ([(3, 5), (1, 1)], b"1,3:5"), ([(1, 3), (4, 6)], b"1:6"), ([(1, 9), (2, 3)], b"1:9"),
     ([(1, 1), (1, 1)], b"1"), ([(5, 5), (7, 8)], b"5,7:8")],
)  # fmt: skip
def test_numset_written(ranges: list[tuple[int, int]], wire: bytes) -> None:
    """A set is written in ascending ranges that do not touch."""
    assert NumSet(ranges).wire() == wire


@given(_NUMBERS, _NUMBERS)
def test_numset_is_a_set(some: frozenset[int], others: frozenset[int]) -> None:
    """It does what Python's sets do."""
    mine, theirs = NumSet.of(*some), NumSet.of(*others)
    assert list(mine) == sorted(some)
    assert len(mine) == len(some)
    assert bool(mine) == bool(some)
    assert list(mine | theirs) == sorted(some | others)
    assert list(mine & theirs) == sorted(some & others)
    assert list(mine - theirs) == sorted(some - others)
    assert all((number in mine) == (number in some) for number in range(62))
    assert (mine == theirs) == (some == others)
    assert mine == NumSet.from_sorted(sorted(some)) == NumSet.of_column(array("I", sorted(some)))
    assert hash(mine) == hash(NumSet([(number, number) for number in some]))
    if some:
        assert (mine.first, mine.last) == (min(some), max(some))


@given(st.frozensets(st.integers(1, 5_000), max_size=20), st.integers(0, 5_000))
def test_a_column_with_few_gaps(gaps: frozenset[int], many: int) -> None:
    """A long column is the set that its numbers are, wherever the gaps are."""
    numbers = [number for number in range(1, many + 1) if number not in gaps]
    assert NumSet.of_column(array("I", numbers)).ranges == NumSet.from_sorted(numbers).ranges


def test_numset_oddities() -> None:
    """What is no number is no member; the empty set is empty."""
    assert "1" not in NumSet.of(1)
    assert list(EMPTY) == []
    assert repr(NumSet.of(1, 2, 5)) == "NumSet('1:2,5')"
    assert NumSet.of(1) != {1}


@pytest.mark.parametrize(
    ("ranges", "largest", "numbers"),
    [
        (((1, 1),), 9, [1]),
        (((STAR, STAR),), 9, [9]),
        (((7, STAR),), 9, [7, 8, 9]),
        (((12, STAR),), 9, [9, 10, 11, 12]),
        (((STAR, 12),), 9, [9, 10, 11, 12]),
        (((3, 1), (2, 5)), 9, [1, 2, 3, 4, 5]),
        (((STAR, STAR),), 0, []),
        (((1, STAR),), 0, []),
    ],
)
def test_sequence_set(
    ranges: tuple[tuple[int, int], ...], largest: int, numbers: list[int]
) -> None:
    """An asterisk is the largest number in use; ends may be the wrong way round (RFC 9051, 9)."""
    assert list(SequenceSet(ranges).resolve(largest)) == numbers


# Flags.


@pytest.mark.parametrize(
    ("change", "names", "after"),
    [
        (FlagChange.REPLACE, {"\\Seen"}, {"\\Seen"}),
        (FlagChange.REPLACE, set(), set()),
        (FlagChange.ADD, {"\\Seen"}, {"\\Flagged", "$Work", "\\Seen"}),
        (FlagChange.ADD, {"$WORK"}, {"\\Flagged", "$Work"}),
        (FlagChange.ADD, {"$Work"}, {"\\Flagged", "$Work"}),
        (FlagChange.REMOVE, {"$WORK"}, {"\\Flagged"}),
        (FlagChange.REMOVE, {"\\Seen"}, {"\\Flagged", "$Work"}),
    ],
)
def test_changed(change: FlagChange, names: set[str], after: set[str]) -> None:
    """Flags are replaced, added and removed; keywords are the same in any case."""
    before = interned({"\\Flagged", "$Work"})
    assert flags.changed(before, change, interned(names)) == after


def test_flags_written() -> None:
    """System flags come first, in the RFC's order and spelling."""
    assert (
        flags.wire({"b", "\\Draft", "\\Recent", "\\Answered", "a"})
        == b"(\\Answered \\Draft \\Recent a b)"
    )
    assert flags.wire(()) == b"()"
    assert flags.canonical("\\dElEtEd") == "\\Deleted"
    assert flags.canonical("$mdnsent") == "$mdnsent"


def test_flags_are_shared() -> None:
    """Equal sets are one set, also after so many that the table was emptied."""
    assert interned(["a", "b"]) is interned(["b", "a"])
    for number in range(70_000):
        interned([f"k{number}"])
    assert interned(["a", "b"]) == frozenset(("a", "b"))


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("inbox", "INBOX"),
        ("InBoX/a", "INBOX/a"),
        ("inboxes", "inboxes"),
        ("a/inbox", "a/inbox"),
        ("", ""),
    ],
)
def test_canonical_names(name: str, same: str) -> None:
    """INBOX is INBOX in any case, also as the first level (RFC 9051, 5.1)."""
    assert canonical(name) == same


# Dates.


@pytest.mark.parametrize(
    ("text", "kept", "seconds"),
    [
        (b"17-Jul-1996 02:44:25 -0700", b"17-Jul-1996 02:44:25 -0700", 837596665),
        (b" 1-jan-1970 00:00:00 +0000", b" 1-Jan-1970 00:00:00 +0000", 0),
        (b"1-JAN-1970 01:00:00 +0100", b" 1-Jan-1970 01:00:00 +0100", 0),
        (b"31-Dec-1969 23:59:60 +0000", b"31-Dec-1969 23:59:59 +0000", -1),
        (b"29-Feb-2000 12:00:00 +1359", b"29-Feb-2000 12:00:00 +1359", 951775260),
        (b"31-Dec-9999 23:59:59 -2359", b"31-Dec-9999 23:59:59 -2359", 253402387139),
        (b"17-Jul-1996 02:44:25 -0000", b"17-Jul-1996 02:44:25 +0000", 837571465),
    ],
)
def test_dates(text: bytes, kept: bytes, seconds: int) -> None:
    """A date-time is kept with its zone, and is a moment."""
    assert dates.parse_internal_date(text) == kept
    assert dates.timestamp_of(kept) == seconds


@pytest.mark.parametrize(
    "text",
    [b"", b"17-Jul-1996", b"17-Jul-1996 02:44:25",
     b"32-Jul-1996 02:44:25 +0000", b"17-Jux-1996 02:44:25 +0000",
     b"17-Jul-1996 25:44:25 +0000", b"17-Jul-1996 02:44:25 +2400", b"17-Jul-1996 02:44:25 +0060",
     b"17-Jul-1996 02:44:25 +0000 ", b"29-Feb-1900 00:00:00 +0000", b"17-Jul-0000 02:44:25 +0000"],
)  # fmt: skip
def test_bad_dates(text: bytes) -> None:
    """What is no moment is refused."""
    with pytest.raises((ValueError, OverflowError)):
        dates.parse_internal_date(text)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)), st.integers(-1439, 1439))
def test_dates_come_back(moment: datetime, minutes: int) -> None:
    """Every moment in every zone comes back as it was, to the second."""
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    octets = dates.from_datetime(aware)
    assert len(octets) == 26
    assert dates.parse_internal_date(octets) == octets
    assert dates.to_datetime(octets) == aware
    assert dates.day_of(octets) == aware.date().toordinal()


def test_a_date_needs_a_zone() -> None:
    """A moment without a zone is none."""
    with pytest.raises(ValueError, match="needs a time zone"):
        dates.from_datetime(datetime(2020, 1, 1))


@given(st.from_regex(dates._USUAL, fullmatch=True))
def test_usual_dates(text: bytes) -> None:
    """What is taken as it stands is a moment, and would be written so if it were read."""
    usual = dates._USUAL
    try:
        dates._USUAL = re.compile(b"(?!)")  # type: ignore[misc]
        assert dates.parse_internal_date(text) == text
    finally:
        dates._USUAL = usual  # type: ignore[misc]
