"""A result that is kept up to date: what leaves it from where, and what comes to where (RFC 5267, 4.3).

A result is UIDs in its order.  What happens to it is told by pairs of a context position,
counted from 1, and UIDs in their order; who does what each says, in turn, has the result.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final

__all__ = ["Pair", "put", "take"]

Pair = tuple[int, Sequence[int]]

#: Changes that are made one by one; for more the result is made anew.
_SINGLY: Final = 16


def take(result: array[int], gone: Collection[int]) -> Sequence[Pair]:
    """Take UIDs out, those that are there: pairs from the end to the start."""
    places = _places(result, gone)
    pairs: list[Pair] = []
    for start, stop in _neighbours(places):
        pairs.append((start + 1, result[start:stop]))
    pairs.reverse()
    if len(pairs) <= _SINGLY:
        for position, uids in pairs:
            del result[position - 1 : position - 1 + len(uids)]
    else:
        left = array(result.typecode)
        begun = 0
        for position, uids in reversed(pairs):
            left += result[begun : position - 1]
            begun = position - 1 + len(uids)
        result[:] = left + result[begun:]
    return pairs


def put(result: array[int], fresh: Sequence[int], gaps: Sequence[int]) -> Sequence[Pair]:
    """Put UIDs, in order, before those at the places `gaps`: pairs from the start to the end."""
    pairs: list[Pair] = []
    made = array(result.typecode)
    begun = 0
    for start, stop in _alike(gaps):
        gap, some = gaps[start], fresh[start:stop]
        pairs.append((gap + start + 1, some))
        if len(fresh) > _SINGLY:
            made += result[begun:gap]
            made.extend(some)
            begun = gap
        else:
            result[gap + start : gap + start] = array(result.typecode, some)
    if len(fresh) > _SINGLY:
        result[:] = made + result[begun:]
    return pairs


def _places(result: array[int], gone: Collection[int]) -> Sequence[int]:
    """Where they are, ascending."""
    if len(gone) > _SINGLY:
        return [place for place, uid in enumerate(result) if uid in gone]
    octets, size = result.tobytes(), result.itemsize
    found: list[int] = []
    for uid in gone:
        wanted = array(result.typecode, (uid,)).tobytes()
        at = octets.find(wanted)
        while at > 0 and at % size:  # it begins in the middle of another
            at = octets.find(wanted, at + 1)
        if at >= 0:
            found.append(at // size)
    return sorted(found)


def _neighbours(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending places as runs, from the first to before the second."""
    breaks = [at for at, (one, other) in enumerate(pairwise(places), 1) if other != one + 1]
    for start, stop in pairwise([0, *breaks, len(places)]):
        if start < stop:
            yield places[start], places[stop - 1] + 1


def _alike(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of one value."""
    breaks = [at for at, (one, other) in enumerate(pairwise(values), 1) if other != one]
    for start, stop in pairwise([0, *breaks, len(values)]):
        if start < stop:
            yield start, stop
