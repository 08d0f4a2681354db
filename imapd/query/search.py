"""A program and a source of messages to the places of those that match.

Rules of this file:

* Messages are taken a block at a time, in ascending order.  Of each block every message is
  decided by the cheapest keys that can decide it: the view's, then columns, then headers,
  then the message itself.  What is decided is not asked again.
* Before headers and messages are looked at: what earlier searches found out is recalled, and
  an index of the texts, if there is one, tells what it knows.
* Sets of messages of a block are masks (`imapd.query.nodes`).
* No more rows are tested at once than a short turn of the reactor allows.
* A message that vanished meanwhile does not match.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from itertools import compress
from typing import Any, Final

from imapd.model.message import Batch, Column
from imapd.model.search import And, Cost, Key, Not, Or, Program, Recent, SequenceNumbers, UIDs
from imapd.model.text import Told
from imapd.query.nodes import ByNumber, ByTest, Mask, Node, node
from imapd.query.places import Places
from imapd.query.source import Source, Span, placed
from imapd.query.text import MessageText

__all__ = ["leaves_of", "search", "with_leaves"]

#: Messages of a block, and what is less when there are many keys: tests in a row.
_BLOCK: Final = 8_192
_EVERY_ROW: Final = tuple(range(_BLOCK))
_BLOCK_LEAST: Final = 64
_TESTS: Final = 65_536
#: Tests in a row of what costs more: a column's entry, a header to be decoded.
_ROWS: Final = {Cost.COLUMN: 20_000, Cost.DERIVED: 20_000, Cost.HEADER: 200}
#: Characters of what is tested in a row by one key of Cost.HEADER.
_OCTETS: Final = 1 << 18
#: Messages of a block when only the first few matches are wanted and keys are dear.
_BLOCK_FIRST: Final = 256

#: Columns of a range are read, and tested, whole if at least one message in so many is wanted.
_DENSE: Final = 8

#: So many messages for each key are looked at as fast as the index is.
_FEW: Final = 2


async def search(program: Program, source: Source, most: int | None = None) -> Sequence[int]:
    """The places of the messages that match, ascending.

    With `most`, of so many first ones; below 0, of so many last ones.
    """
    leaves = list(leaves_of(program))
    backwards = most is not None and most < 0
    nodes: dict[Program, Node] = {}
    tests: dict[Key, ByTest] = {}
    for leaf in leaves:
        if isinstance(leaf, Key):
            if leaf not in tests:
                nodes[leaf] = tests[leaf] = ByTest(leaf)
        elif isinstance(leaf, (SequenceNumbers, UIDs, Recent)) and leaf not in nodes:
            nodes[leaf] = await ByNumber.of(source, leaf, backwards)
    root = node(program, nodes)
    size = max(_BLOCK_LEAST, min(_BLOCK, _TESTS // max(1, len(leaves))))
    if most is not None and root.cost > Cost.VIEW:
        size = min(size, _BLOCK_FIRST)
    stages = [
        (stage, [key for key in tests if key.cost is stage])
        for stage in (Cost.COLUMN, Cost.DERIVED, Cost.HEADER, Cost.CONTENT)
    ]
    sought = {key: test for key, test in tests.items() if key.sought is not None}
    count = len(source.uids)
    masks: list[bytes] = []
    found: list[int] = []
    starts = range(0, count, size)
    for start in reversed(starts) if backwards else starts:
        block = _Block(source, start, min(start + size, count))
        yes, no = root.decide(block.all, block)
        try:
            for stage, asked in stages:
                undecided = block.all ^ yes ^ no
                if stage is Cost.HEADER and sought and undecided:
                    more, less = await block.foretell(root, undecided, sought)
                    yes |= more
                    no |= less
                    undecided ^= more | less
                if asked and undecided:
                    more, less = await block.ask(root, undecided, stage, asked)
                    yes |= more
                    no |= less
        finally:
            block.remember(sought)
        if most is None:
            masks.append(block.octets(yes))
        else:
            found += reversed(block.places(yes)) if backwards else block.places(yes)
            if len(found) >= abs(most):
                del found[abs(most) :]
                break
        await source.turn()
    if most is None:
        return Places(b"".join(masks))
    if backwards:
        found.reverse()
    return found


def leaves_of(program: Program) -> Iterator[Program]:
    """Everything in a program that is no combination of others; so is an empty one."""
    if isinstance(program, Not):
        yield from leaves_of(program.program)
    elif isinstance(program, (And, Or)) and program.programs:
        for each in program.programs:
            yield from leaves_of(each)
    else:
        yield program


def with_leaves(program: Program, leaf: Callable[[Program], Program]) -> Program:
    """The same combination of what `leaf` makes of those."""
    if isinstance(program, Not):
        return Not(with_leaves(program.program, leaf))
    if isinstance(program, (And, Or)):
        return type(program)(tuple(with_leaves(each, leaf) for each in program.programs))
    return leaf(program)


class _Block:
    """Some neighbouring messages, and what has been found out about them."""

    def __init__(self, source: Source, start: int, stop: int) -> None:
        self._source = source
        self.start = start
        self.stop = stop
        self.size = stop - start
        self.all: Mask = int.from_bytes(b"\1" * self.size, "little")
        #: For each test: of whom the answer is known, and who passed.
        self.answers: dict[ByTest | ByNumber, tuple[Mask, Mask]] = {}
        self.stage = Cost.VIEW
        self._rows: Sequence[int] = ()
        self._columns: Mapping[Column, Sequence[Any]] = {}
        self._message: MessageText | None = None

    def octets(self, mask: Mask) -> bytes:
        """A mask as octets, 1 or 0."""
        return mask.to_bytes(self.size, "little")

    def mask(self, rows: Sequence[int], verdicts: bytes | None = None) -> Mask:
        """The mask of these rows, counted from the start of the block, or of some of them."""
        if isinstance(rows, range):
            octets = b"\1" * len(rows) if verdicts is None else verdicts
            return int.from_bytes(octets, "little") << 8 * rows.start
        return self._scattered(rows if verdicts is None else compress(rows, verdicts))

    def _scattered(self, rows: Iterable[int]) -> Mask:
        octets = bytearray(self.size)
        for row in rows:
            octets[row] = 1
        return int.from_bytes(octets, "little")

    def places(self, mask: Mask) -> Sequence[int]:
        """The places in a mask; a range, if they are neighbours."""
        if not mask:
            return ()
        first, stop = _ends(mask)
        if mask.bit_count() == stop - first:
            return range(self.start + first, self.start + stop)
        return list(compress(range(self.start, self.stop), self.octets(mask)))

    async def foretell(
        self, root: Node, undecided: Mask, tests: Mapping[Key, ByTest]
    ) -> tuple[Mask, Mask]:
        """Those of the undecided that are decided without looking at them."""
        first, stop = _ends(undecided)
        uids = self._source.uids[self.start + first : self.start + stop]
        every = _mask(b"\1" * len(uids))
        many = undecided.bit_count() > _FEW * len(tests)
        for key, test in tests.items():
            known, passed = map(_mask, self._source.verdicts.recall(key, uids))
            if known != every and key.sought is not None and many:
                async for told in self._source.told(key.sought, uids[0], uids[-1]):
                    more, holds = _told(told, uids)
                    known |= more
                    passed |= holds
                    await self._source.turn()
            before, among = self.answers.get(test, (0, 0))
            self.answers[test] = before | known << 8 * first, among | passed << 8 * first
        return root.decide(undecided, self)

    def remember(self, tests: Mapping[Key, ByTest]) -> None:
        """Tell the source what was found out."""
        uids = self._source.uids[self.start : self.stop]
        for key, test in tests.items():
            if test in self.answers:
                known, passed = map(self.octets, self.answers[test])
                self._source.verdicts.learn(key, uids, known, passed)

    async def ask(
        self, root: Node, undecided: Mask, stage: Cost, keys: list[Key]
    ) -> tuple[Mask, Mask]:
        """Those of the undecided that the keys of one stage decide."""
        self.stage = stage
        if stage is Cost.CONTENT:
            return await self._ask_messages(root, undecided)
        columns = frozenset[Column]().union(*(key.columns for key in keys))
        most = max(1, _ROWS[stage] // len(keys))
        octets = _OCTETS // len(keys) if stage is Cost.HEADER else None
        yes = no = 0
        gone = undecided
        wanted = self._covered(undecided) if stage <= Cost.DERIVED else undecided
        async for rows, batch in self._batches(wanted, columns):
            known = {name: batch.columns[name] for name in columns}
            if len(rows) > most:
                known = {name: list(column) for name, column in known.items()}
            for at, stop in _portions(len(rows), known.values(), most, octets):
                if stop - at == len(rows):
                    self._rows, self._columns = rows, known
                else:
                    self._rows = rows[at:stop]
                    self._columns = {name: column[at:stop] for name, column in known.items()}
                here = self.mask(self._rows)
                gone &= ~here
                more, less = root.decide(here, self)
                yes |= more
                no |= less
                await self._source.turn()
        return yes & undecided, (no | gone) & undecided

    def _covered(self, mask: Mask) -> Mask:
        """With what lies between them, unless they are few among many: a range is read faster."""
        first, stop = _ends(mask)
        if mask.bit_count() * _DENSE < stop - first:
            return mask
        return self.mask(range(first, stop))

    async def _batches(
        self, wanted: Mask, columns: frozenset[Column]
    ) -> AsyncIterator[tuple[Sequence[int], Batch]]:
        """Batches of the wanted messages, each with the rows that its entries belong to."""
        start = self.start
        async for places, batch in placed(self._source, self.places(wanted), columns):
            if isinstance(places, range):
                yield range(places.start - start, places.stop - start), batch
            else:
                yield [place - start for place in places], batch

    async def _ask_messages(self, root: Node, undecided: Mask) -> tuple[Mask, Mask]:
        yes = no = 0
        uids = self._source.uids
        for row in compress(_EVERY_ROW, self.octets(undecided)):
            here = 1 << 8 * row
            self._message = await self._source.message(uids[self.start + row])
            if self._message is None:
                no |= here
            else:
                try:
                    more, less = root.decide(here, self)
                finally:
                    self._message.close()
                    self._message = None
                yes |= more
                no |= less
            await self._source.turn()
        return yes, no

    def passing(self, key: Key, need: Mask) -> Mask:
        """Those in `need` that pass a test whose columns are at hand."""
        if key.cost is Cost.CONTENT:
            return need if key.test(self._message) else 0
        if key.cost is Cost.VIEW:
            columns = [self._source.known(name, self.start, self.stop) for name in key.columns]
            return int.from_bytes(_tested(key, columns), "little")
        rows = self._rows
        columns = [self._columns[name] for name in key.columns]
        if key.tests is not None and need.bit_count() * _DENSE >= len(rows):
            return self.mask(rows, _tested(key, columns)) & need
        if need.bit_count() < len(rows):
            octets = self.octets(need)
            needed = [octets[row] for row in rows]
            rows = list(compress(rows, needed))
            columns = [list(compress(column, needed)) for column in columns]
        return self.mask(rows, _tested(key, columns))


def _portions(
    count: int, columns: Iterable[Sequence[Any]], most: int, octets: int | None
) -> Iterator[Span]:
    """Rows that are tested at once: not too many, and of these not too long ones."""
    if octets is None:
        yield from ((at, min(at + most, count)) for at in range(0, count, most))
        return
    start = size = 0
    for row, values in enumerate(zip(*columns)):
        more = sum(len(value) for value in values if isinstance(value, (bytes, str)))
        if row > start and (row == start + most or size + more > octets):
            yield start, row
            start, size = row, 0
        size += more
    if count:
        yield start, count


def _ends(mask: Mask) -> Span:
    """From the first row to before what follows the last; there is one."""
    return ((mask & -mask).bit_length() - 1) // 8, (mask.bit_length() + 7) // 8


def _mask(octets: bytes) -> Mask:
    return int.from_bytes(octets, "little")


def _told(told: Told, uids: Sequence[int]) -> tuple[Mask, Mask]:
    """Of whom an index knows, and who passes."""
    if not told.uids:
        return 0, 0
    start = bisect_left(uids, told.uids[0])
    stop = bisect_right(uids, told.uids[-1], start)
    some = uids[start:stop]
    if not some:
        return 0, 0
    first = bisect_left(told.uids, some[0])
    every = _mask(b"\1" * len(some))
    known = every if some == told.uids[first : first + len(some)] else _members(told.uids, some)
    known &= every ^ _members(told.may, some)
    return known << 8 * start, (known & _members(told.holds, some)) << 8 * start


def _members(these: Collection[int], uids: Sequence[int]) -> Mask:
    """Which of the UIDs are among these."""
    return _mask(bytes(map(frozenset(these).__contains__, uids))) if these else 0


def _tested(key: Key, columns: Sequence[Sequence[Any]]) -> bytes:
    return bytes(map(key.test, *columns)) if key.tests is None else key.tests(*columns)
