"""Users apart: what one does, no other sees."""

from __future__ import annotations

import pytest

from imapd.store.answers import settled
from imapd.store.contract.letters import letter
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox

__all__ = ["Isolation"]


class Isolation(Subject):
    """Two users of one store."""

    @promise
    async def test_users_names(self) -> None:
        """A mailbox of one user is not there for the other."""
        mine, theirs = await self.session(), await self.session(self.other_user)
        await mine.create("private")
        await mine.subscribe("secret")
        assert set(await theirs.mailboxes()) == {"INBOX"}
        with pytest.raises(NoSuchMailbox):
            await theirs.open("private")

    @promise
    async def test_users_mail(self) -> None:
        """Each INBOX has its own mail, though the names and UIDs are the same."""
        mine, theirs = await self.inbox(), await self.inbox(self.other_user)
        sent = letter("mine"), letter("theirs")
        (uid,) = (await mine.append(sent[0])).uids
        assert await theirs.uids() == []
        (other,) = (await theirs.append(sent[1])).uids
        assert await mine.octets(uid) == sent[0].octets
        assert await theirs.octets(other) == sent[1].octets

    @promise
    async def test_users_ids(self) -> None:
        """An id names one mailbox in the whole store."""
        mine, theirs = await self.inbox(), await self.inbox(self.other_user)
        assert mine.id != theirs.id

    @promise
    async def test_users_changes(self) -> None:
        """Flags and expunges of one user change nothing for the other."""
        mine, theirs = await self.inbox(), await self.inbox(self.other_user)
        uids = await mine.add(3)
        await theirs.add(3)
        before = await theirs.status(), await theirs.snapshot()
        await mine.remove(*uids)
        assert (await theirs.status(), await theirs.snapshot()) == before

    @promise
    async def test_users_hints(self) -> None:
        """No one is told of another's changes: a hint would tell when mail comes."""
        mine, theirs = await self.session(), await self.session(self.other_user)
        hints, _ = theirs.watch()
        box = await mine.make("busy")
        await box.add()
        await mine.delete("busy")
        await settled(self.settle())
        assert hints == []

    @promise
    async def test_users_names_made_and_gone(self) -> None:
        """DELETE and RENAME of one user leave the other's mailbox of that name."""
        mine, theirs = await self.session(), await self.session(self.other_user)
        for session in (mine, theirs):
            await (await session.make("work")).add()
            await (await session.make("play")).add()
        await mine.delete("work")
        await mine.rename("play", "rest")
        assert await theirs.names() == {"INBOX", "play", "work"}
        assert (await (await theirs.open("work")).status()).messages == 1
