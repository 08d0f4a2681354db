"""Sizes of messages that were entered before their files were read.

A file's octets are a message's only if no line of it ends in a lone LF, which reading tells.  Who
asks for a size has it found out; the others are found out behind the answers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from attrs import define
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.maildir.flagsets import BIT
from imapd.store.maildir.index import UID_BITS, UID_MASK, Index, base_of, held
from imapd.store.maildir.reader import InThread, wire_size
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.turn import transaction
from imapd.store.maildir.writer import Writer

__all__ = ["Sizes", "measure"]

_DELETED: Final = BIT["\\Deleted"]
#: Messages measured between two transactions: some milliseconds of the writer's thread.
_AT_ONCE: Final = 400
_UNMEASURED: Final = (
    "SELECT m.id, f.name, f.home FROM messages m INDEXED BY messages_unmeasured"
    " JOIN files f ON f.id = m.id"
    " WHERE m.size < 0 AND m.id BETWEEN ? AND ? ORDER BY m.id LIMIT ?"
)
_SIZE: Final = "SELECT size FROM messages WHERE id = ? AND size >= 0"


@define(eq=False)
class Sizes:
    """Of the messages of one account; on the reactor's thread."""

    _index: Index
    _tree: Tree
    _writer: Writer
    _in_thread: InThread
    #: Reads a mailbox's directory again.
    _check: Callable[[int, bool], Deferred[None] | None]

    async def of(self, number: int, uids: NumSet) -> Mapping[int, int]:
        """Sizes of messages that had not been measured, by UID; none of what cannot be read."""
        base = base_of(number)
        sizes: list[tuple[int, int]] = []
        left = uids
        for again in (False, True):
            low, high = left.ranges[0][0], left.ranges[-1][1]
            files = [
                file
                for file in _paths(self._index, self._tree, number, low, high)
                if file[0] - base in left
            ]
            found: list[tuple[int, int]] = await self._in_thread(partial(_measured, files))
            sizes += found
            left -= NumSet.of(*(id - base for id, _ in found))
            if again or len(found) == len(files):
                break
            # Somebody renamed or removed some of them.
            reading = self._check(number, True)
            if reading is not None:
                await reading
        if sizes:
            self._writer.do(
                lambda turn: _keep(turn.index, sizes), durable=False, patient=False
            ).addErrback(_passed_over)
        known = {id - base: size for id, size in sizes}
        for uid in left:
            # It may have been measured by others meanwhile.
            row = self._index.sql(_SIZE, (base + uid,)).fetchone()
            if row is not None:
                known[uid] = row[0]
        return known

    async def all(self) -> None:
        """Find out all that are not known."""
        for number in self._index.unsized():
            after: int | None = 0
            while after is not None:
                after = await self._writer.alone(partial(measure, number=number, after=after))


def _passed_over(failure: Failure) -> None:
    # Whoever asks again finds out again.
    failure.trap(StoreUnavailable)  # type: ignore[no-untyped-call]  # Twisted has no types for it


def _paths(
    index: Index, tree: Tree, number: int, low: int, high: int, most: int = -1
) -> list[tuple[int, str]]:
    """Keys and files of messages from UID `low` to `high` that are still to be measured."""
    base = base_of(number)
    found = index.sql(_UNMEASURED, (base + low, base + high, most)).fetchall()
    places: dict[int | None, str | None] = {}
    for home in {home for _, _, home in found}:
        try:
            directory = index.directory(number if home is None else home)
            tree.own(directory)
            places[home] = tree.part(directory)
        except (NoSuchMailbox, StoreUnavailable):
            places[home] = None
    return [(id, f"{places[home]}/{name}") for id, name, home in found if places[home] is not None]


def _measured(files: Iterable[tuple[int, str]]) -> list[tuple[int, int]]:
    """Sizes of messages by key; those whose files cannot be read are left out."""
    sizes = []
    for id, path in files:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                sizes.append((id, wire_size(descriptor)))
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return sizes


def _keep(index: Index, sizes: Sequence[tuple[int, int]]) -> None:
    """Enter them, in a transaction: nobody was told another size, so nothing has changed."""
    more: dict[int, tuple[int, int]] = {}
    for id, size in sizes:
        row = index.sql(
            "SELECT flags, size FROM messages WHERE id = ? AND size < 0", (id,)
        ).fetchone()
        if row is None:
            continue
        index.sql("UPDATE messages SET size = ? WHERE id = ?", (size, id))
        further = size - held(row[1])
        all, deleted = more.get(id >> UID_BITS, (0, 0))
        more[id >> UID_BITS] = (
            all + further,
            deleted + (further if row[0] & _DELETED else 0),
        )
    for number, (all, deleted) in more.items():
        index.sql(
            "UPDATE mailboxes SET size = size + ?, deleted_size = deleted_size + ?"
            " WHERE number = ?",
            (all, deleted, number),
        )


def measure(index: Index, tree: Tree, hints: list[Hint], number: int, after: int = 0) -> int | None:
    """Measure some of a mailbox above a UID; the last one's, or None if there are no more."""
    files = _paths(index, tree, number, after + 1, UID_MASK, _AT_ONCE)
    if not files:
        return None
    sizes = _measured(files)
    with transaction(index, tree, False):
        _keep(index, sizes)
    return files[-1][0] - base_of(number)
