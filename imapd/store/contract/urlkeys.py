"""Keys of mailboxes and accounts of others (RFC 4467); skipped for a store without them."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from imapd.store.answers import settled
from imapd.store.contract.sessions import Session, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.interfaces import IOtherAccounts, IURLKeys

__all__ = ["UrlKeys"]


class UrlKeys(Subject):
    """A key is a secret of one user and one mailbox, until it is reset."""

    async def _key(self, session: Session, mailbox_id: str, make: bool = True) -> bytes | None:
        keys: IURLKeys = provided(IURLKeys, session.account)
        return await settled(keys.url_key(mailbox_id, make))

    @promise
    async def test_url_keys_are_whole(self) -> None:
        """What is claimed is there with all its methods."""
        session = await self.session()
        assert verifyObject(IURLKeys, provided(IURLKeys, session.account))
        others = IOtherAccounts(self.store, None)
        assert others is None or verifyObject(IOtherAccounts, others)

    @promise
    async def test_url_key_is_made_once(self) -> None:
        """There is none until one is wanted; then it stays, for all sessions of the user."""
        session, again = await self.session(), await self.session()
        box = await session.open("INBOX")
        assert await self._key(session, box.id, make=False) is None
        key = await self._key(session, box.id)
        assert key is not None
        assert len(key) == 32
        assert await self._key(again, box.id) == key
        assert await self._key(again, box.id, make=False) == key

    @promise
    async def test_url_keys_differ(self) -> None:
        """Mailboxes have keys of their own, and so have users."""
        session, other = await self.session(), await self.session(self.other_user)
        inbox, box = await session.open("INBOX"), await session.make("other")
        keys = [
            await self._key(session, inbox.id),
            await self._key(session, box.id),
            await self._key(other, inbox.id),
            await self._key(other, (await other.open("INBOX")).id),
        ]
        assert len(set(keys)) == 4

    @promise
    async def test_url_key_is_reset(self) -> None:
        """After a reset there is none, and then another; other mailboxes keep theirs."""
        session = await self.session()
        inbox, box = await session.open("INBOX"), await session.make("other")
        before = [await self._key(session, each.id) for each in (inbox, box)]
        keys: IURLKeys = provided(IURLKeys, session.account)
        await settled(keys.reset_url_keys(inbox.id))
        assert await self._key(session, inbox.id, make=False) is None
        assert await self._key(session, inbox.id) not in before
        assert await self._key(session, box.id) == before[1]

    @promise
    async def test_url_keys_are_reset(self) -> None:
        """All keys of a user go at once, and none of another."""
        session, other = await self.session(), await self.session(self.other_user)
        inbox, box = await session.open("INBOX"), await session.make("other")
        theirs = await self._key(other, inbox.id)
        for each in (inbox, box):
            await self._key(session, each.id)
        keys: IURLKeys = provided(IURLKeys, session.account)
        await settled(keys.reset_url_keys(None))
        assert await self._key(session, inbox.id, make=False) is None
        assert await self._key(session, box.id, make=False) is None
        assert await self._key(other, inbox.id, make=False) == theirs

    @promise
    async def test_url_key_stays_with_its_mailbox(self) -> None:
        """A mailbox keeps its key under another name; a new one of the old name has none."""
        session = await self.session()
        box = await session.make("old")
        key = await self._key(session, box.id)
        await settled(session.account.rename("old", "new"))
        new = await session.make("old")
        assert await self._key(session, (await session.open("new")).id, make=False) == key
        assert await self._key(session, new.id, make=False) is None

    @promise
    async def test_url_keys_survive_a_restart(self) -> None:
        """Who has a URL can use it tomorrow."""
        session = await self.session()
        box = await session.open("INBOX")
        key = await self._key(session, box.id)
        await self.restart()
        assert await self._key(await self.session(), box.id, make=False) == key

    @promise
    async def test_other_accounts_are_not_made(self) -> None:
        """An account that nobody had yet is not there; asking does not make it."""
        others: IOtherAccounts = provided(IOtherAccounts, self.store)
        for name in (self.other_user, self.other_user, "", "../" + self.user, "a\0b"):
            assert await settled(others.open_existing(name)) is None

    @promise
    async def test_other_accounts_are_opened(self) -> None:
        """An account that is there is the same, whoever opens it."""
        others: IOtherAccounts = provided(IOtherAccounts, self.store)
        box = await self.inbox()
        (uid,) = await box.add()
        account = await settled(others.open_existing(self.user))
        assert account is not None
        mailbox = await settled(account.open("INBOX"))
        assert list(await settled(mailbox.uids())) == [uid]
        await settled(account.close())
