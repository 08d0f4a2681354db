"""One mailbox as this process knows it: UIDs, flags and modseqs, shared by all its sessions (`images`).

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

__all__ = ["Image", "Watcher"]

_ALL: Final = NumSet([(1, (1 << 32) - 1)])
#: Changed UIDs, and ranges of vanished ones, that are remembered; who is further behind compares
#: modseqs, or asks the store.
_LOG_MOST: Final = 50_000
#: Changes after which what the store keeps is made anew.
_WORTH_KEEPING: Final = 2_000


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
            self.log_floor = before = self.modseq
            await self.refresh(mailbox)
            # Of what was too much to remember the log begins later.
            little = self._logged < _WORTH_KEEPING and self.log_floor == before
            if little and await self._whole(mailbox):
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
            try:
                answer = mailbox.changes_since(self.modseq)
                changes = await answer if isinstance(answer, Awaitable) else answer
                if changes.vanished is None:
                    changes = await self._compared(mailbox, changes)
            except NoSuchMailbox:
                self.gone = True
                here = NumSet.of_column(self.generation.uids)
                changes = Changes(self.modseq, self.modseq + 1, vanished=here)
            self.apply(changes)
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

    async def _compared(self, mailbox: IMailbox, changes: Changes) -> Changes:
        """With what vanished, found out by what is there."""
        here = NumSet.of_column(self.generation.uids)
        changes = evolve(changes, vanished=here - await settled(mailbox.uids()))
        # What came and went meanwhile is known to nobody.
        self.log.clear()
        self._logged, self.log_floor = 0, changes.modseq
        return changes

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
