"""A search program made ready for one search: which messages of a block match, and which do not.

Rules of this file:

* A set of messages of a block is a `Mask`: an int with one octet a message, 1 or 0, so
  that AND, OR and NOT are one operation each.
* `Node.decide` answers with two masks, of those that match and of those that do not; the
  rest awaits dearer keys.  It may only be asked about messages whose columns are at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, Protocol

from imapd.model.search import And, Cost, Key, Not, Or, Program
from imapd.query.source import Numbers, Source, Span

__all__ = ["Block", "ByNumber", "ByTest", "Mask", "Node", "node"]

Mask = int

#: Before the first span, and after the last.
_NONE_YET: Final[Span] = (-1 << 64, -1 << 64)
_NO_MORE: Final[Span] = (1 << 64, 1 << 64)
#: Spans that are looked up in a row.
_SPANS: Final = 4_096


class Block(Protocol):
    """Some neighbouring messages, and what has been found out about them."""

    #: Their places: from the first to before the second.
    start: int
    stop: int
    all: Mask
    #: For each leaf: of whom the answer is known, and who passed.
    answers: dict[ByTest | ByNumber, tuple[Mask, Mask]]
    #: Keys that cost more are not asked yet.
    stage: Cost

    def passing(self, key: Key, need: Mask) -> Mask:
        """Those in `need` that pass a test whose columns are at hand."""


class Node(Protocol):
    """A program made ready for one search."""

    @property
    def cost(self) -> Cost:
        """Of its dearest key."""

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        """Of the messages in `need`: those that match, those that do not."""


class ByTest:
    """A key that tests messages."""

    __slots__ = ("_key", "cost")

    def __init__(self, key: Key) -> None:
        self._key = key
        self.cost = key.cost

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        """As `Node`."""
        known, passed = block.answers.get(self, (0, 0))
        if self.cost > block.stage:
            known &= need
            return passed & known, known & ~passed
        # The view answers for the whole block at once.
        fresh = (need if self.cost else block.all) & ~known
        if fresh:
            passed |= block.passing(self._key, fresh)
            block.answers[self] = known | fresh, passed
        passed &= need
        return passed, need ^ passed


class ByNumber:
    """A key by number.  Its spans are looked up as blocks need them: there may be very many.

    For blocks that come in descending order everything is negated: so they ascend.
    """

    __slots__ = ("_backwards", "_span", "_spans", "cost")

    def __init__(self, spans: Iterable[Span], backwards: bool = False) -> None:
        self._spans = iter(spans)
        #: The last one that was taken; it may go on in the next block.
        self._span = _NONE_YET
        self._backwards = backwards
        self.cost = Cost.VIEW

    @classmethod
    async def of(cls, source: Source, numbers: Numbers, backwards: bool) -> ByNumber:
        """The places that a key means, for blocks that come in this order."""
        spans = iter(source.spans(numbers))
        if not backwards:
            return cls(spans)
        negated: list[Span] = []
        while some := [(-last, -first) for first, last in islice(spans, _SPANS)]:
            negated += some
            await source.turn()
        return cls(reversed(negated), True)

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        """As `Node`."""
        if self in block.answers:
            yes = block.answers[self][1] & need
        else:
            start, stop = block.start, block.stop
            octets = bytearray(stop - start)
            if self._backwards:
                start, stop = -stop, -start
            for first, last in self._within(start, stop):
                octets[first:last] = b"\1" * (last - first)
            if self._backwards:
                octets.reverse()
            within = int.from_bytes(octets, "little")
            block.answers[self] = block.all, within
            yes = within & need
        return yes, need ^ yes

    def _within(self, start: int, stop: int) -> Iterator[Span]:
        """What lies in a block, counted from its start; blocks come in ascending order."""
        first, last = self._span
        while first < stop:
            if last > start:
                yield max(first, start) - start, min(last, stop) - start
            if last >= stop:
                break
            first, last = next(self._spans, _NO_MORE)
        self._span = first, last


class _Several:
    """Nodes in the order in which they are asked: the cheapest first."""

    __slots__ = ("_nodes", "cost")

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = sorted(nodes, key=_order)
        self.cost = max((node.cost for node in self._nodes), default=Cost.VIEW)


class _Every(_Several):
    """AND."""

    __slots__ = ()

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        yes, no = need, 0
        for node in self._nodes:
            if no == need:
                break
            more, less = node.decide(need ^ no, block)
            yes &= more
            no |= less
        return yes, no


class _Any(_Several):
    """OR."""

    __slots__ = ()

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        yes, no = 0, need
        for node in self._nodes:
            if yes == need:
                break
            more, less = node.decide(need ^ yes, block)
            yes |= more
            no &= less
        return yes, no


class _Other:
    """NOT."""

    __slots__ = ("_node", "cost")

    def __init__(self, node: Node) -> None:
        self._node = node
        self.cost = node.cost

    def decide(self, need: Mask, block: Block) -> tuple[Mask, Mask]:
        yes, no = self._node.decide(need, block)
        return no, yes


def _order(node: Node) -> tuple[Cost, bool]:
    return node.cost, not isinstance(node, ByNumber)


def node(program: Program, leaves: Mapping[Program, Node]) -> Node:
    """The node of a program whose leaves are these."""
    if isinstance(program, And):
        return _Every(node(each, leaves) for each in program.programs)
    if isinstance(program, Or):
        return _Any(node(each, leaves) for each in program.programs)
    if isinstance(program, Not):
        return _Other(node(program.program, leaves))
    return leaves[program]
