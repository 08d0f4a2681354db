"""What other programs did to a mailbox's directories becomes changes of the mailbox.

* Files in ``new`` get UIDs in the order in which they came (mtime, then name) and are moved
  to ``cur``, under a name with size and UID.
* A file renamed in ``cur`` is known by what stands before its letters, or by its unique
  part; letters that differ from those of the name last seen are a change of flags.
* A file in ``cur`` that no row knows is a new message; it keeps a UID that its name has
  when that is one the mailbox has not given out.
* A file that is gone is expunged, after two readings agree: a reading may miss a file that
  is renamed meanwhile.
* Symbolic links and whatever else is no regular file are passed over.

Directories are read without the lock first.  Only if something differs they are read again
inside the transaction that enters it; no file is moved by us meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from attrs import define, evolve

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.maildir.arrivals import Arrival, examined
from imapd.store.maildir.edit import Edit, Entry
from imapd.store.maildir.filename import FileName, safe
from imapd.store.maildir.filename import fresh as new_unique
from imapd.store.maildir.index import UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.tree import Tree, modified
from imapd.store.maildir.turn import Turn, settled_stamp, transaction

__all__ = ["reconcile"]

#: New messages entered in one transaction.
_AT_ONCE: Final = 200
#: Messages of one reading whose facts are computed at once; others when they are asked for.
_FACTS: Final = 2_000
#: How far above UIDNEXT the UID of a file's name is believed.
_AHEAD: Final = 1 << 20

_Keys = Mapping[str, int]


def reconcile(index: Index, tree: Tree, number: int, force: bool, hints: list[Hint]) -> None:
    """Enter what changed since the directories were last read; with `force`, look anyway."""
    row = index.mailbox(number)
    facts = _FACTS
    new, cur = tree.part(row.directory, "new"), tree.part(row.directory)
    stamp = modified(new)
    if force or stamp != row.new_stamp:
        mark = settled_stamp(stamp)
        found = examined(new, _listed(new), facts)
        facts -= len(found)
        for place in range(0, len(found), _AT_ONCE):
            with transaction(index, tree, True) as turn:
                _take(turn, number, found[place : place + _AT_ONCE])
            hints.extend(turn.hints)
        if found:
            mark = -abs(mark)
        _stamp(index, tree, number, "new_stamp", mark)
    row = index.mailbox(number)
    stamp = modified(cur)
    if force or stamp != row.cur_stamp:
        mark = settled_stamp(stamp)
        seen = _Reading.of(index, tree, row)
        if seen.differs:
            arrivals = examined(cur, seen.fresh, facts)
            with transaction(index, tree, True) as turn:
                again = _Reading.of(index, tree, index.mailbox(number))
                _Merge(turn, Edit(turn, index.mailbox(number)), again).all(seen, arrivals)
            hints.extend(turn.hints)
            mark = -abs(modified(cur))
        _stamp(index, tree, number, "cur_stamp", mark)


def _stamp(index: Index, tree: Tree, number: int, column: str, mark: int) -> None:
    with transaction(index, tree, False):
        index.sql(f"UPDATE mailboxes SET {column} = ? WHERE number = ?", (mark, number))  # noqa: S608


def _listed(path: str) -> list[str]:
    try:
        return [name for name in os.listdir(path) if not name.startswith(".")]
    except FileNotFoundError:
        os.makedirs(path, mode=0o700, exist_ok=True)
        return []


def _take(turn: Turn, number: int, found: Iterable[Arrival]) -> None:
    """Files of ``new`` into the mailbox."""
    edit = Edit(turn, turn.index.mailbox(number))
    directory = turn.touch(number)
    entries = []
    for arrival in found:
        name = FileName.parse(arrival.name)
        unique = name.unique if safe(arrival.name) else new_unique()
        uid = edit.take_uid()
        named = evolve(name, unique=unique, size=arrival.file_size, wire_size=arrival.size, uid=uid)
        if not safe(arrival.name):
            named = evolve(named, others="", letters="")
        old = turn.tree.file(directory, arrival.name, "new")
        path = turn.tree.file(directory, str(named))
        if os.path.lexists(path):
            named = evolve(named, unique=new_unique())
            path = turn.tree.file(directory, str(named))
        try:
            os.rename(old, path)
        except FileNotFoundError:
            edit.uidnext -= 1
            continue
        turn.undo(_renamed(path, old))
        entries.append(_entry(turn, uid, named, arrival))
    edit.enter(entries)
    edit.finish()


def _entry(turn: Turn, uid: int, name: FileName, arrival: Arrival) -> Entry:
    flagsets = turn.index.flagsets
    flags = flagsets.number(flagsets.lettered(flagsets.flags[0], name.letters, ""))
    return Entry(
        uid, flags, arrival.size, arrival.internal_date, str(name), arrival.file_size,
        arrival.arrived, os.urandom(16), arrival.facts,
    )  # fmt: skip


def _renamed(source: str, target: str) -> Callable[[], None]:
    def back() -> None:
        with suppress(OSError):
            os.rename(source, target)

    return back


@define(eq=False)
class _Reading:
    """``cur`` beside the rows of the files that should be there."""

    #: Keys of the rows by the names that are missing, and names that no row has.
    missing: dict[str, int]
    fresh: set[str]
    #: Keys of messages whose file is still in another directory, by name.
    away: dict[str, int]

    @classmethod
    def of(cls, index: Index, tree: Tree, row: MailboxRow) -> _Reading:
        """Read the directory, then the rows."""
        base = base_of(row.number)
        listed = set(_listed(tree.part(row.directory)))
        known: dict[str, int] = {}
        away: dict[str, int] = {}
        lost: dict[str, int] = {}
        for id, name, home in index.sql(
            "SELECT id, name, home FROM files WHERE id BETWEEN ? AND ?", (base, base + UID_MASK)
        ).fetchall():
            if home is None or home == row.number:
                known[name] = id
            elif os.path.lexists(tree.file(index.directory(home), name)):
                away[name] = id
            else:
                lost[name] = id
        guests = index.sql("SELECT name FROM files WHERE home = ?", (row.number,)).fetchall()
        missing = {name: known[name] for name in known.keys() - listed}
        fresh = listed - known.keys() - {name for (name,) in guests}
        return cls(missing | lost, fresh, away)

    @property
    def differs(self) -> bool:
        """Whether there is anything to enter."""
        return bool(self.missing or self.fresh)


@define(eq=False)
class _Merge:
    """Enters what a reading shows, inside a transaction."""

    turn: Turn
    edit: Edit
    seen: _Reading

    def all(self, before: _Reading, arrivals: Iterable[Arrival]) -> None:
        """Renamed files, gone files, new files."""
        self._renamed()
        self._gone(before)
        self._new([each for each in arrivals if each.name in self.seen.fresh])
        self.edit.finish()

    # -- files that have another name

    def _renamed(self) -> None:
        missing, unknown = self.seen.missing, self.seen.fresh
        if not (missing or self.seen.away):
            return
        by_base = {FileName.parse(name).base: (name, id) for name, id in missing.items()}
        by_unique = {
            FileName.parse(name).unique: (name, id)
            for name, id in [*missing.items(), *self.seen.away.items()]
        }
        turned: dict[int, tuple[str, str]] = {}
        for name in sorted(unknown):
            if not safe(name):
                continue
            parsed = FileName.parse(name)
            match = by_base.get(parsed.base) or by_unique.get(parsed.unique)
            if match is None or match[1] in turned:
                continue
            turned[match[1]] = (match[0], name)
        for id, (old, name) in turned.items():
            unknown.discard(name)
            missing.pop(old, None)
            self.turn.index.sql("UPDATE files SET name = ?, home = NULL WHERE id = ?", (name, id))
        self._reflag(turned)

    def _reflag(self, turned: Mapping[int, tuple[str, str]]) -> None:
        index = self.turn.index
        flagsets = index.flagsets
        for id, (old, name) in turned.items():
            was, now = set(FileName.parse(old).letters), set(FileName.parse(name).letters)
            if was == now or id >> 32 != self.edit.row.number:
                continue
            row = index.sql("SELECT id, flags, size FROM messages WHERE id = ?", (id,)).fetchone()
            if row is None:
                continue
            flags = flagsets.lettered(
                flagsets.flags[row[1]], "".join(now - was), "".join(was - now)
            )
            number = flagsets.number(flags)
            if number != row[1]:
                self.edit.reflag([row], {row[1]: number})

    # -- files that are gone

    def _gone(self, before: _Reading) -> None:
        index, base = self.turn.index, base_of(self.edit.row.number)
        ids = sorted(
            id
            for name, id in self.seen.missing.items()
            if id >> 32 == self.edit.row.number and (name in before.missing)
        )
        uids = NumSet.from_sorted(id - base for id in ids)
        found = [
            row
            for some in rows(index, self.edit.row.number, uids, "m.flags, m.size", "messages m")
            for row in some
        ]
        self.edit.remove(found)
        for table in ("files", "facts", "headers"):
            index.many(f"DELETE FROM {table} WHERE id = ?", [(row[0],) for row in found])  # noqa: S608

    # -- files that no row knows

    def _new(self, arrivals: Iterable[Arrival]) -> None:
        edit, turn = self.edit, self.turn
        directory = turn.touch(edit.row.number)
        kept = []
        others = []
        for arrival in arrivals:
            uid = FileName.parse(arrival.name).uid
            if uid is not None and edit.uidnext <= uid < min(edit.uidnext + _AHEAD, UID_MASK):
                kept.append((uid, arrival))
            else:
                others.append(arrival)
        kept.sort(key=lambda pair: (pair[0], pair[1].order))
        entries = []
        for uid, arrival in [*kept, *((0, arrival) for arrival in others)]:
            entries.append(self._entered(directory, edit.take_uid(uid), arrival))
        edit.enter([entry for entry in entries if entry is not None])

    def _entered(self, directory: str, uid: int, arrival: Arrival) -> Entry:
        name = FileName.parse(arrival.name)
        named = name if name.uid is None else evolve(name, uid=uid)
        if not safe(arrival.name):
            named = FileName(new_unique(), arrival.file_size, arrival.size, uid)
        if str(named) != arrival.name and named != name:
            path = self.turn.tree.file(directory, arrival.name)
            target = self.turn.tree.file(directory, str(named))
            os.rename(path, target)
            self.turn.undo(_renamed(target, path))
            return _entry(self.turn, uid, named, arrival)
        entry = _entry(self.turn, uid, named, arrival)
        return evolve(entry, name=arrival.name)
