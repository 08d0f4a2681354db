"""Places as octets, and their numbers as text."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from imapd.query.places import Places, decimals


def _written(numbers: Sequence[int], octets: bytes) -> bytes:
    return b"".join(b" %d" % number for number, octet in zip(numbers, octets) if octet)


@given(st.lists(st.booleans(), max_size=40))
def test_places(marks: list[bool]) -> None:
    """They are what a list of the marked places is."""
    expected = [place for place, mark in enumerate(marks) if mark]
    places = Places(bytes(marks))
    assert len(places) == len(expected)
    if expected:
        assert (places[0], places[-1]) == (expected[0], expected[-1])
    assert list(places) == expected
    assert places[1:3] == expected[1:3]
    runs = places.runs()
    assert [place for first, last in runs for place in range(first, last + 1)] == expected
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(runs))
    named = places.runs([10 * place for place in range(len(marks))])
    assert named == [(10 * first, 10 * last) for first, last in runs]


def test_no_places() -> None:
    """Where nothing is marked, there is no first one."""
    for at in (0, -1):
        try:
            Places(bytes(3))[at]
        except IndexError:
            continue
        raise AssertionError


@given(
    st.lists(st.integers(1, 1_500) | st.integers(1, 60_000), max_size=12),
    st.data(),
)
def test_decimals(steps: list[int], data: st.DataObject) -> None:
    """Whatever numbers are missing between them, each that is marked is there as it is written."""
    numbers = array("I")
    at = data.draw(st.integers(0, 5_000))
    for step in steps:
        numbers.extend(range(at + 1, at + 1 + step % 1_600))
        at += step
    source = data.draw(st.randoms(use_true_random=False))
    few = data.draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))
    octets = bytes(source.random() < few for _ in numbers)
    assert b"".join(decimals(numbers, octets)) == _written(numbers, octets)


def test_decimals_of_all() -> None:
    """The numbers of a large mailbox, all and some."""
    numbers = range(1, 12_346)
    some = bytes(number % 3 == 0 for number in numbers)
    for octets in (b"\1" * len(numbers), bytes(len(numbers)), some):
        assert b"".join(decimals(numbers, octets)) == _written(numbers, octets)


def test_decimals_far_apart() -> None:
    """Numbers that have a thousand each to themselves are not written one by one."""
    numbers = range(1, 4_000_000_000, 40_000)
    pieces = list(decimals(numbers, b"\1" * len(numbers)))
    assert b"".join(pieces) == _written(numbers, b"\1" * len(numbers))
    assert len(pieces) <= len(numbers) // 1_000 + 2
