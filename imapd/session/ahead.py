"""What searches ask of messages, made of new ones before anybody waits for it.

Rules of this file:

* Blocks are made one at a time, with pauses that leave most of the time to others.
* It is done for mailboxes that somebody has selected and that were searched before, and, where the
  store says that messages have come, for every large one: then the image is made ready too.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from imapd.query.columns import USUAL
from imapd.session.blocks import Blocks
from imapd.session.image import Image, Images
from imapd.session.kept_image import WORTH_KEEPING
from imapd.store.answers import settled
from imapd.store.errors import StoreError
from imapd.store.interfaces import IBlocksKept, IMailbox

__all__ = ["Ahead"]

#: Seconds until messages that have come are looked at: as a rule, more come with them.
_SOON: Final = 2.0
#: Seconds between two blocks; so many times longer than the last was late.
_PAUSE: Final = 0.1
_POLITE: Final = 10.0
_LONGEST: Final = 5.0
#: Messages of a mailbox that is large: of a smaller one all is made as fast.
_LARGE: Final = 1_000
#: Messages that must have come.
_MANY: Final = 128
#: Mailboxes of which it is known what there was.
_MAILBOXES: Final = 1_000


@frozen
class _Passing:
    """Has a mailbox selected for a moment."""

    mailbox: IMailbox

    def changed(self) -> None:
        """As `Watcher`."""


class Ahead:
    """The work of one process."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, blocks: Blocks) -> None:
        self._clock = clock
        self._blocks = blocks
        self._soon: dict[str, IDelayedCall] = {}
        self._pause: dict[str, Deferred[None]] = {}
        #: UIDNEXT of mailboxes, by id, when they were last looked at.
        self._through: dict[str, int] = {}

    def grown(self, image: Image) -> None:
        """Messages have come into a mailbox that is, or was, selected."""
        if self._blocks.were_asked(image.mailbox_id) and image.mailbox_id not in self._soon:
            call = self._clock.callLater(_SOON, self._begin, image)
            self._soon[image.mailbox_id] = call

    def arrived(self, mailbox: IMailbox, images: Images) -> Deferred[None]:
        """Messages have come, says the store; it may cancel what is done for them."""
        return Deferred.fromCoroutine(self._prepare(mailbox, images))

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
            async for _ in self._paced(
                self._blocks.ahead(watcher.mailbox, known), image.mailbox_id
            ):
                if watcher not in image.watchers:
                    return

    async def _prepare(self, mailbox: IMailbox, images: Images) -> None:
        with suppress(StoreError, CancelledError):
            status = await settled(mailbox.status())
            since = self._through.get(mailbox.id, 0)
            if status.messages < _LARGE or status.uidnext - since < _MANY:
                return
            if not IBlocksKept.providedBy(mailbox) or mailbox.id in self._pause:
                return
            if status.messages >= WORTH_KEEPING:
                passing = _Passing(mailbox)
                images.leave(await images.join(mailbox, passing), passing)
            known = array("I", await settled(mailbox.uids()))
            async for _ in self._paced(self._blocks.ahead(mailbox, known, USUAL), mailbox.id):
                pass
            self._through[mailbox.id] = status.uidnext
            if len(self._through) > _MAILBOXES:
                del self._through[next(iter(self._through))]

    async def _paced(self, work: AsyncIterator[None], id: str) -> AsyncIterator[None]:
        """A piece of work, then a pause."""
        late = 0.0
        async for _ in work:
            seconds = min(_LONGEST, max(_PAUSE, _POLITE * late))
            due = self._clock.seconds() + seconds
            pause = self._pause[id] = deferLater(self._clock, seconds)
            try:
                await pause
            finally:
                del self._pause[id]
            late = self._clock.seconds() - due
            yield
