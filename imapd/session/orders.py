"""The orders that sorts have put a mailbox in, kept with its image: each is made once.

Rules of this file:

* An order is kept by places, of the UIDs that its generation has; for another generation
  it is translated.  Values are not kept: where a new message belongs, the store is asked.
* Only a session that is up to date leaves an order behind, and few are kept of a mailbox.
* Those of a large mailbox are left with the store as they were when they were made.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Final

from attrs import frozen

from imapd.query.criteria import Criterion
from imapd.query.places import Places
from imapd.query.sort import arranged, gaps
from imapd.query.source import Columns
from imapd.session.kept_orders import WORTH_KEEPING, keep, load
from imapd.session.view import View

__all__ = ["ordered"]

#: Orders of one mailbox; each takes four octets a message.
_KEPT: Final = 6
#: A mailbox smaller than this, or so small a part of one, is sorted each time.
_LEAST: Final = 512
_PART: Final = 8
#: New messages that are put into an order one by one; it is made afresh for more.
_SINGLY: Final = 32
#: Messages of an order that are picked from at once.
_PICKED: Final = 16_384
#: Neighbours that are compared at once: most have not vanished.
_ALIKE: Final = 512


@frozen
class _Order:
    uids: array[int]
    #: How many of these, from the first, are in it.
    count: int
    places: array[int]


async def ordered(
    view: View, source: Columns, places: Sequence[int], criteria: tuple[Criterion, ...]
) -> Sequence[int]:
    """`places` of the view, which ascend, in order."""
    count = len(source.uids)
    if count < _LEAST or not all(criterion.lasting for criterion in criteria):
        return await arranged(source, places, criteria)
    orders: dict[tuple[Criterion, ...], _Order] = view.image.kept.setdefault(__name__, {})
    known = orders.get(criteria)
    if known is None and len(places) * _PART < count:
        return await arranged(source, places, criteria)
    uids = view.generation.uids
    known = known or await _loaded(view, count, criteria)
    made = None if known is None else await _followed(source, uids, count, known, criteria)
    fresh = made is None
    if made is None:
        made = await arranged(source, range(count), criteria)
    if view.generation is view.image.generation and (
        known is None or known.uids is not uids or known.count < count
    ):
        orders[criteria] = _Order(uids, count, array("I", made))
        if fresh:
            await keep(view.mailbox, criteria, uids[:count], orders[criteria].places)
    if orders.get(criteria) is not None:
        orders[criteria] = orders.pop(criteria)  # it is the last to be forgotten
    while len(orders) > _KEPT:
        del orders[next(iter(orders))]
    await source.turn()
    return made if len(places) == count else await _some(source, made, places, count)


async def _loaded(view: View, count: int, criteria: tuple[Criterion, ...]) -> _Order | None:
    if count < WORTH_KEEPING:
        return None
    found = await load(view.mailbox, criteria)
    return None if found is None else _Order(found[0], len(found[0]), found[1])


async def _some(
    source: Columns, order: Sequence[int], places: Sequence[int], count: int
) -> Sequence[int]:
    wanted = _octets(places, count)
    found: list[int] = []
    for at in range(0, len(order), _PICKED):
        some = order[at : at + _PICKED]
        found += compress(some, map(wanted.__getitem__, some))
        await source.turn()
    return found


def _octets(places: Sequence[int], count: int) -> Sequence[int]:
    """1 for each of the places, 0 for others."""
    if isinstance(places, Places):
        return places.octets
    octets = bytearray(count)
    if isinstance(places, range):
        octets[places.start : places.stop] = b"\1" * len(places)
    else:
        for place in places:
            octets[place] = 1
    return octets


async def _followed(
    source: Columns, uids: array[int], count: int, known: _Order, criteria: tuple[Criterion, ...]
) -> Sequence[int] | None:
    """A known order, of the messages that are there now; None if too many have come since."""
    order: Sequence[int] = known.places
    if known.uids is not uids:
        order = _translated(order, known.uids[: known.count], uids[:count])
        await source.turn()
    elif known.count > count:
        order = [place for place in order if place < count]
    if len(order) == count:
        return order
    here = bytearray(count)
    for place in order:
        here[place] = 1
    fresh = [place for place in range(count) if not here[place]]
    if len(fresh) > _SINGLY:
        return None
    fresh = list(await arranged(source, fresh, criteria))
    merged: list[int] = []
    begun = 0
    for place, gap in zip(
        fresh, await gaps(source, len(order), order.__getitem__, fresh, criteria)
    ):
        merged += order[begun:gap]
        merged.append(place)
        begun = gap
    merged += order[begun:]
    return merged


def _translated(order: Sequence[int], old: array[int], new: array[int]) -> Sequence[int]:
    """Places among the old UIDs as places among the new; those that are not there are left out."""
    if old == new:
        return order
    moved: list[int] = []
    there = 0
    for start in range(0, len(old), _ALIKE):
        some = old[start : start + _ALIKE]
        if new[there : there + len(some)] == some:
            moved += range(there, there + len(some))
            there += len(some)
            continue
        for uid in some:
            while there < len(new) and new[there] < uid:
                there += 1
            moved.append(there if there < len(new) and new[there] == uid else -1)
    return [place for place in map(moved.__getitem__, order) if place >= 0]
