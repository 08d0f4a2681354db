"""Waiting until no more messages come, to have something made of those that have.

One mailbox after the other; while messages still get their facts, it is not quiet.  So is it done with
one that is opened for the first time: whatever was begun before is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from imapd.store.errors import NoSuchMailbox, StoreError
from imapd.store.interfaces import IMailbox

__all__ = ["Quiet"]

#: Seconds without a change; and the longest that a change waits.
_DELAY: Final = 10.0
_PATIENCE: Final = 30.0
#: The same between two mailboxes that wait.
_NEXT: Final = 0.5


@define(eq=False)
class Quiet:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    #: Opens a mailbox by its id.  Raises `NoSuchMailbox`.
    _open: Callable[[str], IMailbox]
    #: Whether all messages have facts.
    _is_ready: Callable[[], bool]
    #: What is to be done with each mailbox, if there is anything.
    _call: Callable[[], Callable[[IMailbox], Deferred[Any]] | None]
    #: Ids of mailboxes.
    _changed: dict[str, None] = field(factory=dict, init=False)
    #: Those that have been in it.
    _seen: set[str] = field(factory=set, init=False)
    _since: float = field(default=0.0, init=False)
    _later: IDelayedCall | None = field(default=None, init=False, repr=False)
    _running: Deferred[Any] | None = field(default=None, init=False, repr=False)
    _stopped: bool = field(default=False, init=False)

    _log = Logger()

    def changed(self, id: str) -> None:
        """Something has changed in a mailbox."""
        if self._stopped or self._call() is None:
            return
        if not self._changed:
            self._since = self._reactor.seconds()
        self._changed[id] = None
        self._seen.add(id)
        if self._later is None:
            self._wait(_DELAY)
        elif self._reactor.seconds() - self._since < _PATIENCE:
            self._later.reset(_DELAY)

    def opened(self, id: str) -> None:
        """Somebody has opened a mailbox: what was begun when the account was last open is ended."""
        if id not in self._seen:
            self.changed(id)

    async def stop(self) -> None:
        """End what is being done."""
        self._stopped = True
        self._changed.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._running is not None:
            ended: Deferred[None] = Deferred()
            self._running.addBoth(ended.callback)
            self._running.cancel()
            await ended

    def _wait(self, seconds: float) -> None:
        if self._running is None and self._changed and not self._stopped:
            self._later = self._reactor.callLater(seconds, self._begin)

    def _begin(self) -> None:
        self._later = None
        call = self._call()
        if call is None or not self._is_ready():
            self._wait(_DELAY)
            return
        id = next(iter(self._changed))
        del self._changed[id]
        try:
            mailbox = self._open(id)
        except NoSuchMailbox:
            self._wait(_NEXT)
            return
        self._running = call(mailbox)
        self._running.addErrback(self._failed)
        self._running.addCallback(self._ended)

    def _failed(self, failure: Any) -> None:
        if not self._stopped and not failure.check(StoreError):
            self._log.failure("nothing could be made of new messages", failure)

    def _ended(self, _: object) -> None:
        self._running = None
        self._wait(_NEXT)
