"""What is told of the messages found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.numset import NumSet
from imapd.query.places import Places
from imapd.query.results import Found, in_order, runs

_UIDS = (2, 3, 7, 8, 20, 21)


def _unknown(column: str, start: int, stop: int) -> Sequence[Any]:
    raise AssertionError("nobody asked")


def _found(*places: int, by_uid: bool = False) -> Found:
    return Found(places, _UIDS, by_uid, frozenset(), _unknown)


def test_by_number() -> None:
    """Without UID, messages are called by their sequence numbers."""
    found = _found(0, 1, 4)
    assert (found.number(4), found.numbers()) == (5, [1, 2, 5])
    assert found.sequence(found.places) == b"1:2,5"


def test_by_uid() -> None:
    """With UID, by their UIDs."""
    found = _found(0, 1, 4, by_uid=True)
    assert (found.number(4), found.numbers()) == (20, [2, 3, 20])
    assert found.sequence(found.places) == b"2:3,20"


def test_a_set_is_complete() -> None:
    """ALL names no UID that is not a message's, though all messages match (RFC 9051, 7.3.4)."""
    assert _found(*range(6), by_uid=True).sequence(range(6)) == b"2:3,7:8,20:21"


def test_saved() -> None:
    """What is kept for $ is UIDs, neighbours in one range."""
    assert _found().saved((1, 2, 5)) == NumSet([(3, 7), (21, 21)])
    assert _found().saved(()) == NumSet()


@given(st.sets(st.integers(0, 5)), st.booleans())
def test_marked_places(chosen: set[int], by_uid: bool) -> None:
    """Places that are marked, and not listed, are told of as others."""
    listed = _found(*sorted(chosen), by_uid=by_uid)
    marked = evolve(listed, places=Places(bytes(place in chosen for place in range(6))))
    assert list(marked.numbers()) == listed.numbers()
    assert b"".join(marked.decimals()) == b"".join(listed.decimals())
    assert marked.saved(marked.places) == listed.saved(listed.places)
    assert list(runs(marked.places)) == list(runs(listed.places))
    if chosen:
        assert marked.sequence(marked.places) == listed.sequence(listed.places)


@given(st.sets(st.integers(min_value=0, max_value=40)))
def test_runs(places: set[int]) -> None:
    """Runs hold the places, and no two of them touch."""
    found = list(runs(sorted(places)))
    assert [place for start, stop in found for place in range(start, stop)] == sorted(places)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(st.lists(st.integers(1, 30), min_size=1))
def test_in_order(numbers: list[int]) -> None:
    """A set in an order names the numbers one by one; its ranges ascend (RFC 5267, 3.2)."""
    told = []
    for each in in_order(numbers).split(b","):
        low, colon, high = each.partition(b":")
        assert not colon or int(low) < int(high)
        told += range(int(low), int(high or low) + 1)
    assert told == numbers


def test_shortest_order() -> None:
    """Neighbours that ascend are one range, and others are not."""
    assert in_order([5, 6, 7, 3, 2, 1, 9]) == b"5:7,3,2,1,9"
    assert in_order([3, 2, 1]) == b"3,2,1"
    found = Found((4, 0, 1), _UIDS, True, frozenset(), _unknown, in_order=True)
    assert found.sequence(found.places) == b"20,2:3"
