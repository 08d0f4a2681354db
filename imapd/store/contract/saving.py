"""When messages were saved (RFC 8514): skipped for a store that has no column SAVED."""

from __future__ import annotations

import pytest

from imapd.model.message import SAVED
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import ALL, Box, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.interfaces import IServerCopy, IServerMove

__all__ = ["Saving"]

#: The first and the last second that a clock may show.
_FIRST, _LAST = 1_000_000_000, 1 << 33


async def _saved(box: Box) -> dict[int, int]:
    """When each message was saved."""
    for batch in await box.batches(ALL, SAVED):
        if SAVED not in batch.columns:
            pytest.skip("the store does not keep when messages were saved")
    return await box.column(SAVED)


class Saving(Subject):
    """A save date is the moment at which a message came into its mailbox, and stays."""

    @promise
    async def test_saved_is_of_the_clock(self) -> None:
        """A message is saved when it is appended, whatever its internal date says."""
        box = await self.inbox()
        (uid,) = (await box.append(letter("old", [], b" 1-Feb-1993 04:05:06 +0530"))).uids
        assert _FIRST <= (await _saved(box))[uid] < _LAST

    @promise
    async def test_saved_stays(self) -> None:
        """What happens to messages later changes no save date."""
        box = await self.inbox()
        uids = await box.add(3)
        before = await _saved(box)
        await box.flag(uids[:2], "\\Seen")
        await box.remove(uids[2])
        await box.add(1)
        after = await _saved(box)
        assert [after[uid] for uid in uids[:2]] == [before[uid] for uid in uids[:2]]

    @promise
    async def test_saved_of_copies(self) -> None:
        """A copy has a save date of its own; that of the source stays."""
        box = await self.inbox()
        provided(IServerCopy, box.mailbox)
        (uid,) = await box.add()
        before = await _saved(box)
        copied = await box.copy([uid], box)
        after = await _saved(box)
        assert after[uid] == before[uid] <= after[copied.uids[0]] < _LAST

    @promise
    async def test_saved_of_moved(self) -> None:
        """A message that was moved was saved when it was moved."""
        session = await self.session()
        box, other = await session.open("INBOX"), await session.make("other")
        provided(IServerMove, box.mailbox)
        (uid,) = await box.add()
        before = await _saved(box)
        moved = await box.move([uid], other)
        assert before[uid] <= (await _saved(other))[moved.uids[0]] < _LAST

    @promise
    async def test_reopen_saved(self) -> None:
        """Save dates outlive the process."""
        box = await self.inbox()
        await box.add(2)
        before = await _saved(box)
        await self.restart()
        assert await _saved(await self.inbox()) == before
