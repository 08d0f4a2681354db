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
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import define, evolve, field

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.store.maildir import facts
from imapd.store.maildir.adoption import AWAITED, adopt
from imapd.store.maildir.arrivals import Arrival, Seen, examined, seen, unread
from imapd.store.maildir.edit import Edit, Entry
from imapd.store.maildir.filename import FileName, plain, safe
from imapd.store.maildir.filename import fresh as new_unique
from imapd.store.maildir.index import UID_BITS, UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.reading import Reading
from imapd.store.maildir.tree import Tree, is_there, modified
from imapd.store.maildir.turn import Turn, settled_stamp, transaction

__all__ = ["reconcile"]

#: New messages entered in one transaction.
_AT_ONCE: Final = 200
#: The same for ``cur``, which is read again for each transaction.
_AT_ONCE_CUR: Final = 50_000
#: Messages of one reading that are read before they are entered; more are entered as they stand in
#: the directory, and read when they are asked for, or behind the answers.
_READ: Final = 200
#: Rows written together.
_ROWS: Final = 1_000
#: How far above UIDNEXT the UID of a file's name is believed.
_AHEAD: Final = 1 << 20


def reconcile(index: Index, tree: Tree, number: int, force: bool, hints: list[Hint]) -> None:
    """Enter what changed since the directories were last read; with `force`, look anyway."""
    row = index.mailbox(number)
    if row.ceiling == AWAITED:
        adopt(index, tree, row, hints)
    for part, column, read in (("new", "new_stamp", _read_new), ("cur", "cur_stamp", _read_cur)):
        row = index.mailbox(number)
        path, known = tree.part(row.directory, part), getattr(row, column)
        stamp = modified(path)
        if not force and stamp == known:
            continue
        key = f"{column}/{number}"
        changed = index.meta(key) if stamp == abs(known) else None
        ours = changed is not None and changed <= time.time_ns()
        mark = settled_stamp(stamp, changed if changed and ours else 0)
        if not read(index, tree, row, hints):
            ours, mark = False, -modified(path)
        if ours and mark == known:
            # Nothing is written where nothing is new: who looks when the index is written would
            # have to look again.
            continue
        with transaction(index, tree, False):
            index.sql(f"UPDATE mailboxes SET {column} = ? WHERE number = ?", (mark, number))  # noqa: S608
            if not ours:
                # Until then others may have changed it.
                index.set_meta(key, time.time_ns())


def _read_new(index: Index, tree: Tree, row: MailboxRow, hints: list[Hint]) -> bool:
    """Whether there was nothing to enter, and nothing that could not be read."""
    path = tree.part(row.directory, "new")
    found, whole = seen(path, tree.listed(row.directory, "new") or ())
    nothing = True
    for place in range(0, len(found), _AT_ONCE):
        arrivals, all_read = examined(
            path, found[place : place + _AT_ONCE], with_facts=len(found) <= _READ
        )
        whole &= all_read
        if arrivals:
            nothing = False
            with transaction(index, tree, True) as turn:
                _take(turn, row.number, arrivals)
            hints.extend(turn.hints)
    return whole and nothing


def _read_cur(index: Index, tree: Tree, row: MailboxRow, hints: list[Hint]) -> bool:
    """As `_read_new`."""
    before = Reading.of(index, tree, row)
    if before is None or not before.differs:
        return True
    path = tree.part(row.directory)
    found, whole = seen(path, before.fresh)
    found = _in_order(found, row.uidnext)
    read: list[Arrival] = []
    if len(found) <= _READ:
        read, all_read = examined(path, found, with_facts=True)
        found, whole = [], whole and all_read
    if not (found or read or before.missing or before.strays):
        return whole
    while True:
        some, found = found[:_AT_ONCE_CUR], found[_AT_ONCE_CUR:]
        with transaction(index, tree, True) as turn:
            row = index.mailbox(row.number)
            again = Reading.of(index, tree, row)
            if again is None:
                return False
            _Merge(turn, Edit(turn, row), again).all(before, read or unread(some))
        hints.extend(turn.hints)
        if not found:
            return False


def _in_order(found: Sequence[Seen], uidnext: int) -> list[Seen]:
    """First those that keep the UIDs of their names, then the others as they came."""
    kept = []
    others = []
    for each in found:
        uid = FileName.parse(each[1]).uid if ",U=" in each[1] else None
        if uid is not None and uidnext <= uid < UID_MASK:
            kept.append((uid, each))
        else:
            others.append(each)
    return [each for _, each in sorted(kept)] + others


def _take(turn: Turn, number: int, found: Iterable[Arrival]) -> None:
    """Files of ``new`` into the mailbox."""
    edit = Edit(turn, turn.index.mailbox(number))
    directory = turn.touch(number)
    entries = []
    for arrival in found:
        name = FileName.parse(arrival.name)
        unique = name.unique if safe(arrival.name) else new_unique()
        uid = edit.take_uid()
        named = evolve(
            name, unique=unique, size=arrival.file_size, wire_size=arrival.wire_size, uid=uid
        )
        if not safe(arrival.name):
            named = evolve(named, others="", letters="")
        old = turn.tree.file(directory, arrival.name, "new")
        path = turn.tree.file(directory, str(named))
        if is_there(path):
            named = evolve(named, unique=new_unique())
            path = turn.tree.file(directory, str(named))
        try:
            turn.rename(old, path)
        except FileNotFoundError:
            edit.give_back()
            continue
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


@define(eq=False)
class _Merge:
    """Enters what a reading shows, inside a transaction."""

    turn: Turn
    edit: Edit
    seen: Reading
    #: All names are as the flags say.
    tidy: bool = True
    #: Flags by the letters of names.
    spelt: dict[str, int] = field(factory=dict)

    def all(self, before: Reading, arrivals: Iterable[Arrival]) -> None:
        """Renamed files, gone files, new files."""
        self._renamed()
        self._gone(before)
        self._new(each for each in arrivals if each.name in self.seen.fresh)
        self.edit.finish(tidy=self.tidy)

    # -- files that have another name

    def _renamed(self) -> None:
        seen, execute = self.seen, self.turn.index.sql
        here = seen.renamed()
        for id, (old, name) in here.items():
            seen.fresh.discard(name)
            if old in seen.guests:
                execute("UPDATE files SET name = ? WHERE id = ?", (name, id))
            else:
                seen.missing.pop(old, None)
                execute("UPDATE files SET name = ?, home = NULL WHERE id = ?", (name, id))
        for id, (_, name) in seen.strays.items():
            execute("UPDATE files SET name = ? WHERE id = ?", (name, id))
        turned = {**here, **seen.strays}
        self.tidy = not turned
        self._reflag(turned)

    def _reflag(self, turned: Mapping[int, tuple[str, str]]) -> None:
        """What letters came and went with a name; of other mailboxes' messages, too."""
        index = self.turn.index
        flagsets = index.flagsets
        edits = {self.edit.row.number: self.edit}
        for id, (old, name) in turned.items():
            was, now = set(FileName.parse(old).letters), set(FileName.parse(name).letters)
            row = index.sql("SELECT id, flags, size FROM messages WHERE id = ?", (id,)).fetchone()
            if was == now or row is None:
                continue
            flags = flagsets.lettered(
                flagsets.flags[row[1]], "".join(now - was), "".join(was - now)
            )
            flagset = flagsets.number(flags)
            if flagset != row[1]:
                number = id >> UID_BITS
                if number not in edits:
                    edits[number] = Edit(self.turn, index.mailbox(number))
                edits[number].reflag([row], {row[1]: flagset})
        del edits[self.edit.row.number]
        for edit in edits.values():
            edit.finish()

    # -- files that are gone

    def _gone(self, before: Reading) -> None:
        index, base = self.turn.index, base_of(self.edit.row.number)
        ids = sorted(
            id
            for name, id in self.seen.missing.items()
            if id >> UID_BITS == self.edit.row.number and name in before.missing
        )
        uids = NumSet.from_sorted(id - base for id in ids)
        found = [
            row
            for some in rows(index, self.edit.row.number, uids, "m.flags, m.size", "messages m")
            for row in some
        ]
        self.edit.remove(found)
        facts.remove(index, NumSet.from_sorted(row[0] for row in found))

    # -- files that no row knows

    def _new(self, arrivals: Iterable[Arrival]) -> None:
        edit, turn = self.edit, self.turn
        directory = turn.touch(edit.row.number)
        entries: list[Entry] = []
        for arrival in arrivals:
            letters = plain(arrival.name)
            if letters is not None:
                entries.append(self._as_it_is(letters, edit.take_uid(), arrival))
            else:
                self.tidy = False
                uid = FileName.parse(arrival.name).uid or 0
                if not edit.uidnext <= uid < min(edit.uidnext + _AHEAD, UID_MASK):
                    uid = 0
                try:
                    entries.append(self._entered(directory, edit.take_uid(uid), arrival))
                except FileNotFoundError:
                    edit.give_back()
            if len(entries) == _ROWS:
                edit.enter(entries)
                entries.clear()
        edit.enter(entries)

    def _as_it_is(self, letters: str, uid: int, arrival: Arrival) -> Entry:
        flags = self.spelt.get(letters)
        if flags is None:
            flagsets = self.turn.index.flagsets
            flags = flagsets.number(flagsets.lettered(flagsets.flags[0], letters, ""))
            self.spelt[letters] = flags
        return Entry(
            uid, flags, arrival.size, arrival.internal_date, arrival.name, arrival.file_size,
            arrival.arrived, os.urandom(16), arrival.facts,
        )  # fmt: skip

    def _entered(self, directory: str, uid: int, arrival: Arrival) -> Entry:
        name = FileName.parse(arrival.name)
        named = name if name.uid is None else evolve(name, uid=uid)
        if not safe(arrival.name):
            named = FileName(new_unique(), arrival.file_size, arrival.wire_size, uid)
        if str(named) != arrival.name and named != name:
            path = self.turn.tree.file(directory, arrival.name)
            target = self.turn.tree.file(directory, str(named))
            if is_there(target):
                named = evolve(named, unique=new_unique())
                target = self.turn.tree.file(directory, str(named))
            self.turn.rename(path, target)
            return _entry(self.turn, uid, named, arrival)
        entry = _entry(self.turn, uid, named, arrival)
        return evolve(entry, name=arrival.name)
