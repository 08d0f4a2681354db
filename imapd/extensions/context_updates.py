"""The results that a session wants to be told of while its mailbox changes (RFC 5267, 4.3).

Rules of this file:

* What changed is looked at, and nothing else: a program is asked about those messages, and
  where one belongs in an order is found among few of the others.
* Numbers and ``*`` of a program mean the messages that they meant when it was asked.
* A result of SEARCH is told without positions, one of SORT with the position of everything.
* That messages leave is told before they are told to be gone, even while that must wait.
* What the store cannot tell now is looked at again, and then told.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from attrs import define, field

from imapd.commands.fetch import Fetch
from imapd.commands.fetch_att import once
from imapd.commands.fetch_items import Fetched, Items
from imapd.commands.search import esearch
from imapd.commands.search_source import Selected, Some
from imapd.model.message import UID
from imapd.model.numset import STAR, NumSet, SequenceSet
from imapd.model.search import And, Cost, Key, Not, Or, Program, Recent, SequenceNumbers, UIDs
from imapd.query.criteria import Criterion
from imapd.query.results import in_order
from imapd.query.search import search
from imapd.query.sort import arranged, gaps
from imapd.query.updates import Pair, put, take
from imapd.session.orders import ordered
from imapd.session.session import Session
from imapd.session.view import View, vanished

__all__ = ["Context", "Contexts", "frozen"]

#: New results that are put in their places one by one; for more, all are put in order.
_SINGLY: Final = 64
#: Rows that are told by one FETCH: RFC 9738 lets no server work on less.
_CHUNK: Final = 1_000
_LAST: Final = (1 << 32) - 1


@define(eq=False)
class Context:
    """One result, as the client has been told of it."""

    tag: bytes
    by_uid: bool
    #: It is told of which mailbox it is (RFC 7377).
    by_mailbox: bool
    program: Program
    criteria: tuple[Criterion, ...]
    #: What is told of new messages that come into it (RFC 5465, 7).
    items: Sequence[Fetched]
    #: UIDs in the order of the result.
    result: array[int] = field(repr=False)
    #: The same, ascending.
    members: array[int] = field(repr=False)

    def has(self, uid: int) -> bool:
        """Whether the client believes that it matches."""
        at = bisect_left(self.members, uid)
        return at < len(self.members) and self.members[at] == uid


class Contexts:
    """Those of one selected mailbox; its view's `session.view.Follower`."""

    def __init__(self, session: Session, view: View) -> None:
        self._session = session
        self._view = view
        self.contexts: dict[bytes, Context] = {}
        #: What has been looked at: changes up to a modseq, messages up to a UID, removals.
        self._modseq = view.told
        self._last = view.generation.uids[view.count - 1] if view.count else 0
        self._seen = view.generation
        #: What NOTIFY tells of new messages is told along, and of these it has been (RFC 5465, 5.2).
        self.also: Sequence[Fetched] = ()
        self.told: set[int] = set()

    def add(self, context: Context) -> None:
        """Tell of this one too, which has what the view has."""
        self.contexts[context.tag] = context
        self._seen = self._view.generation

    def results(self) -> int:
        """How many results are kept."""
        return sum(len(context.result) for context in self.contexts.values())

    # What is told.

    def leaving(self) -> bytes:
        """As `Follower`."""
        view, now = self._view, self._view.image.generation
        if self._seen is now:
            return b""
        self._seen = now
        uids = view.generation.uids
        spans, _ = vanished(uids, view.count, now.uids)
        gone = [uid for start, stop in spans for uid in uids[start:stop]]
        told = []
        for context in self.contexts.values():
            pairs = self._removed(context, [uid for uid in gone if context.has(uid)])
            if pairs:
                told.append(self._told(context, b"REMOVEFROM", pairs))
        return b"".join(told)

    @property
    def behind(self) -> bool:
        """As `Follower`."""
        view = self._view
        if view.generation is not view.image.generation:
            return False
        last = view.generation.uids[view.count - 1] if view.count else 0
        return self._modseq < view.told or self._last < last

    async def follow(self) -> None:
        """As `Follower`."""
        view = self._view
        modseq = view.told
        places = self._changed()
        if places:
            new = bisect_right(view.generation.uids, self._last, 0, view.count)
            for context in tuple(self.contexts.values()):
                await self._update(context, places, new)
        self._modseq = modseq
        self._last = view.generation.uids[view.count - 1] if view.count else 0

    def _changed(self) -> Sequence[int]:
        """The places of messages that came or changed since it was looked at them."""
        view = self._view
        generation = view.generation
        new = bisect_right(generation.uids, self._last, 0, view.count)
        found = view.image.changed_since(self._modseq)
        if found is None:
            modseqs = generation.modseqs
            old = [place for place in range(new) if modseqs[place] > self._modseq]
        else:
            known = (generation.position(uid) for uid in found if uid <= self._last)
            old = sorted(place for place in known if place >= 0)
        return [*old, *range(new, view.count)]

    async def _update(self, context: Context, places: Sequence[int], new: int) -> None:
        source = Selected(self._session, context.program)
        some = Some(source, places)
        matching = {some.uids[at] for at in await search(context.program, some)}
        had = {uid for uid in some.uids if context.has(uid)}
        self._tell(context, b"REMOVEFROM", self._removed(context, had - matching))
        fresh = sorted(self._view.generation.position(uid) for uid in matching - had)
        if context.items:
            await self._tell_rows(context, [place for place in fresh if place >= new])
        if fresh:
            await self._add(context, source, fresh)

    async def _tell_rows(self, context: Context, places: Sequence[int]) -> None:
        """RFC 5465, 7: rows of new messages come before the ESEARCH."""
        view = self._view
        items = once((*context.items, *self.also))
        if self.also:
            self.told.update(view.uids_of(places))
        numbers = NumSet.from_sorted(place + 1 for place in places)
        spans = [(low - 1, high) for low, high in numbers.ranges]
        for some in view.chunks(spans, _CHUNK):
            numbers = NumSet.from_sorted(place + 1 for place in some)
            fetch = Fetch(SequenceSet(tuple(numbers.ranges)), False, Items(items))
            await self._session.policy.dialect.commands[b"FETCH"].run(self._session, fetch)

    # What is kept.

    def _removed(self, context: Context, gone: Collection[int]) -> Sequence[Pair]:
        """Take out of a result what is in it."""
        if not gone:
            return ()
        pairs = take(context.result, frozenset(gone))
        if context.result is not context.members:
            take(context.members, frozenset(gone))
        return pairs

    async def _add(self, context: Context, source: Selected, fresh: Sequence[int]) -> None:
        """Put messages, by place, into a result."""
        uids, result = source.uids, context.result
        if not context.criteria:
            new = [uids[place] for place in fresh]
            before = [bisect_left(result, uid) for uid in new]
        elif len(fresh) > _SINGLY:
            new, before = await self._merged(context, source, fresh)
        else:
            position = self._view.generation.position
            order = await arranged(source, fresh, context.criteria)
            new = [uids[place] for place in order]
            before = list(
                await gaps(
                    source, len(result), lambda at: position(result[at]), order, context.criteria
                )
            )
        if context.members is not result:
            sorted_new = sorted(new)
            places = [bisect_left(context.members, uid) for uid in sorted_new]
            put(context.members, sorted_new, places)
        self._tell(context, b"ADDTO", put(result, new, before))

    async def _merged(
        self, context: Context, source: Selected, fresh: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        """New UIDs in order, and before which of the others each belongs, found by sorting all."""
        uids, position = source.uids, self._view.generation.position
        wanted = sorted([*map(position, context.members), *fresh])
        order = await ordered(self._view, source, wanted, context.criteria)
        # Of what is gone already, no place can be told.
        there = frozenset(uids[place] for place in order)
        lost = [uid for uid in context.members if uid not in there]
        self._tell(context, b"REMOVEFROM", self._removed(context, lost))
        coming = frozenset(fresh)
        new: list[int] = []
        before: list[int] = []
        for at, place in enumerate(order):
            if place in coming:
                before.append(at - len(new))
                new.append(uids[place])
        return new, before

    def _tell(self, context: Context, name: bytes, pairs: Sequence[Pair]) -> None:
        if pairs:
            self._session.write(self._told(context, name, pairs))

    def _told(self, context: Context, name: bytes, pairs: Sequence[Pair]) -> bytes:
        """``* ESEARCH`` with ``ADDTO`` or ``REMOVEFROM``."""
        view = self._view if context.by_mailbox else None
        begun = esearch(self._session, context.tag, view, context.by_uid)
        return b"%b %b (%b)\r\n" % (begun, name, self._pairs(context, pairs))

    def _pairs(self, context: Context, pairs: Sequence[Pair]) -> bytes:
        """``context-position SP sequence-set *(SP context-position SP sequence-set)``."""
        if context.criteria:
            return b" ".join(
                b"%d %b" % (at, in_order(self._numbers(context, uids))) for at, uids in pairs
            )
        numbers = sorted(uid for _, uids in pairs for uid in self._numbers(context, uids))
        return b"0 " + NumSet.from_sorted(numbers).wire()

    def _numbers(self, context: Context, uids: Iterable[int]) -> Sequence[int]:
        if context.by_uid:
            return list(uids)
        position = self._view.generation.position
        return [position(uid) + 1 for uid in uids]


def frozen(program: Program, source: Selected, is_recent: Callable[[int], bool]) -> Program:
    """The program whose numbers mean for ever what they mean now."""
    if isinstance(program, Not):
        return Not(frozen(program.program, source, is_recent))
    if isinstance(program, (And, Or)):
        return type(program)(tuple(frozen(each, source, is_recent) for each in program.programs))
    if isinstance(program, Recent):
        return Key("RECENT", Cost.VIEW, (UID,), is_recent)
    if isinstance(program, (SequenceNumbers, UIDs)):
        uids = source.uids
        if isinstance(program, SequenceNumbers) or program.numbers.saved:
            meant = NumSet((uids[start], uids[stop - 1]) for start, stop in source.spans(program))
        else:
            last = uids[-1] if uids else 0
            meant = program.numbers.resolve(last)
            lows = [min(each) or max(each) for each in program.numbers.ranges if STAR in each]
            meant |= NumSet((low, _LAST) for low in lows if low > STAR)
        return Key("UID", Cost.VIEW, (UID,), meant.__contains__, (meant,))
    return program
