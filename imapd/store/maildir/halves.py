"""Messages of which the index knows only the one half: how they are, or where their file is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.errors import NoSuchMailbox
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.filename import FileName
from imapd.store.maildir.index import UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.lookup import log_since
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.turn import Turn, transaction

__all__ = ["mended"]


def mended(index: Index, tree: Tree, number: int, hints: list[Hint]) -> Iterator[str]:
    """Put those of a mailbox together, or take them apart; what was done.

    Afterwards its directory is to be read again.  Raises `NoSuchMailbox`.
    """
    span = (base_of(number), base_of(number) + UID_MASK)
    with transaction(index, tree, True) as turn:
        row = index.mailbox(number)
        yield from _homeless(turn, row, span)
        yield from _of_no_message(turn, row, span)
    hints += turn.hints


def _homeless(turn: Turn, row: MailboxRow, span: tuple[int, int]) -> Iterator[str]:
    """Messages without a file: the one that carries the UID is theirs."""
    index, tree, base = turn.index, turn.tree, span[0]
    found = index.sql(
        "SELECT id, flags, size FROM messages WHERE id BETWEEN ? AND ?"
        " AND id NOT IN (SELECT id FROM files WHERE id BETWEEN ? AND ?)",
        (*span, *span),
    ).fetchall()
    if not found:
        return
    known = {
        name
        for (name,) in index.sql(
            "SELECT name FROM files WHERE id BETWEEN ? AND ? AND home IS NULL OR home = ?",
            (*span, row.number),
        )
    }
    names = {
        FileName.parse(name).uid: name
        for name in tree.listed(row.directory) or ()
        if name not in known
    }
    gone, back = [], []
    for id, flags, size in found:
        name, file_size = names.get(id - base), None
        if name is not None:
            with suppress(OSError):
                status = os.lstat(tree.file(row.directory, name))
                file_size = status.st_size if stat.S_ISREG(status.st_mode) else None
        if file_size is None or size < file_size:
            gone.append((id, flags, size))
        else:
            index.sql(
                "INSERT INTO files (id, name, size, email_id) VALUES (?, ?, ?, ?)",
                (id, name, file_size, os.urandom(16)),
            )
            back.append(id - base)
    if gone:
        edit = Edit(turn, row)
        edit.remove(gone)
        edit.finish()
        yield f"UIDs {_told(id - base for id, _, _ in gone)} had no file, and are removed"
    if back:
        yield f"where the files of UIDs {_told(back)} are was not known; they are found again"
    turn.distrust(row.number)


def _of_no_message(turn: Turn, row: MailboxRow, span: tuple[int, int]) -> Iterator[str]:
    """Files of which it is known where they are, but not what: they come in as new ones do."""
    index, base = turn.index, span[0]
    found = index.sql(
        "SELECT id, home FROM files WHERE id BETWEEN ? AND ?"
        " AND id NOT IN (SELECT id FROM messages WHERE id BETWEEN ? AND ?)",
        (*span, *span),
    ).fetchall()
    if not found:
        return
    # Those of messages that were expunged just now are still to be removed.
    _, vanished = log_since(index, row.number, index.mailbox(row.number).tidied)
    lost = [(id, home) for id, home in found if id - base not in vanished]
    if not lost:
        return
    index.many("DELETE FROM files WHERE id = ?", [(id,) for id, _ in lost])
    for number in {row.number, *(home for _, home in lost if home is not None)}:
        with suppress(NoSuchMailbox):
            turn.distrust(number)
    yield f"{len(lost)} files were of no message, and come in as new ones"


def _told(uids: Iterator[int] | list[int]) -> str:
    return NumSet.of(*uids).wire().decode("ascii")
