"""Messages to threads: ORDEREDSUBJECT and REFERENCES (RFC 5256, 3), and REFS.

REFS is REFERENCES without its step 5, threads in the order of their last arrivals
(draft-ietf-morg-inthread-01, which Cyrus follows; Dovecot has the last sent dates instead).

Rules of this file:

* A message is a place among the searched ones, from 0, in the mailbox's order.
* Messages are taken in the order of their dates wherever that matters: so all lists of
  siblings come out sorted, and nothing is sorted twice.
* Nothing recurses, and nothing takes longer than in proportion to the messages and their
  references, but for a logarithm: a thread may be as deep as there are messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final

from attrs import define, field, frozen

from imapd.model.limits import Limits
from imapd.query.pieces import PIECE, Pieces, in_pieces
from imapd.query.references import Families, Links, families, gathered, linked, roots_of

__all__ = ["ALGORITHMS", "Algorithm", "Searched", "Threads", "ordered"]

#: Of threads of one message and of two.
_SHAPES: Final = (b"", b"(%d)", b"(%d %d)")


@frozen
class Searched:
    """What threads are made from, a column each; those that an algorithm does not use may be empty."""

    links: Links = field(factory=Links, repr=False)
    #: As `imapd.query.links.SUBJECT`.
    subjects: Sequence[int | None] = field(default=(), repr=False)
    #: Seconds since 1970.
    sent: Sequence[int] = field(default=(), repr=False)
    arrived: Sequence[int] = field(default=(), repr=False)
    #: How many references are followed.
    most: int = Limits().thread_references


@define
class Threads:
    """Threads in their order."""

    #: Each thread as it is written, a ``%d`` for each message.
    shapes: list[bytes] = field(factory=list, repr=False)
    #: How many messages each has.
    sizes: list[int] = field(factory=list, repr=False)
    #: The messages of all, in the order in which they are written.
    members: list[int] = field(factory=list, repr=False)
    #: The message by whose date each comes where it does.
    heads: list[int] = field(factory=list, repr=False)


#: So many dates show how far apart most are; so many messages are to be of nearly one date.
_SAMPLES: Final = 64
_NEAR: Final = 256


def ordered(
    dates: Sequence[int], places: Sequence[int] | None = None, bits: int = 64
) -> Pieces[list[int]]:
    """All places, or some that ascend, in the order of their dates; those of one date as they are.

    They are parted by their dates without the last few bits, fewer than `bits`: what differs in
    the bits before is not compared any more.
    """
    if places is None:
        places = range(len(dates))
    if len(places) <= PIECE:
        return sorted(places, key=dates.__getitem__)
    samples = sorted(dates[place] for place in places[:: len(places) // _SAMPLES])
    # Most: a few may be of any time.
    spread = samples[-len(samples) // 4] - samples[len(samples) // 4]
    shift = min(bits - 1, (spread * _NEAR // len(places)).bit_length())
    parts: dict[int, list[int]] = {}
    find = parts.get
    for some in in_pieces(places):
        for place in some:
            date = dates[place] >> shift
            part = find(date)
            if part is None:
                parts[date] = [place]
            else:
                part.append(place)
        yield
    found: list[int] = []
    done = 0
    for date in sorted(parts):
        part = parts[date]
        if shift:
            part = yield from ordered(dates, part, shift)
        found += part
        done += len(part)
        if done >= PIECE:
            done = 0
            yield
    return found


# ORDEREDSUBJECT.


def _ordered_subject(searched: Searched) -> Pieces[Threads]:
    order = yield from ordered(searched.sent)
    subjects = searched.subjects
    heads: dict[int, int] = {}
    #: The last message of each thread, and the next of each.
    last: dict[int, int] = {}
    after = [-1] * len(order)
    for some in in_pieces(order):
        for place in some:
            subject = (subjects[place] or 0) | 1
            if heads.setdefault(subject, place) != place:
                after[last[subject]] = place
            last[subject] = place
        yield
    found = Threads()
    done = 0
    for head in heads.values():
        before = len(found.members)
        place = head
        while place >= 0:
            found.members.append(place)
            place = after[place]
        size = len(found.members) - before
        found.shapes.append(_SHAPES[size] if size < 3 else b"(%%d %b)" % (b"(%d)" * (size - 1)))
        found.sizes.append(size)
        found.heads.append(head)
        done += size
        if done >= PIECE:
            done = 0
            yield
    return found


# REFERENCES and REFS.


def _references(searched: Searched) -> Pieces[Threads]:
    parents = yield from linked(searched.links, searched.most)
    order = yield from ordered(searched.sent)
    roots, kin = yield from families(parents, order)
    roots = yield from gathered(roots, kin, order, searched.subjects)
    count = len(order)
    heads: dict[int, int] = {}
    for some in in_pieces(roots):
        for root in some:
            heads[root if root < count else kin.first[root]] = root
        yield
    return (yield from _written(heads, kin, order))


def _refs(searched: Searched) -> Pieces[Threads]:
    parents = yield from linked(searched.links, searched.most)
    order = yield from ordered(searched.sent)
    _, kin = yield from families(parents, order)
    arrivals = yield from ordered(searched.arrived)
    root_of = yield from roots_of(parents, len(order))
    # The last of a thread to arrive stays.
    newest: dict[int, int] = {}
    for some in in_pieces(arrivals):
        newest.update((root_of[place], place) for place in some)
        yield
    heads: dict[int, int] = {}
    pairs = zip(newest.values(), newest)
    while len(heads) < len(newest):
        heads.update(islice(pairs, PIECE))
        yield
    return (yield from _written(heads, kin, arrivals))


# The response.


def _written(heads: dict[int, int], kin: Families, order: Sequence[int]) -> Pieces[Threads]:
    """The threads, each where its head comes in the order given."""
    threads = Threads()
    shapes, sizes, members = threads.shapes, threads.sizes, threads.members
    known: dict[bytes, bytes] = {}
    first = kin.first
    done = 0
    for some in in_pieces(order):
        here = [place for place in some if place in heads]
        threads.heads += here
        for place in here:
            root = heads[place]
            if first[root] < 0:
                shapes.append(_SHAPES[1])
                sizes.append(1)
                members.append(root)
                continue
            before = len(members)
            shape = yield from _shape(root, kin, len(order), members)
            shapes.append(known.setdefault(shape, shape))
            sizes.append(len(members) - before)
            if len(members) - done >= PIECE:
                done = len(members)
                yield
        yield
    return threads


def _shape(root: int, kin: Families, count: int, members: list[int]) -> Pieces[bytes]:
    """RFC 5256, 5: thread-list; the members are noted as they are written."""
    first, after = kin.first, kin.after
    pieces: list[bytes] = []
    #: Whose lists are still open.
    above: list[int] = []
    limit = len(members) + PIECE
    node = root
    while True:
        if node < count:
            pieces.append(b"(%d")
            members.append(node)
        else:
            pieces.append(b"(")
        below = first[node]
        while below >= 0 and after[below] < 0:
            pieces.append(b" %d")
            members.append(below)
            below = first[below]
            if len(members) >= limit:
                limit = len(members) + PIECE
                yield
        if below >= 0:
            if node < count:
                pieces.append(b" ")
            above.append(node)
            node = below
        else:
            pieces.append(b")")
            while above and after[node] < 0:
                node = above.pop()
                pieces.append(b")")
            if not above:
                return b"".join(pieces)
            node = after[node]
        if len(members) >= limit:
            limit = len(members) + PIECE
            yield


@frozen
class Algorithm:
    """``thread-alg``."""

    name: str
    threads: Callable[[Searched], Pieces[Threads]] = field(repr=False)
    #: What it looks at, besides the sent date.
    links: bool = False
    subjects: bool = False
    #: Its threads come in the order of arrivals, not of sent dates.
    arrivals: bool = False


#: By the names that THREAD has for them.
ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    each.name: each
    for each in (
        Algorithm("ORDEREDSUBJECT", _ordered_subject, subjects=True),
        Algorithm("REFERENCES", _references, links=True, subjects=True),
        Algorithm("REFS", _refs, links=True, arrivals=True),
    )
}
