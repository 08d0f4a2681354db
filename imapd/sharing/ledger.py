r"""What one user has seen of another's mailbox, and the modification sequences they see.

The mailbox counts its own changes 1, 2, 3...; each change of what the user has seen (a
`Mark`) falls between two of them.  The user's modification sequences number both kinds
in that order: so a mark moves nobody else's, and a number once told stays what it is.

Pure: marks in, answers out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from attrs import define, field

from imapd.model.flags import SEEN, Flags, interned
from imapd.model.numset import EMPTY, NumSet
from imapd.store.access import Mark

__all__ = ["Ledger"]


@define(eq=False)
class Ledger:
    """The marks of one user in one mailbox."""

    #: Of each mark, the mailbox's modseq then.
    _at: list[int] = field(factory=list, init=False, repr=False)
    _uids: list[NumSet] = field(factory=list, init=False, repr=False)
    _seen: set[int] = field(factory=set, init=False, repr=False)
    #: The number of the last mark of a UID.
    _last: dict[int, int] = field(factory=dict, init=False, repr=False)
    _as_set: tuple[int, NumSet] = field(default=(0, EMPTY), init=False, repr=False)

    def __len__(self) -> int:
        return len(self._at)

    def extend(self, marks: Iterable[Mark]) -> None:
        """Take in the marks that come next."""
        for mark in marks:
            self._at.append(mark.at)
            self._uids.append(mark.uids)
            for uid in mark.uids:
                self._last[uid] = len(self._at)
            if mark.seen:
                self._seen.update(mark.uids)
            else:
                self._seen.difference_update(mark.uids)

    # -- modification sequences

    def highest(self, raw: int) -> int:
        """The user's number of this moment, if the mailbox's is `raw`."""
        return raw + bisect_right(self._at, raw)

    def numbered(self, raw: int) -> int:
        """The user's number of the mailbox's change `raw`."""
        return raw + bisect_left(self._at, raw)

    def split(self, modseq: int) -> tuple[int, int]:
        """The mailbox's number, and how many marks, at the user's `modseq`."""
        low, high = 0, len(self._at)
        while low < high:
            middle = (low + high) // 2
            if self._at[middle] + middle + 1 <= modseq:
                low = middle + 1
            else:
                high = middle
        return modseq - low, low

    def modseq(self, uid: int, raw: int) -> int:
        """The user's number of the last change of a message whose own is `raw`."""
        last = self._last.get(uid)
        numbered = self.numbered(raw)
        return numbered if last is None else max(numbered, self._at[last - 1] + last)

    # -- what was seen

    @property
    def seen(self) -> NumSet:
        """UIDs the user has seen; some may be gone."""
        count, known = self._as_set
        if count != len(self._at):
            known = NumSet.from_sorted(sorted(self._seen))
            self._as_set = len(self._at), known
        return known

    def has_seen(self, uid: int) -> bool:
        """Whether the user has."""
        return uid in self._seen

    def marked_after(self, count: int) -> set[int]:
        """UIDs of all marks but the first `count`."""
        return {uid for uids in self._uids[count:] for uid in uids}

    def flags(self, uids: Sequence[int], flags: Sequence[Flags]) -> list[Flags]:
        r"""Flags of messages as the user sees them: \Seen is their own."""
        unseen: dict[Flags, Flags] = {each: interned(each - {SEEN}) for each in set(flags)}
        seen: dict[Flags, Flags] = {each: interned(each | {SEEN}) for each in unseen}
        return [(seen if uid in self._seen else unseen)[each] for uid, each in zip(uids, flags)]
