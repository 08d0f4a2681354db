"""What SEARCH tells of the messages it found (RFC 9051, 7.3.4; RFC 4731; RFC 5182)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress, pairwise
from operator import sub
from typing import Any, Final

from attrs import field, frozen

from imapd.model.message import Column
from imapd.model.numset import NumSet
from imapd.query.places import Places, decimals

__all__ = ["Found", "in_order", "runs"]

#: Numbers that are written at once.
_TOGETHER: Final = 10_000


@frozen
class Found:
    """The messages that match, by place; the client calls them by number or UID."""

    #: Ascending, unless another order was asked for.
    places: Sequence[int] = field(repr=False)
    #: The UID of every place of the mailbox.
    uids: Sequence[int] = field(repr=False)
    by_uid: bool
    #: The return options asked for, by name: what some say depends on others.
    asked: frozenset[str]
    #: A column that the view has (FLAGS, MODSEQ), from a place to before another.
    known: Callable[[Column, int, int], Sequence[Any]] = field(repr=False)
    #: They are in another order than the mailbox's.
    in_order: bool = False
    #: What the grammar made of the return options, by name.
    said: Mapping[str, Any] = field(factory=dict, repr=False)
    #: Columns that return options asked for, by place.
    values: Mapping[Column, Mapping[int, Any]] = field(factory=dict, repr=False)

    #: What `gather` found out.
    _gathered: list[NumSet] = field(factory=list, init=False, repr=False)

    def gather(self) -> None:
        """Find out which of all places are neighbours, so that telling them is less at once."""
        if isinstance(self.places, Places) and not self._gathered:
            self._gathered.append(NumSet.ascending(self.places.runs(self._names)))

    def number(self, place: int) -> int:
        """What the client calls the message there."""
        return self.uids[place] if self.by_uid else place + 1

    def numbers(self) -> Sequence[int]:
        """What it calls them all."""
        return self._called(self.places)

    def _called(self, places: Sequence[int]) -> Sequence[int]:
        if isinstance(places, Places):
            return list(compress(self._names, places.octets))
        if self.by_uid:
            return [self.uids[place] for place in places]
        return [place + 1 for place in places]

    @property
    def _names(self) -> Sequence[int]:
        """What the client calls the message at each place."""
        return self.uids if self.by_uid else range(1, len(self.uids) + 1)

    def decimals(self) -> Iterator[bytes]:
        """A space and the number of each, in pieces."""
        if isinstance(self.places, Places):
            yield from decimals(self._names, self.places.octets)
            return
        numbers = self.numbers()
        for at in range(0, len(numbers), _TOGETHER):
            some = tuple(numbers[at : at + _TOGETHER])
            yield b" %d" * len(some) % some

    def sequence(self, places: Sequence[int]) -> bytes:
        """Some of the places, in their order, as a sequence-set; there is one.

        It has no number but theirs (RFC 9051, 7.3.4: ALL).
        """
        if isinstance(places, Places):
            if places is self.places and self._gathered:
                together = self._gathered[0]
            else:
                together = NumSet.ascending(places.runs(self._names))
            # Else a number between two of them is none of them.
            if len(together) == len(places):
                return together.wire()
        numbers = self._called(places)
        return in_order(numbers) if self.in_order else NumSet.from_sorted(numbers).wire()

    def saved(self, places: Sequence[int]) -> NumSet:
        """Places, ascending, as ``$`` keeps them: UIDs, a run of neighbours as one range.

        Between neighbours there is no UID that is, or will be, in use.
        """
        if isinstance(places, Places):
            return NumSet.ascending(places.runs(self.uids))
        return NumSet((self.uids[first], self.uids[stop - 1]) for first, stop in runs(places))


def in_order(numbers: Sequence[int]) -> bytes:
    """Numbers as a sequence-set in this order; a range is of those that ascend (RFC 5267, 3.2)."""
    count = len(numbers)
    starts = [
        0,
        *(at for at, step in enumerate(map(sub, numbers[1:], numbers), 1) if step != 1),
        count,
    ]
    if len(starts) == count + 1:
        return (b"%d," * count % tuple(numbers))[:-1]
    return b",".join(
        b"%d" % numbers[start]
        if start + 1 == stop
        else b"%d:%d" % (numbers[start], numbers[stop - 1])
        for start, stop in pairwise(starts)
    )


def runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending places as spans, from the first to before the second."""
    if isinstance(places, Places):
        yield from ((first, last + 1) for first, last in places.runs())
        return
    if len(places) and places[-1] - places[0] == len(places) - 1:
        yield places[0], places[-1] + 1
        return
    for first, last in NumSet.from_sorted(place + 1 for place in places).ranges:
        yield first - 1, last
