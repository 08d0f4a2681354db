"""The store's threads: calls in them, and threads that run where the reactor's does."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
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


class BesideThreads(ThreadPool):
    """Threads in which `callInThread` runs on the processor of who calls it, where the system has that.

    For what waits for the disk and does little between: it takes the interpreter's lock each time, which the
    caller gives up for as short a time, and to wake a thread on another processor takes longer than
    either (docs/decisions/beside.rst).  What computes keeps the caller waiting here.
    """

    def __init__(self, most: int, name: str) -> None:
        super().__init__(0, most, name)
        #: On which processor each thread is.
        self._at = threading.local()

    def callInThread(self, func: Callable[..., object], *args: Any, **kw: Any) -> None:
        """As `ThreadPool`."""
        if _PROCESSOR is None:
            super().callInThread(func, *args, **kw)
        else:
            super().callInThread(self._beside, _PROCESSOR(), func, *args, **kw)

    def _beside(self, processor: int, func: Callable[..., object], *args: Any, **kw: Any) -> object:
        if getattr(self._at, "processor", None) != processor:
            # It may be none of ours any more, or not known; then it does not matter where this runs.
            with suppress(OSError, ValueError):
                os.sched_setaffinity(0, {processor})
            self._at.processor = processor
        return func(*args, **kw)
