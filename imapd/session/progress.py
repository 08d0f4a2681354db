"""How far a command has come, told to a client that waits (RFC 9585): one place for all long loops.

Rules of this file:

* A command says `reached` between two whole responses, never inside one.  It costs a look at
  the clock, and is told when `_EVERY` seconds have passed since the command began, or since
  it was told last.
* A command that waits for the store, between two responses too, waits by `patiently`, so
  that the client hears of it meanwhile.
* What is told, and whether, is a feature's affair (`dialect.Feature.reports`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from imapd.store.interfaces import Answer

__all__ = ["Progress"]

_T = TypeVar("_T")

#: Seconds: RFC 9585, 4 recommends 10 to 15.
_EVERY: Final = 10.0


def _is_over(failure: Failure) -> None:
    failure.trap(CancelledError)  # type: ignore[no-untyped-call]  # Twisted has no types for it


class Progress:
    """Of one session's command."""

    __slots__ = ("_due", "_later", "_reports", "_seconds", "_session")

    def __init__(
        self,
        session: Any,
        reports: Sequence[Callable[[Any, int | None, int | None], None]],
        seconds: Callable[[], float],
        later: Callable[[float], Deferred[None]],
    ) -> None:
        self._session = session
        self._reports = reports
        self._seconds = seconds
        self._later = later
        self._due = 0.0

    def begin(self) -> None:
        """A command begins."""
        self._due = self._seconds() + _EVERY

    def reached(self, done: int, goal: int) -> None:
        """So many of so many messages are done: tell it if it is time."""
        if done < goal and self._reports and self._seconds() >= self._due:
            self._tell(done, goal)

    async def patiently(self, answer: Answer[_T]) -> _T:
        """As `imapd.store.answers.settled`; the client is told, from time to time, that it is waited for."""
        if not isinstance(answer, Awaitable):
            return answer
        if not self._reports:
            return await answer
        timer = self._timer()
        try:
            return await answer
        finally:
            timer.cancel()

    def _timer(self) -> Deferred[None]:
        async def ticks() -> None:
            while True:
                await self._later(max(0.0, self._due - self._seconds()))
                self._tell(None, None)

        timer = Deferred.fromCoroutine(ticks())
        timer.addErrback(_is_over)
        return timer

    def _tell(self, done: int | None, goal: int | None) -> None:
        self.begin()
        for report in self._reports:
            report(self._session, done, goal)
        self._session.peer.flush()
