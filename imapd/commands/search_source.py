"""The selected mailbox as a search sees it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from twisted.internet.threads import deferToThread

from imapd.model.message import FLAGS, MODSEQ, RELEVANCY, UID, Batch, Column
from imapd.model.numset import EMPTY, NumSet, SequenceSet
from imapd.model.search import Program, Recent, SequenceNumbers
from imapd.model.text import Sought, Told
from imapd.query.keys import ALL
from imapd.query.relevancy import columns_of, with_relevancy
from imapd.query.results import runs
from imapd.query.source import Numbers, Span
from imapd.query.text import MessageText
from imapd.query.verdicts import Verdicts
from imapd.session.content import Content
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.answers import each
from imapd.store.errors import MessageGone
from imapd.store.interfaces import ITextIndex

__all__ = ["Selected", "Some"]

#: Octets of a message whose text is decoded at once; more is work for a thread.
_INLINE = 262_144


class Selected:
    """The messages of a session's view, or of another one; an `imapd.query.source.Source`."""

    def __init__(
        self,
        session: Session,
        program: Program = ALL,
        view: View | None = None,
        part: tuple[int, int] | None = None,
    ) -> None:
        """As `program` is to search them; `part` says of how many before, and of how many in all."""
        self.view: View = session.selected if view is None else view
        #: They are those of the session's own view.
        self.selected = self.view is session.view
        self._saved = session.saved if self.selected else EMPTY
        self._program = program
        #: By UID, what was found out.
        self._relevancies: dict[int, int] = {}
        self._session = session
        #: The place that was looked at first, and how far from there the search has come.
        self._start: int | None = None
        self._done = 0
        #: What the index told last.
        self._told: dict[Sought, list[Told]] = {}
        self.uids: Sequence[int] = self.view.generation.uids[: self.view.count]
        self._last = self.uids[-1] if self.uids else 0
        self._before, self._goal = part or (0, len(self.uids))

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """As `Source`.  Numbers beyond the last message are nobody's, not an error."""
        view = self.view
        if isinstance(numbers, Recent):
            return view.generation.spans(view.recent, view.count)
        if isinstance(numbers, SequenceNumbers) and not numbers.numbers.saved:
            return _existing(numbers.numbers, view.count)
        meant = self._saved if numbers.numbers.saved else numbers.numbers.resolve(self._last)
        return view.generation.spans(meant, view.count)

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """As `Source`."""
        if column == FLAGS:
            return self.view.flags(range(start, stop))
        assert column == MODSEQ, column
        return self.view.modseqs(range(start, stop))

    def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Source`."""
        self._reach(uids.first)
        if RELEVANCY in columns:
            return self._valued(uids, columns - {RELEVANCY} | columns_of(self._program))
        return self._scan(uids, columns)

    def _scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        blocks = self._session.policy.blocks
        return blocks.scan(self.view.mailbox, self.uids, uids, columns, self.turn)

    async def _valued(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        async for batch in self._scan(uids, columns):
            yield await with_relevancy(self._program, self, batch, self._relevancies)

    def _reach(self, uid: int) -> None:
        place = max(0, self.view.generation.position(uid))
        if self._start is None:
            self._start = place
        # Forwards, or backwards from the end.
        self._done = max(self._done, abs(place - self._start))

    async def turn(self) -> None:
        """As `Source`; who waits is told how far it has come."""
        self._session.progress.reached(self._before + self._done, self._goal)
        await self._session.peer.turn()

    @property
    def verdicts(self) -> Verdicts:
        """As `Source`; all sessions of this process share them."""
        return self.view.image.verdicts

    async def told(self, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """As `Source`."""
        index = ITextIndex(self.view.mailbox, None)
        if index is None:
            return
        kept = self._told.setdefault(sought, [])
        for told in kept:
            if told.uids[0] <= low <= told.uids[-1]:
                yield told
                low = told.uids[-1] + 1
        if low <= high:
            async for told in each(index.told(sought, low, high)):
                # The next block of messages may begin within it.
                kept[:] = [told]
                yield told

    async def message(self, uid: int) -> MessageText | None:
        """As `Source`."""
        self._reach(uid)
        content = Content(self.view.mailbox, uid)
        try:
            octets = await content.buffer()
            message = MessageText(octets, await content.part(), content.close)
            if len(octets) > _INLINE:
                await deferToThread(message.prepare)
        except MessageGone:
            content.close()
            return None
        except BaseException:
            content.close()
            raise
        return message


class Some:
    """A few of these messages; a `Source` too, at a cost that is theirs alone."""

    def __init__(self, whole: Selected, places: Sequence[int]) -> None:
        """Those at `places`, ascending."""
        self._whole = whole
        self._places = places
        self.uids: Sequence[int] = [whole.uids[place] for place in places]
        self.told = whole.told
        self.message = whole.message
        self.turn = whole.turn

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """As `Source`."""
        for start, stop in self._whole.spans(numbers):
            low = bisect_left(self._places, start)
            high = bisect_left(self._places, stop, low)
            if low < high:
                yield low, high

    def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Source`: what lies between two of these is not meant."""
        meant = NumSet.from_sorted(
            self.uids[place]
            for low, high in uids.ranges
            for place in range(bisect_left(self.uids, low), bisect_right(self.uids, high))
        )
        return self._whole.scan(meant, columns)

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """As `Source`; UID too."""
        if column == UID:
            return self.uids[start:stop]
        found: list[Any] = []
        for first, last in runs(self._places[start:stop]):
            found += self._whole.known(column, first, last)
        return found

    @property
    def verdicts(self) -> Verdicts:
        """As `Source`."""
        return self._whole.verdicts


def _existing(numbers: SequenceSet, count: int) -> Iterable[Span]:
    for low, high in numbers.resolve(count).ranges:
        if low <= count:
            yield low - 1, min(high, count)
