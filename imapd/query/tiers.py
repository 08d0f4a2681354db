"""Which segments are to be made one: small ones come often, large ones are rewritten seldom.

Pure: sizes in, a choice out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

__all__ = ["FULL", "Size", "joinable"]

#: Messages of a segment that is left as it is, and octets.
FULL: Final = 2_048
_LARGE: Final = 16 << 20
#: So many neighbours of a tier become one of the next.
_FAN: Final = 8
_TIERS: Final = (8, 64, 512, FULL)


@frozen
class Size:
    """Of one segment."""

    #: Messages that it has words of, and those of them that are still there.
    messages: int
    live: int
    octets: int

    @property
    def wasted(self) -> bool:
        """Most of what it is about is gone."""
        return 2 * self.live < self.messages


_END: Final = Size(FULL, FULL, 0)


def joinable(sizes: Sequence[Size]) -> tuple[int, int] | None:
    """From the first to before the second of neighbours to be made one; None if all is well.

    One alone is to be written again without what is gone.
    """
    for place, size in enumerate(sizes):
        if size.wasted:
            return place, place + 1
    for tier in _TIERS:
        start = 0
        for place, size in enumerate([*sizes, _END]):
            if size.messages >= tier or size.octets >= _LARGE:
                if place - start >= _FAN:
                    return start, _full(sizes, start, place)
                start = place + 1
    return None


def _full(sizes: Sequence[Size], start: int, stop: int) -> int:
    """How far they go until they are enough."""
    messages = octets = 0
    for place in range(start, stop):
        messages += sizes[place].messages
        octets += sizes[place].octets
        if messages >= FULL or octets >= _LARGE:
            return max(place + 1, start + 2)
    return stop
