"""Orders of whole mailboxes that the store keeps, so that the first sort after a start finds them made.

They may be lost, and may be of a moment long ago: whoever takes one brings it up to date.  Each is
a block of the number that is forgotten last.  There are more orders than a disk has room for: each
has one of a few names, and takes the place of another that had it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from contextlib import suppress
from typing import Final
from zlib import crc32

from imapd.model.numset import NumSet
from imapd.query.criteria import Criterion
from imapd.session.block_pieces import LAST
from imapd.store.answers import settled
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept, IMailbox

__all__ = ["WORTH_KEEPING", "keep", "load"]

#: Messages of a mailbox whose orders are kept: those of a smaller one are made as fast.
WORTH_KEEPING: Final = 5_000

#: Names, so many that no two of the usual orders have the same; with a hundred thousand messages,
#: each is of a megabyte.
_NAMES: Final = 21
#: A checksum of the criteria and of all that follows the head, and how many messages.
_HEAD: Final = struct.Struct("<II")


def _sum(criteria: tuple[Criterion, ...]) -> int:
    """The checksum of what an order is by."""
    words = (
        f"{each.column}/{each.instead or ''}/{'down' if each.reverse else 'up'}"
        for each in criteria
    )
    return crc32(" ".join(words).encode())


def _name(checksum: int) -> str:
    return f"order 2 {checksum % _NAMES}"


async def load(
    mailbox: IMailbox, criteria: tuple[Criterion, ...]
) -> tuple[array[int], array[int]] | None:
    """UIDs, ascending, and their places in order; None if none is kept, or it is damaged."""
    keeper = IBlocksKept(mailbox, None)
    if keeper is None:
        return None
    begun = _sum(criteria)
    with suppress(StoreUnavailable):
        found = await settled(keeper.kept_blocks(_name(begun), NumSet.of(LAST)))
        octets = found.get(LAST)
        return None if octets is None else _unpacked(begun, octets)
    return None


async def keep(
    mailbox: IMailbox, criteria: tuple[Criterion, ...], uids: array[int], places: array[int]
) -> None:
    """Keep an order of a whole mailbox, if the store can."""
    keeper = IBlocksKept(mailbox, None)
    if keeper is None or len(uids) < WORTH_KEEPING:
        return
    begun = _sum(criteria)
    made = {(_name(begun), LAST): _packed(begun, uids, places)}
    with suppress(StoreUnavailable):
        await settled(keeper.keep_blocks(made, NumSet([(1, LAST)])))


def _packed(begun: int, uids: array[int], places: array[int]) -> bytes:
    parts = []
    for column in (uids, places):
        octets = array("I", column)
        if sys.byteorder == "big":
            octets.byteswap()
        parts.append(octets.tobytes())
    body = b"".join(parts)
    return _HEAD.pack(crc32(body, begun), len(uids)) + body


def _unpacked(begun: int, octets: bytes) -> tuple[array[int], array[int]] | None:
    if len(octets) < _HEAD.size:
        return None
    checksum, count = _HEAD.unpack_from(octets)
    body = memoryview(octets)[_HEAD.size :]
    if len(body) != 8 * count or crc32(body, begun) != checksum:
        return None
    uids, places = array("I"), array("I")
    uids.frombytes(body[: 4 * count])
    places.frombytes(body[4 * count :])
    if sys.byteorder == "big":
        uids.byteswap()
        places.byteswap()
    return uids, places
