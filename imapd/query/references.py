"""Messages to trees by what they refer to: steps 1 to 5 of REFERENCES (RFC 5256, 3).

Rules of this file:

* A node is a message, its place among the searched ones, or a dummy, any number beyond.
* Lists of siblings are in the order of their dates, in which messages are taken.
* Message identifiers are numbers, as `imapd.query.links` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Final

from imapd.query.ancestry import Ancestry
from imapd.query.pieces import PIECE, Pieces, in_pieces

__all__ = ["Children", "TooManyReferences", "families", "gathered", "linked", "roots_of"]

#: Steps up a tree, of a piece.
_WALKED: Final = 50_000

#: The children of a node.
Children = dict[int, list[int]]


class TooManyReferences(Exception):
    """More than can be followed at once."""


def linked(links: Sequence[Sequence[int]], most: int) -> Pieces[list[int]]:
    """Step 1: the parent of each message and, behind them, of each dummy; -1 is nobody.

    Raises `TooManyReferences` if there are more than `most`.
    """
    count = len(links)
    containers: dict[int, int] = {}
    references = 0
    for start in range(0, count, PIECE):
        some = links[start : start + PIECE]
        for place, ids in enumerate(some, start):
            containers.setdefault(ids[0], place)
        references += sum(map(len, some)) - len(some)
        if references > most:
            raise TooManyReferences
        yield
    containers.pop(0, None)
    #: Identifiers of messages that are not there.  One dictionary of millions would be long in growing.
    strangers: list[dict[int, int]] = [{} for _ in range(256)]
    forest = Ancestry(count)
    parents, link, find = forest.parents, forest.link, containers.get
    done = 0
    for place, ids in enumerate(links):
        above = -1
        if len(ids) > 1:
            for identifier in ids[1:]:
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
            done += len(ids)
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


def families(parents: list[int], order: Sequence[int]) -> Pieces[tuple[list[int], Children]]:
    """Steps 2 to 4: who has no parent, dummies among them, and the children of those who have.

    Each list is in the order of its dates, a dummy's being that of its first child.  Afterwards
    the parent of a message is a message, or a dummy that is nobody's child.
    """
    count = len(order)
    roots: list[int] = []
    children: Children = {}
    find = children.get
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
        elif (siblings := find(above)) is not None:
            siblings.append(place)
        else:
            children[above] = [place]
            if above >= count:
                roots.append(above)
        done += 1
        if done >= PIECE:
            done = 0
            yield
    for at in range(0, len(roots), PIECE):
        for here, root in enumerate(roots[at : at + PIECE], at):
            if root >= count and len(children[root]) == 1:
                (only,) = children.pop(root)
                parents[only] = -1
                roots[here] = only
        yield
    return roots, children


def gathered(
    roots: list[int],
    children: Children,
    order: Sequence[int],
    subjects: Sequence[int | None],
    spare: int,
) -> Pieces[list[int]]:
    """Step 5: the roots when those of one subject are one; new dummies have numbers from `spare` on."""
    count = len(order)
    found: list[int] = []
    alone: dict[int, int] = {}
    alike: dict[int, list[int]] = {}
    for some in in_pieces(roots):
        for root in some:
            subject = subjects[root if root < count else children[root][0]]
            if subject is None:
                found.append(root)
                continue
            first = alone.setdefault(subject | 1, root)
            if first != root:
                group = alike.get(subject | 1)
                if group is None:
                    alike[subject | 1] = [first, root]
                else:
                    group.append(root)
        yield
    #: Who gets a parent.
    moved: dict[int, int] = {}
    done = 0
    for subject, group in alike.items():
        alone[subject] = yield from _merged(group, children, moved, subjects, count, spare)
        spare += 1
        done += len(group)
        if done >= PIECE:
            done = 0
            yield
    if moved:
        yield from _settled(moved, children, order)
    found += alone.values()
    return found


def _merged(
    group: list[int], children: Children, moved: dict[int, int],
    subjects: Sequence[int | None], count: int, spare: int,
) -> Pieces[int]:  # fmt: skip
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
                moved.update(zip(children.pop(root), repeat(table)))
                continue
            if table == first < count and (alike or not replies(root)):
                table = spare
                moved[first] = table
            moved[root] = table
        if len(group) > len(some):
            yield
    return table


def _settled(moved: dict[int, int], children: Children, order: Sequence[int]) -> Pieces[None]:
    """Put those who get a parent among its children, by their dates."""
    for parent in dict.fromkeys(moved.values()):
        moved.update(zip(children.get(parent, ()), repeat(parent)))
        children[parent] = []
    yield
    for some in in_pieces(order):
        for place in some:
            parent = moved.get(place, -1)
            if parent >= 0:
                children[parent].append(place)
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
