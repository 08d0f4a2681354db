"""COPY and MOVE by the store (RFC 9051, 6.4.7; RFC 6851); skipped for a store that does neither."""

from __future__ import annotations

import pytest

from imapd.model.message import BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import ALL, Box, applied, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IServerCopy, IServerMove

__all__ = ["Copying"]

_SENT = [
    letter("one", ["\\Seen"], b"17-Jul-1996 02:44:25 -0700"),
    letter("two", ["\\Deleted", "\\Flagged"], b" 1-Feb-2003 04:05:06 +0530", b"other\r\n"),
    letter("three", [], b"29-Feb-2024 12:00:00 +0000", b"third\r\n"),
]


class Copying(Subject):
    """What arrives in the destination is what was in the source."""

    async def _boxes(self, interface: type[IServerCopy] | type[IServerMove]) -> tuple[Box, Box]:
        session = await self.session()
        source = await session.make("source")
        provided(interface, source.mailbox)
        return source, await session.make("destination")

    async def _same(self, box: Box, uids: list[int], places: list[int]) -> None:
        """Messages of `box` are those of `_SENT`, facts and all."""
        sent = [_SENT[place] for place in places]
        assert [await box.octets(uid) for uid in uids] == [each.octets for each in sent]
        flags, dates = await box.flags(), await box.column(INTERNAL_DATE)
        assert [flags[uid] for uid in uids] == [each.flags for each in sent]
        assert [dates[uid] for uid in uids] == [each.date for each in sent]
        (batch,) = await box.batches(uids, SIZE, ENVELOPE, BODYSTRUCTURE, HEADER)
        for name, column in batch.columns.items():
            for each, kept in zip(sent, column):
                assert kept is None or kept == getattr(each.facts, name)

    @promise
    async def test_copy(self) -> None:
        """Copies have octets, flags, dates and facts; the pairs of UIDs are in ascending order."""
        source, destination = await self._boxes(IServerCopy)
        uids = list((await source.append(*_SENT)).uids)
        copied = await source.copy([uids[2], uids[0]], destination)
        assert list(copied.sources) == [uids[0], uids[2]]
        assert copied.uidvalidity == destination.uidvalidity
        assert await destination.uids() == list(copied.uids)
        await self._same(destination, list(copied.uids), [0, 2])

    @promise
    async def test_copy_leaves_the_source(self) -> None:
        """The source does not change, not even its modseq."""
        source, destination = await self._boxes(IServerCopy)
        await source.append(*_SENT)
        before = await source.status(), await source.snapshot()
        copied = await source.copy(ALL, destination)
        assert (await source.status(), await source.snapshot()) == before
        assert copied.removed is None

    @promise
    async def test_copy_is_one_change(self) -> None:
        """All copies have one modseq, and the answer tells the destination's change."""
        source, destination = await self._boxes(IServerCopy)
        await source.append(*_SENT)
        await destination.add(2)
        before, modseq = await destination.snapshot(), await destination.modseq()
        copied = await source.copy(ALL, destination)
        assert copied.changes.modseq == await destination.modseq() > modseq
        assert set(copied.changes.modseqs) == {copied.changes.modseq}
        present = await destination.uids()
        assert applied(before, copied.changes, present) == await destination.snapshot()

    @promise
    async def test_copy_what_is_not_there(self) -> None:
        """UIDs that do not exist are passed over; if none does, nothing changes."""
        source, destination = await self._boxes(IServerCopy)
        (uid,) = await source.add()
        before = await destination.status()
        copied = await source.copy([uid + 1, uid + 2], destination)
        assert (list(copied.sources), list(copied.uids)) == ([], [])
        assert await destination.status() == before
        copied = await source.copy([uid, uid + 1], destination)
        assert list(copied.sources) == [uid]

    @promise
    async def test_copy_into_itself(self) -> None:
        """A mailbox can get copies of its own messages, with new UIDs."""
        source, _ = await self._boxes(IServerCopy)
        uids = list((await source.append(*_SENT)).uids)
        copied = await source.copy(ALL, source)
        assert await source.uids() == [*uids, *copied.uids]
        await self._same(source, list(copied.uids), [0, 1, 2])

    @promise
    async def test_copies_are_of_their_own(self) -> None:
        """Flags of a copy change, and the copy stays when the first goes."""
        source, destination = await self._boxes(IServerCopy)
        (uid,) = (await source.append(_SENT[2])).uids
        (copy,) = (await source.copy([uid], destination)).uids
        await destination.flag([copy], "\\Answered")
        assert await source.flags() == {uid: frozenset()}
        await source.remove(uid)
        assert await destination.octets(copy) == _SENT[2].octets

    @promise
    async def test_copy_to_what_was_deleted(self) -> None:
        """The destination is gone."""
        source, destination = await self._boxes(IServerCopy)
        await source.add()
        await (await self.session()).delete("destination")
        with pytest.raises(NoSuchMailbox):
            await source.copy(ALL, destination)
        assert (await source.status()).messages == 1

    @promise
    async def test_copy_many(self) -> None:
        """Many messages are copied in order."""
        source, destination = await self._boxes(IServerCopy)
        uids = await source.add(self.many)
        copied = await source.copy(ALL, destination)
        assert list(copied.sources) == uids
        assert await destination.uids() == list(copied.uids)
        assert await destination.octets(copied.uids[-1]) == await source.octets(uids[-1])

    @promise
    async def test_copy_keeps_keywords(self) -> None:
        """Keywords go along; the destination's own spelling holds there."""
        source, destination = await self._boxes(IServerCopy)
        if not source.mailbox.new_keywords:
            pytest.skip("the store takes no new keywords")
        await destination.add(1, "Project")
        await source.add(1, "PROJECT", "$Other")
        (copy,) = (await source.copy(ALL, destination)).uids
        assert (await destination.flags())[copy] == {"Project", "$Other"}

    @promise
    async def test_move(self) -> None:
        r"""Moved messages are in the destination with all they had, \Deleted or not, and gone here."""
        source, destination = await self._boxes(IServerMove)
        uids = list((await source.append(*_SENT)).uids)
        moved = await source.move([uids[1], uids[0]], destination)
        assert list(moved.sources) == uids[:2]
        assert moved.uidvalidity == destination.uidvalidity
        assert await source.uids() == [uids[2]]
        assert await destination.uids() == list(moved.uids)
        await self._same(destination, list(moved.uids), [0, 1])

    @promise
    async def test_move_tells_both_changes(self) -> None:
        """`changes` are those of the destination, `removed` those of the source."""
        source, destination = await self._boxes(IServerMove)
        uids = await source.add(3)
        await destination.add()
        before = await source.snapshot(), await destination.snapshot()
        modseq = await source.modseq()
        moved = await source.move(uids[1:], destination)
        assert moved.removed is not None
        assert moved.removed.modseq == await source.modseq() > modseq
        assert moved.changes.modseq == await destination.modseq()
        present = await source.uids()
        assert applied(before[0], moved.removed, present) == await source.snapshot()
        present = await destination.uids()
        assert applied(before[1], moved.changes, present) == await destination.snapshot()

    @promise
    async def test_move_is_told_by_changes_since(self) -> None:
        """Other sessions of the source are told that the messages vanished."""
        source, destination = await self._boxes(IServerMove)
        uids = await source.add(2)
        known = await source.modseq()
        await source.move([uids[0]], destination)
        changes = await source.changes(known)
        assert changes.vanished is None or uids[0] in changes.vanished

    @promise
    async def test_move_what_is_not_there(self) -> None:
        """Nothing changes, on either side."""
        source, destination = await self._boxes(IServerMove)
        (uid,) = await source.add()
        before = await source.status(), await destination.status()
        moved = await source.move([uid + 1], destination)
        assert (list(moved.sources), list(moved.uids)) == ([], [])
        assert (await source.status(), await destination.status()) == before

    @promise
    async def test_move_into_itself(self) -> None:
        """The messages get new UIDs at the end; both halves of the answer tell the whole change."""
        source, _ = await self._boxes(IServerMove)
        uids = list((await source.append(*_SENT)).uids)
        before = await source.snapshot()
        known = await source.modseq()
        moved = await source.move(uids[:2], source)
        assert await source.uids() == [uids[2], *moved.uids]
        await self._same(source, list(moved.uids), [0, 1])
        assert moved.removed is not None
        present, now = await source.uids(), await source.snapshot()
        for changes in (moved.changes, moved.removed, await source.changes(known)):
            assert applied(before, changes, present) == now

    @promise
    async def test_move_to_what_was_deleted(self) -> None:
        """The destination is gone; the messages stay."""
        source, destination = await self._boxes(IServerMove)
        uids = await source.add(2)
        await (await self.session()).delete("destination")
        with pytest.raises(NoSuchMailbox):
            await source.move(ALL, destination)
        assert await source.uids() == uids

    @promise
    async def test_move_there_and_back(self) -> None:
        """A message that comes back has a UID it never had."""
        source, destination = await self._boxes(IServerMove)
        (uid,) = await source.add()
        await source.move(ALL, destination)
        (back,) = (await destination.move(ALL, source)).uids
        assert back > uid
        assert await destination.uids() == []
