"""Failures that nobody handled are seen, and no others."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail

from tests.unhandled import unhandled


@pytest.fixture(autouse=True, scope="module")
def _failures_handled() -> None:
    """Here some are left on purpose."""


def _leave_one() -> None:
    """It is in what refers to itself, and so collected late."""
    begun: Deferred[None] = Deferred()
    around: list[object] = [begun]
    around.append(around)
    begun.cancel()


def test_left() -> None:
    """One that nobody looked at is seen."""
    with unhandled() as left:
        _leave_one()
    assert len(left) == 2
    assert "Unhandled error in Deferred" in left[0]
    assert "CancelledError" in left[1]


def test_handled() -> None:
    """One that was handled is none."""
    with unhandled() as left:
        fail(ValueError("no")).addErrback(lambda failure: None)
    assert left == []


def test_of_before() -> None:
    """What was left earlier is not blamed on what comes now."""
    with unhandled() as earlier:
        _leave_one()
        with unhandled() as now:
            pass
    assert now == []
    assert len(earlier) == 2
