"""A reactor for stores that work in threads: it runs on the test's thread, until an answer is there."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["Pump"]

_T = TypeVar("_T")

#: Seconds between two looks at the calls that are due.
_TICK: Final = 0.005


@implementer(IReactorFromThreads, IReactorTime)
@define(eq=False)
class Pump:
    """`callFromThread`, `callLater` and `seconds` in real time, while `run` runs.

    Enough for ``deferToThreadPool(pump, pool, function)``.  The pool is the store's or the test's.
    """

    #: Seconds after which `run` says that the store hangs.
    patience: float = 20.0
    _calls: queue.SimpleQueue[Callable[[], object]] = field(factory=queue.SimpleQueue, init=False)
    _clock: Clock = field(factory=Clock, init=False)
    _last: float = field(factory=time.monotonic, init=False)

    def __attrs_post_init__(self) -> None:
        self._clock.rightNow = time.time()

    def callFromThread(
        self,
        callable: Callable[..., Any],  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> None:
        """As `IReactorFromThreads`."""
        self._calls.put(lambda: callable(*args, **kwargs))

    def seconds(self) -> float:
        """As `IReactorTime`."""
        return self._clock.seconds()

    def callLater(
        self,
        delay: float,
        callable: Callable[..., Any],  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """As `IReactorTime`."""
        return self._clock.callLater(delay, callable, *args, **kwargs)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """As `IReactorTime`."""
        return self._clock.getDelayedCalls()

    async def pause(self, seconds: float) -> None:
        """Let that much time pass."""
        over: Deferred[None] = Deferred()
        self.callLater(seconds, over.callback, None)
        await over

    def run(self, coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T:
        """The coroutine's answer, or what it raised; AssertionError if it takes too long."""
        outcome: list[_T | Failure] = []
        Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
        patience = time.monotonic() + self.patience
        while not outcome:
            assert time.monotonic() < patience, "the store does not answer"
            with suppress(queue.Empty):
                self._calls.get(timeout=_TICK)()
            now = time.monotonic()
            self._clock.advance(now - self._last)
            self._last = now
        answer = outcome[0]
        if isinstance(answer, Failure):
            answer.raiseException()
        return answer
