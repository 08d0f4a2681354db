"""An account's Maildir made, or made ready after whatever ended the last process.

All of it is done in one thread, by the connection that reads for the account later: threads that take
turns at single statements wait for each other at each.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import time
from contextlib import suppress
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from imapd.model.mailbox import INBOX, Hint
from imapd.store.errors import BadMailboxName, NoSuchMailbox, StoreUnavailable
from imapd.store.maildir import ceiling, metadata
from imapd.store.maildir.adoption import AWAITED, adopt_account, found_mailbox
from imapd.store.maildir.building import reconcile
from imapd.store.maildir.discovery import discover, enter_found
from imapd.store.maildir.index import Index
from imapd.store.maildir.names import RESERVED
from imapd.store.maildir.namespace import stamp_of_empty
from imapd.store.maildir.place import folded
from imapd.store.maildir.presence import Presence
from imapd.store.maildir.schema import ensure, is_damage
from imapd.store.maildir.texts import Texts
from imapd.store.maildir.tidy import tidy_all
from imapd.store.maildir.tree import DELETED, Tree, age, is_fs, synced
from imapd.store.maildir.turn import SETTLED, settled_stamp, transaction
from imapd.store.maildir.writer import WAIT, WAIT_BEHIND, Busy

__all__ = ["Opened", "opened"]

_log = Logger(namespace="imapd")

#: Seconds after which a file in ``tmp`` belongs to no one (cr.yp.to/proto/maildir.html).
_STRAY: Final = 36 * 3600
#: Seconds for which who only reads waits for another process.
_WAIT_TO_READ: Final = 0.01
_OWNER: Final = "owner"
_LAYOUT: Final = "layout"


@frozen
class Opened:
    """An account that is ready."""

    tree: Tree
    #: Opened: it reads for the account from now on.
    index: Index
    #: We have it open.
    presence: Presence
    #: What was wrong with the index, and was mended.
    said: str
    #: What was found that others may want to know.
    hints: list[Hint]


def opened(root: str, fs: bool) -> Opened:
    """Make the account at `root` ready; a new one is in the layout ``fs`` if `fs`.

    Raises `Busy` while another process writes, `BadMailboxName` when the file system takes the user's
    name for that of another, OSError, and sqlite3.Error.
    """
    tree = Tree(root)
    doubted = _interrupted(tree)
    ours = not os.path.lexists(root)
    presence, said = _found(tree)
    index = Index(tree.index, wait=_WAIT_TO_READ, checkpoints=False)
    hints: list[Hint] = []
    try:
        index.open()
        # Before anything comes in that gets a UID.
        texts = Texts(tree.texts)
        reconcile(index, texts)
        texts.close()
        index.patience = WAIT
        tree, new = _founded(index, tree, fs, ours, hints)
        index.patience = WAIT_BEHIND
        if not new:
            try:
                if doubted:
                    _doubt(index, tree)
                _recover(index, tree, hints)
            except sqlite3.OperationalError as error:
                if not index.locked(error):
                    raise
                # It is done when the mailboxes are looked at.
        index.patience = _WAIT_TO_READ
        return Opened(tree, index, presence, said, hints)
    except BaseException as error:
        index.close()
        presence.end()
        if isinstance(error, sqlite3.OperationalError) and index.locked(error):
            raise Busy("the mail store is busy just now; nothing was lost") from error
        raise


def _interrupted(tree: Tree) -> bool:
    """Whether a process ended while it had the account open, or another has it open: its log is there."""
    try:
        return os.lstat(tree.index + "-wal").st_size > 0
    except FileNotFoundError:
        return False


def _found(tree: Tree) -> tuple[Presence, str]:
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


def _founded(
    index: Index, tree: Tree, fs: bool, ours: bool, hints: list[Hint]
) -> tuple[Tree, bool]:
    """Its layout, whose it is, and INBOX; the tree, and whether INBOX is there since just now.

    The directories are there since just now, too, if they are `ours`.
    """
    owner = index.meta(_OWNER)
    name = tree.root
    known = index.meta(_LAYOUT)
    if owner == name and known is not None:
        return Tree(name, known == "fs"), False
    if owner is not None and owner != name and folded(owner) == folded(name):
        raise BadMailboxName("the user name looks like another one")
    if known is None:
        bare = next(tree.directories(), None) is None
        known = "fs" if is_fs(name) or (fs and bare) else "maildir++"
    with transaction(index, tree, True) as turn:
        # Another process may have been first, and have seen something else.
        known = index.meta(_LAYOUT) or known
        owner = index.meta(_OWNER)
        tree = Tree(name, known == "fs")
        index.set_meta(_LAYOUT, known)
        index.set_meta(_OWNER, name)
        inbox = index.named(INBOX)
        if inbox is not None:
            if owner is not None and _is_copied(tree, Tree(owner), inbox.id):
                _log.warn("{root} was copied from {owner}", root=name, owner=owner)
                _name_anew(index)
            return tree, False
        if ceiling.read(name) is not None:
            # The index was lost: who still knows a number of it finds nothing.
            index.number_from(int(time.time()))
        row = found_mailbox(index, tree, INBOX, "")
        if ours:
            _age(tree)
        if row.ceiling != AWAITED:
            stamps = (stamp_of_empty(tree, "", part) for part in ("new", "cur"))
            index.sql(
                "UPDATE mailboxes SET new_stamp = ?, cur_stamp = ? WHERE number = ?",
                (*map(settled_stamp, stamps), row.number),
            )
        enter_found(index, tree, hints, set())
        adopt_account(turn)
    return tree, True


def _is_copied(tree: Tree, owner: Tree, id: str) -> bool:
    """Whether the account that this index was made for is there as well, with the same INBOX."""
    try:
        if os.path.samefile(tree.index, owner.index):
            return False
    except (OSError, ValueError):
        # It was moved; or this is no path at all.
        return False
    other = Index(owner.index, wait=_WAIT_TO_READ, checkpoints=False)
    try:
        other.identified(id)
    except NoSuchMailbox:
        return False
    except (OSError, sqlite3.Error, StoreUnavailable):
        # It may be.
        return True
    finally:
        other.close()
    return True


def _name_anew(index: Index) -> None:
    """Mailboxes get other ids than those they were copied from, and keep what is kept by id."""
    for row in list(index.mailboxes()):
        id = secrets.token_hex(16)
        metadata.duplicate(index, row.id, id)
        metadata.forget(index, row.id)
        # The file beside the messages says it when it is next written.
        said = row.ceiling if row.ceiling == AWAITED else 0
        index.sql(
            "UPDATE mailboxes SET id = ?, ceiling = ? WHERE number = ?", (id, said, row.number)
        )


def _age(tree: Tree) -> None:
    """Directories that were made just now need not be read again."""
    for path in (tree.part("", "new"), tree.part(""), tree.root):
        age(path)
    if not set(os.listdir(tree.root)) <= RESERVED:
        # Somebody may be making a mailbox: what comes into its directory does not change the root's mtime.
        os.utime(tree.root)


def _doubt(index: Index, tree: Tree) -> None:
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


def _recover(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """What was interrupted, and what others did."""
    discover(index, tree, hints, keep=True)
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
