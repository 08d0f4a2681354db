"""Spools: large messages that come in by way of the store's own disk; skipped without ISpools."""

from __future__ import annotations

import pytest

from imapd.store.answers import settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.interfaces import ISpools

__all__ = ["Spooling"]


class Spooling(Subject):
    """What was written can be parsed, appended, or forgotten."""

    @promise
    async def test_spool_what_was_written_is_read(self) -> None:
        """A spool gives back what came in pieces."""
        spools: ISpools = provided(ISpools, (await self.session()).account)
        spool = await settled(spools.spool())
        for chunk in (b"Subject: ", b"pieces\r\n", b"", b"\r\n", b"x" * 100_000):
            await settled(spool.write(chunk))
        reader = await settled(spool.reader())
        written = b"Subject: pieces\r\n\r\n" + b"x" * 100_000
        assert reader.size == len(written)
        assert await settled(reader.read(0, reader.size)) == written
        reader.close()
        spool.close()

    @pytest.mark.parametrize("closed_before_reading", [True, False])
    @promise
    async def test_spool_a_spool_is_appended(self, closed_before_reading: bool) -> None:
        """A spooled message is a message like any other, also when the spool is closed then."""
        session = await self.session()
        spools: ISpools = provided(ISpools, session.account)
        box = await session.open("INBOX")
        sent = letter("spooled", ["\\Seen"], body=b"0123456789\r\n" * 50_000)
        spool = await settled(spools.spool())
        await settled(spool.write(sent.octets))
        reader = await settled(spool.reader())
        (uid,) = (await settled(box.mailbox.append([sent.new(reader)]))).uids
        if closed_before_reading:
            reader.close()
            spool.close()
        assert await box.octets(uid) == sent.octets
        assert await box.flags() == {uid: {"\\Seen"}}
        if not closed_before_reading:
            reader.close()
            spool.close()
        assert await box.octets(uid) == sent.octets

    @promise
    async def test_spool_a_spool_is_forgotten(self) -> None:
        """A spool that was not appended leaves no message."""
        session = await self.session()
        spools: ISpools = provided(ISpools, session.account)
        spool = await settled(spools.spool())
        await settled(spool.write(b"never\r\n"))
        spool.close()
        assert (await (await session.open("INBOX")).status()).messages == 0
