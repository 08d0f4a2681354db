"""The threads of some messages of a mailbox, anew or from those of nearly the same messages.

Rules of this file:

* Messages are called by UID, in whose order they are in the mailbox.
* When messages come or go, those that are tied to them (`imapd.query.ties`) are threaded again,
  and no others: the answer is what threading everything would give.
* An answer does not change, but for what is found out about it later: sessions share it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, count, islice
from typing import Any, Final, TypeVar

from attrs import define, evolve, field

from imapd.model.limits import Limits
from imapd.query.blocks import runs
from imapd.query.criteria import CRITERIA, Criterion
from imapd.query.links import LINKS, SUBJECT
from imapd.query.pieces import Pieces, done, in_pieces
from imapd.query.references import Links
from imapd.query.sort import keys
from imapd.query.source import Columns, placed
from imapd.query.thread import Algorithm, Searched
from imapd.query.ties import Ties

__all__ = ["Threaded", "positions", "threaded", "where"]

_T = TypeVar("_T")

_LIMITS: Final = Limits()
#: Messages that are written, and threads that are copied, at once.
_WRITTEN: Final = 5_000
_COPIED: Final = 20_000
#: Columns of all are read if at least one message in so many is wanted.
_DENSE: Final = 8
#: Everything is threaded anew when one in so many messages would have to be.
_MANY: Final = 2
#: And when so many messages are known for each that is there.
_STALE: Final = 2


@define(eq=False)
class Threaded:
    """An answer."""

    algorithm: Algorithm
    #: All messages, ascending.
    uids: array[int] = field(repr=False)
    ties: Ties = field(repr=False)
    #: Each thread as it is written, a ``%d`` for each message.
    shapes: list[bytes] = field(repr=False)
    #: Where the messages of each end among `members`, in the order in which they are written.
    ends: array[int] = field(repr=False)
    members: array[int] = field(repr=False)
    #: By what each comes where it does: a date, and the message that has it.
    dates: array[int] = field(repr=False)
    heads: array[int] = field(repr=False)
    #: Where each of `members` is among `uids`; None: nobody has asked yet.
    positions: array[int] | None = field(default=None, repr=False)
    #: How many messages have come or gone since the store was given it; None: it never was.
    changed: int | None = None

    def written(self) -> Iterator[tuple[bytes, slice]]:
        """``1*thread-list`` in pieces, each with which of `members` are to be put into it."""
        thread = begun = 0
        while thread < len(self.ends):
            after = max(thread + 1, bisect_right(self.ends, begun + _WRITTEN, thread))
            shape = b"".join(self.shapes[thread:after])
            stop = self.ends[after - 1]
            while stop - begun > _WRITTEN:
                *parts, shape = shape.split(b"%d", _WRITTEN)
                yield b"%d".join([*parts, b""]), slice(begun, begun + _WRITTEN)
                begun += _WRITTEN
            yield shape, slice(begun, stop)
            thread, begun = after, stop


async def threaded(
    source: Columns,
    places: Sequence[int],
    algorithm: Algorithm,
    before: Threaded | None = None,
    limits: Limits = _LIMITS,
) -> Threaded:
    """The threads of the messages at `places`, ascending; those that are gone are left out.

    `before` is an answer of the same algorithm about the same mailbox.  Raises
    `TooManyReferences`.
    """
    if before is not None:
        after = await _updated(before, source, _uids_at(source, places), limits)
        if after is not None:
            return after
    return await _anew(source, places, algorithm, limits)


async def _anew(
    source: Columns, places: Sequence[int], algorithm: Algorithm, limits: Limits
) -> Threaded:
    there, searched = await _searched(source, places, algorithm)
    searched = evolve(searched, most=limits.thread_references)
    return await _done(source, _made(_uids_at(source, there), searched, algorithm))


async def _searched(
    source: Columns, places: Sequence[int], algorithm: Algorithm
) -> tuple[Sequence[int], Searched]:
    """Which of the places there are, and what the algorithm looks at there."""
    count = len(source.uids)
    if count > len(places) > count // _DENSE:
        # What is there of all is faster to be had.
        there, every = await _searched(source, range(count), algorithm)
        if len(there) == count:
            return places, await _done(source, _picked(every, places))
    wanted: dict[str, Criterion] = {"sent": CRITERIA["DATE"]}
    if algorithm.subjects:
        wanted["subjects"] = Criterion(SUBJECT.name)
    if algorithm.arrivals:
        wanted["arrived"] = CRITERIA["ARRIVAL"]
    links, linked = Links(), places
    if algorithm.links:
        links, linked = await _links(source, places)
    there, columns = await keys(source, linked, tuple(wanted.values()))
    if len(there) < len(linked) and algorithm.links:
        # Some are gone, of which the links were at hand.
        links = await _done(source, _linked(links, linked, there))
    known: dict[str, Any] = dict(zip(wanted, columns))
    return there, Searched(links, **known)


def _picked(searched: Searched, places: Sequence[int]) -> Pieces[Searched]:
    """The same of some of the messages."""
    links = yield from _links_at(searched.links, places)
    columns: dict[str, Any] = {name: [] for name in ("subjects", "sent", "arrived")}
    for some in in_pieces(places):
        for name, column in columns.items():
            values = getattr(searched, name)
            if values:
                column += map(values.__getitem__, some)
        yield
    return evolve(searched, links=links, **columns)


def _linked(links: Links, linked: Sequence[int], there: Sequence[int]) -> Pieces[Links]:
    """Of links of messages at places, those of the ones that are there."""
    positions: list[int] = []
    left = set(there)
    at = 0
    for some in in_pieces(linked):
        positions += [position for position, place in enumerate(some, at) if place in left]
        at += len(some)
        yield
    return (yield from _links_at(links, positions))


def _links_at(links: Links, places: Sequence[int]) -> Pieces[Links]:
    picked = Links()
    if not links.sizes:
        return picked
    starts = array("Q", (0,))
    for sizes in in_pieces(links.sizes):
        starts.extend(islice(accumulate(sizes, initial=starts[-1]), 1, None))
        yield
    for some in in_pieces(places):
        picked.sizes.extend(map(links.sizes.__getitem__, some))
        for place in some:
            picked.numbers.extend(links.numbers[starts[place] : starts[place + 1]])
        yield
    return picked


async def _links(source: Columns, places: Sequence[int]) -> tuple[Links, Sequence[int]]:
    """Of those that are there; and where they are."""
    links = Links()
    there: list[int] = []
    async for some, batch in placed(source, places, frozenset((LINKS.name,))):
        there += some
        links.add(*runs(batch.columns[LINKS.name]))
        await source.turn()
    return links, places if len(there) == len(places) else there


def _made(uids: array[int], searched: Searched, algorithm: Algorithm) -> Pieces[Threaded]:
    threads = yield from algorithm.threads(searched)
    ties = yield from Ties.of(uids, searched, algorithm)
    made = Threaded(
        algorithm, uids, ties, threads.shapes, ends=array("Q"), members=array("I"),
        dates=array("q"), heads=array("I"), positions=array("I", threads.members),
    )  # fmt: skip
    yield
    end = 0
    for sizes in in_pieces(threads.sizes):
        made.ends.extend(islice(accumulate(sizes, initial=end), 1, None))
        end = made.ends[-1]
    for some in in_pieces(threads.members):
        made.members.extend(map(uids.__getitem__, some))
        yield
    dates = searched.arrived if algorithm.arrivals else searched.sent
    for some in in_pieces(threads.heads):
        made.heads.extend(map(uids.__getitem__, some))
        made.dates.extend(map(dates.__getitem__, some))
        yield
    return made


async def positions(source: Columns, answer: Threaded) -> array[int]:
    """The positions of an answer, found out if need be."""
    if answer.positions is None:
        answer.positions = await _done(source, where(answer))
    return answer.positions


def where(answer: Threaded) -> Pieces[array[int]]:
    """Where each of its `members` is among its `uids`."""
    place_of: dict[int, int] = {}
    places = count()
    for uids in in_pieces(answer.uids):
        place_of.update(zip(uids, places))
        yield
    found = array("I")
    for some in in_pieces(answer.members):
        found.extend(map(place_of.__getitem__, some))
        yield
    return found


async def _updated(
    before: Threaded, source: Columns, uids: array[int], limits: Limits
) -> Threaded | None:
    """The answer for these messages; None if it is better to begin anew."""
    if before.uids == uids:
        return before
    gone, come = await _done(source, _differences(before.uids, uids))
    if (len(gone) + len(come)) * _MANY > len(uids) or len(before.ties.uids) > _STALE * len(uids):
        return None
    algorithm = before.algorithm
    there, searched = await _searched(source, _places_of(source, come), algorithm)
    new = await _done(source, Ties.of(_uids_at(source, there), searched, algorithm))
    labels, tied = await _done(source, before.ties.tied(gone, new))
    again = sorted({*tied, *come}.difference(gone))
    if len(again) * _MANY > len(uids):
        return None
    part = await _anew(source, _places_of(source, again), algorithm, limits)
    if len(part.uids) < len(again):
        vanished = {*again}.difference(part.uids)
        uids = array("I", (uid for uid in uids if uid not in vanished))
    ties = await _done(source, before.ties.renewed(labels, part.ties))
    joined = _joined(before, {*tied, *gone}, part)
    changed = None if before.changed is None else before.changed + len(gone) + len(come)
    return evolve(await _done(source, joined), uids=uids, ties=ties, changed=changed)


def _differences(one: array[int], other: array[int]) -> Pieces[tuple[set[int], list[int]]]:
    """What is only in the one, and what is only in the other, both ascending."""
    gone: set[int] = set()
    come: list[int] = []
    at = 0
    for mine in in_pieces(one):
        stop = bisect_right(other, mine[-1], at)
        theirs = other[at:stop]
        if mine != theirs:
            gone.update(set(mine).difference(theirs))
            come += sorted(set(theirs).difference(mine))
            yield
        at = stop
    come += other[at:]
    return gone, come


def _joined(before: Threaded, without: Collection[int], part: Threaded) -> Pieces[Threaded]:
    """One answer's threads without some messages, whose threads vanish whole, and another's threads."""
    made = evolve(before, shapes=[], ends=array("Q"), members=array("I"),
                  dates=array("q"), heads=array("I"), positions=None)  # fmt: skip
    old = range(len(before.heads))
    #: Places in `before` where something is to be done, and the thread that comes in there, or None:
    #: the one that is there vanishes.
    events: list[tuple[int, int | None]] = []
    for some in in_pieces(old):
        events += [
            (at, None) for at in some if before.members[before.ends[at - 1] if at else 0] in without
        ]
        yield
    dates, heads = before.dates, before.heads
    for new, key in enumerate(zip(part.dates, part.heads)):
        at = bisect_left(old, key, key=lambda at: (dates[at], heads[at]))
        events.append((at, new))
    events.sort(key=lambda event: (event[0], event[1] is None))
    done = 0
    for at, comes in events:
        yield from _copied(before, done, at, made)
        done = at
        if comes is None:
            done += 1
        else:
            _copy(part, comes, comes + 1, made)
    yield from _copied(before, done, len(old), made)
    return made


def _copied(one: Threaded, start: int, stop: int, other: Threaded) -> Pieces[None]:
    """Put neighbouring threads of the one behind those of the other."""
    for at in range(start, stop, _COPIED):
        _copy(one, at, min(at + _COPIED, stop), other)
        if stop - at >= _COPIED:
            yield


def _copy(one: Threaded, start: int, stop: int, other: Threaded) -> None:
    begin = one.ends[start - 1] if start else 0
    further = len(other.members) - begin
    other.shapes.extend(one.shapes[start:stop])
    other.ends.extend(map(further.__add__, one.ends[start:stop]))
    other.members.extend(one.members[begin : one.ends[stop - 1]])
    other.dates.extend(one.dates[start:stop])
    other.heads.extend(one.heads[start:stop])


async def _done(source: Columns, pieces: Pieces[_T]) -> _T:
    return await done(pieces, source.turn)


def _uids_at(source: Columns, places: Sequence[int]) -> array[int]:
    uids = source.uids
    if isinstance(places, range) and places.step == 1:
        uids = uids[places.start : places.stop]
        return uids if isinstance(uids, array) else array("I", uids)
    return array("I", map(uids.__getitem__, places))


def _places_of(source: Columns, uids: Sequence[int]) -> list[int]:
    return [bisect_left(source.uids, uid) for uid in uids]
