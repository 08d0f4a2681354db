"""Which blocks of a mailbox messages lie in: UIDs to spans of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen

from imapd.model.numset import NumSet
from imapd.query.source import Span

__all__ = ["LAST", "Piece", "number_of", "numbers_of", "pieces", "span_of"]

#: UIDs of a block: the first has those from 1 on.
_SPAN: Final = 1_024
#: No block has a larger number.
LAST: Final = (1 << 32) // _SPAN


def number_of(uid: int) -> int:
    """The block that a UID lies in."""
    return (uid - 1) // _SPAN + 1


def span_of(number: int) -> tuple[int, int]:
    """The first and the last UID of a block."""
    return (number - 1) * _SPAN + 1, number * _SPAN


@frozen
class Piece:
    """Of one block, those that are asked for: where they are in the view."""

    number: int
    spans: Sequence[Span]
    #: Where all of the block is.
    start: int
    stop: int

    @classmethod
    def of(cls, known: Sequence[int], number: int, spans: Sequence[Span]) -> Piece:
        """With where its block is, which is as long as its span at most."""
        first, last = spans[0][0], spans[-1][1]
        start = bisect_left(known, (number - 1) * _SPAN + 1, max(0, first - _SPAN), first)
        stop = bisect_left(known, number * _SPAN + 1, last, min(len(known), last + _SPAN))
        return cls(number, spans, start, stop)

    @property
    def whole(self) -> bool:
        """It is all of the block."""
        return self.spans == [(self.start, self.stop)]

    def uids(self, known: Sequence[int]) -> NumSet:
        """The messages that are asked for."""
        return NumSet((known[start], known[stop - 1]) for start, stop in self.spans)


def pieces(known: Sequence[int], uids: NumSet) -> Iterator[Piece]:
    """Those of `uids` that are among `known`, the UIDs of a view, block by block."""
    number, spans = 0, list[Span]()
    for low, high in uids.ranges:
        start = bisect_left(known, low)
        stop = bisect_left(known, high + 1, start)
        while start < stop:
            here = number_of(known[start])
            end = bisect_left(known, here * _SPAN + 1, start, min(stop, start + _SPAN))
            if here != number:
                if spans:
                    yield Piece.of(known, number, spans)
                number, spans = here, []
            spans.append((start, end))
            start = end
    if spans:
        yield Piece.of(known, number, spans)


def numbers_of(known: Sequence[int]) -> NumSet:
    """The blocks that there are, and those that are still to come."""
    found = []
    at = 0
    while at < len(known):
        number = number_of(known[at])
        found.append((number, number))
        at = bisect_left(known, number * _SPAN + 1, at, min(len(known), at + _SPAN))
    return NumSet([*found, (number_of(known[-1]), LAST)])
