"""The tree follows the index, behind the answer: files renamed to their flags, moved, removed.

Everything up to `mailboxes.tidied` has been carried out; the log says where to look for
the rest.  Each step is one that can be done again: it is decided by the rows as they are,
inside a transaction, and of a file that is not where the row says the directory is read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Final

from attrs import evolve
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.maildir import facts
from imapd.store.maildir.filename import FileName, fresh, relettered, renumbered
from imapd.store.maildir.index import UID_MASK, Index, base_of
from imapd.store.maildir.lookup import log_since, rows
from imapd.store.maildir.outside import reconcile
from imapd.store.maildir.reading import found_again, free
from imapd.store.maildir.tree import Tree, is_there
from imapd.store.maildir.turn import Turn, transaction

__all__ = ["astray", "scattered", "tidy", "tidy_all", "tidy_few", "untidy"]

_log = Logger(namespace="imapd")

#: Readings of a directory for files that are renamed again and again.
_TRIES: Final = 5
#: Files renamed, and files removed, in one transaction: others who write wait that long.
_AT_ONCE: Final = 200
#: Mailboxes that are brought up to date in some milliseconds, if few of their files are to follow.
_FEW: Final = 4


def untidy(index: Index) -> list[int]:
    """Mailboxes whose tree is behind."""
    return [row[0] for row in index.sql("SELECT number FROM mailboxes WHERE tidied < modseq")]


def tidy_all(index: Index, tree: Tree, hints: list[Hint]) -> None:
    """Bring every mailbox's tree up to date, and forget what no message refers to any more."""
    for number in untidy(index):
        # One whose files are not ours stays as it is.
        with suppress(NoSuchMailbox, StoreUnavailable):
            try:
                tidy(index, tree, number, hints)
            except OSError:
                # The others are not to wait for it; it is tried again with the next change.
                _log.failure("{root}: files cannot be renamed or removed now", root=tree.root)
    while index.sql("SELECT 1 FROM released LIMIT 1").fetchone():
        with transaction(index, tree, False):
            facts.forget_released(index, _AT_ONCE)


def tidy_few(index: Index, tree: Tree) -> bool:
    """As `tidy_all`, as far as it takes some milliseconds; whether that was all."""
    numbers = untidy(index)
    done = len(numbers) <= _FEW
    for number in numbers[:_FEW]:
        with suppress(NoSuchMailbox, StoreUnavailable):
            try:
                done &= _tidied(index, tree, number, few=True)
            except OSError:
                done = False
    if index.sql("SELECT 1 FROM released LIMIT 1").fetchone():
        with transaction(index, tree, False):
            facts.forget_released(index, _AT_ONCE)
    return done and not index.sql("SELECT 1 FROM released LIMIT 1").fetchone()


def tidy(index: Index, tree: Tree, number: int, hints: list[Hint]) -> None:
    """Bring one mailbox's tree up to date."""
    if not _tidied(index, tree, number):
        # Somebody renamed or removed some of them.
        reconcile(index, tree, number, False, hints)
        _tidied(index, tree, number)


def _tidied(index: Index, tree: Tree, number: int, few: bool = False) -> bool:
    """Whether all files were where the rows say; else those that were not are still to be done.

    And all of them if they may only be `few`.
    """
    row = index.mailbox(number)
    changed, vanished = log_since(index, number, row.tidied)
    base = base_of(number)
    if len(changed) + len(vanished) <= _AT_ONCE:
        stale, gone = [base + uid for uid in changed], [base + uid for uid in vanished]
    elif few:
        return False
    else:
        stale, gone = list(_stale(index, number, changed)), list(_gone(index, number, vanished))
    done, last = True, max(len(stale), len(gone)) - _AT_ONCE
    for place in range(0, max(len(stale), len(gone), 1), _AT_ONCE):
        with transaction(index, tree, False) as turn:
            for work, ids in ((_rename, stale), (_remove, gone)):
                if some := ids[place : place + _AT_ONCE]:
                    done &= work(turn, number, some)
            if done and place >= last:
                index.sql(
                    "UPDATE mailboxes SET tidied = ? WHERE number = ? AND tidied < ?",
                    (row.modseq, number, row.modseq),
                )
    return done


def _stale(index: Index, number: int, changed: NumSet) -> Iterator[int]:
    """The keys of those whose file is not as the row says."""
    base = base_of(number)
    columns, tables = "m.flags, f.name, f.home", "messages m JOIN files f ON f.id = m.id"
    for some in rows(index, number, changed, columns, tables):
        for id, flags, name, home in some:
            letters = index.flagsets.letters(flags)
            if home is not None or _wanted(name, letters, id - base, home) != name:
                yield id


def _gone(index: Index, number: int, vanished: NumSet) -> Iterator[int]:
    """The keys of those of which there may be a file."""
    for some in rows(index, number, vanished, "m.name", "files m"):
        yield from (found[0] for found in some)


def _wanted(name: str, letters: str, uid: int, home: int | None) -> str:
    if home is None:
        if name.partition(":")[0].endswith(f",U={uid}"):
            return relettered(name, letters)
        parsed = FileName.parse(name)
        if parsed.uid is None:
            return str(parsed.lettered(letters))
    return renumbered(name, uid, letters)


def _rename(turn: Turn, number: int, ids: Sequence[int]) -> bool:
    """Whether all were where the rows say; those that were not make it that the directory is read again."""
    index, tree, base = turn.index, turn.tree, base_of(number)
    directory = cache(lambda place: tree.part(turn.touch(place)))
    renamed: list[tuple[str, int]] = []
    done = True
    for id, flags, name, home in index.sql(
        "SELECT m.id, m.flags, f.name, f.home FROM messages m JOIN files f ON f.id = m.id"  # noqa: S608
        f" WHERE m.id IN ({', '.join('?' * len(ids))})",
        ids,
    ).fetchall():
        wanted = _wanted(name, index.flagsets.letters(flags), id - base, home)
        if wanted != name or home is not None:
            cur = directory(number)
            old = f"{cur if home is None else directory(home)}/{name}"
            new = f"{cur}/{wanted}"
            if old != new and is_there(new):
                # Another message has a file of that name.
                wanted = str(evolve(FileName.parse(wanted), unique=fresh()))
                new = f"{cur}/{wanted}"
            try:
                turn.rename(old, new)
            except FileNotFoundError:
                # Renamed already before a crash, or by someone else: reading the directory tells.
                turn.distrust(number)
                done = False
                continue
            renamed.append((wanted, id))
    index.many("UPDATE files SET name = ?, home = NULL WHERE id = ?", renamed)
    return done


def _remove(turn: Turn, number: int, ids: Sequence[int]) -> bool:
    """Whether all are gone; those that others rename all the time are left."""
    index, tree = turn.index, turn.tree
    directory = cache(lambda place: tree.part(turn.touch(place)))
    found = index.sql(
        f"SELECT id, name, home FROM files WHERE id IN ({', '.join('?' * len(ids))})"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = files.id)",
        ids,
    ).fetchall()
    absent: dict[int, dict[str, int]] = {}
    for id, name, home in found:
        place = number if home is None else home
        try:
            os.unlink(f"{directory(place)}/{name}")
        except FileNotFoundError:
            absent.setdefault(place, {})[name] = id
    left: set[int] = set()
    for place, names in absent.items():
        left |= _unlink_renamed(index, tree, place, names)
    facts.remove(index, NumSet.of(*(row[0] for row in found if row[0] not in left)))
    return not left


def _unlink_renamed(index: Index, tree: Tree, number: int, names: dict[str, int]) -> set[int]:
    """Remove files that another program gave other letters a moment ago; the keys of those that got away.

    One that is nowhere in two readings of the directory is gone: one may miss what is renamed meanwhile.
    """
    missed = 0
    for _ in range(_TRIES):
        seen = False
        for old, name in found_again(names, free(index, tree, number)).values():
            if FileName.parse(old).base == FileName.parse(name).base:
                seen = True
                try:
                    os.unlink(tree.file(index.directory(number), name))
                except FileNotFoundError:
                    continue
                del names[old]
        missed = 0 if seen else missed + 1
        if not names or missed == 2:
            return set()
    return set(names.values())


def scattered(index: Index, home: int) -> NumSet:
    """Other mailboxes that have files in the directory of `home`."""
    return NumSet.of(*(row[0] for row in index.sql(
        "SELECT DISTINCT id >> 32 FROM files WHERE home = ? AND id >> 32 != ?", (home, home)
    )))  # fmt: skip


def astray(index: Index, number: int) -> bool:
    """Whether messages of a mailbox, or such as it had, still have their files elsewhere."""
    base = base_of(number)
    return any(index.sql(
        "SELECT 1 FROM files WHERE id BETWEEN ? AND ? AND home != ? LIMIT 1",
        (base, base + UID_MASK, number),
    ))  # fmt: skip
