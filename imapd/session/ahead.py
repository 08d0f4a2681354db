"""What searches ask of messages, made of new ones before anybody waits for it.

Rules of this file:

* Blocks, and answers, are made one at a time, with pauses that leave most of the time to others.
* It is done for mailboxes that somebody has selected and that were searched before, and, where the
  store says that messages have come, for every large one: then the image is made ready too, and, if
  what has come is not little beside what was there, so are the usual orders and threads.
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

from imapd.model.limits import Limits
from imapd.model.mailbox import Status
from imapd.model.numset import NumSet
from imapd.query.columns import USUAL
from imapd.session.block_pieces import LAST
from imapd.session.blocks import Blocks, Turn
from imapd.session.image import Image
from imapd.session.images import Images
from imapd.session.kept_image import WORTH_KEEPING
from imapd.session.usual_answers import usual_answers
from imapd.session.view import View
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
#: Messages that must have come; and, for answers, one in so many of all.
_MANY: Final = 128
_LITTLE: Final = 64
#: Seconds of work at an answer, after which there is a pause.
_WORK: Final = 0.02
#: Mailboxes of which it is known what there was.
_MAILBOXES: Final = 1_000

#: Of a mailbox, which columns were made of its messages, and the UIDNEXTs of `_Done`.
_DONE: Final = "ahead 2"
_MARK: Final = struct.Struct("<IQQ")
_MADE: Final = crc32("\n".join(sorted(USUAL)).encode())


@frozen
class _Done:
    """The UIDNEXTs that a mailbox had when blocks, and answers, were made of all there was."""

    blocks: int = 0
    answers: int = 0


class Ahead:
    """The work of one process."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, blocks: Blocks, turn: Turn, limits: Limits) -> None:
        self._clock = clock
        self._blocks = blocks
        self._turn = turn
        self._limits = limits
        #: When it last paused.
        self._rested = 0.0
        self._soon: dict[str, IDelayedCall] = {}
        self._pauses: set[Deferred[None]] = set()
        #: Ids of mailboxes of which something is being made.
        self._working: set[str] = set()
        #: Of mailboxes, by id.
        self._through: dict[str, _Done] = {}

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
            done = self._through.get(mailbox.id) or await _done(mailbox)
            if not 0 <= status.uidnext - done.blocks < _MANY:
                done = await self._made(mailbox, images, status, done)
                await _leave(mailbox, done)
            self._through[mailbox.id] = done
            if len(self._through) > _MAILBOXES:
                del self._through[next(iter(self._through))]

    async def _made(self, mailbox: IMailbox, images: Images, status: Status, done: _Done) -> _Done:
        if status.messages < WORTH_KEEPING:
            known = array("I", await settled(mailbox.uids()))
            await self._paced(self._blocks.ahead(mailbox, known, USUAL), mailbox.id)
            return _Done(status.uidnext)
        view = View("", mailbox, True, lambda: None)
        image = await images.join(mailbox, view)
        try:
            view.attach(image)
            await image.keep(mailbox, self._turn)
            # Whoever selects it is told which flags occur.
            image.first_unseen()
            known = image.generation.uids[:]
            await self._paced(self._blocks.ahead(mailbox, known, USUAL), mailbox.id)
            if 0 <= (status.uidnext - done.answers) * _LITTLE < status.messages:
                return _Done(status.uidnext, done.answers)
            answers = usual_answers(view, self._blocks, self._politely, self._limits)
            await self._paced(answers, mailbox.id)
            if len(image.watchers) == 1:
                # They are with the store; it may be long until somebody asks.
                image.kept.clear()
            return _Done(status.uidnext, status.uidnext)
        finally:
            images.leave(image, view)

    async def _politely(self) -> None:
        """Between pieces of an answer."""
        await self._turn()
        if self._clock.seconds() - self._rested > _WORK:
            await self._paused(_PAUSE)

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
        self._rested = self._clock.seconds()
        return self._rested - due


async def _done(mailbox: IMailbox) -> _Done:
    """What was done of a mailbox, perhaps by another process, if that is known."""
    octets = (await settled(IBlocksKept(mailbox).kept_blocks(_DONE, NumSet.of(LAST)))).get(LAST)
    if octets is None or len(octets) != _MARK.size:
        return _Done()
    made, *through = _MARK.unpack(octets)
    return _Done(*through) if made == _MADE else _Done()


async def _leave(mailbox: IMailbox, done: _Done) -> None:
    made = {(_DONE, LAST): _MARK.pack(_MADE, done.blocks, done.answers)}
    await settled(IBlocksKept(mailbox).keep_blocks(made, NumSet([(1, LAST)])))
