"""The messages of one mailbox as queries ask for them, and columns of many of them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Final, Protocol

from attrs import field, frozen

from imapd.model.message import Batch, Column
from imapd.model.numset import NumSet
from imapd.model.search import Recent, SequenceNumbers, UIDs
from imapd.model.text import Sought, Told
from imapd.query.results import runs
from imapd.query.text import MessageText
from imapd.query.verdicts import Verdicts

__all__ = ["Columns", "Numbers", "Source", "Span", "Values", "placed", "values"]

#: Of a range with at least one wanted place in so many, all values are taken at first.
_DENSE: Final = 8

#: Places from the first to before the second.
Span = tuple[int, int]
Numbers = SequenceNumbers | UIDs | Recent


class Columns(Protocol):
    """The messages of one mailbox by place, 0 the first, and columns of them."""

    @property
    def uids(self) -> Sequence[int]:
        """The UID of each place, ascending."""

    def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """Columns, complete, of those that are still there, in ascending order."""

    async def turn(self) -> None:
        """Let others have their turn; raises if there is no one to answer any more."""


class Source(Columns, Protocol):
    """All that queries ask of them."""

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """The places that a key by number means, ascending."""

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """A column of Cost.VIEW."""

    @property
    def verdicts(self) -> Verdicts:
        """What was found out about these messages before, kept for the next search."""

    def told(self, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """What an index knows of messages with UIDs from `low` to `high`; it may know nothing."""

    async def message(self, uid: int) -> MessageText | None:
        """A message, to be closed; None if it is gone."""


@frozen
class Values:
    """Columns of messages; every column has one entry a place."""

    #: Ascending.
    places: Sequence[int]
    columns: Mapping[Column, Sequence[Any]] = field(repr=False)


async def values(source: Columns, places: Sequence[int], columns: Iterable[Column]) -> Values:
    """Columns of the messages at `places`, ascending; those that are gone are left out."""
    names = frozenset(columns)
    if places and len(places) < places[-1] + 1 - places[0] <= len(places) * _DENSE:
        return _of_many(places, await values(source, range(places[0], places[-1] + 1), names))
    there: list[int] = []
    found: dict[Column, list[Any]] = {name: [] for name in names}
    async for some, batch in placed(source, places, names):
        there += some
        for name, column in found.items():
            column += batch.columns[name]
        await source.turn()
    return Values(places if len(there) == len(places) else there, found)


def _of_many(places: Sequence[int], whole: Values) -> Values:
    """Most of the values from the first place to the last."""
    first = places[0]
    wanted = bytearray(places[-1] + 1 - first)
    for place in places:
        wanted[place - first] = 1
    if len(whole.places) < len(wanted):
        wanted = bytearray(wanted[place - first] for place in whole.places)
    return Values(
        list(compress(whole.places, wanted)),
        {name: list(compress(column, wanted)) for name, column in whole.columns.items()},
    )


async def placed(
    source: Columns, places: Sequence[int], columns: frozenset[Column]
) -> AsyncIterator[tuple[Sequence[int], Batch]]:
    """Batches of the messages at `places`, ascending, each with the places of its entries."""
    uids = source.uids
    place_of: dict[int, int] | None = None
    at = 0
    if not places:
        return
    asked = NumSet([(uids[first], uids[stop - 1]) for first, stop in runs(places)])
    async for batch in source.scan(asked, columns):
        if not batch.uids:
            continue
        stop = at + len(batch.uids)
        # As many, with the same ends, and all are wanted: the same messages.
        if (
            stop <= len(places)
            and batch.uids[0] == uids[places[at]]
            and batch.uids[-1] == uids[places[stop - 1]]
        ):
            yield places[at:stop], batch
            at = stop
        else:
            if place_of is None:
                place_of = {uids[place]: place for place in places}
            yield [place_of[uid] for uid in batch.uids], batch
            at = len(places)
