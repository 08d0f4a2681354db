"""RENAME."""

from __future__ import annotations

import pytest

from imapd.store.contract.letters import letter
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import BadMailboxName, MailboxExists, NoSuchMailbox, StoreError

__all__ = ["Renaming"]


class Renaming(Subject):
    """Names change, mailboxes stay."""

    @promise
    async def test_rename(self) -> None:
        """The mailbox has its new name, and its id, UIDVALIDITY, UIDs and mail are the same."""
        session = await self.session()
        box = await session.make("old")
        sent = letter("moved", ["\\Flagged"])
        (uid,) = (await box.append(sent)).uids
        before = await box.status()
        await session.rename("old", "new")
        assert await session.names() == {"INBOX", "new"}
        with pytest.raises(NoSuchMailbox):
            await session.open("old")
        new = await session.open("new")
        assert (new.id, new.uidvalidity) == (box.id, box.uidvalidity)
        assert await new.status() == before
        assert await new.octets(uid) == sent.octets
        assert await new.flags() == {uid: {"\\Flagged"}}

    @promise
    async def test_a_renamed_mailbox_stays_open(self) -> None:
        """Who has it open goes on reading and writing."""
        session, other = await self.session(), await self.session()
        box = await session.make("old")
        (uid,) = await box.add()
        await other.rename("old", "new")
        await box.flag([uid], "\\Seen")
        await box.add()
        new = await other.open("new")
        assert (await new.status()).messages == 2
        assert await new.snapshot() == await box.snapshot()

    @promise
    async def test_rename_takes_along_what_is_below(self) -> None:
        """The whole hierarchy moves in one step."""
        session = await self.session()
        deep = await session.make("a/b/c")
        await deep.add()
        await session.rename("a", "x")
        assert await session.names() == {"INBOX", "x", "x/b", "x/b/c"}
        assert (await session.open("x/b/c")).id == deep.id
        assert (await deep.status()).messages == 1

    @promise
    async def test_rename_leaves_neighbours(self) -> None:
        """Ab is not below a, and stays."""
        session = await self.session()
        for name in ("a", "ab", "a b", "A"):
            await session.create(name)
        await session.rename("a", "x")
        assert await session.names() == {"INBOX", "ab", "a b", "A", "x"}

    @promise
    async def test_rename_makes_what_is_above(self) -> None:
        """RENAME a x/y/z makes x and x/y (RFC 9051, 6.3.6)."""
        session = await self.session()
        await session.create("a")
        await session.rename("a", "x/y/z")
        assert await session.names() == {"INBOX", "x", "x/y", "x/y/z"}

    @promise
    async def test_rename_within_a_parent(self) -> None:
        """The mailbox above stays."""
        session = await self.session()
        await session.create("a/b")
        await session.rename("a/b", "a/c")
        assert await session.names() == {"INBOX", "a", "a/c"}

    @promise
    async def test_rename_to_the_top(self) -> None:
        """A mailbox can come out from below another."""
        session = await self.session()
        await session.create("a/b/c")
        await session.rename("a/b", "b")
        assert await session.names() == {"INBOX", "a", "b", "b/c"}

    @promise
    async def test_rename_a_name_that_holds_others(self) -> None:
        r"""A \Noselect name is renamed with all below it."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        await session.rename("a", "x")
        assert await session.names() == {"INBOX", "x/b"}

    @promise
    async def test_rename_what_is_not_there(self) -> None:
        """Nothing is renamed, and nothing made above the new name."""
        session = await self.session()
        with pytest.raises(NoSuchMailbox):
            await session.rename("nothing", "x/y")
        assert await session.names() == {"INBOX"}

    @promise
    async def test_rename_to_a_name_in_use(self) -> None:
        """Both mailboxes stay as they are."""
        session = await self.session()
        ids = [(await session.make(name)).id for name in ("a", "b")]
        with pytest.raises(MailboxExists):
            await session.rename("a", "b")
        assert [(await session.open(name)).id for name in ("a", "b")] == ids

    @promise
    async def test_rename_to_inbox(self) -> None:
        """INBOX is always there, so no mailbox can take its name."""
        session = await self.session()
        await session.create("a")
        with pytest.raises(MailboxExists):
            await session.rename("a", "INBOX")
        assert await session.names() == {"INBOX", "a"}

    @promise
    async def test_rename_to_itself(self) -> None:
        """Refused; the mailbox stays."""
        session = await self.session()
        await session.create("a")
        with pytest.raises(StoreError):
            await session.rename("a", "a")
        assert await session.names() == {"INBOX", "a"}

    @promise
    async def test_rename_under_itself(self) -> None:
        """A mailbox cannot be below itself."""
        session = await self.session()
        await session.create("a/b")
        with pytest.raises(BadMailboxName):
            await session.rename("a", "a/b/c")
        assert await session.names() == {"INBOX", "a", "a/b"}

    @promise
    async def test_rename_to_a_bad_name(self) -> None:
        """Refused, and nothing has changed."""
        session = await self.session()
        await session.create("a")
        with pytest.raises(BadMailboxName):
            await session.rename("a", "b//c")
        assert await session.names() == {"INBOX", "a"}

    @promise
    async def test_rename_leaves_subscriptions(self) -> None:
        """Subscriptions are of names: the old one stays, the new one is not subscribed."""
        session = await self.session()
        await session.create("old")
        await session.subscribe("old")
        await session.rename("old", "new")
        names = await session.mailboxes()
        assert (names["old"].exists, names["old"].subscribed) == (False, True)
        assert (names["new"].exists, names["new"].subscribed) == (True, False)

    @promise
    async def test_rename_keeps_the_special_use(self) -> None:
        r"""The \Sent mailbox stays it under another name."""
        session = await self.session()
        await session.create("Sent", "\\Sent")
        await session.rename("Sent", "Gesendet")
        assert (await session.mailboxes())["Gesendet"].special_use == {"\\Sent"}

    @promise
    async def test_rename_there_and_back(self) -> None:
        """Under its first name again, a mailbox is what a client knew: UIDVALIDITY, UIDs, modseqs."""
        session = await self.session()
        box = await session.make("a")
        await box.add(3)
        before = await box.status(), await box.snapshot()
        await session.rename("a", "b")
        await session.rename("b", "a")
        again = await session.open("a")
        assert (await again.status(), await again.snapshot()) == before

    @promise
    async def test_rename_inbox(self) -> None:
        """The messages of INBOX move to a new mailbox; INBOX stays, empty (RFC 9051, 6.3.6)."""
        session = await self.session()
        inbox = await session.open("INBOX")
        sent = [letter("one", ["\\Seen", "\\Deleted"]), letter("two")]
        await inbox.append(*sent)
        await session.rename("INBOX", "old/mail")
        assert await session.names() == {"INBOX", "old", "old/mail"}
        assert (await (await session.open("INBOX")).status()).messages == 0
        moved = await session.open("old/mail")
        assert moved.id != inbox.id
        uids = await moved.uids()
        assert [await moved.octets(uid) for uid in uids] == [each.octets for each in sent]
        assert list((await moved.flags()).values()) == [each.flags for each in sent]

    @promise
    async def test_rename_inbox_is_seen_in_inbox(self) -> None:
        """Who has INBOX open is told by changes_since that the messages went."""
        session = await self.session()
        inbox = await session.open("INBOX")
        uids = await inbox.add(2)
        before = await inbox.status()
        await session.rename("INBOX", "old")
        changes = await inbox.changes(before.highest_modseq)
        assert changes.modseq > before.highest_modseq
        assert changes.vanished is None or all(uid in changes.vanished for uid in uids)
        (new,) = await inbox.add()
        assert new > uids[-1]

    @promise
    async def test_rename_inbox_leaves_what_is_below(self) -> None:
        """Mailboxes below INBOX stay there."""
        session = await self.session()
        await session.create("INBOX/lists")
        await session.rename("INBOX", "old")
        assert await session.names() == {"INBOX", "INBOX/lists", "old"}

    @promise
    async def test_rename_inbox_below_itself(self) -> None:
        """INBOX stays, so its messages can move to INBOX/old."""
        session = await self.session()
        await (await session.open("INBOX")).add()
        await session.rename("INBOX", "INBOX/old")
        assert (await (await session.open("INBOX/old")).status()).messages == 1

    @promise
    async def test_rename_inbox_to_a_name_in_use(self) -> None:
        """Refused; the messages stay in INBOX."""
        session = await self.session()
        inbox = await session.open("INBOX")
        await inbox.add()
        await session.create("old")
        with pytest.raises(MailboxExists):
            await session.rename("INBOX", "old")
        assert (await inbox.status()).messages == 1
