"""Columns of mailboxes in blocks, as searches ask for them: made once, kept by the store, at hand while used.

Rules of this file:

* A block is a column of the messages whose UIDs lie in one span (`session.block_pieces`).  UIDs become
  visible in ascending order, so a block knows all of its span up to the last UID it has seen
  (`Block.through`), and what it knows is never wrong: messages only go.
* What is kept is a convenience: what is lost or damaged is made again.
* Making is done in short turns.  Who needs a block that is being made waits for it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from imapd.model.message import Batch, Column
from imapd.model.numset import EMPTY, NumSet
from imapd.query.blocks import Block, Damaged, Packed, joined, pack, unpack
from imapd.query.columns import KEPT
from imapd.query.derived import Form
from imapd.session.at_hand import AtHand
from imapd.session.block_pieces import Piece, numbers_of, pieces, span_of
from imapd.session.content import scanned
from imapd.store.answers import each, settled
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept, IMailbox

__all__ = ["Blocks"]

Turn = Callable[[], Awaitable[None]]

#: Blocks that are asked of a store, and given to it, at once.
_TOGETHER: Final = 16
#: Octets of blocks that are joined, so that what is asked of each is asked once.
_JOINED: Final = 1 << 20
#: Characters, or numbers, that are made for a block: one of longer texts is not kept.
_LARGE: Final = 1 << 22
#: If fewer than one in so many of those that would have to be made is wanted, none is kept.
_SPARSE: Final = 16
#: A block that is not complete is given to the store each time it has grown by so many.
_GROWN: Final = 128
#: Mailboxes of which it is known what was asked.
_MAILBOXES: Final = 64
#: Octets at hand.
_MOST: Final = 1 << 26


class Blocks:
    """The blocks of this process, shared by all its sessions."""

    def __init__(self, clock: IReactorTime, turn: Turn) -> None:
        self.at_hand = AtHand(clock, _MOST)
        #: Between pieces of making: not the turn of who asked, whose client may not read.
        self._turn = turn
        self._making: dict[tuple[str, int], list[Deferred[None]]] = {}
        #: The columns that searches asked for, by mailbox; the one searched last at the end.
        self._asked: dict[str, frozenset[Column]] = {}

    async def scan(
        self,
        mailbox: IMailbox,
        known: Sequence[int],
        uids: NumSet,
        columns: frozenset[Column],
        turn: Turn,
        asked: bool = True,
    ) -> AsyncIterator[Batch]:
        """As `scanned`, of those of `uids` that are among `known`: the UIDs of a view of the mailbox.

        Unless somebody has `asked`, it is not remembered.
        """
        kept = columns & KEPT.keys()
        if not kept:
            async for batch in scanned(mailbox, uids, columns, turn):
                yield batch
            return
        if asked:
            self._asked[mailbox.id] = self._asked.pop(mailbox.id, frozenset()) | kept
            if len(self._asked) > _MAILBOXES:
                del self._asked[next(iter(self._asked))]
        # Who may no longer read the mailbox, or finds it deleted, is told so by the store.
        async for _ in each(mailbox.scan(EMPTY, frozenset())):
            pass
        wanted = list(pieces(known, uids))
        for at in range(0, len(wanted), _TOGETHER):
            work = _Work(self, mailbox, known, sorted(kept))
            some = wanted[at : at + _TOGETHER]
            await work.load(piece.number for piece in some)
            ready: list[Batch] = []
            octets = 0
            for piece in some:
                found = await work.batch(piece)
                await turn()
                alone = found is None or columns != kept
                size = 0 if found is None else _size(found)
                if ready and (alone or octets + size > _JOINED):
                    yield _together(ready)
                    ready, octets = [], 0
                if found is not None and not alone:
                    ready.append(found)
                    octets += size
                elif found is None:
                    async for batch in scanned(mailbox, piece.uids(known), columns, turn):
                        yield batch
                else:
                    async for batch in _joined(mailbox, found, columns - kept, turn):
                        yield batch
            if ready:
                yield _together(ready)
            await work.keep()

    def were_asked(self, mailbox_id: str) -> bool:
        """Whether a mailbox was searched before."""
        return mailbox_id in self._asked

    async def ahead(
        self, mailbox: IMailbox, known: Sequence[int], usual: frozenset[Column] = frozenset()
    ) -> AsyncIterator[None]:
        """Make what was asked before, of the newest messages, until some have it; a block at a time.

        So is what is `usual`.
        """
        names = sorted(self._asked.get(mailbox.id, frozenset()) | usual)
        every = NumSet([(known[0], known[-1])]) if names and known else EMPTY
        waiting: list[Piece] = []
        for piece in reversed(list(pieces(known, every))):
            if not await self._lacking(mailbox, known, names, piece):
                break
            waiting.append(piece)
            await self._turn()
        # The oldest first: who does not come to an end finds where to go on.
        for piece in reversed(waiting):
            work = _Work(self, mailbox, known, names)
            await work.load([piece.number])
            if work.lacking(piece) >= _GROWN:
                await work.batch(piece)
                await work.keep()
                yield

    async def _lacking(
        self, mailbox: IMailbox, known: Sequence[int], names: Sequence[Column], piece: Piece
    ) -> int:
        work = _Work(self, mailbox, known, names)
        await work.load([piece.number])
        return work.lacking(piece)


def _size(batch: Batch) -> int:
    """Octets to be joined; more than there may be, if it cannot be joined."""
    return sum(
        column.size if isinstance(column, Packed) else _JOINED + 1
        for column in batch.columns.values()
    )


def _together(batches: Sequence[Batch]) -> Batch:
    """Neighbouring batches as one: what is done with each batch is done once."""
    if len(batches) == 1:
        return batches[0]
    uids = array("I")
    for batch in batches:
        uids.extend(batch.uids)
    parts: dict[Column, list[Any]] = {
        name: [batch.columns[name] for batch in batches] for name in batches[0].columns
    }
    return Batch(uids, {name: joined(columns) for name, columns in parts.items()})


async def _joined(
    mailbox: IMailbox, batch: Batch, rest: frozenset[Column], turn: Turn
) -> AsyncIterator[Batch]:
    """With the columns that are not kept."""
    row_of = {uid: row for row, uid in enumerate(batch.uids)}
    async for more in scanned(mailbox, NumSet.from_sorted(batch.uids), rest, turn):
        rows = [row_of[uid] for uid in more.uids]
        picked = {name: [values[row] for row in rows] for name, values in _lists(batch)}
        yield Batch(more.uids, {**more.columns, **picked})


def _lists(batch: Batch) -> Iterator[tuple[Column, list[Any]]]:
    return ((name, list(values)) for name, values in batch.columns.items())


class _TooLarge(Exception):
    """A block would be."""


class _Work:
    """Some blocks of one mailbox, in several columns, on their way to who asked."""

    def __init__(
        self,
        blocks: Blocks,
        mailbox: IMailbox,
        known: Sequence[int],
        names: Sequence[Column],
    ) -> None:
        self._blocks = blocks
        self._mailbox = mailbox
        self._known = known
        self._names = names
        self._keeper = IBlocksKept(mailbox, None)
        self._found: dict[tuple[Column, int], Block] = {}
        self._made: dict[tuple[Column, int], bytes] = {}

    async def load(self, numbers: Iterable[int]) -> None:
        """What is at hand, and what the store has kept."""
        wanted = list(numbers)
        for name in self._names:
            lacking = [number for number in wanted if not self._at_hand(name, number)]
            if self._keeper is None or not lacking:
                continue
            # A store that cannot keep it, or find it again, has lost nothing.
            with suppress(StoreUnavailable):
                kept = await settled(self._keeper.kept_blocks(name, NumSet.of(*lacking)))
                for number, octets in kept.items():
                    with suppress(Damaged):
                        self._take(name, number, unpack(KEPT[name], octets))

    def _at_hand(self, name: Column, number: int) -> bool:
        block: Block | None = self._blocks.at_hand.get((self._mailbox.id, name, number))
        if block is not None:
            self._found[name, number] = block
        return block is not None

    def _take(self, name: Column, number: int, block: Block) -> None:
        self._found[name, number] = block
        self._blocks.at_hand.put((self._mailbox.id, name, number), block)

    def lacking(self, piece: Piece) -> int:
        """Messages of the block that have not been looked at."""
        since = min(self._through(name, piece.number) for name in self._names)
        if since >= self._known[piece.stop - 1]:
            return 0
        return piece.stop - bisect_left(self._known, since + 1, piece.start, piece.stop)

    async def batch(self, piece: Piece) -> Batch | None:
        """The messages of a piece; None if it is not worth making what they need."""
        known, number, start = self._known, piece.number, piece.start
        here = array("I", known[start : piece.stop])
        lacking = self.lacking(piece)
        if lacking:
            if lacking > _SPARSE * sum(last - first for first, last in piece.spans):
                return None
            try:
                await self._complete(number, here)
            except _TooLarge:
                return None
        blocks = {name: self._pruned(name, number, here) for name in self._names}
        if all(block.uids == here for block in blocks.values()):
            if piece.whole:
                return Batch(here, {name: block.values for name, block in blocks.items()})
            rows = [row for span in piece.spans for row in range(span[0] - start, span[1] - start)]
            uids = [here[row] for row in rows]
        else:
            uids = [uid for span in piece.spans for uid in known[span[0] : span[1]]]
            for block in blocks.values():
                there = frozenset(block.uids)
                uids = [uid for uid in uids if uid in there]
        return Batch(uids, {name: block.of(uids) for name, block in blocks.items()})

    def _through(self, name: Column, number: int) -> int:
        block = self._found.get((name, number))
        return 0 if block is None else block.through

    def _lacking(self, number: int, here: array[int]) -> list[Column]:
        return [name for name in self._names if self._through(name, number) < here[-1]]

    async def _complete(self, number: int, here: array[int]) -> None:
        """Make what is lacking, or wait for who makes it."""
        making, key = self._blocks._making, (self._mailbox.id, number)
        while key in making:
            waiting: Deferred[None] = Deferred()
            making[key].append(waiting)
            await waiting
            for name in self._names:
                self._at_hand(name, number)
        lacking = self._lacking(number, here)
        if not lacking:
            return
        waiters = making[key] = []
        try:
            # By what they have already: as a rule all have the same.
            for since in {self._through(name, number) for name in lacking}:
                names = [name for name in lacking if self._through(name, number) == since]
                await self._extend(names, number, since, here)
        finally:
            del making[key]
            for waiter in waiters:
                waiter.callback(None)

    async def _extend(
        self, names: Sequence[Column], number: int, since: int, here: array[int]
    ) -> None:
        first, last = span_of(number)
        through = last if self._known[-1] >= last else here[-1]
        span = NumSet([(max(since + 1, first), through)])
        uids, columns = await self._values(names, span)
        for name in names:
            before = self._found.get((name, number))
            all_uids, values = uids, columns[name]
            if before is not None:
                all_uids, values = before.uids + uids, [*before.values, *values]
            octets = pack(KEPT[name], all_uids, through, values)
            self._take(name, number, unpack(KEPT[name], octets))
            grown = len(all_uids) // _GROWN > (0 if before is None else len(before.uids) // _GROWN)
            if through == last or grown:
                self._made[name, number] = octets

    async def _values(
        self, names: Sequence[Column], span: NumSet
    ) -> tuple[array[int], dict[Column, list[Any]]]:
        """What the messages of a span say, in short turns.  Raises `_TooLarge`."""
        uids = array("I")
        columns: dict[Column, list[Any]] = {name: [] for name in names}
        size = 0
        turn = self._blocks._turn
        async for batch in scanned(self._mailbox, span, frozenset(names), turn):
            uids.extend(batch.uids)
            for name, values in columns.items():
                values += batch.columns[name]
                if KEPT[name] is not Form.NUMBER:
                    size += sum(map(len, filter(None, batch.columns[name])))
            if size > _LARGE:
                raise _TooLarge
        return uids, columns

    def _pruned(self, name: Column, number: int, here: array[int]) -> Block:
        """A block, without those that are gone."""
        block = self._found[name, number]
        if block.uids != here:
            there = frozenset(here)
            left = [uid for uid in block.uids if uid in there or uid > here[-1]]
            if len(left) < len(block.uids):
                octets = pack(KEPT[name], array("I", left), block.through, block.of(left))
                block = unpack(KEPT[name], octets)
                self._take(name, number, block)
                self._made[name, number] = octets
        return block

    async def keep(self) -> None:
        """Let the store have what was made."""
        if self._made and self._keeper is not None:
            with suppress(StoreUnavailable):
                await settled(self._keeper.keep_blocks(self._made, numbers_of(self._known)))
