"""What searches ask of messages, made of new ones before anybody waits for it.

When messages have come into a mailbox that somebody has selected and that was searched before,
their blocks are made one at a time, with pauses that leave most of the time to others.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from imapd.session.blocks import Blocks
from imapd.session.image import Image
from imapd.store.errors import StoreError

__all__ = ["Ahead"]

#: Seconds until messages that have come are looked at: as a rule, more come with them.
_SOON: Final = 2.0
#: Seconds between two blocks.
_PAUSE: Final = 0.2


class Ahead:
    """The work of one process."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, blocks: Blocks) -> None:
        self._clock = clock
        self._blocks = blocks
        self._soon: dict[str, IDelayedCall] = {}
        self._pause: dict[str, Deferred[None]] = {}

    def grown(self, image: Image) -> None:
        """Messages have come."""
        if self._blocks.were_asked(image.mailbox_id) and image.mailbox_id not in self._soon:
            call = self._clock.callLater(_SOON, self._begin, image)
            self._soon[image.mailbox_id] = call

    def stop(self) -> None:
        """Do nothing any more."""
        for call in self._soon.values():
            call.cancel()
        self._soon.clear()
        for pause in tuple(self._pause.values()):
            pause.cancel()

    def _begin(self, image: Image) -> None:
        del self._soon[image.mailbox_id]
        if image.mailbox_id in self._pause:
            # It is still at those that came before.
            self.grown(image)
            return
        making = Deferred.fromCoroutine(self._make(image))
        making.addErrback(lambda failure: self._log.failure("cannot make blocks", failure))

    async def _make(self, image: Image) -> None:
        watcher = next(iter(image.watchers), None)
        if watcher is None:
            return
        known = image.generation.uids[:]
        # What cannot be done now is done when somebody asks.
        with suppress(StoreError, CancelledError):
            async for _ in self._blocks.ahead(watcher.mailbox, known):
                pause = self._pause[image.mailbox_id] = deferLater(self._clock, _PAUSE)
                try:
                    await pause
                finally:
                    del self._pause[image.mailbox_id]
                if watcher not in image.watchers:
                    return
