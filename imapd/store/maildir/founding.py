"""An account's Maildir made, or made ready after whatever ended the last process."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import suppress
from typing import Final

from twisted.logger import Logger

from imapd.model.mailbox import INBOX, Hint
from imapd.store.errors import BadMailboxName
from imapd.store.maildir import ceiling
from imapd.store.maildir.adoption import adopt_account, found_mailbox
from imapd.store.maildir.index import Index
from imapd.store.maildir.namespace import discover
from imapd.store.maildir.place import folded
from imapd.store.maildir.presence import Presence
from imapd.store.maildir.schema import ensure, is_damage
from imapd.store.maildir.tidy import tidy_all
from imapd.store.maildir.tree import DELETED, Tree, is_fs, synced
from imapd.store.maildir.turn import SETTLED, transaction

__all__ = ["doubt", "found", "founded", "interrupted", "layout", "recover"]

_log = Logger(namespace="imapd")

#: Seconds after which a file in ``tmp`` belongs to no one (cr.yp.to/proto/maildir.html).
_STRAY: Final = 36 * 3600
_OWNER: Final = "owner"
_LAYOUT: Final = "layout"


def interrupted(tree: Tree) -> bool:
    """Whether a process ended while it had the account open, or another has it open: its log is there."""
    try:
        return os.lstat(tree.index + "-wal").st_size > 0
    except FileNotFoundError:
        return False


def found(tree: Tree) -> tuple[Presence, str]:
    """The directories of INBOX and the index are there, whoever makes them first; we have it open.

    An index that cannot be used is put aside and made again; then this is said, too.
    """
    known = os.path.exists(tree.index)
    said = "" if known or ceiling.read(tree.root) is None else "the index was lost"
    os.makedirs(tree.root, mode=0o700, exist_ok=True)
    tree.found()
    presence = Presence(os.path.dirname(tree.index))
    try:
        presence.begin()
        if os.path.exists(tree.damaged):
            known, said = False, "the index was damaged"
            _make_again(tree, presence, "it was found to be damaged")
        try:
            ensure(tree.index)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            known, said = False, "the index was damaged"
            # Others who have it open let go.
            tree.mark_damaged()
            _make_again(tree, presence, str(error))
            ensure(tree.index)
    except BaseException:
        presence.end()
        raise
    if not known:
        for path in (os.path.dirname(tree.index), tree.root, os.path.dirname(tree.root)):
            synced(path)
    return presence, said and f"{said}, and is made again"


def _make_again(tree: Tree, presence: Presence, why: str) -> None:
    """Keep an index that cannot be used under another name, for who wants to look into it."""
    if presence.alone(lambda: os.path.lexists(tree.damaged)):
        _log.error("{index}: {why}; it is made again", index=tree.index, why=why)
        now = time.time_ns()
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.rename(tree.index + suffix, f"{tree.index}.damaged-{now}{suffix}")
        with suppress(FileNotFoundError):
            os.unlink(tree.damaged)
    presence.begin()


def layout(index: Index, tree: Tree, fs: bool) -> bool:
    """Whether the account is in the layout ``fs``: what was found first, or `fs` for a new one."""
    known = index.meta(_LAYOUT)
    if known is None:
        fresh = next(tree.directories(), None) is None
        known = "fs" if is_fs(tree.root) or (fs and fresh) else "maildir++"
        with transaction(index, tree, True):
            index.set_meta(_LAYOUT, known)
    return bool(known == "fs")


def founded(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """Whose it is, and INBOX.

    Raises `BadMailboxName` when the file system takes the user's name for that of another.
    """
    owner = index.meta(_OWNER)
    name = tree.root
    if owner != name:
        if owner is not None and folded(owner) == folded(name):
            raise BadMailboxName("the user name looks like another one")
        with transaction(index, tree, True):
            index.set_meta(_OWNER, name)
            new = index.named(INBOX) is None
            if new:
                if ceiling.read(tree.root) is not None:
                    # The index was lost: who still knows a number of it finds nothing.
                    index.number_from(int(time.time()))
                found_mailbox(index, tree, INBOX, "")
        if new:
            discover(index, tree, hints)
            with transaction(index, tree, True) as turn:
                adopt_account(turn)


def doubt(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """Have the mailboxes read again whose files were changed last.

    Of a change that was not committed there may be files, and the directory may have the mtime that
    the one before left: clocks of file systems tick in milliseconds to seconds.
    """
    with transaction(index, tree, False):
        index.sql(
            "UPDATE mailboxes SET cur_stamp = -cur_stamp WHERE cur_stamp >"
            " (SELECT max(abs(cur_stamp)) FROM mailboxes) - ?",
            (SETTLED,),
        )


def recover(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """What was interrupted, and what others did."""
    discover(index, tree, hints)
    tidy_all(index, tree, hints)
    _clear(tree)


def _clear(tree: Tree) -> None:
    """What was left in ``tmp`` by a process that died, or could not remove it."""
    oldest = time.time() - _STRAY
    tree.own("", "tmp")
    with os.scandir(tree.part("", "tmp")) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.startswith(DELETED) and entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                elif (
                    entry.is_file(follow_symlinks=False)
                    and entry.stat(follow_symlinks=False).st_mtime < oldest
                    and entry.stat(follow_symlinks=False).st_ctime < oldest
                ):
                    os.unlink(entry.path)
