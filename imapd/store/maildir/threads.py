"""The store's threads: calls in them, and threads that run where the reactor's does."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

__all__ = ["BesideThreads", "call_in_thread"]

_T = TypeVar("_T")


def call_in_thread(
    reactor: IReactorFromThreads, pool: ThreadPool, call: Callable[[], _T]
) -> Deferred[_T]:
    """What `call` returns or raises."""
    return deferToThreadPool(reactor, pool, call)


def _processor() -> Callable[[], int] | None:
    """What tells on which processor it is called, where threads can be told theirs."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        # Unlike CDLL it keeps the interpreter's lock meanwhile.
        found: Callable[[], int] = ctypes.PyDLL(None).sched_getcpu
    except (OSError, AttributeError):
        return None
    return found


_PROCESSOR: Final = _processor()


#: A call, and on which processor it is made.
_Call = tuple[int, Callable[..., object], tuple[Any, ...]]


@define(eq=False)
class BesideThreads:
    """Threads in which `callInThread` runs on the processor of who calls it, where the system has that.

    For what waits for the disk and does little between: it takes the interpreter's lock each time, which the
    caller gives up for as short a time, and to wake a thread on another processor takes longer than
    either.  To hand a call on is a queue of the interpreter's: a `ThreadPool` takes as long
    for that as such a call (docs/decisions/beside.rst).  What computes keeps the caller waiting here.
    """

    _most: int
    _name: str
    _calls: SimpleQueue[_Call | None] = field(factory=SimpleQueue, init=False, repr=False)
    _threads: list[Thread] = field(factory=list, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    #: Calls that are being made, or wait.
    _given: int = field(default=0, init=False)

    _log = Logger()

    @property
    def idle(self) -> bool:
        """Nothing is being done, and nothing waits."""
        return self._given == 0

    def start(self) -> None:
        """Have one thread, unless there is one.  Raises RuntimeError where none can be had."""
        if not self._threads:
            self._more()

    def callInThread(self, func: Callable[..., object], *args: Any) -> None:
        """As `ThreadPool`; on the reactor's thread, after `start`."""
        if self._given >= len(self._threads) < self._most:
            # Where no more can be had, it waits for those that there are.
            with suppress(RuntimeError):
                self._more()
        with self._lock:
            self._given += 1
        self._calls.put((-1 if _PROCESSOR is None else _PROCESSOR(), func, args))

    def _more(self) -> None:
        # A process that forgets to close the store can still end.
        thread = Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Make the calls that wait, and wait for them."""
        for _ in self._threads:
            self._calls.put(None)
        while self._threads:
            self._threads.pop().join()

    def _run(self) -> None:
        at = -1
        while (call := self._calls.get()) is not None:
            processor, func, args = call
            if processor != at:
                # It may be none of ours any more, or not known; then it does not matter where this runs.
                with suppress(OSError, ValueError):
                    os.sched_setaffinity(0, {processor})
                at = processor
            try:
                func(*args)
            except BaseException:
                self._log.failure("{name}: a call failed", name=self._name)
            # What it held is not kept until the next.
            del call, func, args
            with self._lock:
                self._given -= 1
