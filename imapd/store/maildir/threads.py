"""A call in a thread of the store's pool, its outcome back on the reactor's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

__all__ = ["call_in_thread"]

_T = TypeVar("_T")


def call_in_thread(
    reactor: IReactorFromThreads, pool: ThreadPool, call: Callable[[], _T]
) -> Deferred[_T]:
    """What `call` returns or raises."""
    return deferToThreadPool(reactor, pool, call)
