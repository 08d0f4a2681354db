"""Threads beside the reactor's: on the processor on which that runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from imapd.store.maildir import threads
from imapd.store.maildir.threads import BesideThreads

placed = pytest.mark.skipif(threads._PROCESSOR is None, reason="threads choose no processor here")


@pytest.fixture
def pool() -> Iterator[BesideThreads]:
    """One thread."""
    pool = BesideThreads(1, "beside")
    pool.start()
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


@placed
def test_they_follow_who_calls(pool: BesideThreads, processors: list[int]) -> None:
    """They run on its processor, which is left as it was."""
    for processor in processors[:4] * 2:
        os.sched_setaffinity(0, {processor})
        assert _where(pool) == {processor}
        assert os.sched_getaffinity(0) == {processor}


@placed
@pytest.mark.parametrize("processor", [1 << 20, -1])
def test_a_processor_that_is_not_ours(
    pool: BesideThreads, processors: list[int], monkeypatch: pytest.MonkeyPatch, processor: int
) -> None:
    """What is to be done is done, wherever."""
    monkeypatch.setattr(threads, "_PROCESSOR", lambda: processor)
    assert _where(pool) == set(processors)


@placed
def test_where_it_cannot_be_told(
    pool: BesideThreads, processors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system places them."""
    monkeypatch.setattr(threads, "_PROCESSOR", None)
    assert _where(pool) == set(processors)


def test_several_at_once() -> None:
    """As many as there may be; the others when one of these is through."""
    pool = BesideThreads(2, "beside")
    pool.start()
    running, may_end = SimpleQueue[int](), SimpleQueue[None]()

    def call(number: int) -> None:
        running.put(number)
        may_end.get(timeout=10)

    for number in range(3):
        pool.callInThread(call, number)
    assert {running.get(timeout=10), running.get(timeout=10)} == {0, 1}
    assert len(pool._threads) == 2
    assert not pool.idle
    may_end.put(None)
    assert running.get(timeout=10) == 2
    may_end.put(None)
    may_end.put(None)
    pool.stop()
    assert pool.idle


def test_one_that_fails(pool: BesideThreads, complaints: list[Any]) -> None:
    """The log has it, and the thread goes on."""

    def fail() -> None:
        raise ZeroDivisionError

    pool.callInThread(fail)
    assert _where(pool)
    pool.stop()
    assert [type(each["log_failure"].value) for each in complaints] == [ZeroDivisionError]


def test_the_end(pool: BesideThreads) -> None:
    """What was given is done before; it can be begun again."""
    done = list[int]()
    for number in range(100):
        pool.callInThread(done.append, number)
    pool.stop()
    assert done == list(range(100))
    pool.start()
    assert _where(pool)


def test_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins is told so; later those that there are do it."""

    def start(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool, may_end = BesideThreads(2, "beside"), SimpleQueue[None]()
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", start)
        with pytest.raises(RuntimeError):
            pool.start()
    pool.start()
    pool.callInThread(may_end.get)
    done = list[int]()
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", start)
        pool.callInThread(done.append, 1)
    may_end.put(None)
    pool.stop()
    assert done == [1]
