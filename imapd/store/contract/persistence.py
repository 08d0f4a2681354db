"""Close and open again: skipped for a store without `Subject.reopen`."""

from __future__ import annotations

from imapd.model.message import INTERNAL_DATE
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import applied
from imapd.store.contract.subject import Subject, promise

__all__ = ["Persistence"]


class Persistence(Subject):
    """A client that comes back finds what it knew."""

    @promise
    async def test_reopen_mail(self) -> None:
        """Octets, flags, keywords, dates, UIDs and modseqs are the same."""
        box = await self.inbox()
        flags = ["\\Seen", "$Label1"] if box.mailbox.new_keywords else ["\\Seen"]
        sent = [letter("one", flags), letter("two", [], b" 1-Feb-2003 04:05:06 +0530")]
        uids = list((await box.append(*sent)).uids)
        known = box.id, await box.snapshot(), await box.column(INTERNAL_DATE), await box.modseq()
        await self.restart()
        box = await self.inbox()
        assert [await box.octets(uid) for uid in uids] == [each.octets for each in sent]
        assert known == (
            box.id,
            await box.snapshot(),
            await box.column(INTERNAL_DATE),
            await box.modseq(),
        )

    @promise
    async def test_reopen_figures(self) -> None:
        """STATUS is the same, UIDVALIDITY and UIDNEXT with it."""
        box = await self.inbox()
        uids = await box.add(4)
        await box.flag(uids[:2], "\\Seen")
        await box.flag(uids[1:3], "\\Deleted")
        known = await box.status()
        await self.restart()
        assert await (await self.inbox()).status() == known

    @promise
    async def test_reopen_changes(self) -> None:
        """changes_since tells of what happened before, the expunged with it."""
        box = await self.inbox()
        uids = await box.add(5)
        before, modseq = await box.snapshot(), await box.modseq()
        await box.flag(uids[:2], "\\Seen")
        await box.remove(uids[3])
        now = await box.snapshot()
        await self.restart()
        box = await self.inbox()
        changes = await box.changes(modseq)
        assert applied(before, changes, await box.uids()) == now == await box.snapshot()

    @promise
    async def test_reopen_uids_are_not_used_again(self) -> None:
        """Though the last messages went before the store was closed."""
        box = await self.inbox()
        uids = await box.add(3)
        await box.remove(*uids)
        modseq = await box.modseq()
        await self.restart()
        box = await self.inbox()
        (uid,) = await box.add()
        assert uid > uids[-1]
        assert await box.modseq() > modseq

    @promise
    async def test_reopen_names(self) -> None:
        r"""Mailboxes, \Noselect names, subscriptions and special uses are the same."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        await session.create("Sent", "\\Sent")
        await session.subscribe("Sent")
        await session.subscribe("later")
        await session.create("old")
        await session.rename("old", "new")
        known = await session.mailboxes()
        await self.restart()
        assert await (await self.session()).mailboxes() == known

    @promise
    async def test_reopen_uidvalidity_grows(self) -> None:
        """A name used before the store was closed gets a larger UIDVALIDITY after."""
        session = await self.session()
        old = (await session.make("again")).uidvalidity
        await session.delete("again")
        await self.restart()
        assert (await (await self.session()).make("again")).uidvalidity > old

    @promise
    async def test_reopen_ids_are_not_used_again(self) -> None:
        """An id never names another mailbox."""
        session = await self.session()
        old = (await session.make("again")).id
        await session.delete("again")
        await self.restart()
        session = await self.session()
        assert (await session.make("again")).id != old
        assert (await session.make("other")).id != old

    @promise
    async def test_reopen_recent(self) -> None:
        r"""What was claimed is not \Recent again."""
        box = await self.inbox()
        uids = await box.add(2)
        await box.claim_recent()
        await self.restart()
        box = await self.inbox()
        assert (await box.status()).recent == 0
        assert await box.claim_recent() > uids[-1]

    @promise
    async def test_reopen_every_user(self) -> None:
        """Each user finds what is theirs."""
        await (await self.inbox()).add(1)
        await (await self.inbox(self.other_user)).add(2)
        await self.restart()
        assert (await (await self.inbox()).status()).messages == 1
        assert (await (await self.inbox(self.other_user)).status()).messages == 2

    @promise
    async def test_reopen_again_and_again(self) -> None:
        """Several restarts with changes in between lose nothing."""
        expected: list[bytes] = []
        for number in range(3):
            box = await self.inbox()
            sent = letter(f"n{number}")
            expected.append(sent.octets)
            await box.append(sent)
            await self.restart()
        box = await self.inbox()
        assert [await box.octets(uid) for uid in await box.uids()] == expected
