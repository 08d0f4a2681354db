"""Errors of the disk and the index, on the reactor's thread, become the fact that a store tells.

What happens in the writer's thread is told by the writer.  Here a class is marked with
`reporting`: whatever its public methods raise, at once or later, is logged, and raised again
as `StoreUnavailable`.  If it says that the index has wrong octets, the object is told so by its
method `damaged`, and it is raised as `AccountClosed`.
"""

from __future__ import annotations

import functools
import inspect
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from imapd.store.maildir.index import closed
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.tree import unavailable

__all__ = ["TROUBLES", "reported", "reporting"]

_C = TypeVar("_C", bound=type)
_F = TypeVar("_F", bound=Callable[..., Any])

#: What is no fact, and no mistake of ours.
TROUBLES: Final = (OSError, sqlite3.Error)

_log = Logger()


def reporting(cls: _C) -> _C:
    """The class; its public methods are `reported`."""
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.isfunction(method):
            setattr(cls, name, reported(method))
    return cls


def reported(method: _F) -> _F:
    """A function, coroutine function or generator function that raises facts only."""
    if inspect.iscoroutinefunction(method):
        wrapped: Any = _awaited(method)
    elif inspect.isgeneratorfunction(method):
        wrapped = _iterated(method)
    else:
        wrapped = _called(method)
    return functools.wraps(method)(wrapped)  # type: ignore[return-value]  # it is called the same way


def _called(method: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        try:
            answer = method(*arguments, **named)
        except TROUBLES as error:
            raise _told(error, arguments) from error
        if isinstance(answer, Deferred):
            return answer.addErrback(_later, arguments)
        return answer

    return called


def _awaited(method: Callable[..., Any]) -> Callable[..., Any]:
    async def awaited(*arguments: Any, **named: Any) -> Any:
        try:
            return await method(*arguments, **named)
        except TROUBLES as error:
            raise _told(error, arguments) from error

    return awaited


def _iterated(method: Callable[..., Any]) -> Callable[..., Any]:
    def iterated(*arguments: Any, **named: Any) -> Iterator[Any]:
        try:
            yield from method(*arguments, **named)
        except TROUBLES as error:
            raise _told(error, arguments) from error

    return iterated


def _later(failure: Failure, arguments: Sequence[Any]) -> Failure:
    error = failure.value
    if isinstance(error, TROUBLES):
        return Failure(_told(error, arguments))  # type: ignore[no-untyped-call]  # Twisted has no types for it
    return failure


def _told(error: Exception, arguments: Sequence[Any]) -> Exception:
    damaged = getattr(arguments[0], "damaged", None) if arguments and is_damage(error) else None
    if damaged is not None:
        damaged(error)
        return closed()
    _log.failure("the store failed", Failure(error))  # type: ignore[no-untyped-call]  # as above
    return unavailable(error)
