"""changes_since: the one primitive behind every notification."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from imapd.model.flags import FlagChange
from imapd.model.mailbox import Changes
from imapd.store.contract.sessions import applied
from imapd.store.contract.subject import Subject, promise

__all__ = ["Changing", "well_formed"]


def well_formed(changes: Changes) -> None:
    """What holds for every `Changes`, whatever happened."""
    uids = list(changes.uids)
    assert uids == sorted(set(uids)), "UIDs do not ascend"
    assert len(uids) == len(changes.flags) == len(changes.modseqs)
    assert all(changes.since < modseq <= changes.modseq for modseq in changes.modseqs)
    if changes.vanished is not None:
        assert not any(uid in changes.vanished for uid in uids), "it is there, and it vanished"


class Changing(Subject):
    """Who knows the mailbox at one modseq is brought to the present."""

    @promise
    async def test_changes_nothing_happened(self) -> None:
        """At the present modseq there is nothing to tell."""
        box = await self.inbox()
        await box.remove(*await box.add(2))
        now = await box.modseq()
        changes = await box.changes(now)
        assert (changes.since, changes.modseq, list(changes.uids)) == (now, now, [])
        assert not changes.vanished

    @promise
    async def test_changes_an_empty_mailbox(self) -> None:
        """Nothing ever happened in a new mailbox."""
        box = await self.inbox()
        changes = await box.changes(0)
        assert (list(changes.uids), changes.modseq) == ([], await box.modseq())
        assert not changes.vanished

    @promise
    async def test_changes_a_message_came(self) -> None:
        """A new message is told with flags and modseq."""
        box = await self.inbox()
        await box.add()
        known = await box.modseq()
        (uid,) = await box.add(1, "\\Flagged")
        changes = await box.changes(known)
        assert list(changes.uids) == [uid]
        assert list(changes.flags) == [{"\\Flagged"}]
        assert list(changes.modseqs) == [await box.modseq()]
        well_formed(changes)

    @promise
    async def test_changes_flags_changed(self) -> None:
        """A message whose flags changed is told as it is now, once, however often it changed."""
        box = await self.inbox()
        uids = await box.add(3)
        known = await box.modseq()
        for flag in ("\\Seen", "\\Flagged", "\\Draft"):
            await box.flag([uids[1]], flag)
        await box.store(FlagChange.REMOVE, [uids[1]], "\\Flagged")
        changes = await box.changes(known)
        assert list(changes.uids) == [uids[1]]
        assert list(changes.flags) == [{"\\Seen", "\\Draft"}]
        well_formed(changes)

    @promise
    async def test_changes_flags_changed_there_and_back(self) -> None:
        """A flag set and taken away again is a change: the modseq is another."""
        box = await self.inbox()
        (uid,) = await box.add()
        known = await box.modseq()
        await box.flag([uid], "\\Seen")
        await box.store(FlagChange.REMOVE, [uid], "\\Seen")
        changes = await box.changes(known)
        assert list(changes.uids) == [uid]
        assert list(changes.modseqs) == [await box.modseq()]

    @promise
    async def test_changes_a_message_went(self) -> None:
        """An expunged message is in `vanished`, and only there."""
        box = await self.inbox()
        uids = await box.add(3)
        known = await box.modseq()
        await box.remove(uids[1])
        changes = await box.changes(known)
        assert list(changes.uids) == []
        assert changes.vanished is None or uids[1] in changes.vanished
        well_formed(changes)

    @promise
    async def test_changes_a_message_came_and_went(self) -> None:
        """It is not told as a message; whether as vanished is the store's affair."""
        box = await self.inbox()
        uids = await box.add(2)
        known = await box.modseq()
        (brief,) = await box.add()
        await box.remove(brief)
        changes = await box.changes(known)
        assert list(changes.uids) == []
        assert changes.modseq > known
        assert await box.uids() == uids
        well_formed(changes)

    @promise
    async def test_changes_from_the_beginning(self) -> None:
        """changes_since(0) tells of every message there is."""
        box = await self.inbox()
        uids = await box.add(4)
        await box.remove(uids[2])
        changes = await box.changes(0)
        assert list(changes.uids) == [uids[0], uids[1], uids[3]]
        well_formed(changes)

    @promise
    async def test_changes_from_the_future(self) -> None:
        """A modseq not reached yet: nothing happened after it."""
        box = await self.inbox()
        await box.add()
        changes = await box.changes(await box.modseq() + 100)
        assert list(changes.uids) == []
        assert not changes.vanished
        assert changes.modseq >= await box.modseq()

    @promise
    async def test_changes_from_every_moment(self) -> None:
        """From every modseq that ever was, changes lead to the present state, exactly."""
        box, other = await self.inbox(), await self.inbox()
        moments = {await box.modseq(): await box.snapshot()}
        uids = await box.add(5, "\\Answered")
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: box.flag(uids[:3], "\\Seen"),
            lambda: other.add(2),
            lambda: box.remove(uids[0], uids[4]),
            lambda: other.store(FlagChange.REPLACE, uids, "\\Flagged"),
            lambda: box.remove(uids[2]),
            lambda: other.add(1, "\\Seen"),
        ]
        for step in steps:
            moments[await box.modseq()] = await box.snapshot()
            await step()
        now = await box.snapshot()
        assert await other.snapshot() == now
        present = await box.uids()
        for modseq, known in moments.items():
            changes = await other.changes(modseq)
            well_formed(changes)
            assert changes.since == modseq
            assert applied(known, changes, present) == now

    @promise
    async def test_changes_all_sessions_are_told_the_same(self) -> None:
        """Two sessions that ask get one answer."""
        first, second = await self.inbox(), await self.inbox()
        uids = await first.add(4)
        known = await first.modseq()
        await second.flag(uids[:2], "\\Seen")
        await first.remove(uids[3])
        assert await first.changes(known) == await second.changes(known)

    @promise
    async def test_changes_a_long_history(self) -> None:
        """After hundreds of changes of one message, it is still told once and exactly."""
        box = await self.inbox()
        (uid, quiet) = await box.add(2)
        start = await box.modseq()
        middle = start
        for number in range(150):
            change = FlagChange.REMOVE if number % 2 else FlagChange.ADD
            middle = middle if number != 75 else await box.modseq()
            await box.store(change, [uid], "\\Seen")
        for known in (start, middle):
            changes = await box.changes(known)
            assert (list(changes.uids), list(changes.flags)) == ([uid], [frozenset()])
        assert list((await box.changes(0)).uids) == [uid, quiet]
