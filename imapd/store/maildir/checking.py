"""Whether an account's index and tree agree, and mending where they do not.

Every finding is a sentence that says what was wrong and what was done.  It is all done by
transactions, so sessions may go on meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.maildir import ceiling, facts
from imapd.store.maildir.discovery import discover
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.flagsets import BIT
from imapd.store.maildir.halves import mended
from imapd.store.maildir.index import UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.outside import reconcile
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.tidy import tidy_all
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.turn import transaction

__all__ = ["examine"]


def examine(index: Index, tree: Tree, hints: list[Hint]) -> Sequence[str]:
    """Compare and mend; what was found.

    An index that cannot be read throughout is marked, to be made again by who opens the account next.
    """
    try:
        if index.sql("PRAGMA integrity_check(1)").fetchall() == [("ok",)]:
            return _compared(index, tree, hints)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    tree.mark_damaged()
    return ["the index is damaged; it is made again when the account is next opened"]


def _compared(index: Index, tree: Tree, hints: list[Hint]) -> list[str]:
    names = {row.name for row in index.mailboxes()}
    discover(index, tree, hints)
    tidy_all(index, tree, hints)
    after = {row.name for row in index.mailboxes()}
    findings = [f"{name}: the mailbox was not known, and is entered" for name in after - names]
    findings += [f"{name}: its directory is gone, and it is removed" for name in names - after]
    for row in index.mailboxes():
        for finding in _mailbox(index, tree, row, hints):
            findings.append(f"{row.name}: {finding}")
    findings += _orphans(index)
    return findings


def _mailbox(index: Index, tree: Tree, row: MailboxRow, hints: list[Hint]) -> Iterator[str]:
    yield from mended(index, tree, row.number, hints)
    # What others did since is nothing wrong.
    reconcile(index, tree, row.number, False, hints)
    changed = _changed(index, tree, index.mailbox(row.number))
    if changed:
        with transaction(index, tree, True) as turn:
            edit = Edit(turn, index.mailbox(row.number))
            edit.remove(changed)
            base = base_of(row.number)
            facts.remove(index, NumSet.of(*(each[0] for each in changed)))
            edit.finish()
            turn.distrust(row.number)
        hints += turn.hints
        uids = NumSet.of(*(each[0] - base for each in changed)).wire().decode("ascii")
        yield f"the files of UIDs {uids} were changed; they are entered as new messages"
    before = index.mailbox(row.number)
    reconcile(index, tree, row.number, True, hints)
    now = index.mailbox(row.number)
    entered = now.uidnext - before.uidnext
    gone = before.messages + entered - now.messages
    came = entered - len(changed)
    if came > 0:
        yield f"{came} files were no messages yet, and are entered"
    if gone > 0:
        yield f"{gone} messages have no file any more, and are removed"
    with transaction(index, tree, True):
        yield from _figures(index, index.mailbox(row.number))
    yield from _ceiling(tree, index.mailbox(row.number))


def _changed(index: Index, tree: Tree, row: MailboxRow) -> list[tuple[int, int, int]]:
    """Messages whose files are of another size than they were: by key, flags and size."""
    found = []
    base = base_of(row.number)
    tree.own(row.directory)
    for some in rows(
        index, row.number, NumSet([(1, UID_MASK)]), "m.flags, m.size, f.name, f.size, f.home",
        "messages m JOIN files f ON f.id = m.id",
    ):  # fmt: skip
        for id, flags, size, name, file_size, home in some:
            if home is not None:
                continue
            try:
                status = os.lstat(tree.file(row.directory, name))
            except OSError:
                continue
            if status.st_size != file_size and id > base:
                found.append((id, flags, size))
    return found


def _figures(index: Index, row: MailboxRow) -> Iterator[str]:
    """Counts that are not those of the rows are put right."""
    base = base_of(row.number)
    seen, deleted = BIT["\\Seen"], BIT["\\Deleted"]
    messages, unseen, gone, size, gone_size, last = index.sql(
        "SELECT count(*), coalesce(sum(flags & ? = 0), 0), coalesce(sum(flags & ? != 0), 0),"
        " coalesce(sum(max(size, ~size)), 0),"
        " coalesce(sum(CASE WHEN flags & ? THEN max(size, ~size) ELSE 0 END), 0),"
        " coalesce(max(id), ?) FROM messages WHERE id BETWEEN ? AND ?",
        (seen, deleted, deleted, base, base, base + UID_MASK),
    ).fetchone()
    # What was copied or moved out of it had a UID as well.
    last = index.sql(
        "SELECT max(?, coalesce(max(facts), 0)) FROM messages WHERE facts BETWEEN ? AND ?",
        (last, base, base + UID_MASK),
    ).fetchone()[0]
    true = (messages, unseen, gone, size, gone_size)
    if true != (row.messages, row.unseen, row.deleted, row.size, row.deleted_size):
        index.sql(
            "UPDATE mailboxes SET messages = ?, unseen = ?, deleted = ?, size = ?,"
            " deleted_size = ? WHERE number = ?",
            (*true, row.number),
        )
        yield "its figures were not those of its messages, and are put right"
    if last - base >= row.uidnext:
        index.sql(
            "UPDATE mailboxes SET uidnext = ? WHERE number = ?", (last - base + 1, row.number)
        )
        yield "its next UID was one that is there, and is put right"


def _ceiling(tree: Tree, row: MailboxRow) -> Iterator[str]:
    """The file that says what UIDs were given out."""
    said = ceiling.read(tree.folder(row.directory))
    wanted = ceiling.Ceiling.above(row.uidnext, row.uidvalidity, row.id)
    if row.uidnext > 1 and (
        said is None
        or (said.uidvalidity, said.id) != (row.uidvalidity, row.id)
        or said.ceiling < row.uidnext - 1
    ):
        ceiling.write(tree, row.directory, wanted)
        yield f"{ceiling.FILE} did not say what it should, and is written again"


def _orphans(index: Index) -> Iterator[str]:
    """What is kept of messages that are not there."""
    for table in (*facts.TABLES, "message_annotations"):
        count = index.sql(
            f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM messages)"  # noqa: S608
            " AND id NOT IN (SELECT facts FROM messages WHERE facts IS NOT NULL)"
        ).rowcount
        if count > 0:
            yield f"{count} rows of {table} were of no message, and are removed"
