"""What searches ask of messages, made of new ones before anybody waits for it.

Rules of this file:

* Blocks are made one at a time, with pauses that leave most of the time to others.
* It is done for mailboxes that somebody has selected and that were searched before, and, where the
  store says that messages have come, for every large one: then the image is made ready too.
* Up to where the latter was done is kept by the store: what was begun and not ended, as the account
  was closed, is gone on with when the store next speaks of the mailbox, and else it costs nothing.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final
from zlib import crc32

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from imapd.model.numset import NumSet
from imapd.query.columns import USUAL
from imapd.session.block_pieces import LAST
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

#: Of a mailbox, what was made of all its messages, and the UIDNEXT that it had then.
_DONE: Final = "ahead 1"
_MARK: Final = struct.Struct("<IQ")
_MADE: Final = crc32("\n".join(sorted(USUAL)).encode())


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
        self._pauses: set[Deferred[None]] = set()
        #: Ids of mailboxes of which something is being made.
        self._working: set[str] = set()
        #: UIDNEXT of mailboxes, by id, when all was made of what they had.
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
        for pause in tuple(self._pauses):
            pause.cancel()

    def _begin(self, image: Image) -> None:
        del self._soon[image.mailbox_id]
        if image.mailbox_id in self._working:
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
            work = self._blocks.ahead(watcher.mailbox, known)
            await self._paced(work, image.mailbox_id, lambda: watcher in image.watchers)

    async def _prepare(self, mailbox: IMailbox, images: Images) -> None:
        with suppress(StoreError, CancelledError):
            status = await settled(mailbox.status())
            if status.messages < _LARGE or not IBlocksKept.providedBy(mailbox):
                return
            since = self._through.get(mailbox.id)
            if since is None:
                since = await _done(mailbox)
            if 0 <= status.uidnext - since < _MANY:
                self._remember(mailbox.id, since)
                return
            if status.messages >= WORTH_KEEPING:
                passing = _Passing(mailbox)
                image = await images.join(mailbox, passing)
                known = image.generation.uids[:]
                images.leave(image, passing)
            else:
                known = array("I", await settled(mailbox.uids()))
            await self._paced(self._blocks.ahead(mailbox, known, USUAL), mailbox.id)
            self._remember(mailbox.id, status.uidnext)
            await _leave(mailbox, status.uidnext)

    def _remember(self, id: str, uidnext: int) -> None:
        self._through[id] = uidnext
        if len(self._through) > _MAILBOXES:
            del self._through[next(iter(self._through))]

    async def _paced(
        self, work: AsyncIterator[None], id: str, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Piece by piece, with pauses, while it is wanted."""
        while id in self._working:
            # Each begins with the newest messages, which both may want.
            await self._paused(_LONGEST)
        self._working.add(id)
        late = 0.0
        try:
            async for _ in work:
                late = await self._paused(min(_LONGEST, max(_PAUSE, _POLITE * late)))
                if not wanted():
                    return
        finally:
            self._working.discard(id)

    async def _paused(self, seconds: float) -> float:
        """By how much it took longer."""
        due = self._clock.seconds() + seconds
        pause: Deferred[None] = deferLater(self._clock, seconds)
        self._pauses.add(pause)
        try:
            await pause
        finally:
            self._pauses.discard(pause)
        return self._clock.seconds() - due


async def _done(mailbox: IMailbox) -> int:
    """The UIDNEXT up to which all was made, perhaps by another process; 0 if that is not known."""
    octets = (await settled(IBlocksKept(mailbox).kept_blocks(_DONE, NumSet.of(LAST)))).get(LAST)
    if octets is None or len(octets) != _MARK.size:
        return 0
    made, uidnext = _MARK.unpack(octets)
    return int(uidnext) if made == _MADE else 0


async def _leave(mailbox: IMailbox, uidnext: int) -> None:
    made = {(_DONE, LAST): _MARK.pack(_MADE, uidnext)}
    await settled(IBlocksKept(mailbox).keep_blocks(made, NumSet([(1, LAST)])))
