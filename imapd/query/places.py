"""Many places of a mailbox as one octet each, and the numbers of those as clients read them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final, overload

__all__ = ["Places", "decimals"]

#: Numbers that are written at once.
_TOGETHER: Final = 1_000
_DIGITS: Final = tuple(b"%03d" % number for number in range(_TOGETHER))


class Places(Sequence[int]):
    """Ascending places: those whose octet is 1, and not 0.  They are listed when somebody wants them."""

    __slots__ = ("_listed", "octets")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self._listed: Sequence[int] | None = None

    def _list(self) -> Sequence[int]:
        if self._listed is None:
            self._listed = list(compress(range(len(self.octets)), self.octets))
        return self._listed

    def runs(self, names: Sequence[int] | None = None) -> list[tuple[int, int]]:
        """Where neighbours begin and end: the first and the last of each run, in `names`, by place."""
        every = int.from_bytes(self.octets, "little")
        if names is None:
            names = range(len(self.octets))
        firsts = compress(names, self._of(every & ~(every << 8)))
        lasts = compress(names, self._of(every & ~(every >> 8)))
        return list(zip(firsts, lasts))

    def _of(self, mask: int) -> bytes:
        return mask.to_bytes(len(self.octets), "little")

    def __len__(self) -> int:
        return int.from_bytes(self.octets, "little").bit_count()

    def __iter__(self) -> Iterator[int]:
        return iter(self._list())

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[int]: ...
    def __getitem__(self, key: int | slice) -> int | Sequence[int]:
        if key in (0, -1):
            place = self.octets.rfind(1) if key else self.octets.find(1)
            if place >= 0:
                return place
        return self._list()[key]


def decimals(numbers: Sequence[int], octets: bytes) -> Iterator[bytes]:
    """A space and a number, for each of the ascending `numbers` whose octet is 1, in pieces.

    Where all numbers of a thousand are there, their last digits are joined by what comes before.
    """
    at, count = 0, len(octets)
    while at < count:
        thousand, rest = divmod(numbers[at], _TOGETHER)
        most = min(count, at + _TOGETHER)
        stop = bisect_left(numbers, (thousand + 1) * _TOGETHER, at, most)
        if thousand and stop - at == _TOGETHER - rest:
            digits = list(compress(_DIGITS[rest:], octets[at:stop]))
            if digits:
                before = b" %d" % thousand
                yield before + before.join(digits)
        else:
            if thousand:
                stop = most
            some = tuple(compress(numbers[at:stop], octets[at:stop]))
            yield b" %d" * len(some) % some
        at = stop
