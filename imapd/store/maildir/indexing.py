"""Indexing behind the answers: when it is done, and how much at once.

Rules of this file:

* It begins when nothing has come in for some seconds, or something has been coming in for long, and
  goes on until all that was there is indexed.  What comes one after the other is so indexed together,
  which is less work.  Accounts of one store take turns.
* After each piece of work there is a pause, unless somebody waits for the end.  It is longer when
  the reactor had other things to do meanwhile, or was late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from imapd.store.errors import AccountClosed, NoSuchMailbox
from imapd.store.maildir.building import Builder
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.tree import Tree

__all__ = ["Indexing"]

#: Seconds between the last change and the work that it makes, between the first and that work at
#: most, and after something went wrong.
_DELAY: Final = 10.0
_PATIENCE: Final = 30.0
_RETRY: Final = 60.0
#: Seconds of work at once, and of the shortest and the longest pause after it.
_SLICE: Final = 0.02
_PAUSE: Final = 0.01
_LONGEST: Final = 0.5
#: So many times longer than the last was late is a pause; and, in seconds, what the reactor being
#: busy all the time adds to it.
_POLITE: Final = 10.0
_BUSY: Final = 1.0
#: Of the reactor's time, what these pieces of work take themselves.
_OURS: Final = 0.05
#: Messages after which the log says how far it has come.
_TOLD: Final = 10_000


@define(eq=False)
class Indexing:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    _tree: Tree
    _builder: Builder
    #: Runs a call in a thread.
    _in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    #: Reads a mailbox's directory again.
    _check: Callable[[int], Deferred[None] | None]
    #: Whose turn it is.
    _turn: DeferredLock
    #: Called with what says that the mail's index has wrong octets.
    _damaged: Callable[[Exception], object]
    _later: IDelayedCall | None = field(default=None, init=False, repr=False)
    #: When it began to wait.
    _since: float = field(default=0.0, init=False)
    _running: Deferred[None] | None = field(default=None, init=False, repr=False)
    #: Something changed while it ran.
    _again: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)
    _stopped: bool = field(default=False, init=False)
    #: Who waits for the end of what is being done.
    _waiting: list[Deferred[None]] = field(factory=list, init=False, repr=False)

    _log = Logger()

    def stir(self) -> None:
        """There may be something to index."""
        if self._running is not None:
            self._again = True
        elif self._later is None:
            if not self._stopped:
                self._begin_later(_DELAY)
        elif not self._not_now and self._reactor.seconds() - self._since < _PATIENCE:
            self._later.reset(_DELAY)

    def _begin_later(self, delay: float) -> None:
        self._since = self._reactor.seconds()
        self._later = self._reactor.callLater(delay, self._begin)

    @property
    def _not_now(self) -> bool:
        return self._failed or self._builder.elsewhere

    async def finish(self) -> None:
        """Index all there is, without waiting for a better time."""
        while not self._stopped:
            if self._running is None:
                self._cancel()
                self._begin()
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting
            if self._builder.elsewhere and not self._stopped:
                await self._paused(_LONGEST)
            elif self._later is None or self._failed:
                return

    async def stop(self) -> None:
        """End soon; what was begun is kept."""
        self._stopped = True
        self._cancel()
        self._builder.stopping = True
        if self._running is not None:
            await self._running

    def _cancel(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _begin(self) -> None:
        self._later = None
        self._again = False
        self._running = Deferred.fromCoroutine(self._run())

    async def _run(self) -> None:
        await self._turn.acquire()
        self._failed = False
        try:
            await self._work()
        except AccountClosed:
            pass
        except Exception as error:
            if is_damage(error):
                self._damaged(error)
            # Nothing but speed is lost; but the same would go wrong at once.
            self._failed = True
            self._log.failure("{root}: texts cannot be indexed now", root=self._tree.root)
        finally:
            self._turn.release()
            self._running = None
        if (self._again or self._not_now) and not self._stopped:
            self._begin_later(_RETRY if self._not_now else _DELAY)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)

    async def _work(self) -> None:
        builder = self._builder
        if self._stopped:
            return
        began = self._reactor.seconds()
        told, pause = 0, _PAUSE
        try:
            at, used = self._reactor.seconds(), time.thread_time()
            while not await self._in_thread(lambda: builder.work(_SLICE)):
                if builder.messages >= told + _TOLD:
                    told = builder.messages
                    self._say(builder, began)
                due = self._reactor.seconds() + pause
                if not builder.stopping and not self._waiting:
                    await self._paused(pause)
                now, spent = self._reactor.seconds(), time.thread_time()
                busy = (spent - used) / (now - at) if now > at else 0.0
                at, used = now, spent
                pause = max(_PAUSE, _POLITE * (now - due - _PAUSE), _BUSY * (busy - _OURS))
                pause = min(_LONGEST, pause)
        finally:
            await self._in_thread(builder.rest)
        if told:
            self._say(builder, began, "; that is all")
        self._again |= builder.outdated
        for number in builder.stale:
            with suppress(NoSuchMailbox):
                reading = self._check(number)
                if reading is not None:
                    await reading
            self._again = True

    def _say(self, builder: Builder, began: float, end: str = "") -> None:
        self._log.info(
            "{root}: {messages} messages were indexed, {octets} octets, in {seconds:.0f} s{end}",
            root=self._tree.root,
            messages=builder.messages,
            octets=builder.octets,
            seconds=self._reactor.seconds() - began,
            end=end,
        )

    def _paused(self, seconds: float) -> Deferred[None]:
        waiting: Deferred[None] = Deferred()
        self._reactor.callLater(seconds, waiting.callback, None)
        return waiting
