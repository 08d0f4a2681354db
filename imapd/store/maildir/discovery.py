"""Mailboxes that others made or removed: directories that are not as the index says."""

from __future__ import annotations

import os
from contextlib import suppress

from imapd.model.mailbox import Hint
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.maildir.adoption import found_mailbox
from imapd.store.maildir.index import UID_MASK, Index, base_of
from imapd.store.maildir.names import name_of
from imapd.store.maildir.namespace import ROOT_STAMP, carry_out, drop, is_alone, stamp_of
from imapd.store.maildir.outside import reconcile
from imapd.store.maildir.tidy import scattered
from imapd.store.maildir.tree import Tree, is_there
from imapd.store.maildir.turn import settled_stamp, transaction

__all__ = ["discover", "enter_found"]


def discover(index: Index, tree: Tree, hints: list[Hint], keep: bool = False) -> int:
    """Mailboxes whose directories others made, or removed; the root's stamp then.

    That it is settled now is kept if `keep`; else each process may find it out: who looks when the
    index is written would have to look again.
    """
    carry_out(index, tree)
    stamp = stamp_of(index, tree)
    known = {row.directory: row for row in index.mailboxes()}
    if set(tree.directories()) == known.keys() - {""}:
        mark = settled_stamp(stamp)
        before = index.meta(ROOT_STAMP) or 0
        if before != mark and (keep or abs(before) != stamp):
            with transaction(index, tree, False):
                index.set_meta(ROOT_STAMP, mark)
        return mark
    left: set[int] = set()
    with transaction(index, tree, True):
        mark = enter_found(index, tree, hints, left)
    for number in left:
        with suppress(NoSuchMailbox):
            reconcile(index, tree, number, False, hints)
    return mark


def enter_found(index: Index, tree: Tree, hints: list[Hint], left: set[int]) -> int:
    """What `discover` does where there is something, in a transaction.

    To what is `left` come the mailboxes that have files of messages whose mailbox is gone: they are to be
    read again, and the messages are theirs.
    """
    stamp = stamp_of(index, tree)
    known = {row.directory: row for row in index.mailboxes()}
    found = set(tree.directories())
    mark = settled_stamp(stamp)
    index.set_meta(ROOT_STAMP, mark)
    if found == known.keys() - {""}:
        return mark
    doomed = {directory for (directory,) in index.sql("SELECT directory FROM doomed")}
    for directory in sorted(found - known.keys() - doomed):
        name = name_of(directory)
        if name is not None and index.named(name) is None:
            with suppress(StoreUnavailable):
                tree.make(directory)
                found_mailbox(index, tree, name, directory)
                hints.append(Hint(""))
    pending = {
        directory
        for (directory,) in index.sql("SELECT directory FROM mailboxes WHERE moving IS NOT NULL")
    }
    for directory in known.keys() - found - pending - {""}:
        row = known[directory]
        # One of which the disk does not tell stays as it is.
        with suppress(OSError):
            guests = set(scattered(index, row.number))
            if not is_there(tree.part(directory)) and is_alone(index, tree, row):
                # Files of messages that had been moved are gone with it.
                left |= guests
                _unlink_expunged(index, tree, row.number)
                left |= _homes(index, row.number)
                drop(index, row)
                hints += [Hint(""), Hint(row.id, row.modseq)]
    index.many("UPDATE mailboxes SET cur_stamp = 0 WHERE number = ?", [(each,) for each in left])
    return mark


def _unlink_expunged(index: Index, tree: Tree, number: int) -> None:
    """What was expunged goes now, where it is: it would be taken for a new message there."""
    base = base_of(number)
    for name, home in index.sql(
        "SELECT name, home FROM files WHERE id BETWEEN ? AND ? AND home != ?"
        " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = files.id)",
        (base, base + UID_MASK, number),
    ).fetchall():
        with suppress(FileNotFoundError):
            os.unlink(tree.file(index.directory(home), name))


def _homes(index: Index, number: int) -> set[int]:
    """Other mailboxes with files of this one's messages."""
    base = base_of(number)
    found = index.sql(
        "SELECT DISTINCT home FROM files WHERE id BETWEEN ? AND ? AND home != ?",
        (base, base + UID_MASK, number),
    )
    return {home for (home,) in found}
