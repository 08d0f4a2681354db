r"""A mailbox of somebody else, as one user may use it.

Rules of this file:

* Rights are looked up each time, so a change of the ACL holds at once.
* \Seen is the user's own; all other flags are everybody's.
* What changes the mailbox in several steps is told as one change if nobody came between,
  else only that something changed: then sessions ask.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from attrs import define, evolve, field, frozen
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from imapd.model.flags import SEEN, FlagChange, Flags, canonical, interned
from imapd.model.mailbox import Appended, Changes, Status, Stored
from imapd.model.message import ANNOTATIONS, FLAGS, MODSEQ, Batch, Column, Facts
from imapd.model.numset import EMPTY, NumSet
from imapd.model.rights import ACL, Rights, right_of_flag
from imapd.model.text import Sought, Told
from imapd.sharing.annotating import RIGHT_OF, SharedAnnotations, as_kept, as_seen
from imapd.sharing.ledger import Ledger
from imapd.store.access import IRestricted, IShareable
from imapd.store.answers import each, settled
from imapd.store.errors import NoPermission, NoSuchMailbox, StoreError
from imapd.store.interfaces import (
    IAnnotations,
    IBlocksKept,
    IFactsKept,
    IMailbox,
    IMessageReader,
    ITextIndex,
    IThreads,
    NewMessage,
)

__all__ = ["SharedMailbox", "shared_id"]

#: Changes these messages of the mailbox itself, with its own number of the last change that is right.
_Change = Callable[[NumSet, int | None], Awaitable[Stored]]


def shared_id(mailbox_id: str, user: str) -> str:
    r"""The id under which a user knows another's mailbox: \Seen differs, so it is not the same."""
    return f"{mailbox_id}-{blake2b(user.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


@implementer(IMailbox, IRestricted, IFactsKept)
@define(eq=False)
class SharedMailbox:
    """What `rights_in` finds in the ACL is what can be done."""

    _mailbox: IMailbox = field(repr=False)
    _shareable: IShareable = field(repr=False)
    _user: str
    _rights_in: Callable[[ACL], Rights] = field(repr=False)
    _ledger: Ledger = field(repr=False)
    id: str
    uidvalidity: int
    read_only: bool
    new_keywords: bool

    @classmethod
    def of(
        cls,
        mailbox: IMailbox,
        shareable: IShareable,
        user: str,
        rights_in: Callable[[ACL], Rights],
        rights: Rights,
        ledger: Ledger,
    ) -> SharedMailbox:
        """A mailbox that is opened by who has `rights`."""
        return cls(
            mailbox, shareable, user, rights_in, ledger,
            id=shared_id(mailbox.id, user),
            uidvalidity=mailbox.uidvalidity,
            read_only=mailbox.read_only or rights.isdisjoint("switen"),
            new_keywords=mailbox.new_keywords,
        )  # fmt: skip

    def __conform__(self, interface: InterfaceClass) -> Any:
        """Threads, texts, and what was made of messages, are the same for all."""
        if interface in (IThreads, IBlocksKept):
            return interface(self._mailbox, None)
        if interface is ITextIndex:
            index = ITextIndex(self._mailbox, None)
            return None if index is None else _Texts(index, self._rights)
        if interface is IAnnotations:
            able = IAnnotations(self._mailbox, None)
            return able and SharedAnnotations(able, self._user, self._ledger, self._guarded)
        return None

    # -- rights

    async def rights(self) -> Rights:
        """As `IRestricted`."""
        return self._rights_in(await settled(self._shareable.acl(self._mailbox.id)))

    async def require(self, needed: Rights) -> None:
        """As `IRestricted`; who may read it knows that it is there."""
        await self._rights(needed)

    async def _rights(self, needed: Collection[str] = ()) -> Rights:
        rights = await self.rights()
        if not rights.issuperset(needed):
            raise NoPermission if "l" in rights or "r" in rights else NoSuchMailbox
        return rights

    # -- reading

    async def status(self) -> Status:
        """As `IMailbox`."""
        await self._rights("r")
        return await self._status()

    async def _status(self) -> Status:
        await self._look()
        status = await settled(self._mailbox.status())
        seen = self._ledger.seen
        if seen:
            seen = seen & await settled(self._mailbox.uids())
        return evolve(
            status,
            unseen=max(0, status.messages - len(seen)),
            recent=0,
            highest_modseq=self._ledger.highest(status.highest_modseq),
        )

    async def uids(self) -> NumSet:
        """As `IMailbox`."""
        await self._rights("r")
        return await settled(self._mailbox.uids())

    async def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `IMailbox`."""
        await self._rights("r")
        await self._look()
        async for batch in each(self._mailbox.scan(uids, columns)):
            yield self._own(batch)

    def _own(self, batch: Batch) -> Batch:
        """A batch as the user sees it."""
        own = dict(batch.columns)
        if FLAGS in own:
            own[FLAGS] = self._ledger.flags(batch.uids, own[FLAGS])
        if MODSEQ in own:
            own[MODSEQ] = list(map(self._ledger.modseq, batch.uids, own[MODSEQ]))
        if ANNOTATIONS in own:
            own[ANNOTATIONS] = [as_seen(each, self._user) for each in own[ANNOTATIONS]]
        return evolve(batch, columns=own)

    async def read(self, uid: int) -> IMessageReader:
        """As `IMailbox`."""
        await self._rights("r")
        return await settled(self._mailbox.read(uid))

    async def changes_since(self, modseq: int) -> Changes:
        """As `IMailbox`."""
        await self._rights("r")
        return await self._changes_since(modseq)

    async def _changes_since(self, modseq: int) -> Changes:
        await self._look()
        ledger = self._ledger
        raw, count = ledger.split(modseq)
        changes = await settled(self._mailbox.changes_since(raw))
        highest = ledger.highest(changes.modseq)
        if highest <= modseq:
            return Changes(modseq, highest)
        rows = dict(zip(changes.uids, zip(changes.flags, changes.modseqs)))
        marked = NumSet.from_sorted(sorted(ledger.marked_after(count) - rows.keys()))
        if marked:
            columns = frozenset((FLAGS, MODSEQ))
            async for batch in each(self._mailbox.scan(marked, columns)):
                known = zip(batch.columns[FLAGS], batch.columns[MODSEQ])
                rows.update(zip(batch.uids, known))
        uids = sorted(rows)
        modseqs = [min(ledger.modseq(uid, rows[uid][1]), highest) for uid in uids]
        flags = ledger.flags(uids, [rows[uid][0] for uid in uids])
        return Changes(modseq, highest, uids, flags, modseqs, changes.vanished)

    async def _look(self) -> None:
        """Learn of marks that are not in the ledger yet."""
        ledger = self._ledger
        known = len(ledger)
        marks = await settled(self._shareable.marks(self._mailbox.id, self._user, known))
        # Meanwhile another session of the user may have done the same.
        ledger.extend(marks[len(ledger) - known :])

    # -- changing

    async def append(self, messages: Sequence[NewMessage]) -> Appended:
        """As `IMailbox`; flags that the user may not set are left out (RFC 4314, 4)."""
        needed = {RIGHT_OF[name.whose] for message in messages for name in message.annotations}
        rights = await self._rights({"i", *needed})
        before = (await self._status()).highest_modseq
        allowed = [_allowed(message.flags, rights) for message in messages]
        appended = await settled(
            self._mailbox.append(
                [
                    evolve(
                        message,
                        flags=interned(flags - {SEEN}),
                        annotations=as_kept(message.annotations, self._user),
                    )
                    for message, flags in zip(messages, allowed)
                ]
            )
        )
        steps = appended.changes.modseq - appended.changes.since
        seen = [uid for uid, flags in zip(appended.uids, allowed) if SEEN in flags]
        if seen:
            # The messages are there, whatever becomes of this.
            with suppress(StoreError):
                await self._mark(NumSet.of(*seen), True)
                steps += 1
        changes = await self._made(before, steps)
        return Appended(appended.uidvalidity, appended.uids, changes)

    async def store_flags(
        self, uids: NumSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Stored:
        """As `IMailbox`; flags that the user may not change stay (RFC 4314, 4)."""
        rights = await self._rights()
        wanted = _allowed(flags, rights)
        if (flags and not wanted) or rights.isdisjoint("swt"):
            await self._rights("swt" if not flags else {right_of_flag(flag) for flag in flags})
        before = (await self._status()).highest_modseq
        modified = EMPTY
        limit: int | None = None
        if unchanged_since is not None:
            modified = await self._modified(uids, unchanged_since)
            uids -= modified
            limit = self._ledger.split(unchanged_since)[0]
        steps = 0
        shared = wanted - {SEEN}
        for step, names in await self._steps(uids, change, shared, rights):
            stored = await settled(self._mailbox.store_flags(uids, step, interned(names), limit))
            steps += stored.changes.modseq - stored.changes.since
            modified |= stored.modified
            uids -= stored.modified
            # What was changed by the first step has passed.
            limit = None
        if "s" in rights and (SEEN in wanted or change is FlagChange.REPLACE):
            steps += await self._see(uids, SEEN in wanted and change is not FlagChange.REMOVE)
        return Stored(await self._made(before, steps), modified)

    async def _guarded(
        self, needed: Collection[str], uids: NumSet, unchanged_since: int | None, change: _Change
    ) -> Stored:
        """A change in one step, for who has the rights, of messages that have not changed since."""
        await self._rights(needed)
        before = (await self._status()).highest_modseq
        modified = EMPTY
        limit: int | None = None
        if unchanged_since is not None:
            modified = await self._modified(uids, unchanged_since)
            limit = self._ledger.split(unchanged_since)[0]
        stored = await change(uids - modified, limit)
        steps = stored.changes.modseq - stored.changes.since
        return Stored(await self._made(before, steps), modified | stored.modified)

    async def _modified(self, uids: NumSet, unchanged_since: int) -> NumSet:
        found: list[int] = []
        async for batch in each(self._mailbox.scan(uids, frozenset((MODSEQ,)))):
            modseqs = self._own(batch).columns[MODSEQ]
            found += [uid for uid, at in zip(batch.uids, modseqs) if at > unchanged_since]
        return NumSet.from_sorted(found)

    async def _steps(
        self, uids: NumSet, change: FlagChange, names: frozenset[str], rights: Rights
    ) -> Sequence[tuple[FlagChange, frozenset[str]]]:
        r"""The changes of the flags that all share; to replace is to remove and to add.

        The owner's \Seen is not touched by it.
        """
        steps = [(change, names)] if names else []
        if change is FlagChange.REPLACE:
            present: set[str] = set()
            async for batch in each(self._mailbox.scan(uids, frozenset((FLAGS,)))):
                present.update(*set(batch.columns[FLAGS]))
            kept = {name.lower() for name in (*names, SEEN)}
            others = frozenset(name for name in present if name.lower() not in kept)
            gone = _allowed(others, rights)
            steps = [(FlagChange.REMOVE, gone)] if gone else []
            steps += [(FlagChange.ADD, names)] if names else []
        return steps

    async def _see(self, uids: NumSet, seen: bool) -> int:
        r"""Set or clear \Seen; how many steps that were."""
        here = uids & await settled(self._mailbox.uids())
        marked = here - self._ledger.seen if seen else here & self._ledger.seen
        if not marked:
            return 0
        await self._mark(marked, seen)
        return 1

    async def _mark(self, uids: NumSet, seen: bool) -> None:
        await settled(self._shareable.mark(self._mailbox.id, self._user, uids, seen))

    async def expunge(self, uids: NumSet) -> Changes:
        """As `IMailbox`."""
        await self._rights("e")
        before = (await self._status()).highest_modseq
        changes = await settled(self._mailbox.expunge(uids))
        return await self._made(before, changes.modseq - changes.since)

    async def _made(self, before: int, steps: int) -> Changes:
        """What these steps changed; if others came between, only how far it is now."""
        changes = await self._changes_since(before)
        if changes.modseq - before != steps:
            return Changes(changes.modseq, changes.modseq)
        return changes

    async def keep_facts(self, facts: Sequence[tuple[int, Facts]]) -> None:
        """As `IFactsKept`: they are the same for all."""
        kept = IFactsKept(self._mailbox, None)
        if kept is not None:
            await settled(kept.keep_facts(facts))


@implementer(ITextIndex)
@frozen
class _Texts:
    """The index of the texts, for those who may read them."""

    _index: ITextIndex
    _rights: Callable[[Collection[str]], Awaitable[Rights]]

    async def told(self, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """As `ITextIndex`."""
        await self._rights("r")
        async for told in each(self._index.told(sought, low, high)):
            yield told


def _allowed(flags: Flags, rights: Rights) -> Flags:
    """Those that may be changed, in their usual spelling."""
    return frozenset(canonical(flag) for flag in flags if right_of_flag(flag) in rights)
