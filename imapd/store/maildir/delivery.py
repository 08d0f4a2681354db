"""Messages into a mailbox: append, replace and copy.

The order, and what a crash leaves (docs/decisions/maildir-index.rst):

1. the draft is written and synced in ``tmp``: a stray file, removed later;
2. inside the transaction it gets its UID and is linked into ``cur``: a message that no one
   was told of, entered when the directory is read again;
3. ``cur`` is synced, the index is committed and synced: the message is there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from attrs import frozen

from imapd.model.annotation import Annotations
from imapd.model.dates import InternalDate
from imapd.model.flags import Flags
from imapd.model.mailbox import Appended, Copied
from imapd.model.message import Facts
from imapd.model.numset import NumSet
from imapd.store.errors import Inconvenient, MessageGone
from imapd.store.maildir import annotating
from imapd.store.maildir.edit import Edit, Entry
from imapd.store.maildir.filename import FileName, copied, fresh
from imapd.store.maildir.index import base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.spool import Draft, linked
from imapd.store.maildir.turn import Turn

__all__ = ["Incoming", "append", "copy", "replace", "sync"]


@frozen
class Incoming:
    """A message whose octets are here."""

    draft: Draft
    flags: Flags
    internal_date: InternalDate
    facts: Facts
    annotations: Annotations
    email_id: bytes | None
    thread_id: bytes | None


def sync(messages: Sequence[Incoming]) -> None:
    """Step 1: before the transaction."""
    for message in messages:
        message.draft.sync(message.internal_date)


def append(turn: Turn, number: int, messages: Sequence[Incoming]) -> Appended:
    """Steps 2 and 3."""
    edit = Edit(turn, turn.index.mailbox(number))
    uids = _entered(turn, edit, messages)
    return Appended(edit.row.uidvalidity, uids, edit.finish(tidy=True))


def replace(turn: Turn, number: int, uid: int, message: Incoming, destination: int) -> Copied:
    """As `IServerReplace`; the file of what was there goes behind the answer."""
    found = [
        row
        for some in rows(turn.index, number, NumSet.of(uid), "m.flags, m.size", "messages m")
        for row in some
    ]
    if not found:
        raise MessageGone(f"there is no message {uid}")
    source = Edit(turn, turn.index.mailbox(number))
    target = source if destination == number else Edit(turn, turn.index.mailbox(destination))
    uids = _entered(turn, target, [message])
    source.remove(found)
    changes = target.finish()
    removed = changes if target is source else source.finish()
    return Copied(target.row.uidvalidity, [uid], uids, changes, removed)


def _entered(turn: Turn, edit: Edit, messages: Sequence[Incoming]) -> list[int]:
    flagsets = turn.index.flagsets
    directory = turn.touch(edit.row.number)
    now = int(time.time())
    entries = []
    numbers = {
        flags: flagsets.number(flagsets.spelt(flags))
        for flags in dict.fromkeys(message.flags for message in messages)
    }
    for message in messages:
        flags = numbers[message.flags]
        size = message.draft.size
        uid = edit.take_uid()
        name = str(FileName(fresh(), size, size, uid, flagsets.letters(flags)))
        path = turn.tree.file(directory, name)
        turn.undo(_unlink(path))
        turn.last(partial(message.draft.link, path))
        entries.append(
            Entry(
                uid,
                flags,
                size,
                message.internal_date,
                name,
                size,
                now,
                message.email_id or os.urandom(16),
                message.facts,
                message.thread_id,
            )
        )
    edit.enter(entries)
    base = base_of(edit.row.number)
    for entry, message in zip(entries, messages):
        annotating.enter(turn.index, base + entry.uid, message.annotations)
    return [entry.uid for entry in entries]


def copy(turn: Turn, number: int, uids: NumSet, destination: int) -> Copied:
    """Copies have all that the messages have but their UID; the files are linked."""
    source = turn.index.mailbox(number)
    target = turn.index.mailbox(destination)
    edit = Edit(turn, target)
    index, tree = turn.index, turn.tree
    found = [
        row
        for some in rows(
            index, number, uids,
            "m.flags, m.size, f.name, f.home, f.size, f.email_id, f.thread_id",
            "messages m JOIN files f ON f.id = m.id",
        )
        for row in some
    ]  # fmt: skip
    base, target_base = base_of(number), base_of(destination)
    sources, copies, pairs, files = [], [], [], []
    owned: set[str] = set()
    letters = {flags: index.flagsets.letters(flags) for flags in {row[1] for row in found}}
    now = int(time.time())
    if found:
        turn.touch(destination)
    cur = tree.part(target.directory)
    for id, flags, _, name, home, *kept in found:
        uid = edit.take_uid()
        new = copied(name, uid, letters[flags])
        path = f"{cur}/{new}"
        turn.undo(_unlink(path))
        place = source.directory if home is None else index.directory(home)
        if place not in owned:
            tree.own(place)
            owned.add(place)
        try:
            linked(tree.file(place, name), path)
        except FileNotFoundError as error:
            raise Inconvenient("a message was just changed by another program") from error
        sources.append(id - base)
        copies.append(uid)
        pairs.append((target_base + uid, id))
        files.append((target_base + uid, new, now, *kept))
    sql = index.sql
    for low, high, further in _runs((source_id, copy_id) for copy_id, source_id in pairs):
        sql(
            "INSERT INTO messages (id, flags, modseq, size, internal_date, facts)"
            " SELECT id + ?, flags, ?, size, internal_date, ifnull(facts, id)"
            " FROM messages WHERE id BETWEEN ? AND ?",
            (further, edit.modseq, low, high),
        )
    index.many(
        "INSERT INTO files (id, name, saved, size, email_id, thread_id) VALUES (?, ?, ?, ?, ?, ?)",
        files,
    )
    annotating.copy(index, pairs)
    for uid, row in zip(copies, found):
        edit.came(uid, row[1], row[2])
    return Copied(target.uidvalidity, sources, copies, edit.finish(tidy=True))


def _runs(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Keys without gaps, the first and the last, and how much further on those of their copies are."""
    low = high = further = 0
    for source, target in pairs:
        if source == high + 1 and target - source == further:
            high = source
            continue
        if low:
            yield low, high, further
        low = high = source
        further = target - source
    if low:
        yield low, high, further


class _unlink:  # noqa: N801  (called like the function it stands for)
    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)
