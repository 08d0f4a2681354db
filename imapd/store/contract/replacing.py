"""REPLACE by the store (RFC 8508); skipped for a store that does not do it."""

from __future__ import annotations

import pytest

from imapd.model.message import INTERNAL_DATE
from imapd.store.answers import settled
from imapd.store.contract.letters import Broken, letter
from imapd.store.contract.sessions import ALL, Box, applied, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import MessageGone, NoSuchMailbox
from imapd.store.interfaces import IServerReplace

__all__ = ["Replacing"]

_NEW = letter("new", ["\\Draft", "\\Seen"], b" 1-Feb-2003 04:05:06 +0530", b"the other\r\n")


class Replacing(Subject):
    """One message goes and another comes, or nothing happens."""

    async def _pair(self) -> tuple[Box, Box]:
        session = await self.session()
        source = await session.make("source")
        provided(IServerReplace, source.mailbox)
        return source, await session.make("destination")

    @promise
    async def test_replace(self) -> None:
        """The message is gone and the new one is there, with what it came with and nothing else."""
        source, _ = await self._pair()
        uids = await source.add(3, "\\Flagged")
        replaced = await source.replace(uids[1], _NEW, source)
        (new,) = replaced.uids
        assert list(replaced.sources) == [uids[1]]
        assert replaced.uidvalidity == source.uidvalidity
        assert await source.uids() == [uids[0], uids[2], new]
        assert await source.octets(new) == _NEW.octets
        assert (await source.flags())[new] == _NEW.flags
        assert (await source.column(INTERNAL_DATE))[new] == _NEW.date

    @promise
    async def test_replace_is_one_change(self) -> None:
        """Both halves have one modseq, each told whole."""
        source, _ = await self._pair()
        uids = await source.add(2)
        before, known = await source.snapshot(), await source.modseq()
        replaced = await source.replace(uids[0], _NEW, source)
        assert replaced.changes.modseq == await source.modseq() > known
        assert replaced.removed is not None
        assert replaced.removed.modseq == replaced.changes.modseq
        present = await source.uids()
        assert applied(before, replaced.changes, present) == await source.snapshot()
        assert applied(before, await source.changes(known), present) == await source.snapshot()

    @promise
    async def test_replace_elsewhere(self) -> None:
        """The new message may be in another mailbox; each mailbox has its change."""
        source, destination = await self._pair()
        uids = await source.add(2)
        await destination.add()
        before = await source.snapshot(), await destination.snapshot()
        replaced = await source.replace(uids[0], _NEW, destination)
        (new,) = replaced.uids
        assert await source.uids() == [uids[1]]
        assert await destination.octets(new) == _NEW.octets
        assert replaced.uidvalidity == destination.uidvalidity
        assert replaced.removed is not None
        present = await source.uids()
        assert applied(before[0], replaced.removed, present) == await source.snapshot()
        present = await destination.uids()
        assert applied(before[1], replaced.changes, present) == await destination.snapshot()

    @promise
    async def test_replace_only_that_message(self) -> None:
        r"""Other messages with \Deleted stay."""
        source, _ = await self._pair()
        uids = await source.add(3, "\\Deleted")
        replaced = await source.replace(uids[0], _NEW, source)
        assert await source.uids() == [*uids[1:], *replaced.uids]

    @promise
    async def test_replace_what_is_not_there(self) -> None:
        """Nothing is added when there is nothing to replace."""
        source, destination = await self._pair()
        (uid,) = await source.add()
        await source.remove(uid)
        before = await source.status(), await destination.status()
        for target in (source, destination):
            with pytest.raises(MessageGone):
                await source.replace(uid, _NEW, target)
        assert (await source.status(), await destination.status()) == before

    @promise
    async def test_replace_by_what_cannot_be_read(self) -> None:
        """Nothing goes when the new message fails."""
        source, destination = await self._pair()
        (uid,) = await source.add()
        before = await source.status(), await source.snapshot()
        able: IServerReplace = provided(IServerReplace, source.mailbox)
        with pytest.raises(MessageGone):
            await settled(able.replace(uid, _NEW.new(Broken()), source.mailbox))
        assert (await source.status(), await source.snapshot()) == before
        assert (await destination.status()).messages == 0

    @promise
    async def test_replace_to_what_was_deleted(self) -> None:
        """The message stays when the destination is gone."""
        source, destination = await self._pair()
        (uid,) = await source.add()
        await (await self.session()).delete("destination")
        with pytest.raises(NoSuchMailbox):
            await source.replace(uid, _NEW, destination)
        assert await source.uids() == [uid]

    @promise
    async def test_replace_again_and_again(self) -> None:
        """A draft is replaced many times; UIDs ascend, the figures stay true."""
        source, _ = await self._pair()
        (uid,) = await source.add()
        for _ in range(20):
            (new,) = (await source.replace(uid, _NEW, source)).uids
            assert new > uid
            uid = new
        assert await source.uids() == [uid]
        status = await source.status()
        assert (status.messages, status.unseen, status.size) == (1, 0, len(_NEW.octets))

    @promise
    async def test_replace_survives_a_restart(self) -> None:
        """After a restart the old message is gone and the new one is there."""
        source, destination = await self._pair()
        uids = await source.add(2)
        (here,) = (await source.replace(uids[0], _NEW, source)).uids
        (there,) = (await source.replace(uids[1], _NEW, destination)).uids
        await self.restart()
        session = await self.session()
        source, destination = await session.open("source"), await session.open("destination")
        assert (await source.uids(), await destination.uids()) == ([here], [there])
        assert await source.octets(here) == await destination.octets(there) == _NEW.octets
        assert await source.uids() == list((await source.column(INTERNAL_DATE, ALL)).keys())
