"""What changed in a mailbox, in order: the modification sequences and the tombstones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from itertools import repeat
from typing import Final

from attrs import define, field

__all__ = ["ChangeLog"]

#: Entries before those that a later one replaced are dropped.
_ENTRIES: Final = 1_024


@define
class ChangeLog:
    """UIDs that came, changed or went, each with the modseq of that; an empty log is at 1."""

    modseq: int = field(default=1, init=False)
    _modseqs: list[int] = field(factory=list, init=False, repr=False)
    _uids: list[int] = field(factory=list, init=False, repr=False)
    _most: int = field(default=_ENTRIES, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._uids)

    def note(self, uids: Collection[int]) -> None:
        """One change of all these, under the next modseq; without any, nothing changed."""
        if not uids:
            return
        self.modseq += 1
        self._uids.extend(uids)
        self._modseqs.extend(repeat(self.modseq, len(uids)))
        if len(self._uids) > self._most:
            self._shorten()

    def since(self, modseq: int) -> set[int]:
        """The UIDs noted after `modseq`."""
        return set(self._uids[bisect_right(self._modseqs, modseq) :])

    def _shorten(self) -> None:
        """Keep the last entry of each UID: no answer of `since` depends on the others."""
        last = dict(zip(self._uids, self._modseqs))
        entries = sorted((modseq, uid) for uid, modseq in last.items())
        self._modseqs = [modseq for modseq, _ in entries]
        self._uids = [uid for _, uid in entries]
        self._most = 2 * len(entries) + _ENTRIES
