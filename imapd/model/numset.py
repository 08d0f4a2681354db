"""Sets of message numbers: as a client writes them, and as they are."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen

__all__ = ["EMPTY", "STAR", "NumSet", "SequenceSet"]

#: The largest number in use, ``*`` (RFC 9051, 9: seq-number).
STAR: Final = 0

Range = tuple[int, int]

#: Numbers of a column that are looked at together.
_PIECE: Final = 1_024


class NumSet:
    """An immutable set of positive numbers, kept as ascending ranges that do not touch."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        merged: list[Range] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        self.ranges: Sequence[Range] = merged

    @classmethod
    def of(cls, *numbers: int) -> NumSet:
        """The set of these numbers, in any order."""
        return cls.from_sorted(sorted(set(numbers)))

    @classmethod
    def from_sorted(cls, numbers: Iterable[int]) -> NumSet:
        """The set of numbers that ascend strictly: linear, nothing is compared twice."""
        made = cls()
        ranges: list[Range] = []
        low = high = -1
        for number in numbers:
            if number == high + 1:
                high = number
            else:
                if high > 0:
                    ranges.append((low, high))
                low = high = number
        if high > 0:
            ranges.append((low, high))
        made.ranges = ranges
        return made

    @classmethod
    def of_column(cls, column: array[int]) -> NumSet:
        """The set of a column of numbers that ascend strictly; pieces without gaps are not gone through."""
        ranges: list[Range] = []
        for at in range(0, len(column), _PIECE):
            some = column[at : at + _PIECE]
            found: Sequence[Range] = [(some[0], some[-1])]
            if some[-1] - some[0] >= len(some):
                found = cls.from_sorted(some).ranges
            if ranges and ranges[-1][1] + 1 == found[0][0]:
                ranges[-1] = ranges[-1][0], found[0][1]
                found = found[1:]
            ranges += found
        return cls.ascending(ranges)

    @classmethod
    def ascending(cls, ranges: Sequence[Range]) -> NumSet:
        """The set of ranges that ascend and do not touch: nothing is compared."""
        made = cls()
        made.ranges = ranges
        return made

    @property
    def first(self) -> int:
        """The smallest member; the set is not empty."""
        return self.ranges[0][0]

    @property
    def last(self) -> int:
        """The largest member; the set is not empty."""
        return self.ranges[-1][1]

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __len__(self) -> int:
        return sum(high - low for low, high in self.ranges) + len(self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        place = bisect_right(self.ranges, (number, 1 << 64)) - 1
        return place >= 0 and self.ranges[place][0] <= number <= self.ranges[place][1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumSet) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(tuple(self.ranges))

    def __or__(self, other: NumSet) -> NumSet:
        return NumSet([*self.ranges, *other.ranges])

    def __and__(self, other: NumSet) -> NumSet:
        made = NumSet()
        shared: list[Range] = []
        mine, theirs = self.ranges, other.ranges
        i = j = 0
        while i < len(mine) and j < len(theirs):
            low = max(mine[i][0], theirs[j][0])
            high = min(mine[i][1], theirs[j][1])
            if low <= high:
                shared.append((low, high))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        made.ranges = shared
        return made

    def __sub__(self, other: NumSet) -> NumSet:
        made = NumSet()
        left: list[Range] = []
        theirs = other.ranges
        j = 0
        for low, high in self.ranges:
            while j < len(theirs) and theirs[j][1] < low:
                j += 1
            k = j
            while k < len(theirs) and theirs[k][0] <= high:
                if theirs[k][0] > low:
                    left.append((low, theirs[k][0] - 1))
                low = theirs[k][1] + 1
                k += 1
            if low <= high:
                left.append((low, high))
        made.ranges = left
        return made

    def wire(self) -> bytes:
        """As RFC 9051, 9 writes a sequence-set; the set is not empty."""
        return b",".join(
            [b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in self.ranges]
        )

    def __repr__(self) -> str:
        return f"NumSet({self.wire().decode()!r})"


EMPTY: Final = NumSet()


@frozen
class SequenceSet:
    """A set as a client wrote it: `STAR` stands for ``*``; `saved` for ``$`` (RFC 5182)."""

    ranges: tuple[Range, ...] = ()
    saved: bool = False

    def resolve(self, largest: int) -> NumSet:
        """The numbers meant when `largest` is the largest in use; 0 if nothing is.

        ``5:*`` is the last message when fewer than five exist (RFC 9051, 9: seq-range).
        """
        resolved = []
        for first, second in self.ranges:
            low, high = first or largest, second or largest
            if low > high:
                low, high = high, low
            if low > 0:
                resolved.append((low, high))
        return NumSet(resolved)
