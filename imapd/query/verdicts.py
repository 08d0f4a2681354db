"""What searches have found out about messages, which never change: kept within bounds."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import compress
from typing import Final

from imapd.model.numset import EMPTY, NumSet
from imapd.model.search import Key

__all__ = ["Verdicts"]

#: Keys, and numbers in the sets of all of them, of which a range counts as many: a megabyte.
_KEYS: Final = 64
_NUMBERS: Final = 100_000
_RANGE: Final = 10


class Verdicts:
    """Of one mailbox: which messages passed a key, and which did not.

    Sets of messages are octets, 1 or 0, one for each of the UIDs given with them.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        #: By key, the one used last at the end: whose answer is known, and who passed.
        self._known: dict[Key, tuple[NumSet, array[int]]] = {}

    def recall(self, key: Key, uids: Sequence[int]) -> tuple[bytes, bytes]:
        """Of whom the answer is known, and who passed."""
        found = self._known.pop(key, None)
        if found is None:
            return bytes(len(uids)), bytes(len(uids))
        self._known[key] = found
        decided, passed = found
        known = bytearray(len(uids))
        for low, high in decided.ranges:
            start = bisect_left(uids, low)
            stop = bisect_right(uids, high, start)
            known[start:stop] = b"\1" * (stop - start)
        return bytes(known), bytes(map(set(passed).__contains__, uids))

    def learn(self, key: Key, uids: Sequence[int], known: bytes, passed: bytes) -> None:
        """Remember it; who passed is known."""
        decided, matched = self._known.pop(key, (EMPTY, array("I")))
        decided |= _set(uids, known)
        more = array("I", compress(uids, passed))
        if matched and more and more[0] <= matched[-1]:
            matched = array("I", sorted({*matched, *more}))
        else:
            matched = matched + more
        self._known[key] = decided, matched
        while len(self._known) > 1 and (
            len(self._known) > _KEYS or sum(map(_size, self._known.values())) > _NUMBERS
        ):
            del self._known[next(iter(self._known))]
        if _size(self._known[key]) > _NUMBERS:
            del self._known[key]


def _set(uids: Sequence[int], octets: bytes) -> NumSet:
    if uids and all(octets):
        # Others between them are not there, and never will be.
        return NumSet([(uids[0], uids[-1])])
    return NumSet.from_sorted(compress(uids, octets))


def _size(entry: tuple[NumSet, array[int]]) -> int:
    return _RANGE * len(entry[0].ranges) + len(entry[1])
