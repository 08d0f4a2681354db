"""UIDVALIDITY: a name, a UIDVALIDITY and a UID mean one message for ever (RFC 9051, 2.3.1.1)."""

from __future__ import annotations

from imapd.store.contract.subject import Subject, promise

__all__ = ["UidValidity"]


class UidValidity(Subject):
    """When UIDVALIDITY must differ, and when it must not."""

    @promise
    async def test_uidvalidity_it_is_the_same_in_every_session(self) -> None:
        """Two sessions, and all answers, give one number."""
        first, second = await self.inbox(), await self.inbox()
        assert first.uidvalidity == second.uidvalidity == (await first.status()).uidvalidity
        assert first.uidvalidity == (await second.append()).uidvalidity

    @promise
    async def test_uidvalidity_it_stays_when_mail_comes_and_goes(self) -> None:
        """Nothing done to messages changes it."""
        box = await self.inbox()
        before = box.uidvalidity
        await box.remove(*await box.add(3))
        await box.add()
        assert (await box.status()).uidvalidity == before
        assert (await self.inbox()).uidvalidity == before

    @promise
    async def test_uidvalidity_a_name_made_again_has_a_larger_one(self) -> None:
        """DELETE and CREATE within one second, several times: it grows each time."""
        session = await self.session()
        given = []
        for _ in range(5):
            given.append((await session.make("again")).uidvalidity)
            await session.delete("again")
        assert given == sorted(set(given))

    @promise
    async def test_uidvalidity_a_name_made_again_above_another(self) -> None:
        """A name made again by the way, as a superior, has a larger one too."""
        session = await self.session()
        await session.create("a/b")
        old = await session.open("a")
        await session.delete("a/b")
        await session.delete("a")
        await session.create("a/c")
        assert (await session.open("a")).uidvalidity > old.uidvalidity

    @promise
    async def test_uidvalidity_a_noselect_name_made_again(self) -> None:
        r"""A mailbox made of a \Noselect name has a larger one than the mailbox it was."""
        session = await self.session()
        await session.create("a/b")
        old = await session.open("a")
        await session.delete("a")
        assert (await session.make("a")).uidvalidity > old.uidvalidity

    @promise
    async def test_uidvalidity_a_name_left_by_rename(self) -> None:
        """A new mailbox of a name that another one left by RENAME has a larger one."""
        session = await self.session()
        old = await session.make("a")
        await session.rename("a", "b")
        assert (await session.make("a")).uidvalidity > old.uidvalidity

    @promise
    async def test_uidvalidity_a_name_taken_by_rename(self) -> None:
        """A mailbox renamed to a name used before does not look like the mailbox that was there."""
        session = await self.session()
        first = await session.make("a")
        second = await session.make("b")
        await session.delete("a")
        await session.rename("b", "a")
        assert (await session.open("a")).uidvalidity != first.uidvalidity
        assert (await session.open("a")).id == second.id

    @promise
    async def test_uidvalidity_names_swapped_by_rename(self) -> None:
        """After a swap of two names, neither name has the UIDVALIDITY that it had."""
        session = await self.session()
        before = {name: (await session.make(name)).uidvalidity for name in ("a", "b")}
        for old, new in (("a", "t"), ("b", "a"), ("t", "b")):
            await session.rename(old, new)
        for name, uidvalidity in before.items():
            assert (await session.open(name)).uidvalidity != uidvalidity

    @promise
    async def test_uidvalidity_rename_of_inbox(self) -> None:
        """The mailbox made by RENAME of INBOX, and made again, has a larger one each time."""
        session = await self.session()
        given = []
        for _ in range(3):
            await session.rename("INBOX", "old")
            given.append((await session.open("old")).uidvalidity)
            await session.delete("old")
        assert given == sorted(set(given))
