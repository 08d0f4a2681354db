"""One mailbox as this process knows it: UIDs, flags and modseqs, shared by all its sessions.

Rules of this file:

* What is here comes from `IMailbox.changes_since` (or is the same thing, returned
  by a mutation).  A hint only says that it is time to ask.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, Protocol

from attrs import evolve
from twisted.internet.defer import Deferred

from imapd.model.flags import DELETED
from imapd.model.mailbox import Changes
from imapd.model.message import FLAGS, MODSEQ
from imapd.model.numset import EMPTY, NumSet
from imapd.query.verdicts import Verdicts
from imapd.session import kept_image
from imapd.session.generation import Generation
from imapd.store.answers import each, settled
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IMailbox

__all__ = ["Image", "Images"]

_ALL: Final = NumSet([(1, (1 << 32) - 1)])
#: Changed UIDs, and ranges of vanished ones, that are remembered; who is further behind compares
#: modseqs, or asks the store.
_LOG_MOST: Final = 50_000
#: Changes after which what the store keeps is made anew.
_WORTH_KEEPING: Final = 2_000
#: What is kept of mailboxes that nobody has selected: 20 octets a message.
_KEPT_IMAGES: Final = 64
_KEPT_MESSAGES: Final = 400_000
#: Messages that an image begins with: more take a turn too long.
_BEGUN_WITH: Final = 10_000


class Watcher(Protocol):
    """A session that has the mailbox selected."""

    @property
    def mailbox(self) -> IMailbox:
        """Its own handle of the mailbox."""

    def changed(self) -> None:
        """There may be something to tell."""


class Image:
    """The shared state of one mailbox."""

    __slots__ = ("_grown", "_logged", "_refreshing", "before", "doubted", "generation", "gone",
                 "hinted", "kept", "log", "log_floor", "mailbox_id", "modseq", "recent_claimed",
                 "selected", "unkept", "verdicts", "watchers")  # fmt: skip

    def __init__(
        self, mailbox_id: str, grown: Callable[[Image], object] = lambda image: None
    ) -> None:
        """As `grown` is to be told when messages have come."""
        self.mailbox_id = mailbox_id
        self._grown = grown
        self.generation = Generation()
        self.modseq = 0
        #: What `modseq` was before the last change was taken in.
        self.before = 0
        #: (modseq, UIDs changed, those of them whose flags are the same, UIDs vanished), ascending;
        #: complete above `log_floor`.
        self.log: deque[tuple[int, Sequence[int], Sequence[int], NumSet]] = deque()
        self.log_floor = 0
        #: The largest modseq that a hint named.
        self.hinted = 0
        #: Somebody asks whether a hint was lost.
        self.doubted = False
        #: The mailbox was deleted.
        self.gone = False
        #: \\Recent of all up to this UID belongs to somebody.
        self.recent_claimed = 0
        self.watchers: dict[Watcher, None] = {}
        #: What was made of its messages and is remembered, by who made it.
        self.kept: dict[str, Any] = {}
        #: What searches found out about its messages.
        self.verdicts = Verdicts()
        #: Somebody has, or had, the mailbox selected.
        self.selected = True
        #: The store keeps nothing of it yet.
        self.unkept = False
        self._refreshing: list[Deferred[None]] | None = None
        self._logged = 0

    @classmethod
    def begun(cls, mailbox_id: str, grown: Callable[[Image], object], modseq: int) -> Image:
        """That of a mailbox which was empty at `modseq`, and which nobody has selected."""
        image = cls(mailbox_id, grown)
        image.selected, image.unkept = False, True
        image.modseq = image.log_floor = modseq
        # Which flags occur is kept from now on: it need not be looked for among many.
        image.flags_in_use()
        return image

    async def keep(self, mailbox: IMailbox, turn: Callable[[], Awaitable[None]]) -> None:
        """Have the store keep it, if it keeps nothing of it yet."""
        if self.unkept:
            self.unkept = False
            await kept_image.keep(mailbox, self.modseq, self.generation, turn)

    async def load(self, mailbox: IMailbox, turn: Callable[[], Awaitable[None]]) -> None:
        """What is kept of it and all that changed since; or all of it, which is kept then."""
        kept = await kept_image.load(mailbox, turn)
        if kept is not None:
            self.modseq, self.generation = kept
            self.log_floor = self.modseq
            await self.refresh(mailbox)
            if self._logged < _WORTH_KEEPING and await self._whole(mailbox):
                return
        if kept is None or not await self._whole(mailbox):
            await self._read(mailbox, turn)
        await kept_image.keep(mailbox, self.modseq, self.generation, turn)

    async def _whole(self, mailbox: IMailbox) -> bool:
        """Whether it may be so: there are as many messages as the store has."""
        status = await settled(mailbox.status())
        now = status.highest_modseq
        return now > self.modseq or (
            now == self.modseq and status.messages == len(self.generation.uids)
        )

    async def _read(self, mailbox: IMailbox, turn: Callable[[], Awaitable[None]]) -> None:
        self.log.clear()
        self._logged = 0
        status = await settled(mailbox.status())
        generation = Generation()
        async for batch in each(mailbox.scan(_ALL, frozenset((FLAGS, MODSEQ)))):
            generation.extend(batch.uids, batch.columns[FLAGS], batch.columns[MODSEQ])
            await turn()
        self.generation = generation
        self.modseq = self.log_floor = status.highest_modseq
        await self.refresh(mailbox)

    @property
    def behind(self) -> bool:
        """There is, or there may be, more to know than is here."""
        return self.doubted or self.hinted > self.modseq

    def hint(self, modseq: int) -> None:
        """Somebody says that the mailbox moved past `modseq`."""
        if modseq > self.modseq and modseq > self.hinted:
            self.hinted = modseq
            for watcher in tuple(self.watchers):
                watcher.changed()

    async def refresh(self, mailbox: IMailbox) -> None:
        """Come up to date.  Those who ask at one time share the work."""
        while self._refreshing is not None:
            waiting: Deferred[None] = Deferred()
            self._refreshing.append(waiting)
            await waiting
            if self._refreshing is None and not self.behind:
                return
        waiters = self._refreshing = []
        try:
            hinted, self.doubted = self.hinted, False
            self.apply(await self._news(mailbox))
            if self.hinted == hinted:
                # Whatever the hint meant, it has been looked at.
                self.hinted = self.modseq
        except BaseException:
            # What could not be asked now is to be asked again.
            self.doubted = True
            raise
        finally:
            self._refreshing = None
            for waiter in waiters:
                waiter.callback(None)

    async def _news(self, mailbox: IMailbox) -> Changes:
        try:
            changes = await settled(mailbox.changes_since(self.modseq))
            if changes.vanished is not None:
                return changes
            here = NumSet.of_column(self.generation.uids)
            changes = evolve(changes, vanished=here - await settled(mailbox.uids()))
            # What came and went meanwhile is known to nobody.
            self.log.clear()
            self._logged, self.log_floor = 0, changes.modseq
            return changes
        except NoSuchMailbox:
            self.gone = True
            here = NumSet.of_column(self.generation.uids)
            return Changes(self.modseq, self.modseq + 1, vanished=here)

    def apply(self, changes: Changes) -> bool:
        """Take changes in; False if some before them are not known here yet."""
        if changes.modseq <= self.modseq:
            return True
        if changes.since > self.modseq:
            self.hint(changes.modseq)
            return False
        self.before, self.modseq = self.modseq, changes.modseq
        generation = self.generation
        uids = generation.uids
        last = uids[-1] if uids else 0
        old = bisect_left(changes.uids, last + 1)
        vanished = EMPTY if changes.vanished is None else changes.vanished
        alike: Sequence[int] = ()
        if old:
            alike = generation.change(
                changes.uids[:old], changes.flags[:old], changes.modseqs[:old]
            )
        if changes.uids or vanished:
            self._note(changes.modseq, changes.uids, alike, vanished)
        if old < len(changes.uids):
            generation.extend(changes.uids[old:], changes.flags[old:], changes.modseqs[old:])
            self._grown(self)
        if vanished:
            after = generation.without(vanished)
            if after is not None:
                self.generation = after
        for watcher in tuple(self.watchers):
            watcher.changed()
        return True

    def _note(
        self, modseq: int, uids: Sequence[int], alike: Sequence[int], vanished: NumSet
    ) -> None:
        self.log.append((modseq, uids, alike, vanished))
        self._logged += len(uids) + len(vanished.ranges) + 1
        while self._logged > _LOG_MOST:
            self.log_floor, forgotten, _, gone = self.log.popleft()
            self._logged -= len(forgotten) + len(gone.ranges) + 1

    def forget_log(self) -> None:
        """Nobody needs to know what happened until now."""
        self.log.clear()
        self._logged, self.log_floor = 0, self.modseq

    def changed_since(
        self, modseq: int, except_for: Collection[int] = (), more: bool = True
    ) -> set[int] | None:
        """UIDs of what came or changed after `modseq`, but for certain changes; None: ask the modseqs.

        Without `more`, only what came or has other flags.  A UID may be among them that changed just before.
        """
        if modseq < self.log_floor:
            return None
        found: set[int] = set()
        for at, uids, alike, _ in reversed(self.log):
            if at <= modseq:
                break
            if at not in except_for:
                found.update(uids if more or not alike else set(uids).difference(alike))
        return found

    def vanished_since(self, modseq: int) -> NumSet | None:
        """UIDs of what vanished after `modseq`; None: ask the store."""
        if modseq < self.log_floor:
            return None
        ranges: list[tuple[int, int]] = []
        for at, _, _, vanished in reversed(self.log):
            if at <= modseq:
                break
            ranges += vanished.ranges
        return NumSet(ranges)

    def flags_in_use(self) -> frozenset[str]:
        """Every flag some message has."""
        return frozenset().union(*self.generation.flag_sets())

    def first_unseen(self) -> int:
        r"""The sequence number of the first message without \Seen, or 0."""
        return self.generation.first_unseen() + 1

    def deleted(self) -> NumSet:
        r"""The UIDs with \Deleted."""
        generation = self.generation
        having = {flags for flags in self.generation.flag_sets() if DELETED in flags}
        if not having:
            return NumSet()
        return NumSet.from_sorted(
            uid for uid, flags in zip(generation.uids, generation.flags) if flags in having
        )


class Images:
    """The images of this process, each shared by the sessions that have its mailbox selected.

    Those that nobody has selected just now are kept while they are few and small; so are those of
    mailboxes that were empty until messages came in here.
    """

    def __init__(
        self,
        turn: Callable[[], Awaitable[None]],
        grown: Callable[[Image], object] = lambda image: None,
    ) -> None:
        """As `grown` is to be told when messages have come into one."""
        self._images: dict[str, Image] = {}
        #: Of those that nobody has selected, how many messages each counts for; who was deselected
        #: last is the last.
        self._unwatched: dict[str, int] = {}
        self._messages = 0
        self._loading: dict[str, list[Deferred[None]]] = {}
        self._turn = turn
        self._grown = grown

    async def join(self, mailbox: IMailbox, watcher: Watcher, modseq: int = 0) -> Image:
        """The image of `mailbox`, up to date, with one watcher more.

        The store is not asked if it said just now that the mailbox is at `modseq`, and so is the image.
        """
        while mailbox.id in self._loading:
            waiting: Deferred[None] = Deferred()
            self._loading[mailbox.id].append(waiting)
            await waiting
        image = self._images.get(mailbox.id)
        if image is None:
            image = await self._load(mailbox)
            image.watchers[watcher] = None
            # Who waited for it as well may have come and gone.
            self._count(image, None)
        else:
            image.selected = True
            self._count(image, None)
            image.watchers[watcher] = None
            try:
                if image.modseq != modseq or image.behind:
                    await image.refresh(mailbox)
            except BaseException:
                self.leave(image, watcher)
                raise
        if image.gone:
            self.leave(image, watcher)
            raise NoSuchMailbox
        return image

    async def _load(self, mailbox: IMailbox) -> Image:
        waiters = self._loading[mailbox.id] = []
        image = Image(mailbox.id, self._grown)
        try:
            await image.load(mailbox, self._turn)
            self._images[mailbox.id] = image
        finally:
            del self._loading[mailbox.id]
            for waiter in waiters:
                waiter.callback(None)
        return image

    def known(self, mailbox_id: str) -> Image | None:
        """The image of a mailbox, if there is one."""
        return self._images.get(mailbox_id)

    def note(self, mailbox_id: str, changes: Changes, came: Sequence[int] = ()) -> None:
        """A mutation returned this: whoever has the mailbox, or selects it soon, need not ask its store.

        The UIDs that it gave out are those that `came`.
        """
        image = self._images.get(mailbox_id)
        if image is None:
            if mailbox_id in self._loading or not _begins(changes, came):
                return
            image = self._images[mailbox_id] = Image.begun(mailbox_id, self._grown, changes.since)
        if image.watchers:
            image.apply(changes)
            return
        nobody_asks = image.log_floor == image.modseq
        if image.apply(changes) and nobody_asks:
            image.forget_log()
        self._count(image, len(image.generation.uids))
        self._let_go()

    def leave(self, image: Image, watcher: Watcher) -> None:
        """A session has deselected it."""
        image.watchers.pop(watcher, None)
        if image.watchers or self._images.get(image.mailbox_id) is not image:
            return
        self._count(image, None)
        if image.gone:
            del self._images[image.mailbox_id]
            return
        self._count(image, len(image.generation.uids))
        self._let_go()

    def _count(self, image: Image, messages: int | None) -> None:
        """How many messages one that nobody has selected counts for; None: it is none of those."""
        unwatched = self._unwatched
        if messages is None:
            self._messages -= unwatched.pop(image.mailbox_id, 0)
        else:
            self._messages += messages - unwatched.get(image.mailbox_id, 0)
            unwatched[image.mailbox_id] = messages

    def _let_go(self) -> None:
        """Forget those that nobody has selected while they are too many, but for two.

        First those that nobody ever had.
        """
        unwatched = self._unwatched
        # The last two stay, however large: a client goes from one mailbox to another and back.
        while len(unwatched) > _KEPT_IMAGES or (
            self._messages > _KEPT_MESSAGES and len(unwatched) > 2
        ):
            never = (id for id in unwatched if not self._images[id].selected)
            oldest = self._images.pop(next(never, "") or next(iter(unwatched)))
            self._count(oldest, None)


def _begins(changes: Changes, came: Sequence[int]) -> bool:
    """Whether the mailbox has no other messages than those that `came`: before UID 1 there are none."""
    return 0 < len(came) <= _BEGUN_WITH and came[0] == 1 and len(changes.uids) == len(came)
