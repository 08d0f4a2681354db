r"""\Recent: one session is told of a message first (RFC 3501, 2.3.2); skipped without IRecent."""

from __future__ import annotations

from imapd.store.contract.subject import Subject, promise

__all__ = ["Recent"]


class Recent(Subject):
    r"""Who claims \Recent has it, and no one after."""

    @promise
    async def test_recent_the_first_to_claim_has_it(self) -> None:
        """Messages from the answered UID on are the caller's; the next caller gets none of them."""
        first, second = await self.inbox(), await self.inbox()
        start = await first.claim_recent()
        uids = await first.add(3)
        claimed = await first.claim_recent()
        assert start <= claimed <= uids[0]
        assert await second.claim_recent() > uids[-1]

    @promise
    async def test_recent_only_new_messages(self) -> None:
        """Messages claimed before are not claimed again; those that came after are."""
        box = await self.inbox()
        old = await box.add(2)
        await box.claim_recent()
        new = await box.add(2)
        assert old[-1] < await box.claim_recent() <= new[0]

    @promise
    async def test_recent_status_counts_what_is_not_claimed(self) -> None:
        """STATUS RECENT is the number of messages no session has been told of; asking takes none."""
        box = await self.inbox()
        await box.claim_recent()
        await box.add(3)
        assert (await box.status()).recent == 3
        assert (await box.status()).recent == 3
        await box.claim_recent()
        assert (await box.status()).recent == 0
        await box.add()
        assert (await box.status()).recent == 1

    @promise
    async def test_recent_an_expunged_message_is_not_counted(self) -> None:
        """What went before it was claimed is not recent."""
        box = await self.inbox()
        await box.claim_recent()
        uids = await box.add(3)
        await box.remove(uids[2])
        assert (await box.status()).recent == 2
        await box.claim_recent()
        assert (await box.status()).recent == 0

    @promise
    async def test_recent_an_empty_mailbox(self) -> None:
        """Nothing to claim: messages that come later are not the caller's by that."""
        first, second = await self.inbox(), await self.inbox()
        await first.claim_recent()
        (uid,) = await first.add()
        assert await second.claim_recent() <= uid

    @promise
    async def test_recent_it_is_no_change(self) -> None:
        r"""To claim \Recent does not move the modseq."""
        box = await self.inbox()
        await box.add(2)
        before = await box.modseq(), await box.snapshot()
        await box.claim_recent()
        assert (await box.modseq(), await box.snapshot()) == before

    @promise
    async def test_recent_copies_are_recent(self) -> None:
        """A copied message is new where it arrives."""
        session = await self.session()
        source, destination = await session.make("source"), await session.make("destination")
        await destination.claim_recent()
        uids = await source.add(2)
        await source.copy(uids, destination)
        assert (await destination.status()).recent == 2
