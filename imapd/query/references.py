"""Messages to trees by what they refer to: steps 1 to 5 of REFERENCES (RFC 5256, 3).

Rules of this file:

* A node is a message, its place among the searched ones, or a dummy, any number beyond.
* Siblings are in the order of their dates, in which messages are taken.
* Message identifiers are numbers, as `imapd.query.links` makes them.
* Of nodes there are many: they are numbers in a few lists, which the garbage collector does not
  look through one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import define, field, frozen

from imapd.query.ancestry import Ancestry
from imapd.query.pieces import PIECE, Pieces, in_pieces

__all__ = ["Families", "Links", "TooManyReferences", "families", "gathered", "linked", "roots_of"]

#: Steps up a tree, of a piece.
_WALKED: Final = 50_000


class TooManyReferences(Exception):
    """More than can be followed at once."""


@frozen
class Links:
    """The identifiers of messages, one after another."""

    #: How many each has: its own, 0 if it has none, and those of its references in their order.
    sizes: array[int] = field(factory=lambda: array("I"), repr=False)
    #: All of them.
    numbers: array[int] = field(factory=lambda: array("Q"), repr=False)

    def add(self, sizes: Iterable[int], numbers: Iterable[int]) -> None:
        """Those of more messages."""
        self.sizes.extend(sizes)
        self.numbers.extend(numbers)


@define
class Families:
    """Who is whose child; -1 is nobody."""

    #: The eldest child of each node.
    first: list[int] = field(repr=False)
    #: The youngest, as far as it is there.
    last: list[int] = field(repr=False)
    #: The next of its siblings.
    after: list[int] = field(repr=False)

    @classmethod
    def of(cls, count: int) -> Families:
        """So many nodes, without children."""
        return cls([-1] * count, [-1] * count, [-1] * count)

    def add(self, parent: int, child: int) -> None:
        """One child more, the youngest."""
        last = self.last[parent]
        if last < 0:
            self.first[parent] = child
        else:
            self.after[last] = child
        self.last[parent] = child

    def dummy(self) -> int:
        """One node more."""
        for each in (self.first, self.last, self.after):
            each.append(-1)
        return len(self.first) - 1

    def children(self, node: int) -> Iterator[int]:
        """From the eldest on."""
        child = self.first[node]
        while child >= 0:
            yield child
            child = self.after[child]


def linked(links: Links, most: int) -> Pieces[list[int]]:
    """Step 1: the parent of each message and, behind them, of each dummy; -1 is nobody.

    Raises `TooManyReferences` if there are more than `most`.
    """
    count = len(links.sizes)
    if len(links.numbers) - count > most:
        raise TooManyReferences
    containers: dict[int, int] = {}
    at = place = 0
    for sizes in in_pieces(links.sizes):
        for size in sizes:
            containers.setdefault(links.numbers[at], place)
            place += 1
            at += size
        yield
    containers.pop(0, None)
    #: Identifiers of messages that are not there.  One dictionary of millions would be long in growing.
    strangers: list[dict[int, int]] = [{} for _ in range(256)]
    forest = Ancestry(count)
    parents, link, find = forest.parents, forest.link, containers.get
    done = 0
    numbers = iter(links.numbers)
    for place, size in enumerate(links.sizes):
        next(numbers)
        above = -1
        if size > 1:
            for identifier in islice(numbers, size - 1):
                container = find(identifier)
                if container is None:
                    others = strangers[identifier & 255]
                    container = others.get(identifier)
                    if container is None:
                        container = others[identifier] = forest.add()
                if above >= 0 and parents[container] < 0 and not link(container, above):
                    assert forest.paths is not None
                    yield from forest.paths.link(container, above)
                above = container
            done += size
        if parents[place] != above:
            if parents[place] >= 0:
                if forest.paths is None:
                    parents[place] = -1
                else:
                    yield from forest.paths.cut(place)
            if above >= 0 and not link(place, above):
                assert forest.paths is not None
                yield from forest.paths.link(place, above)
        done += 1
        if done >= PIECE or forest.walked >= _WALKED:
            done = forest.walked = 0
            yield
    return parents


def families(parents: list[int], order: Sequence[int]) -> Pieces[tuple[list[int], Families]]:
    """Steps 2 to 4: who has no parent, dummies among them, and the children of those who have.

    Those without are in the order of their dates, a dummy's being that of its first child.
    Afterwards the parent of a message is a message, or a dummy that is nobody's child.
    """
    count = len(order)
    roots: list[int] = []
    made = Families.of(len(parents))
    first, last, after = made.first, made.last, made.after
    done = 0
    for place in order:
        above = parents[place]
        if above >= count:
            passed = []
            while above >= count and (further := parents[above]) >= 0:
                passed.append(above)
                above = further
                if not len(passed) % PIECE:
                    yield
            parents[place] = above
            for dummy in passed:
                parents[dummy] = above
            done += len(passed)
        if above < 0:
            roots.append(place)
        else:
            elder = last[above]
            last[above] = place
            if elder >= 0:
                after[elder] = place
            else:
                first[above] = place
                if above >= count:
                    roots.append(above)
        done += 1
        if done >= PIECE:
            done = 0
            yield
    for at in range(0, len(roots), PIECE):
        for here, root in enumerate(roots[at : at + PIECE], at):
            if root >= count and first[root] == last[root]:
                roots[here] = only = first[root]
                parents[only] = first[root] = last[root] = -1
        yield
    return roots, made


def gathered(
    roots: list[int], kin: Families, order: Sequence[int], subjects: Sequence[int | None]
) -> Pieces[list[int]]:
    """Step 5: the roots when those of one subject are one."""
    count = len(order)
    found: list[int] = []
    alone: dict[int, int] = {}
    alike: dict[int, list[int]] = {}
    for some in in_pieces(roots):
        for root in some:
            subject = subjects[root if root < count else kin.first[root]]
            if subject is None:
                found.append(root)
                continue
            elder = alone.setdefault(subject | 1, root)
            if elder != root:
                group = alike.get(subject | 1)
                if group is None:
                    alike[subject | 1] = [elder, root]
                else:
                    group.append(root)
        yield
    #: Who gets a parent.
    moved: dict[int, int] = {}
    done = 0
    for subject, group in alike.items():
        alone[subject] = yield from _merged(group, kin, moved, subjects, count)
        done += len(group)
        if done >= PIECE:
            done = 0
            yield
    if moved:
        yield from _settled(moved, kin, order)
    found += alone.values()
    return found


def _merged(
    group: list[int],
    kin: Families,
    moved: dict[int, int],
    subjects: Sequence[int | None],
    count: int,
) -> Pieces[int]:
    """Steps 5.B and 5.C for the roots of one subject: the one that remains."""

    def replies(root: int) -> bool:
        return bool((subjects[root] or 0) & 1)

    table = first = next((root for root in group if root >= count), -1)
    if table < 0:
        table = first = next((root for root in group if not replies(root)), group[0])
    alike = first < count and replies(first)
    for some in in_pieces(group):
        for root in some:
            if root == first:
                continue
            if root >= count:
                moved.update(dict.fromkeys(kin.children(root), table))
                continue
            if table == first < count and (alike or not replies(root)):
                table = kin.dummy()
                moved[first] = table
            moved[root] = table
        if len(group) > len(some):
            yield
    return table


def _settled(moved: dict[int, int], kin: Families, order: Sequence[int]) -> Pieces[None]:
    """Put those who get a parent among its children, by their dates."""
    done = 0
    for parent in list(dict.fromkeys(moved.values())):
        before = len(moved)
        moved.update(dict.fromkeys(kin.children(parent), parent))
        kin.first[parent] = kin.last[parent] = -1
        done += 1 + len(moved) - before
        if done >= PIECE:
            done = 0
            yield
    for some in in_pieces(order):
        for place in filter(moved.__contains__, some):
            kin.after[place] = -1
            kin.add(moved[place], place)
        yield


def roots_of(parents: list[int], count: int) -> Pieces[list[int]]:
    """The root of each message."""
    found = [-1] * count
    done = 0
    for place in range(count):
        passed = []
        node = place
        while node < count and found[node] < 0 and parents[node] >= 0:
            passed.append(node)
            node = parents[node]
            done += 1
            if done >= PIECE:
                done = 0
                yield
        root = found[node] if node < count and found[node] >= 0 else node
        found[place] = root
        for each in passed:
            found[each] = root
        done += 1
        if done >= PIECE:
            done = 0
            yield
    return found
