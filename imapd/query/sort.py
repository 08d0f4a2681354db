"""Messages by place to the same in the order of some criteria (RFC 5256, 3).

Rules of this file:

* What no criterion tells apart stays in the order of the mailbox: every sort is stable, and
  the last criterion is sorted by first.
* No call sorts more than a run: what is longer is sorted in runs, which are then merged a
  stretch of values at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from imapd.model.message import Column
from imapd.query.criteria import Criterion
from imapd.query.source import Columns, placed, values

__all__ = ["arranged", "gaps", "keys"]

#: Values that are sorted at once: two or three milliseconds, if they are strings.
_RUN: Final = 8_192

Turn = Callable[[], Awaitable[None]]


async def arranged(
    source: Columns, places: Sequence[int], criteria: Sequence[Criterion]
) -> Sequence[int]:
    """`places`, which ascend, in order; those that are gone are left out."""
    there, columns = await keys(source, places, criteria)
    order = list(range(len(there)))
    for criterion, column in reversed(tuple(zip(criteria, columns))):
        order = await _stable(order, column, criterion.reverse, source.turn)
    if isinstance(there, range) and there == range(len(order)):
        return order
    return list(map(there.__getitem__, order))


async def keys(
    source: Columns, places: Sequence[int], criteria: Sequence[Criterion]
) -> tuple[Sequence[int], Sequence[Sequence[Any]]]:
    """Which of the places there are, and a column of values for each criterion."""
    whole = {criterion.column for criterion in criteria if criterion.of is None}
    found = await values(source, places, whole)
    there = found.places
    columns: dict[Criterion, Sequence[Any]] = {}
    for criterion in criteria:
        if criterion.of is not None:
            columns[criterion] = await _taken(source, there, criterion.column, criterion.of)
            continue
        column = found.columns[criterion.column]
        if criterion.instead is not None and None in column:
            column = await _completed(source, there, column, criterion.instead)
        columns[criterion] = column
    return there, [columns[each] for each in criteria]


async def _taken(
    source: Columns, places: Sequence[int], name: Column, of: Callable[[Any], str]
) -> Sequence[str]:
    """What counts of a column, whose values may be large; of what is gone meanwhile, nothing."""
    found: dict[int, str] = {}
    async for some, batch in placed(source, places, frozenset((name,))):
        found.update(zip(some, map(of, batch.columns[name])))
        await source.turn()
    return [found.get(place, "") for place in places]


async def _completed(
    source: Columns, places: Sequence[int], column: Sequence[Any], instead: Column
) -> Sequence[Any]:
    """A column with another's values in place of None; what is gone meanwhile is 0."""
    missing = [place for place, value in zip(places, column) if value is None]
    found = await values(source, missing, (instead,))
    others = dict(zip(found.places, found.columns[instead]))
    return [
        others.get(place, 0) if value is None else value for place, value in zip(places, column)
    ]


async def gaps(
    source: Columns,
    count: int,
    place_at: Callable[[int], int],
    fresh: Sequence[int],
    criteria: Sequence[Criterion],
) -> Sequence[int]:
    """Before which of `count` messages in order each of some others belongs, which are in order too.

    `place_at` gives the place of one that is in order, -1 for one that is gone.  Few of
    them are looked at: the cost is that of the others, not of all.
    """
    known: dict[int, Sequence[Any] | None] = {}

    async def look(place: int) -> Sequence[Any] | None:
        if place not in known:
            there, columns = await keys(source, (place,), criteria) if place >= 0 else ((), ())
            known[place] = [column[0] for column in columns] if there else None
        return known[place]

    found: list[int] = []
    low = 0
    for place in fresh:
        values = await look(place)
        high = count
        while low < high and values is not None:
            middle = at = (low + high) // 2
            others = await look(place_at(at))
            while others is None and at + 1 < high:
                at += 1
                others = await look(place_at(at))
            if others is not None and _follows(place, values, place_at(at), others, criteria):
                low = at + 1
            else:
                high = middle
        found.append(low)
    return found


def _follows(
    place: int,
    mine: Sequence[Any],
    other: int,
    theirs: Sequence[Any],
    criteria: Sequence[Criterion],
) -> bool:
    for my, their, criterion in zip(mine, theirs, criteria):
        if my != their:
            return bool(my > their) is not criterion.reverse
    return place > other


async def _stable(order: list[int], column: Sequence[Any], reverse: bool, turn: Turn) -> list[int]:
    """`order`, rows of a column, by the values there."""
    if reverse:
        # Of equal ones the first stays first, as with sort(reverse=True).
        order.reverse()
    value = column.__getitem__
    if len(order) <= _RUN:
        order.sort(key=value)
        await turn()
    else:
        order = await _merged(await _runs(order, value, turn), value, turn)
    if reverse:
        order.reverse()
    return order


async def _runs(
    order: list[int], value: Callable[[int], Any], turn: Turn
) -> Sequence[Sequence[int]]:
    runs = []
    for start in range(0, len(order), _RUN):
        run = order[start : start + _RUN]
        run.sort(key=value)
        runs.append(run)
        await turn()
    return runs


async def _merged(
    runs: Sequence[Sequence[int]], value: Callable[[int], Any], turn: Turn
) -> list[int]:
    """One run of several: of each the part that lies below a value, then below the next."""
    count = len(runs)
    step = max(1, _RUN // count)
    samples = sorted(value(row) for run in runs for row in run[step // 2 :: step])
    merged: list[int] = []
    begun = [0] * count
    for at in range(count, len(samples) + count, count):
        part: list[int] = []
        for number, run in enumerate(runs):
            stop = len(run)
            if at < len(samples):
                stop = bisect_left(run, samples[at], begun[number], key=value)
            part += run[begun[number] : stop]
            begun[number] = stop
        part.sort(key=value)
        merged += part
        await turn()
    return merged
