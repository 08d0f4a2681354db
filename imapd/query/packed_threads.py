"""An answer of THREAD as octets, and back."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Any, Final
from zlib import crc32

from imapd.query.blocks import Damaged
from imapd.query.pieces import Pieces, in_pieces
from imapd.query.thread import Algorithm
from imapd.query.threaded import Threaded, where
from imapd.query.ties import Ties

__all__ = ["pack", "unpack"]

#: The columns, in their order: of the messages, of the threads, and what `Ties` has.
_TYPES: Final = ("I", "I", "I", "Q", "q", "I", "I", *Ties.TYPES)
#: A checksum of all that follows it; the octets of the shapes and of each column.
_CHECKSUM: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct(f"<{1 + len(_TYPES)}Q")
#: Octets that are looked at in one piece of work.
_TOGETHER: Final = 1 << 20


def pack(answer: Threaded) -> Pieces[bytes]:
    """The octets of an answer."""
    shapes: dict[bytes, int] = {}
    chosen = array("I")
    for some in in_pieces(answer.shapes):
        chosen.extend([shapes.setdefault(shape, len(shapes)) for shape in some])
        yield
    if answer.positions is None:
        answer.positions = yield from where(answer)
    ties = yield from answer.ties.columns()
    columns = (answer.uids, answer.members, answer.positions, answer.ends, answer.dates,
               answer.heads, chosen, *ties)  # fmt: skip
    parts = [b"\n".join(shapes)]
    for type, column in zip(_TYPES, columns):
        parts.append(_little(array(type, column)).tobytes())
        yield
    parts.insert(0, _HEAD.pack(*map(len, parts)))
    checksum = 0
    for part in parts:
        checksum = yield from _sum(memoryview(part), checksum)
    return b"".join([_CHECKSUM.pack(checksum), *parts])


def unpack(algorithm: Algorithm, octets: bytes) -> Pieces[Threaded]:
    """The answer.  Raises `Damaged`."""
    body = memoryview(octets)[_CHECKSUM.size :]
    if len(body) < _HEAD.size or (yield from _sum(body)) != _CHECKSUM.unpack_from(octets)[0]:
        raise Damaged("threads are not what was kept")
    first, *sizes = _HEAD.unpack_from(body)
    at = _HEAD.size + first
    shapes = bytes(body[_HEAD.size : at]).split(b"\n")
    columns: list[array[Any]] = []
    for type, size in zip(_TYPES, sizes):
        column = array(type)
        column.frombytes(body[at : at + size])
        columns.append(_little(column))
        at += size
        yield
    uids, members, positions, ends, dates, heads, chosen, *ties = columns
    answer = Threaded(
        algorithm, uids, Ties.having(ties), [], ends, members, dates, heads, positions, changed=0
    )
    for some in in_pieces(chosen):
        answer.shapes.extend(map(shapes.__getitem__, some))
        yield
    return answer


def _little(column: array[Any]) -> array[Any]:
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _sum(octets: memoryview, checksum: int = 0) -> Pieces[int]:
    """The checksum of these octets behind those that gave `checksum`."""
    for at in range(0, len(octets), _TOGETHER):
        checksum = crc32(octets[at : at + _TOGETHER], checksum)
        yield
    return checksum
