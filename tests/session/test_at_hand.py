"""What is at hand: bounded, the longest unused forgotten first, all of it after a while."""

from __future__ import annotations

import pytest
from attrs import frozen
from twisted.internet.task import Clock

from imapd.session.at_hand import _IDLE, AtHand


@frozen
class _Thing:
    size: int


@pytest.fixture
def clock() -> Clock:
    """Time."""
    return Clock()


@pytest.fixture
def at_hand(clock: Clock) -> AtHand:
    """With place for a hundred octets."""
    return AtHand(clock, 100)


def test_replaced(at_hand: AtHand) -> None:
    """What takes another's place is counted in its place."""
    for size in (60, 30, 90):
        at_hand.put("a", _Thing(size))
        assert at_hand.size == size
        assert at_hand.get("a") == _Thing(size)


def test_bounded(at_hand: AtHand) -> None:
    """The one used longest ago goes first."""
    for key in "abc":
        at_hand.put(key, _Thing(30))
    at_hand.get("a")
    at_hand.put("d", _Thing(30))
    assert at_hand.size == 90
    assert [key for key in "abcd" if at_hand.get(key) is not None] == ["a", "c", "d"]


def test_old_before_young(at_hand: AtHand, clock: Clock) -> None:
    """So it is where time has passed between."""
    at_hand.put("a", _Thing(40))
    at_hand.put("b", _Thing(40))
    clock.advance(_IDLE)
    at_hand.get("a")
    at_hand.put("c", _Thing(40))
    assert [key for key in "abc" if at_hand.get(key) is not None] == ["a", "c"]


def test_too_large(at_hand: AtHand) -> None:
    """What alone is larger than all there may be is not had, nor anything else then."""
    at_hand.put("a", _Thing(10))
    at_hand.put("b", _Thing(101))
    assert at_hand.size == 0
    assert at_hand.get("a") is at_hand.get("b") is None


def test_forgotten(at_hand: AtHand, clock: Clock) -> None:
    """What is used stays; what is not goes, and with it the timer."""
    at_hand.put("a", _Thing(10))
    at_hand.put("b", _Thing(10))
    clock.advance(_IDLE)
    assert at_hand.get("a") is not None
    clock.advance(_IDLE)
    assert at_hand.size == 10
    assert at_hand.get("b") is None
    clock.advance(_IDLE)
    clock.advance(_IDLE)
    assert at_hand.size == 0
    assert clock.getDelayedCalls() == []
