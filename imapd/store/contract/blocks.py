"""What a store keeps for the engine: skipped without IBlocksKept."""

from __future__ import annotations

import pytest

from imapd.model.numset import NumSet
from imapd.store.answers import settled
from imapd.store.contract.sessions import Box, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IBlocksKept

__all__ = ["Blocks"]

_EVERY = NumSet([(1, 1 << 32)])


async def _keep(box: Box, blocks: dict[tuple[str, int], bytes], numbers: NumSet = _EVERY) -> None:
    await settled(provided(IBlocksKept, box.mailbox).keep_blocks(blocks, numbers))


async def _kept(box: Box, column: str = "a 1", numbers: NumSet = _EVERY) -> dict[int, bytes]:
    return dict(await settled(provided(IBlocksKept, box.mailbox).kept_blocks(column, numbers)))


class Blocks(Subject):
    """Octets are found by column and number, in their own mailbox, or not at all."""

    @promise
    async def test_blocks_are_kept(self) -> None:
        """What was kept is there: of the column and the numbers that are asked for, no other."""
        box = await self.inbox()
        assert await _kept(box) == {}
        await _keep(box, {("a 1", 1): b"one", ("a 1", 900_000): b"\0\xff" * 50_000})
        await _keep(box, {("b 1", 1): b"other", ("a 1", 3): b""})
        assert await _kept(box) == {1: b"one", 3: b"", 900_000: b"\0\xff" * 50_000}
        assert await _kept(box, numbers=NumSet.of(1, 2, 3)) == {1: b"one", 3: b""}
        assert await _kept(box, "b 1") == {1: b"other"}
        assert await _kept(box, "c 1") == {}

    @promise
    async def test_blocks_are_replaced(self) -> None:
        """What is kept takes the place of what was there."""
        box = await self.inbox()
        await _keep(box, {("a 1", 1): b"one", ("a 1", 2): b"two"})
        await _keep(box, {("a 1", 2): b"another"})
        assert await _kept(box) == {1: b"one", 2: b"another"}

    @promise
    async def test_blocks_of_other_numbers_go(self) -> None:
        """Numbers that are of no use any more do not fill the disk."""
        box = await self.inbox()
        await _keep(box, {("a 1", number): b"x" for number in (1, 2, 3, 4)})
        await _keep(box, {("b 1", 2): b"z"}, NumSet([(2, 2), (4, 1 << 32)]))
        assert await _kept(box) == {2: b"x", 4: b"x"}
        assert await _kept(box, "b 1") == {2: b"z"}

    @promise
    async def test_blocks_of_mailboxes_are_apart(self) -> None:
        """No mailbox has another's, whatever is renamed, made again or another user's."""
        session = await self.session()
        box, other = await session.open("INBOX"), await session.make("other")
        await _keep(box, {("a 1", 1): b"inbox"})
        await _keep(other, {("a 1", 1): b"other"})
        assert await _kept(box) == {1: b"inbox"}
        assert await _kept(await self.inbox(self.other_user)) == {}
        await session.rename("INBOX", "old")
        assert await _kept(await session.open("old")) in ({}, {1: b"inbox"})
        await session.delete("other")
        for use in (_kept(other), _keep(other, {("a 1", 1): b"late"})):
            with pytest.raises(NoSuchMailbox):
                await use
        assert await _kept(await session.make("other")) == {}

    @promise
    async def test_blocks_are_no_news(self) -> None:
        """Keeping something changes nothing that a session would see."""
        box = await self.inbox()
        await box.add(2)
        before = await box.status(), await box.snapshot()
        await _keep(box, {("a 1", 1): b"one"})
        assert (await box.status(), await box.snapshot()) == before

    @promise
    async def test_reopen_blocks(self) -> None:
        """What was kept outlives the process."""
        box = await self.inbox()
        await _keep(box, {("a 1", 1): b"one"})
        await self.restart()
        assert await _kept(await self.inbox()) == {1: b"one"}
