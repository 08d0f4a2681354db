"""What SEARCH tells of the messages it found (RFC 9051, 7.3.4; RFC 4731; RFC 5182)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import field, frozen

from imapd.model.message import Column
from imapd.model.numset import NumSet

__all__ = ["Found", "runs"]


@frozen
class Found:
    """The messages that match, by place, ascending; the client calls them by number or UID."""

    places: Sequence[int] = field(repr=False)
    #: The UID of every place of the mailbox.
    uids: Sequence[int] = field(repr=False)
    by_uid: bool
    #: The return options asked for, by name: what some say depends on others.
    asked: frozenset[str]
    #: A column that the view has (FLAGS, MODSEQ), from a place to before another.
    known: Callable[[Column, int, int], Sequence[Any]] = field(repr=False)

    def number(self, place: int) -> int:
        """What the client calls the message there."""
        return self.uids[place] if self.by_uid else place + 1

    def numbers(self) -> Sequence[int]:
        """What it calls them all."""
        if self.by_uid:
            return [self.uids[place] for place in self.places]
        return [place + 1 for place in self.places]

    def numset(self) -> NumSet:
        """The same as a set, which has no number but these (RFC 9051, 7.3.4: ALL)."""
        return NumSet.from_sorted(self.numbers())

    def saved(self, places: Sequence[int]) -> NumSet:
        """Places as ``$`` keeps them: UIDs, a run of neighbours as one range.

        Between neighbours there is no UID that is, or will be, in use.
        """
        return NumSet((self.uids[first], self.uids[stop - 1]) for first, stop in runs(places))


def runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending places as spans, from the first to before the second."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        yield places[0], places[-1] + 1
        return
    for first, last in NumSet.from_sorted(place + 1 for place in places).ranges:
        yield first - 1, last
