"""What ties messages together, and what is tied to some of them.

Messages are tied when they name an identifier in common or, where subjects matter, have a base
subject in common; and when both are tied to a third.  What nothing ties to the others has the
same threads among them as it has alone.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate, islice, repeat
from typing import Final

from imapd.query.pieces import Pieces, in_pieces
from imapd.query.thread import Algorithm, Searched

__all__ = ["Ties"]

#: No label: the entry does not count any more.
_DEAD: Final = (1 << 32) - 1


class Ties:
    """The ties of many messages; those with one label are tied together.

    Labels are given when they are first asked for.  It does not change: `renewed` gives another.
    """

    __slots__ = ("_count", "_labels", "_numbers", "_starts", "_subjects", "uids")

    def __init__(self) -> None:
        #: Some may be there twice, or no longer.
        self.uids = array("I")
        #: The identifiers of all, 0 where one has none of its own; where those of each begin, and
        #: where those of the last end.
        self._numbers = array("Q")
        self._starts = array("Q", (0,))
        #: Of each what its subject ties it by, or 0; it may be empty, if subjects do not matter.
        self._subjects = array("Q")
        #: As far as they were given, and how many there are.
        self._labels = array("I")
        self._count = 0

    @classmethod
    def of(cls, uids: Sequence[int], searched: Searched, algorithm: Algorithm) -> Pieces[Ties]:
        """What ties these messages together."""
        made = cls()
        yield from made._add(uids, searched, algorithm)
        return made

    #: Of what the columns are.
    TYPES: Final = ("I", "Q", "Q", "Q", "I", "I")

    def columns(self) -> Pieces[Sequence[array[int]]]:
        """All there is to know, labels included, a column each; see `having`."""
        yield from self._label()
        count = array("I", (self._count,))
        return (self.uids, self._numbers, self._starts, self._subjects, self._labels, count)

    @classmethod
    def having(cls, columns: Sequence[array[int]]) -> Ties:
        """Those of which these are the `columns`."""
        made = cls()
        made.uids, made._numbers, made._starts, made._subjects, made._labels, count = columns
        (made._count,) = count
        return made

    def _add(self, uids: Sequence[int], searched: Searched, algorithm: Algorithm) -> Pieces[None]:
        self.uids.extend(uids)
        if algorithm.links:
            self._numbers = searched.links.numbers
            for sizes in in_pieces(searched.links.sizes):
                self._starts.extend(islice(accumulate(sizes, initial=self._starts[-1]), 1, None))
                yield
        else:
            self._starts.extend(repeat(0, len(uids)))
        if algorithm.subjects:
            # Those without one are alike where subjects are all that counts.
            none = 0 if algorithm.links else 1
            for subjects in in_pieces(searched.subjects):
                self._subjects.extend([none if each is None else each | 1 for each in subjects])
                yield

    def tied(self, gone: Collection[int], come: Ties) -> Pieces[tuple[set[int], list[int]]]:
        """The labels of what is tied to messages that go or come, and who has these labels."""
        yield from self._label()
        labels: set[int] = set()
        if gone:
            for uids, given in zip(in_pieces(self.uids), in_pieces(self._labels)):
                labels.update(label for uid, label in zip(uids, given) if uid in gone)
                yield
        wanted = frozenset((*come._numbers, *come._subjects)) - {0}
        for subjects, given in zip(in_pieces(self._subjects), in_pieces(self._labels)):
            labels.update(label for each, label in zip(subjects, given) if each in wanted)
            yield
        at = 0
        for numbers in in_pieces(self._numbers):
            found = [place for place, number in enumerate(numbers, at) if number in wanted]
            labels.update(self._labels[bisect_right(self._starts, place) - 1] for place in found)
            at += len(numbers)
            yield
        labels.discard(_DEAD)
        members: list[int] = []
        for uids, given in zip(in_pieces(self.uids), in_pieces(self._labels)):
            members += [uid for uid, label in zip(uids, given) if label in labels]
            yield
        return labels, members

    def renewed(self, labels: Collection[int], instead: Ties) -> Pieces[Ties]:
        """The same with other messages in place of those with these labels; no others are tied to them."""
        made = Ties()
        made.uids = self.uids + instead.uids
        made._numbers = self._numbers + instead._numbers
        made._subjects = self._subjects + instead._subjects
        made._starts = self._starts[:]
        before = len(self._numbers)
        made._starts.extend(before + start for start in instead._starts[1:])
        made._count = self._count
        for given in in_pieces(self._labels):
            made._labels.extend(_DEAD if label in labels else label for label in given)
            yield
        yield from made._label()
        return made

    def _label(self) -> Pieces[None]:
        """Give labels to those who have none, who are tied to others only among themselves."""
        first = self._count
        done = len(self._labels)
        leaders: list[int] = []
        known: dict[int, int] = {}
        find = known.get
        labels: list[int] = []
        for places in in_pieces(range(done, len(self.uids))):
            for place in places:
                numbers = self._numbers[self._starts[place] : self._starts[place + 1]]
                if self._subjects:
                    numbers.append(self._subjects[place])
                label = -1
                for number in filter(None, numbers):
                    other = find(number, label)
                    if other != label:
                        while leaders[other] != other:
                            leaders[other] = other = leaders[leaders[other]]
                        if label < 0:
                            label = other
                        else:
                            leaders[other] = label
                if label < 0:
                    label = len(leaders)
                    leaders.append(label)
                for number in filter(None, numbers):
                    known[number] = label
                labels.append(label)
            yield
        given = array("I")
        for some in in_pieces(labels):
            for label in some:
                while leaders[label] != label:
                    leaders[label] = label = leaders[leaders[label]]
                given.append(first + label)
            yield
        # Somebody else may have done the same meanwhile.
        if len(self._labels) == done:
            self._labels += given
            self._count = first + len(leaders)
