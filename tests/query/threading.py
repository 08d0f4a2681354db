"""RFC 5256, 3, read slowly and to the letter: what threads are to be compared with.

It shares nothing with the code it checks: trees of objects, looked through from end to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import define, field

__all__ = ["Letter", "ordered_subject", "references", "refs", "written"]


@define(eq=False)
class Letter:
    """A message as threads see it."""

    number: int
    identifier: str | None
    references: Sequence[str]
    subject: str
    replies: bool
    sent: int
    arrived: int


@define(eq=False)
class _Node:
    letter: Letter | None
    parent: _Node | None = None
    children: list[_Node] = field(factory=list)

    def dates(self) -> tuple[int, int]:
        """What it is sorted by; of a dummy, what its first child is."""
        if self.letter is None:
            return min(child.dates() for child in self.children)
        return self.letter.sent, self.letter.number

    def speaks(self) -> Letter:
        """The message, or the first child of a dummy."""
        if self.letter is not None:
            return self.letter
        return min(self.children, key=_Node.dates).speaks()

    def holds(self, other: _Node) -> bool:
        """The other is this one or below it."""
        at: _Node | None = other
        while at is not None:
            if at is self:
                return True
            at = at.parent
        return False

    def give(self, child: _Node) -> None:
        """Make a child, unless that would be a loop."""
        if not child.holds(self):
            child.parent = self
            self.children.append(child)

    def leave(self) -> None:
        """Be nobody's child."""
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None

    def below(self) -> Iterable[Letter]:
        """All messages of the tree."""
        if self.letter is not None:
            yield self.letter
        for child in self.children:
            yield from child.below()


def ordered_subject(letters: Sequence[Letter]) -> list[_Node]:
    """ORDEREDSUBJECT."""
    threads: list[_Node] = []
    subjects = sorted({letter.subject for letter in letters})
    for subject in subjects:
        alike = [letter for letter in letters if letter.subject == subject]
        alike.sort(key=lambda letter: (letter.sent, letter.number))
        head = _Node(alike[0])
        for letter in alike[1:]:
            head.give(_Node(letter))
        threads.append(head)
    return sorted(threads, key=_Node.dates)


def _linked(letters: Sequence[Letter]) -> list[_Node]:
    """Steps 1 and 2."""
    named: dict[str, _Node] = {}
    nodes: list[_Node] = []
    for letter in letters:
        node = _Node(letter)
        nodes.append(node)
        if letter.identifier is not None and letter.identifier not in named:
            named[letter.identifier] = node
    every = list(nodes)
    for node, letter in zip(nodes, letters):
        chain = []
        for identifier in letter.references:
            if identifier not in named:
                named[identifier] = _Node(None)
                every.append(named[identifier])
            chain.append(named[identifier])
        for parent, child in pairwise(chain):
            if child.parent is None:
                parent.give(child)
        node.leave()
        if chain:
            chain[-1].give(node)
    return [node for node in every if node.parent is None]


def _pruned(nodes: Sequence[_Node], top: bool) -> list[_Node]:
    """Step 3."""
    kept: list[_Node] = []
    for node in nodes:
        node.children = _pruned(node.children, False)
        if node.letter is not None:
            kept.append(node)
        elif not top or len(node.children) == 1:
            kept += node.children
        elif node.children:
            kept.append(node)
    return kept


def _gathered(roots: list[_Node]) -> list[_Node]:
    """Step 5."""
    table: dict[str, _Node] = {}
    for node in roots:
        subject = node.speaks().subject
        if not subject:
            continue
        there = table.get(subject)
        replaces = there is None or (
            there.letter is not None
            and (node.letter is None or (there.letter.replies and not node.letter.replies))
        )
        if replaces:
            table[subject] = node
    top = list(roots)
    # What a thread's subject is does not change while it is merged with those of the same.
    subjects = {id(node): node.speaks().subject for node in roots}
    for node in roots:
        subject = subjects[id(node)]
        if not subject or node not in top:
            continue
        there = table[subject]
        if there is node:
            continue
        top.remove(node)
        if there.letter is None and node.letter is None:
            there.children += node.children
        elif there.letter is None or (
            node.letter is not None and node.letter.replies and not there.letter.replies
        ):
            there.children.append(node)
        else:
            top.remove(there)
            dummy = _Node(None, None, [there, node])
            top.append(dummy)
            table[subject] = dummy
    return top


def _sorted(nodes: list[_Node]) -> list[_Node]:
    """Step 6."""
    for node in nodes:
        node.children = _sorted(node.children)
    return sorted(nodes, key=_Node.dates)


def references(letters: Sequence[Letter]) -> list[_Node]:
    """REFERENCES."""
    roots = sorted(_pruned(_linked(letters), True), key=_Node.dates)
    return _sorted(_gathered(roots))


def refs(letters: Sequence[Letter]) -> list[_Node]:
    """REFS: no step 5, and the thread with the newest arrival comes last."""
    roots = _sorted(_pruned(_linked(letters), True))
    return sorted(
        roots, key=lambda root: max((letter.arrived, letter.number) for letter in root.below())
    )


def written(roots: Sequence[_Node]) -> str:
    """``1*thread-list``."""
    return "".join(f"({_members(root)})" for root in roots)


def _members(node: _Node) -> str:
    said = "" if node.letter is None else str(node.letter.number)
    if not node.children:
        return said
    if said:
        said += " "
    if len(node.children) == 1:
        return said + _members(node.children[0])
    return said + written(node.children)
