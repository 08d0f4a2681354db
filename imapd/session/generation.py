"""The messages of one mailbox as columns: UIDs, flags and modseqs.

Rules of this file:

* The columns of a `Generation` only grow at their end and change in place; when messages
  vanish, a new one takes its place, and who has not been told of that keeps the old one.
* What a change costs is in proportion to the change: which flags occur, and which message
  is the first unseen, is kept up with it.  To count the flags is left to the first change,
  for it takes longer than to read them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from imapd.model.flags import SEEN, Flags
from imapd.model.numset import NumSet

__all__ = ["Generation", "at"]

_T = TypeVar("_T")


def at(column: Sequence[_T], places: Sequence[int]) -> Sequence[_T]:
    """The values of a column at these places, which are a range or few enough to be named."""
    if isinstance(places, range):
        return column[places.start : places.stop]
    return [column[place] for place in places]


class Generation:
    """Parallel columns, in UID order; to be changed by `extend` and `change` alone."""

    __slots__ = ("_seen_before", "_sets", "_times", "flags", "modseqs", "uids")

    def __init__(self) -> None:
        self.uids: array[int] = array("I")
        self.flags: list[Flags] = []
        self.modseqs: array[int] = array("Q")
        #: The sets of flags that occur, few however many messages there are; None: nobody asked.
        self._sets: Collection[Flags] | None = None
        #: How often each of them occurs; None: nothing has changed since somebody asked.
        self._times: Counter[Flags] | None = None
        #: No message before this place is unseen.
        self._seen_before = 0

    def position(self, uid: int) -> int:
        """Where `uid` is, or -1."""
        place = bisect_left(self.uids, uid)
        return place if place < len(self.uids) and self.uids[place] == uid else -1

    def spans(self, uids: NumSet, count: int) -> Iterator[tuple[int, int]]:
        """The places of those of `uids` that are here, among the first `count`."""
        for low, high in uids.ranges:
            start = bisect_left(self.uids, low, 0, count)
            stop = bisect_left(self.uids, high + 1, start, count)
            if start < stop:
                yield start, stop

    # Changing.

    def extend(self, uids: Iterable[int], flags: Sequence[Flags], modseqs: Iterable[int]) -> None:
        """More messages, behind those that are here."""
        self.uids.extend(uids)
        self.flags.extend(flags)
        self.modseqs.extend(modseqs)
        if self._times is not None:
            self._times.update(flags)
        elif self._sets is not None:
            self._sets = frozenset(self._sets).union(flags)

    def change(
        self, uids: Sequence[int], flags: Sequence[Flags], modseqs: Sequence[int]
    ) -> list[int]:
        """Other flags and modseqs for those of these messages that are here.

        The answer is the UIDs of those whose flags were the same.
        """
        first, count = self.position(uids[0]), len(uids)
        if first >= 0 and self.uids[first : first + count] == array("I", uids):
            before = self.flags[first : first + count]
            alike = [uid for uid, old, new in zip(uids, before, flags) if old == new]
            self._will_be(first, before, flags)
            self.flags[first : first + count] = flags
            self.modseqs[first : first + count] = array("Q", modseqs)
            return alike
        rows = [
            (place, each, modseq)
            for place, each, modseq in zip(map(self.position, uids), flags, modseqs)
            if place >= 0
        ]
        if rows:
            self._will_be(
                rows[0][0], [self.flags[row[0]] for row in rows], [row[1] for row in rows]
            )
        alike = [self.uids[place] for place, each, _ in rows if self.flags[place] == each]
        for place, each, modseq in rows:
            self.flags[place] = each
            self.modseqs[place] = modseq
        return alike

    def without(self, uids: NumSet) -> Generation | None:
        """The generation after these vanished; None if none of them is here."""
        spans = list(self.spans(uids, len(self.uids)))
        if not spans:
            return None
        made = Generation()
        self._will_be(
            len(self.flags), [each for low, high in spans for each in self.flags[low:high]], ()
        )
        made._times, self._times = self._times, None
        made._sets, self._sets = made._times, None
        made._seen_before = self._seen_before - sum(
            max(0, min(high, self._seen_before) - low) for low, high in spans
        )
        at = 0
        for start, stop in [*spans, (len(self.uids), len(self.uids))]:
            made.uids.extend(self.uids[at:start])
            made.flags.extend(self.flags[at:start])
            made.modseqs.extend(self.modseqs[at:start])
            at = stop
        return made

    def _will_be(self, first: int, before: Iterable[Flags], after: Collection[Flags]) -> None:
        """The flags `before`, the first of them at the place `first`, are about to be others."""
        if first < self._seen_before and any(SEEN not in each for each in set(after)):
            self._seen_before = first
        if self._sets is None:
            return
        if self._times is None:
            self._sets = self._times = Counter(self.flags)
        times = self._times
        times.update(after)
        for each, count in Counter(before).items():
            if times[each] == count:
                del times[each]
            else:
                times[each] -= count

    # What is known of all.

    def flag_sets(self) -> Collection[Flags]:
        """The sets of flags that occur."""
        if self._sets is None:
            self._sets = frozenset(self.flags)
        return self._sets

    def first_unseen(self) -> int:
        r"""The place of the first message without \Seen, or -1."""
        start, stop = self._seen_before, len(self.flags)
        found = -1
        for each in self.flag_sets():
            if SEEN not in each:
                with suppress(ValueError):
                    found = stop = self.flags.index(each, start, stop)
        self._seen_before = stop
        return found
