"""What a large mailbox was at some moment, kept by the store: the first SELECT after a start is short.

Rules of this file:

* It may be lost, and may be of a moment long ago: who takes it asks `IMailbox.changes_since` for
  all that happened since.
* It is kept of a mailbox itself only.  One that is seen through another, as those of other users
  are, has other flags for each of them.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from zlib import crc32

from imapd.model.flags import Flags, interned
from imapd.model.numset import NumSet
from imapd.session.block_pieces import LAST
from imapd.session.generation import Generation
from imapd.store.answers import settled
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept, IMailbox

__all__ = ["WORTH_KEEPING", "keep", "load"]

#: Messages of a mailbox that is kept: a smaller one is read as fast.
WORTH_KEEPING: Final = 5_000

_NAME: Final = "image 1"
#: A checksum of all that follows it; the modseq, how many messages, octets of the sets of flags.
_CHECKSUM: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<QII")
#: Messages packed, or unpacked, in one turn.
_TOGETHER: Final = 50_000
#: Sets of flags: their places take two octets.
_SETS: Final = 1 << 16

Turn = Callable[[], Awaitable[None]]


async def load(mailbox: IMailbox, turn: Turn) -> tuple[int, Generation] | None:
    """The messages as of a modseq; None if nothing is kept, or it is damaged."""
    if not IBlocksKept.providedBy(mailbox):
        return None
    with suppress(StoreUnavailable):
        octets = (await settled(mailbox.kept_blocks(_NAME, NumSet.of(LAST)))).get(LAST)
        return None if octets is None else await _unpacked(octets, turn)
    return None


async def keep(mailbox: IMailbox, modseq: int, generation: Generation, turn: Turn) -> None:
    """Keep what the messages are as of a modseq, if the store can, and they do not change meanwhile."""
    if not IBlocksKept.providedBy(mailbox) or len(generation.uids) < WORTH_KEEPING:
        return
    octets = await _packed(modseq, generation, turn)
    if octets is not None:
        with suppress(StoreUnavailable):
            await settled(mailbox.keep_blocks({(_NAME, LAST): octets}, NumSet([(1, LAST)])))


async def _packed(modseq: int, generation: Generation, turn: Turn) -> bytes | None:
    uids, modseqs, flags = generation.uids[:], generation.modseqs[:], generation.flags[:]
    sets: dict[Flags, int] = {}
    places = array("H")
    for at in range(0, len(flags), _TOGETHER):
        some = flags[at : at + _TOGETHER]
        for each in set(some):
            sets.setdefault(each, len(sets))
        if len(sets) > _SETS:
            return None
        places.extend(map(sets.__getitem__, some))
        await turn()
    names = "\n".join(" ".join(sorted(each)) for each in sets).encode("utf-8")
    if sys.byteorder == "big":
        for column in (uids, modseqs, places):
            column.byteswap()
    body = b"".join((
        _HEAD.pack(modseq, len(flags), len(names)),
        names, uids.tobytes(), modseqs.tobytes(), places.tobytes(),
    ))  # fmt: skip
    return _CHECKSUM.pack(crc32(body)) + body


async def _unpacked(octets: bytes, turn: Turn) -> tuple[int, Generation] | None:
    body = memoryview(octets)[_CHECKSUM.size :]
    if len(body) < _HEAD.size or crc32(body) != _CHECKSUM.unpack_from(octets)[0]:
        return None
    modseq, count, length = _HEAD.unpack_from(body)
    at = _HEAD.size
    names = str(body[at : at + length], "utf-8")
    sets = [interned(each.split()) for each in names.split("\n")]
    at += length
    uids, modseqs, places = array("I"), array("Q"), array("H")
    for column in (uids, modseqs, places):
        end = at + count * column.itemsize
        column.frombytes(body[at:end])
        at = end
        if sys.byteorder == "big":
            column.byteswap()
    flags: list[Flags] = []
    for first in range(0, count, _TOGETHER):
        flags += map(sets.__getitem__, places[first : first + _TOGETHER])
        await turn()
    generation = Generation()
    generation.extend(uids, flags, modseqs)
    return modseq, generation
