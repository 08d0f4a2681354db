"""Messages out of a mailbox and into another: the rows first, the files behind the answer.

A file stays where it is, and its row says so (`files.home`), until the tree is tidied: at no
moment are there two messages, or none, whatever is interrupted.
"""

from __future__ import annotations

import time

from imapd.model.flags import DELETED
from imapd.model.mailbox import Changes, Copied
from imapd.model.numset import NumSet
from imapd.store.errors import NoSuchMailbox
from imapd.store.maildir import annotating
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.flagsets import BIT
from imapd.store.maildir.index import base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.tree import is_there
from imapd.store.maildir.turn import Turn

__all__ = ["expunge", "move", "move_rows"]


def expunge(turn: Turn, number: int, uids: NumSet) -> Changes:
    r"""Remove messages with \Deleted."""
    edit = Edit(turn, turn.index.mailbox(number))
    found = [
        row
        for some in rows(turn.index, number, uids, "m.flags, m.size", "messages m")
        for row in some
        if row[1] & BIT[DELETED]
    ]
    edit.remove(found)
    return edit.finish()


def move(turn: Turn, number: int, uids: NumSet, destination: int) -> Copied:
    """As `IServerMove`."""
    directory = turn.index.directory(destination)
    if directory and not is_there(turn.tree.part(directory)):
        (to_be,) = turn.index.sql(
            "SELECT moving FROM mailboxes WHERE number = ?", (destination,)
        ).fetchone()
        if to_be is None:
            # Others removed it a moment ago: what is still here is not to be lost with it.
            raise NoSuchMailbox("the mailbox was deleted")
    return move_rows(turn, number, uids, destination)


def move_rows(turn: Turn, number: int, uids: NumSet, destination: int) -> Copied:
    """As `move`, into a mailbox whose directory may still have to be made."""
    source = Edit(turn, turn.index.mailbox(number))
    target = source if destination == number else Edit(turn, turn.index.mailbox(destination))
    found = [
        row
        for some in rows(turn.index, number, uids, "m.flags, m.size", "messages m")
        for row in some
    ]
    base, target_base = base_of(number), base_of(destination)
    keys = [(target_base + target.take_uid(), row[0]) for row in found]
    many = turn.index.many
    many(
        f"UPDATE messages SET id = ?, modseq = {target.modseq}, facts = ifnull(facts, id) WHERE id = ?",  # noqa: S608
        keys,
    )
    many(
        f"UPDATE files SET id = ?, home = coalesce(home, {number}), saved = {int(time.time())}"  # noqa: S608
        " WHERE id = ?",
        keys,
    )
    annotating.move(turn.index, keys)
    for (new, _), (old, flags, size) in zip(keys, found):
        source.went(old - base, flags, size)
        target.came(new - target_base, flags, size)
    changes = target.finish()
    removed = changes if target is source else source.finish()
    return Copied(
        target.row.uidvalidity,
        [row[0] - base for row in found],
        [new - target_base for new, _ in keys],
        changes,
        removed,
    )
