"""A transaction over the index and the tree.

* Files are moved inside it, so that no reading of a directory by us falls in between.
* What was done to files is undone when the transaction is.
* Directories are synced before the index is committed: it never says of a file what the
  disk does not know.  When it is durable, the commit is on the disk when it returns.
* The stamp of a directory that we changed is brought forward, so that our own changes are
  not taken for another's; unless another's came before it, then it is read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from attrs import define, field

from imapd.model.mailbox import Hint
from imapd.store.maildir.index import Index
from imapd.store.maildir.tree import Tree, modified, synced

__all__ = ["SETTLED", "Turn", "transaction"]

#: Nanoseconds after which a directory's mtime tells a later change from an earlier one; and where
#: mtimes are not of whole seconds: ten times what kernels round them to.
SETTLED: Final = 2_000_000_000
_FINE: Final = 100_000_000
_SECOND: Final = 1_000_000_000


@define(eq=False)
class Turn:
    """What a change works with."""

    index: Index
    tree: Tree
    durable: bool
    #: What to tell when it is committed.
    hints: list[Hint] = field(factory=list)
    _undo: list[Callable[[], object]] = field(factory=list)
    _last: list[Callable[[], object]] = field(factory=list)
    #: By mailbox: its cur, and the sign of its stamp (0: changed by others).
    _touched: dict[int, tuple[str, int]] = field(factory=dict)

    def touch(self, number: int) -> str:
        """The files of that mailbox are about to change; its directory.

        Raises `StoreUnavailable` if it is not this account's.
        """
        row = self.index.mailbox(number)
        directory, stamp = row.directory, row.cur_stamp
        if number not in self._touched:
            self.tree.own(directory)
            path = self.tree.part(directory)
            sign = 1 if stamp >= 0 else -1
            self._touched[number] = (path, sign if modified(path) == abs(stamp) else 0)
        return directory

    def distrust(self, number: int) -> None:
        """The files of that mailbox are not as the rows say: they are to be read again."""
        self._touched[number] = (self.tree.part(self.index.directory(number)), 0)
        self.index.sql("UPDATE mailboxes SET cur_stamp = 0 WHERE number = ?", (number,))

    def undo(self, call: Callable[[], object]) -> None:
        """Called if this does not come to be."""
        self._undo.append(call)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; its old one again if this does not come to be."""
        os.rename(old, new)
        self._undo.append(partial(_back, new, old))

    def last(self, call: Callable[[], object]) -> None:
        """Called before the commit, when the rows are written: it may wait for the disk."""
        self._last.append(call)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part that may fail alone."""
        undo, last, hints = len(self._undo), len(self._last), len(self.hints)
        self.index.sql("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self.index.sql("ROLLBACK TO step")
            self.index.sql("RELEASE step")
            self.index.forget()
            self._revert(undo)
            del self._last[last:], self.hints[hints:]
            raise
        self.index.sql("RELEASE step")

    def settle(self) -> None:
        """Do what was left for `last`."""
        calls, self._last = self._last, []
        for call in calls:
            call()

    def finish(self) -> None:
        """All but the commit."""
        self.settle()
        for number, (path, sign) in self._touched.items():
            with suppress(FileNotFoundError):
                synced(path)
            if sign:
                self.index.sql(
                    "UPDATE mailboxes SET cur_stamp = ? WHERE number = ?",
                    (sign * modified(path), number),
                )

    def revert(self) -> None:
        """Undo what was done to files."""
        self._revert(0)

    @property
    def touched(self) -> frozenset[int]:
        """The mailboxes whose files were changed."""
        return frozenset(self._touched)

    def _revert(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()


def _back(source: str, target: str) -> None:
    with suppress(OSError):
        os.rename(source, target)


@contextmanager
def transaction(index: Index, tree: Tree, durable: bool) -> Iterator[Turn]:
    """Begin, and commit at the end; undo all if it raises."""
    index.begin(durable)
    turn = Turn(index, tree, durable)
    try:
        yield turn
        turn.finish()
        index.commit()
    except BaseException:
        index.roll_back()
        turn.revert()
        raise


def settled_stamp(mtime: int, changed: int = 0) -> int:
    """The stamp for a directory read just now; below 0 if its mtime may hide a change to come.

    `changed` is the time in nanoseconds since which nobody but us has changed it, if that is known.
    One whose mtime is far in the future, as when the clock was set back, will have another when it changes.
    """
    now = time.time_ns()
    settled = SETTLED if mtime % _SECOND == 0 else min(_FINE, SETTLED)
    if (changed and now - changed > settled) or abs(now - mtime) > SETTLED:
        return mtime
    return -mtime
