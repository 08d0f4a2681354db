"""Reading: uids, scan, read and status."""

from __future__ import annotations

import pytest

from imapd.model.message import (
    BODYSTRUCTURE,
    ENVELOPE,
    FLAGS,
    HEADER,
    HEADER_SIZE,
    INTERNAL_DATE,
    MODSEQ,
    PREVIEW,
    SENT,
    SIZE,
)
from imapd.model.numset import NumSet
from imapd.store.answers import each, settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import ALL, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMapped
from imapd.store.whole import IWholeMessages

__all__ = ["Reading"]


class Reading(Subject):
    """What is there is answered, in UID order."""

    @promise
    async def test_uids(self) -> None:
        """All UIDs, without those expunged."""
        box = await self.inbox()
        uids = await box.add(4)
        await box.remove(uids[1])
        assert await box.uids() == [uids[0], uids[2], uids[3]]

    @promise
    async def test_scan_of_nothing(self) -> None:
        """No UIDs, or none that exist: no messages."""
        box = await self.inbox()
        uids = await box.add(2)
        for asked in (NumSet(), NumSet.of(uids[-1] + 1), NumSet([(uids[-1] + 7, 1 << 31)])):
            assert sum(len(batch.uids) for batch in await box.batches(asked, FLAGS)) == 0

    @promise
    async def test_scan_of_an_empty_mailbox(self) -> None:
        """There is nothing to answer."""
        assert await (await self.inbox()).flags() == {}

    @promise
    async def test_scan_passes_over_what_is_not_there(self) -> None:
        """UIDs that do not exist are no error; the others are answered in order."""
        box = await self.inbox()
        uids = await box.add(6)
        await box.remove(uids[2])
        asked = [uids[4], uids[2], uids[0], uids[5] + 10]
        assert list(await box.column(FLAGS, asked)) == [uids[0], uids[4]]

    @promise
    async def test_scan_of_ranges(self) -> None:
        """Ranges may reach beyond what is there, and begin in gaps."""
        box = await self.inbox()
        uids = await box.add(10)
        await box.remove(uids[3], uids[4])
        asked = NumSet([(uids[1], uids[2]), (uids[4], uids[6]), (uids[9], (1 << 32) - 1)])
        wanted = [uids[place] for place in (1, 2, 5, 6, 9)]
        assert list(await box.column(FLAGS, asked)) == wanted

    @promise
    async def test_scan_in_batches(self) -> None:
        """Many messages come in batches of at most 1000, each once and in order."""
        box = await self.inbox()
        uids = await box.add(self.many)
        batches = await box.batches(ALL, SIZE)
        assert [uid for batch in batches for uid in batch.uids] == uids
        assert max(len(batch.uids) for batch in batches) <= 1_000
        assert all(len(batch.columns[SIZE]) == len(batch.uids) for batch in batches)
        odd = uids[1::2]
        assert list(await box.column(FLAGS, odd)) == odd

    @promise
    async def test_scan_while_messages_go(self) -> None:
        """Messages expunged between two batches are passed over; no other is missed or repeated."""
        box, other = await self.inbox(), await self.inbox()
        uids = await box.add(self.many)
        gone = {uids[0], uids[-1]}
        seen: list[int] = []
        async for batch in each(box.mailbox.scan(ALL, frozenset((FLAGS,)))):
            if not seen:
                await other.remove(*gone)
            seen.extend(batch.uids)
        assert seen == sorted(set(seen))
        assert set(seen) | gone == set(uids)

    @promise
    async def test_scan_gives_what_is_always_known(self) -> None:
        """FLAGS, MODSEQ, INTERNAL_DATE and SIZE have an entry for every message."""
        box = await self.inbox()
        sent = letter("known", ["\\Answered"])
        (uid,) = (await box.append(sent)).uids
        (batch,) = await box.batches(ALL, FLAGS, MODSEQ, INTERNAL_DATE, SIZE)
        assert list(batch.uids) == [uid]
        assert {name: list(column) for name, column in batch.columns.items()} == {
            FLAGS: [sent.flags],
            MODSEQ: [await box.modseq()],
            INTERNAL_DATE: [sent.date],
            SIZE: [len(sent.octets)],
        }

    @promise
    async def test_scan_gives_the_facts(self) -> None:
        """Facts given with a message come back as they were, or not at all."""
        box = await self.inbox()
        sent = [letter("facts"), letter("more", body=b"another\r\n")]
        await box.append(*sent)
        names = (ENVELOPE, BODYSTRUCTURE, HEADER, HEADER_SIZE, SENT, PREVIEW)
        (batch,) = await box.batches(ALL, *names)
        for name in names:
            for given, kept in zip(sent, batch.columns.get(name, [None, None])):
                assert kept is None or kept == getattr(given.facts, name)

    @promise
    async def test_scan_gives_only_what_was_asked(self) -> None:
        """Columns not asked for are not loaded; a column that no one knows is left out."""
        box = await self.inbox()
        await box.add()
        for asked in ([FLAGS], [SIZE, MODSEQ], ["x-unknown"], []):
            for batch in await box.batches(ALL, *asked):
                assert set(batch.columns) == set(asked) - {"x-unknown"}
                assert len(batch.uids) == 1

    @promise
    async def test_read_in_parts(self) -> None:
        """Any part of a message can be read; fewer octets come only at the end."""
        box = await self.inbox()
        sent = letter("parts", body=b"0123456789\r\n" * 10_000)
        (uid,) = (await box.append(sent)).uids
        reader = await settled(box.mailbox.read(uid))
        size = len(sent.octets)
        assert reader.size == size
        for offset, length in ((0, 1), (0, size), (7, 70_000), (size - 3, 3), (size - 3, 99)):
            chunk = await settled(reader.read(offset, length))
            assert chunk == sent.octets[offset : offset + length]
        reader.close()

    @promise
    async def test_read_past_the_end(self) -> None:
        """There is nothing there, and that is no error."""
        box = await self.inbox()
        (uid,) = await box.add()
        reader = await settled(box.mailbox.read(uid))
        assert await settled(reader.read(reader.size, 10)) == b""
        assert await settled(reader.read(reader.size + 1_000, 10)) == b""
        assert await settled(reader.read(0, 0)) == b""
        reader.close()

    @promise
    async def test_read_what_is_not_there(self) -> None:
        """MessageGone, for a UID not given yet and for one expunged."""
        box = await self.inbox()
        (uid,) = await box.add()
        await box.remove(uid)
        for missing in (uid, uid + 1, 999_999):
            with pytest.raises(MessageGone):
                await settled(box.mailbox.read(missing))

    @promise
    async def test_a_reader_outlives_its_message(self) -> None:
        """Who is reading a message reads it to the end, though it is expunged meanwhile."""
        box, other = await self.inbox(), await self.inbox()
        sent = letter("fleeting", body=b"0123456789\r\n" * 10_000)
        (uid,) = (await box.append(sent)).uids
        reader = await settled(box.mailbox.read(uid))
        head = await settled(reader.read(0, 100))
        await other.remove(uid)
        tail = await settled(reader.read(100, reader.size))
        reader.close()
        assert head + tail == sent.octets

    @promise
    async def test_a_reader_outlives_a_change_of_flags(self) -> None:
        """Flags are not in a message's octets."""
        box = await self.inbox()
        sent = letter("flagged")
        (uid,) = (await box.append(sent)).uids
        reader = await settled(box.mailbox.read(uid))
        await box.flag([uid], "\\Seen", "\\Flagged")
        assert await settled(reader.read(0, reader.size)) == sent.octets
        reader.close()
        assert await box.octets(uid) == sent.octets

    @promise
    async def test_a_mapped_reader(self) -> None:
        """A reader that claims IMapped gives all octets at once; skipped for one that does not."""
        box = await self.inbox()
        sent = letter("mapped")
        (uid,) = (await box.append(sent)).uids
        reader = await settled(box.mailbox.read(uid))
        mapped: IMapped = provided(IMapped, reader)
        assert bytes(mapped.buffer()) == sent.octets
        reader.close()

    @promise
    async def test_two_readers(self) -> None:
        """One message can be read by two at once; each is closed for itself."""
        box = await self.inbox()
        sent = letter("twice")
        (uid,) = (await box.append(sent)).uids
        first = await settled(box.mailbox.read(uid))
        second = await settled(box.mailbox.read(uid))
        assert await settled(first.read(0, 10)) == sent.octets[:10]
        first.close()
        assert await settled(second.read(0, 10)) == sent.octets[:10]
        second.close()

    @promise
    async def test_status(self) -> None:
        """The figures are those of this moment."""
        box = await self.inbox()
        sent = [letter("a"), letter("bb", ["\\Seen"]), letter("ccc", ["\\Deleted"])]
        uids = list((await box.append(*sent)).uids)
        status = await box.status()
        assert (status.messages, status.unseen, status.deleted) == (3, 2, 1)
        assert status.size == sum(len(one.octets) for one in sent)
        assert status.deleted_size == len(sent[2].octets)
        await box.expunge()
        await box.flag(uids, "\\Seen")
        status = await box.status()
        assert (status.messages, status.unseen, status.deleted) == (2, 0, 0)
        assert (status.size, status.deleted_size) == (
            len(sent[0].octets) + len(sent[1].octets),
            0,
        )

    @promise
    async def test_whole_is_as_read(self) -> None:
        """Several messages at once have the octets that each has; what is not there is left out."""
        box = await self.inbox()
        able: IWholeMessages = provided(IWholeMessages, box.mailbox)
        sizes = (0, 1, 100, 5_000, 70_000, 300_000)
        letters = [letter(f"n{size}", body=b"x" * size + b"\r\n") for size in sizes]
        uids = list((await box.append(*letters)).uids)
        await box.remove(uids[2])
        wanted = [*uids, uids[-1] + 1, uids[-1] + 1_000]
        whole = await settled(able.whole(wanted))
        assert set(whole) <= set(uids) - {uids[2]}
        assert whole == {uid: await box.octets(uid) for uid in whole}
        assert await settled(able.whole([])) == {}
