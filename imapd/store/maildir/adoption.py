"""Taking over what another server left, or we before the index was lost: once, when it is first read.

* A mailbox keeps its UIDVALIDITY, and every file the UID that clients know it by; files they
  do not know come after all that were ever given out.
* All of a mailbox is entered in one transaction: a client that synchronises never sees a
  part of it, and takes nothing for removed.  The messages are not read for that: what they say,
  and how large they are where their names do not tell, is found out afterwards.
* Modification sequences begin above whatever the other server may have told.
* The other server's files are read and left as they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve
from twisted.logger import Logger

from imapd.model.flags import interned
from imapd.model.mailbox import INBOX, Hint
from imapd.model.quota import UNITS, Allowance
from imapd.store.errors import BadMailboxName, StoreUnavailable
from imapd.store.maildir import ceiling, courier, dovecot, quota
from imapd.store.maildir.arrivals import Arrival, in_order, seen, unread
from imapd.store.maildir.edit import Edit, Entry
from imapd.store.maildir.filename import FileName, plain, safe
from imapd.store.maildir.filename import fresh as new_unique
from imapd.store.maildir.index import Index, MailboxRow
from imapd.store.maildir.names import check, name_of_levels
from imapd.store.maildir.predecessor import Predecessor, lines_of
from imapd.store.maildir.tree import Tree, is_there
from imapd.store.maildir.turn import Turn, transaction

__all__ = ["AWAITED", "adopt", "adopt_account", "found_mailbox", "predecessor_of"]

_log = Logger(namespace="imapd")

#: Rows written together.
_ROWS: Final = 1_000
#: In the place of a mailbox's ceiling: it is still to be taken over.
AWAITED: Final = -1


def predecessor_of(tree: Tree, directory: str) -> Predecessor | None:
    """Who served a mailbox before: we, if our own file is there, else of two the one who did so later."""
    folder = tree.folder(directory)
    ours = ceiling.read(folder)
    others = _others(folder)
    if ours is None:
        return others
    if others is None or others.uidvalidity != ours.uidvalidity:
        others = Predecessor(ours.uidvalidity, 0, uids={}, letters={})
    return evolve(others, uidnext=ours.ceiling + 1, acl={}, id=ours.id)


def _others(folder: str) -> Predecessor | None:
    found = [
        (_moment(f"{folder}/{file}"), place, known)
        for place, (file, known) in enumerate((
            ("dovecot-uidlist", dovecot.predecessor(folder)),
            ("courierimapuiddb", courier.predecessor(folder)),
        ))
        if known is not None
    ]  # fmt: skip
    return max(found, key=lambda each: each[:2])[2] if found else None


def _moment(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


def found_mailbox(index: Index, tree: Tree, name: str, directory: str) -> MailboxRow:
    """A row for a mailbox whose directory is there, and was not known; in a transaction."""
    before = predecessor_of(tree, directory)
    id = "" if before is None else before.id
    if index.sql("SELECT 1 FROM mailboxes WHERE id = ?", (id,)).fetchone() is not None:
        # Somebody copied the directory of a mailbox that is there.
        before, id = None, ""
    row = index.add_mailbox(name, directory, "", time.time(), id)
    if before is None:
        return row
    index.sql(
        "UPDATE mailboxes SET uidvalidity = ?, modseq = ?, tidied = ?, ceiling = ? WHERE number = ?",
        (before.uidvalidity, *[time.time_ns() // 1_000] * 2, AWAITED, row.number),
    )
    index.set_meta("uidvalidity", max(index.meta("uidvalidity") or 0, before.uidvalidity))
    for identifier, rights in before.acl.items():
        index.sql(
            "INSERT OR REPLACE INTO acl (mailbox, identifier, rights) VALUES (?, ?, ?)",
            (row.number, identifier, "".join(sorted(rights))),
        )
    return index.mailbox(row.number)


#: The UID that clients know a file by, or 0; the file; and whether it lies in ``new``.
_Found = tuple[int, int, str, int, bool]


def adopt(index: Index, tree: Tree, row: MailboxRow, hints: list[Hint]) -> None:
    """Enter all messages of a mailbox whose `ceiling` is `AWAITED`."""
    before = predecessor_of(tree, row.directory)
    if before is None or before.uidvalidity != row.uidvalidity:
        # What was there when the mailbox was found is there no more.
        with transaction(index, tree, False):
            _done(index, row)
        return
    found = _files(tree, row, before)
    with transaction(index, tree, True) as turn:
        row = index.mailbox(row.number)
        if row.ceiling != AWAITED:
            # Another process was first.
            return
        _enter(turn, row, before, found)
        _done(index, row)
    hints.extend(turn.hints)
    if found:
        _log.info(
            "{folder}: {count} messages have been taken over, with the UIDs that clients know",
            folder=tree.folder(row.directory), count=len(found),
        )  # fmt: skip


def _done(index: Index, row: MailboxRow) -> None:
    index.sql(
        "UPDATE mailboxes SET ceiling = 0 WHERE number = ? AND ceiling = ?", (row.number, AWAITED)
    )


def _files(tree: Tree, row: MailboxRow, before: Predecessor) -> list[_Found]:
    """All files: first those that have a UID, in its order, then the others as they came."""
    known: list[_Found] = []
    others: list[_Found] = []
    taken: set[int] = set()
    for part in ("cur", "new"):
        path = tree.part(row.directory, part)
        there, whole = seen(path, tree.listed(row.directory, part) or ())
        if not whole:
            # What was entered later would lose its UID.
            raise StoreUnavailable("some messages of the other server cannot be read just now")
        for moment, name, size in there:
            uid = before.uid_of(name)
            if uid and uid not in taken:
                taken.add(uid)
                known.append((uid, moment, name, size, part == "new"))
            else:
                others.append((0, moment, name, size, part == "new"))
    return in_order(known) + in_order(others)


def _enter(turn: Turn, row: MailboxRow, before: Predecessor, found: Sequence[_Found]) -> None:
    edit = Edit(turn, row)
    flagsets = turn.index.flagsets
    entries: list[Entry] = []
    spelt: dict[tuple[str, tuple[str, ...]], int] = {}
    first_new = 0
    uids: list[int] = []
    arrivals = unread((moment, name, size) for _, moment, name, size, _ in found)
    for (known, _, old, _, is_new), arrival in zip(found, arrivals):
        uid = edit.take_uid(known or before.uidnext)
        try:
            file = _placed(turn, row, arrival, is_new, uid)
        except FileNotFoundError:
            edit.give_back()
            continue
        uids.append(uid)
        if is_new and not first_new:
            first_new = uid
        letters = plain(old)
        if letters is None:
            letters = FileName.parse(old).letters
        key = (letters, before.flags_of(old))
        if key not in spelt:
            flags = flagsets.lettered(flagsets.flags[0], key[0], "")
            spelt[key] = flagsets.number(flagsets.spelt(interned([*flags, *key[1]])))
        entries.append(
            Entry(uid, spelt[key], arrival.size, arrival.internal_date, file, arrival.file_size,
                  arrival.arrived, os.urandom(16), None)
        )  # fmt: skip
        if len(entries) == _ROWS:
            edit.enter(entries)
            entries.clear()
    edit.enter(entries)
    if edit.uidnext < before.uidnext:
        edit.take_uid(before.uidnext)
        edit.give_back()
    edit.finish()
    # What lay in `cur` was told to somebody; and the files' names are as they should be.
    recent = first_new or edit.uidnext
    turn.index.sql(
        "UPDATE mailboxes SET recent = ?, recent_count = ?, tidied = ? WHERE number = ?",
        (recent, sum(uid >= recent for uid in uids), edit.modseq, row.number),
    )


def _placed(turn: Turn, row: MailboxRow, found: Arrival, is_new: bool, uid: int) -> str:
    """The name under which the file is in ``cur`` then."""
    old = found.name
    if not is_new and safe(old):
        return old
    name = FileName.parse(old)
    if not safe(old):
        name = FileName(new_unique())
    name = evolve(name, size=found.file_size, wire_size=found.wire_size, uid=uid)
    directory = turn.touch(row.number)
    source = turn.tree.file(directory, old, "new" if is_new else "cur")
    target = turn.tree.file(directory, str(name))
    if is_there(target):
        name = evolve(name, unique=new_unique())
        target = turn.tree.file(directory, str(name))
    turn.rename(source, target)
    return str(name)


def adopt_account(turn: Turn) -> None:
    """Subscriptions and quota of another server, into an index that was made just now."""
    root = turn.tree.root
    for levels in (*dovecot.subscriptions(root, turn.tree.fs), *courier.subscriptions(root)):
        try:
            name = name_of_levels(levels)
            if len(levels) > 1 and levels[0] == INBOX and turn.index.named(name) is None:
                # The prefix of a namespace.
                name = name_of_levels(levels[1:])
            check(name)
        except (ValueError, BadMailboxName):
            continue
        turn.index.sql("INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", (name,))
    allowance = _allowance((lines_of(f"{root}/maildirsize") or [""])[0].split(","))
    if allowance != Allowance():
        quota.allow(turn.index, allowance)


def _allowance(words: Iterable[str]) -> Allowance:
    """What ``maildirsize`` begins with: octets with S, messages with C, no limit where it is 0."""
    limits = {}
    for word in words:
        count = word[:-1]
        if count.isascii() and count.isdecimal() and 0 < len(count) < 19 and int(count):
            limits[word[-1]] = int(count)
    octets = limits.get("S")
    return Allowance(
        storage=None if octets is None else -(-octets // UNITS["storage"]),
        messages=limits.get("C"),
    )
