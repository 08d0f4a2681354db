"""Threads beside the reactor's: on the processor on which that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from imapd.store.maildir import threads
from imapd.store.maildir.threads import BesideThreads

pytestmark = pytest.mark.skipif(
    threads._PROCESSOR is None, reason="threads choose no processor here"
)


@pytest.fixture
def pool() -> Iterator[BesideThreads]:
    """One thread."""
    pool = BesideThreads(1, "beside")
    yield pool
    pool.stop()


@pytest.fixture
def processors() -> Iterator[list[int]]:
    """Those of this thread, which may be told one of them."""
    allowed = os.sched_getaffinity(0)
    yield sorted(allowed)
    os.sched_setaffinity(0, allowed)


def _where(pool: BesideThreads) -> set[int]:
    """On which processors a call may run."""
    answer: SimpleQueue[Any] = SimpleQueue()
    pool.callInThread(lambda: answer.put(os.sched_getaffinity(0)))
    found: set[int] = answer.get(timeout=10)
    return found


def test_they_follow_who_calls(pool: BesideThreads, processors: list[int]) -> None:
    """They run on its processor, which is left as it was."""
    for processor in processors[:4] * 2:
        os.sched_setaffinity(0, {processor})
        assert _where(pool) == {processor}
        assert os.sched_getaffinity(0) == {processor}


@pytest.mark.parametrize("processor", [1 << 20, -1])
def test_a_processor_that_is_not_ours(
    pool: BesideThreads, processors: list[int], monkeypatch: pytest.MonkeyPatch, processor: int
) -> None:
    """What is to be done is done, wherever."""
    monkeypatch.setattr(threads, "_PROCESSOR", lambda: processor)
    assert _where(pool) == set(processors)


def test_where_it_cannot_be_told(
    pool: BesideThreads, processors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system places them."""
    monkeypatch.setattr(threads, "_PROCESSOR", None)
    assert _where(pool) == set(processors)
