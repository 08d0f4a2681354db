"""Threads of whole mailboxes that the store keeps, so that the first THREAD after a start finds them made.

They may be lost, and may be of a moment long ago: whoever takes them brings them up to date.  They
are in several blocks of the number that is forgotten last, each short enough to be read in one turn.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from imapd.model.numset import NumSet
from imapd.query.blocks import Damaged
from imapd.query.packed_threads import pack, unpack
from imapd.query.pieces import done
from imapd.query.thread import Algorithm
from imapd.query.threaded import Threaded
from imapd.session.block_pieces import LAST
from imapd.store.answers import settled
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept, IMailbox

__all__ = ["WORTH_KEEPING", "keep", "load"]

#: Messages of a mailbox whose threads are kept: those of a smaller one are made as fast.
WORTH_KEEPING: Final = 5_000

#: Octets of a block.
_BLOCK: Final = 1 << 20
#: At the beginning of the first: how many there are.
_COUNT: Final = struct.Struct("<I")
_MOST: Final = 1_000

Turn = Callable[[], Awaitable[None]]


def _name(algorithm: Algorithm, number: int) -> str:
    return f"threads 1 {algorithm.name} {number}"


async def load(mailbox: IMailbox, algorithm: Algorithm, turn: Turn) -> Threaded | None:
    """Those that are kept; None if there are none, or they are damaged."""
    keeper = IBlocksKept(mailbox, None)
    if keeper is None:
        return None
    blocks: list[bytes] = []
    count = 1
    # Another process may keep others meanwhile: then the checksum is wrong.
    with suppress(StoreUnavailable, Damaged, struct.error):
        while len(blocks) < min(count, _MOST):
            name = _name(algorithm, len(blocks))
            block = (await settled(keeper.kept_blocks(name, NumSet.of(LAST)))).get(LAST)
            if block is None:
                return None
            blocks.append(block)
            (count,) = _COUNT.unpack_from(blocks[0])
            await turn()
        blocks[0] = blocks[0][_COUNT.size :]
        octets = b"".join(blocks)
        await turn()
        return await done(unpack(algorithm, octets), turn)
    return None


async def keep(mailbox: IMailbox, answer: Threaded, turn: Turn) -> None:
    """Keep the threads of a whole mailbox, if the store can."""
    keeper = IBlocksKept(mailbox, None)
    if keeper is None:
        return
    octets = await done(pack(answer), turn)
    await turn()
    parts: list[bytes] = []
    for at in range(0, max(1, len(octets)), _BLOCK):
        parts.append(octets[at : at + _BLOCK])
        await turn()
    parts[0] = _COUNT.pack(len(parts)) + parts[0]
    made = {(_name(answer.algorithm, number), LAST): part for number, part in enumerate(parts)}
    with suppress(StoreUnavailable):
        await settled(keeper.keep_blocks(made, NumSet([(1, LAST)])))
