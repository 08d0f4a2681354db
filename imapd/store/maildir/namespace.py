"""CREATE, DELETE and RENAME, in the writer's thread.

* CREATE makes directories inside the transaction that enters them.
* Those that are renamed or removed are so after it.  The first transaction, on the disk when it returns,
  says what is to be: from then on it is so for everyone.  The second moves or removes
  directories (`carry_out`); whoever comes next does it if we were interrupted, or failed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from twisted.logger import Logger

from imapd.model.mailbox import DELIMITER, INBOX, Hint
from imapd.model.numset import NumSet
from imapd.model.quota import Allowance
from imapd.store.errors import (
    BadMailboxName,
    HasChildren,
    MailboxExists,
    NoSuchMailbox,
    StoreUnavailable,
)
from imapd.store.maildir import ceiling, facts
from imapd.store.maildir.index import UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.metadata import duplicate, forget
from imapd.store.maildir.moving import move_rows
from imapd.store.maildir.names import check, directory_of, sought, superiors
from imapd.store.maildir.quota import allowed
from imapd.store.maildir.reading import found_again, free
from imapd.store.maildir.sharing import inherit
from imapd.store.maildir.tidy import astray, scattered, tidy, tidy_all, tidy_few
from imapd.store.maildir.tree import Tree, is_there, modified, synced
from imapd.store.maildir.troubles import TROUBLES
from imapd.store.maildir.turn import Turn, transaction

__all__ = [
    "ROOT_STAMP",
    "carry_out",
    "create",
    "delete",
    "drop",
    "follow",
    "follow_briefly",
    "is_alone",
    "rename",
    "stamp_of",
    "stamp_of_empty",
]

_log = Logger()

#: In `meta`: the root's mtime when its directories were last read.
ROOT_STAMP = "root_stamp"

#: Times that the files of a mailbox are fetched home before it is deleted.
_TRIES: Final = 5


def create(
    index: Index,
    tree: Tree,
    hints: list[Hint],
    name: str,
    special_use: frozenset[str],
    each: Allowance,
) -> MailboxRow:
    """As `IAccount.create`, where every account may hold `each`."""
    check(name)
    carry_out(index, tree)
    with transaction(index, tree, True) as turn, allowed(index, each):
        if index.named(name) is not None:
            raise MailboxExists(f"there is a mailbox {name}")
        made = _make_superiors(turn, name)
        row = _make(turn, name, special_use)
        for new in (*made, row):
            _make_now(turn, new)
    hints.append(Hint(""))
    return row


def delete(index: Index, tree: Tree, hints: list[Hint], name: str) -> None:
    """As `IAccount.delete`."""
    if name == INBOX:
        raise BadMailboxName("INBOX stays")
    sought(name)
    carry_out(index, tree)
    for _ in range(_TRIES):
        row = index.named(name)
        if row is not None:
            # Messages that moved elsewhere may still have their files here, and the other way round.
            for number in [row.number, *scattered(index, row.number)]:
                tidy(index, tree, number, hints)
        with suppress(_Inhabited):
            row = _deleted(index, tree, name)
            hints += [Hint(""), Hint(row.id, row.modseq)]
            _follow(index, tree)
            return
    raise StoreUnavailable("messages that were moved could not be taken out yet")


class _Inhabited(Exception):
    """Another process has moved messages there or from there, or their files are renamed all the time."""


def _deleted(index: Index, tree: Tree, name: str) -> MailboxRow:
    """The row of what is no more.  Raises `_Inhabited`, and then nothing is as if it had been tried."""
    with transaction(index, tree, True):
        row = index.named(name)
        if row is None:
            if _holds(index, name):
                raise HasChildren(f"{name} has mailboxes below it")
            raise NoSuchMailbox(f"there is no mailbox {name}")
        if not is_alone(index, tree, row) or astray(index, row.number):
            raise _Inhabited
        drop(index, row)
        index.sql("INSERT INTO doomed (directory, id) VALUES (?, ?)", (row.directory, row.id))
    return row


def rename(
    index: Index, tree: Tree, hints: list[Hint], old: str, new: str, each: Allowance
) -> None:
    """As `IAccount.rename`, where every account may hold `each`."""
    check(new)
    sought(old)
    carry_out(index, tree)
    with transaction(index, tree, True) as turn, allowed(index, each):
        if index.named(old) is None and not _holds(index, old):
            raise NoSuchMailbox(f"there is no mailbox {old}")
        if index.named(new) is not None or _holds(index, new):
            raise MailboxExists(f"there is a mailbox {new}")
        if old == INBOX:
            _make_superiors(turn, new)
            target = _make(turn, new, frozenset())
            inbox = index.named(INBOX)
            assert inbox is not None
            move_rows(turn, inbox.number, NumSet([(1, UID_MASK)]), target.number)
            duplicate(index, inbox.id, target.id)
        else:
            _rename(turn, old, new)
        hints += turn.hints
    hints.append(Hint(""))
    _follow(index, tree)


def _rename(turn: Turn, old: str, new: str) -> None:
    below = old + DELIMITER
    if new.startswith(below):
        raise BadMailboxName(f"{new} is inside {old}")
    moved = [
        (row, new + row.name[len(old) :])
        for row in turn.index.mailboxes()
        if row.name == old or row.name.startswith(below)
    ]
    for _, name in moved:
        check(name)
    _make_superiors(turn, new)
    for row, name in moved:
        turn.index.sql(
            "UPDATE mailboxes SET name = ?, moving = ? WHERE number = ?",
            (name, directory_of(name, turn.tree.fs), row.number),
        )


def _follow(index: Index, tree: Tree) -> None:
    """Carry out what has been committed: it is so, even if the directories cannot follow yet."""
    try:
        carry_out(index, tree)
    except TROUBLES:
        _log.failure("{root}: directories are not as they are to be yet", root=tree.root)


def follow(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """The tree becomes what the index says: directories, then files."""
    carry_out(index, tree)
    tidy_all(index, tree, hints)


def follow_briefly(index: Index, tree: Tree, hints: list[Hint]) -> bool:
    """As `follow`, as far as it takes some milliseconds; whether that was all."""
    return not _is_due(index) and tidy_few(index, tree)


def _is_due(index: Index) -> bool:
    """Whether there are directories that are not what the index says."""
    return (
        index.sql("SELECT 1 FROM doomed LIMIT 1").fetchone() is not None
        or index.sql("SELECT 1 FROM mailboxes WHERE moving IS NOT NULL LIMIT 1").fetchone()
        is not None
    )


def carry_out(index: Index, tree: Tree) -> None:
    """Directories become what the index says."""
    if not _is_due(index):
        return
    with transaction(index, tree, True):
        for directory, id in index.sql("SELECT directory, id FROM doomed").fetchall():
            tree.remove(directory, id)
            with suppress(FileNotFoundError):
                synced(os.path.dirname(tree.folder(directory)))
        index.sql("DELETE FROM doomed")
        for number, directory, moving in index.sql(
            "SELECT number, directory, moving FROM mailboxes WHERE moving IS NOT NULL"
            # Those that hold others first.
            " ORDER BY length(directory)"
        ).fetchall():
            tree.move(directory, moving)
            _made(tree, moving)
            if directory == moving:
                _begin_ceiling(index, tree, index.mailbox(number))
            index.sql(
                "UPDATE mailboxes SET directory = ?, moving = NULL WHERE number = ?",
                (moving, number),
            )
        synced(tree.root)
        # Nobody has read what others made there.
        index.set_meta(ROOT_STAMP, -stamp_of(index, tree))


def _begin_ceiling(index: Index, tree: Tree, row: MailboxRow) -> None:
    """A mailbox that was made by us says so from the start."""
    said = ceiling.Ceiling.above(row.uidnext, row.uidvalidity, row.id)
    ceiling.write(tree, row.directory, said)
    index.sql("UPDATE mailboxes SET ceiling = ? WHERE number = ?", (said.ceiling, row.number))


def stamp_of(index: Index, tree: Tree) -> int:
    """As `Tree.stamp`, of all mailboxes there are."""
    if not tree.fs:
        return tree.stamp(())
    return tree.stamp(row.directory for row in index.mailboxes())


def drop(index: Index, row: MailboxRow) -> None:
    """Forget a mailbox, its messages, and what is known of it and of them."""
    ids = NumSet([(base_of(row.number), base_of(row.number) + UID_MASK)])
    facts.release(index, ids)
    index.drop_mailbox(row.number)
    facts.forget(index, ids)
    forget(index, row.id)


def _made(tree: Tree, directory: str) -> None:
    """The mailbox's directories are there, and on the disk."""
    tree.make(directory)
    folder = tree.folder(directory)
    synced(folder)
    while folder != tree.root:
        folder = os.path.dirname(folder)
        synced(folder)


def _make(turn: Turn, name: str, special_use: frozenset[str]) -> MailboxRow:
    directory = directory_of(name, turn.tree.fs)
    uses = " ".join(sorted(special_use))
    row = turn.index.add_mailbox(name, directory, uses, time.time())
    turn.index.sql("UPDATE mailboxes SET moving = directory WHERE number = ?", (row.number,))
    for above in reversed(list(superiors(name))):
        nearest = turn.index.named(above)
        if nearest is not None:
            inherit(turn.index, row.number, nearest.number)
            break
    return row


def _make_now(turn: Turn, row: MailboxRow) -> None:
    """Its directories at once; without room for them there is no mailbox."""
    turn.undo(lambda: turn.tree.unmake(row.directory, ceiling.FILE))
    _made(turn.tree, row.directory)
    _begin_ceiling(turn.index, turn.tree, row)
    turn.index.sql(
        "UPDATE mailboxes SET moving = NULL, new_stamp = ?, cur_stamp = ? WHERE number = ?",
        (*(stamp_of_empty(turn.tree, row.directory, part) for part in ("new", "cur")), row.number),
    )
    turn.index.set_meta(ROOT_STAMP, -abs(stamp_of(turn.index, turn.tree)))


def stamp_of_empty(tree: Tree, directory: str, part: str) -> int:
    """The mtime of a directory that needs no reading; 0 if something is in it already."""
    stamp = modified(tree.part(directory, part))
    return stamp if tree.listed(directory, part) == [] else 0


def is_alone(index: Index, tree: Tree, row: MailboxRow) -> bool:
    """Whether the directory has no file of another mailbox's message."""
    guests = index.sql(
        "SELECT id, name FROM files WHERE home = ? AND id >> 32 != ?", (row.number, row.number)
    ).fetchall()
    if any(is_there(tree.file(row.directory, name)) for _, name in guests):
        return False
    if guests and found_again({name: id for id, name in guests}, free(index, tree, row.number)):
        # Somebody renamed them a moment ago.
        return False
    index.many("UPDATE files SET home = NULL WHERE id = ?", [(id,) for id, _ in guests])
    return True


def _make_superiors(turn: Turn, name: str) -> list[MailboxRow]:
    made = []
    for above in superiors(name):
        if turn.index.named(above) is None and not _holds(turn.index, above):
            check(above)
            made.append(_make(turn, above, frozenset()))
    return made


def _holds(index: Index, name: str) -> bool:
    below = name + DELIMITER
    row: Sequence[object] | None = index.sql(
        "SELECT 1 FROM mailboxes WHERE substr(name, 1, ?) = ? LIMIT 1", (len(below), below)
    ).fetchone()
    return row is not None
