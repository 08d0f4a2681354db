"""Fair turns: no session holds the reactor for long, and none waits for ever.

A long command awaits `Turns.turn` between pieces of work.  It costs next to nothing
until the running turn has lasted `_SLICE`; then the session queues behind the others,
and the reactor looks at its sockets before the next of them goes on.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

__all__ = ["Turns"]

#: Seconds of work before others get their turn; the design allows a turn of 20 ms.
_SLICE: Final = 0.005


class Turns:
    """The reactor's time, shared out among the sessions of one process."""

    __slots__ = ("_clock", "_queue", "_scheduled", "_until")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._queue: deque[Deferred[None]] = deque()
        self._scheduled = False
        self._until = 0.0

    def begin(self) -> None:
        """A new piece of work starts: the reactor has just called us."""
        self._until = perf_counter() + _SLICE

    def over(self) -> bool:
        """Whether the running turn has lasted long enough."""
        return perf_counter() >= self._until

    async def turn(self) -> None:
        """Go on at once if there is time left, else when it is our turn again."""
        if perf_counter() < self._until:
            return
        waiting: Deferred[None] = Deferred()
        self._queue.append(waiting)
        self._schedule()
        await waiting

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._run)

    def _run(self) -> None:
        self._scheduled = False
        self.begin()
        for _ in range(len(self._queue)):
            self._queue.popleft().callback(None)
            if perf_counter() >= self._until:
                break
        if self._queue:
            self._schedule()
