r"""EXPUNGE: what is \Deleted goes, and is remembered."""

from __future__ import annotations

from imapd.model.numset import NumSet
from imapd.store.contract.sessions import ALL, applied
from imapd.store.contract.subject import Subject, promise

__all__ = ["Expunging"]


class Expunging(Subject):
    """Messages go; their UIDs never come back."""

    @promise
    async def test_expunge_what_is_deleted_goes(self) -> None:
        r"""All messages with \Deleted are removed, no other."""
        box = await self.inbox()
        uids = await box.add(5)
        await box.flag([uids[1], uids[3]], "\\Deleted")
        changes = await box.expunge(ALL)
        assert changes.vanished is not None
        assert list(changes.vanished) == [uids[1], uids[3]]
        assert await box.uids() == [uids[0], uids[2], uids[4]]

    @promise
    async def test_expunge_only_those_named(self) -> None:
        r"""UID EXPUNGE leaves \Deleted messages that it does not name (RFC 4315, 2.1)."""
        box = await self.inbox()
        uids = await box.add(4, "\\Deleted")
        changes = await box.expunge([uids[0], uids[2], uids[3] + 9])
        assert changes.vanished == NumSet.of(uids[0], uids[2])
        assert await box.uids() == [uids[1], uids[3]]

    @promise
    async def test_expunge_what_is_not_deleted_stays(self) -> None:
        r"""A message without \Deleted stays though it is named, and nothing has changed."""
        box = await self.inbox()
        uids = await box.add(2, "\\Seen")
        before = await box.status()
        changes = await box.expunge(uids)
        assert not changes.vanished
        assert await box.status() == before
        assert await box.uids() == uids

    @promise
    async def test_expunge_one_expunge_is_one_change(self) -> None:
        """HIGHESTMODSEQ grows once; messages that stay keep their modseq (RFC 7162, 3.1.2.1)."""
        box = await self.inbox()
        uids = await box.add(4)
        await box.flag(uids[:2], "\\Deleted")
        before, kept = await box.modseq(), await box.snapshot()
        changes = await box.expunge()
        assert changes.since <= before < changes.modseq
        assert changes.modseq == await box.modseq()
        assert await box.snapshot() == {uid: kept[uid] for uid in uids[2:]}

    @promise
    async def test_expunge_the_answer_tells_the_change(self) -> None:
        """What expunge answers brings who knew the mailbox before to what it is now."""
        box = await self.inbox()
        uids = await box.add(4, "\\Deleted")
        before = await box.snapshot()
        changes = await box.expunge(uids[1:3])
        assert applied(before, changes, await box.uids()) == await box.snapshot()

    @promise
    async def test_expunge_twice(self) -> None:
        """What went cannot go again."""
        box = await self.inbox()
        uids = await box.add(2)
        await box.remove(*uids)
        before = await box.status()
        changes = await box.expunge()
        assert not changes.uids
        assert await box.status() == before

    @promise
    async def test_expunge_the_last_uid_is_not_used_again(self) -> None:
        """UIDNEXT does not go back when the last messages go."""
        box = await self.inbox()
        uids = await box.add(3)
        uidnext = (await box.status()).uidnext
        await box.remove(*uids)
        assert (await box.status()).uidnext >= uidnext
        (uid,) = await box.add()
        assert uid >= uidnext

    @promise
    async def test_expunge_another_session_is_told(self) -> None:
        """changes_since tells another session which messages went."""
        first, second = await self.inbox(), await self.inbox()
        uids = await first.add(3)
        known = await second.modseq()
        await first.remove(uids[1])
        changes = await second.changes(known)
        assert changes.vanished is None or uids[1] in changes.vanished
        assert await second.uids() == [uids[0], uids[2]]

    @promise
    async def test_expunge_many(self) -> None:
        """Every second message of many goes in one step."""
        box = await self.inbox()
        uids = await box.add(self.many)
        before = await box.modseq()
        changes = await box.remove(*uids[::2])
        assert changes.vanished == NumSet.of(*uids[::2])
        assert await box.uids() == uids[1::2]
        assert (await box.changes(before)).modseq == changes.modseq
