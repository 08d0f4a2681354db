"""One change of one mailbox: its rows, its counts, its log, under one new modification sequence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Final

from attrs import define, field, frozen

from imapd.model.dates import InternalDate
from imapd.model.flags import DELETED, SEEN, Flags
from imapd.model.mailbox import Changes, Hint
from imapd.model.message import Facts
from imapd.model.numset import EMPTY, NumSet
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir import facts
from imapd.store.maildir.ceiling import Ceiling
from imapd.store.maildir.ceiling import write as write_ceiling
from imapd.store.maildir.flagsets import BIT
from imapd.store.maildir.index import UID_MASK, MailboxRow, base_of, held
from imapd.store.maildir.spans import parsed, written
from imapd.store.maildir.turn import Turn

__all__ = ["Edit", "Entry"]

_SEEN: Final = BIT[SEEN]
_DELETED: Final = BIT[DELETED]

#: Modseqs of the log that are kept apart; older ones are joined, so many to a row.
_APART: Final = 4_096
_JOINED: Final = 1_024


@frozen
class Entry:
    """A message to be entered."""

    uid: int
    flags: int
    size: int
    internal_date: InternalDate
    name: str
    file_size: int
    saved: int
    email_id: bytes
    facts: Facts | None
    thread_id: bytes | None = None


@define(eq=False)
class Edit:
    """Rows change at once, the mailbox's own with `finish`."""

    turn: Turn
    row: MailboxRow
    modseq: int = field(init=False)
    uidnext: int = field(init=False)
    _changed: dict[int, Flags] = field(factory=dict, init=False)
    _gone: list[int] = field(factory=list, init=False)
    _skipped: list[tuple[int, int]] = field(factory=list, init=False)
    _messages: int = field(default=0, init=False)
    _unseen: int = field(default=0, init=False)
    _deleted: int = field(default=0, init=False)
    _size: int = field(default=0, init=False)
    _deleted_size: int = field(default=0, init=False)
    _recent: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.modseq = self.row.modseq + 1
        self.uidnext = self.row.uidnext

    # -- messages

    def take_uid(self, wanted: int = 0) -> int:
        """The next UID, or one after it."""
        uid = max(self.uidnext, wanted)
        if uid > UID_MASK:
            raise StoreUnavailable("the mailbox has given out all its UIDs")
        if uid > self.uidnext:
            self._skipped.append((self.uidnext, uid - 1))
        self.uidnext = uid + 1
        return uid

    def give_back(self) -> None:
        """The UID taken last is not needed."""
        self.uidnext -= 1

    def enter(self, entries: Sequence[Entry]) -> None:
        """New messages under UIDs that were taken."""
        many, base = self.turn.index.many, base_of(self.row.number)
        many(
            "INSERT INTO messages (id, flags, modseq, size, internal_date) VALUES (?, ?, ?, ?, ?)",
            [
                (base + each.uid, each.flags, self.modseq, each.size, each.internal_date)
                for each in entries
            ],
        )
        many(
            "INSERT INTO files (id, name, size, saved, email_id, thread_id) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    base + each.uid,
                    each.name,
                    each.file_size,
                    each.saved,
                    each.email_id,
                    each.thread_id,
                )
                for each in entries
            ],
        )
        facts.know(
            self.turn.index,
            [(base + each.uid, each.facts) for each in entries if each.facts is not None],
        )
        for each in entries:
            self.came(each.uid, each.flags, each.size)

    def came(self, uid: int, flags: int, size: int) -> None:
        """Count a message whose row is there."""
        self._changed[uid] = self.turn.index.flagsets.flags[flags]
        self._recent += 1
        self._tally(flags, held(size), +1)

    def went(self, uid: int, flags: int, size: int) -> None:
        """Count a message whose row is there no more."""
        self._gone.append(uid)
        if uid >= self.row.recent:
            self._recent -= 1
        self._tally(flags, held(size), -1)

    def remove(self, found: Sequence[tuple[int, int, int]]) -> None:
        """Messages by key, flags and size.  Their files go when the tree is tidied."""
        base, index = base_of(self.row.number), self.turn.index
        ids = NumSet.of(*(row[0] for row in found))
        facts.release(index, ids)
        for table in ("messages", "message_annotations"):
            index.many(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", ids.ranges)  # noqa: S608
        for id, flags, size in found:
            self.went(id - base, flags, size)

    def reflag(self, found: Sequence[tuple[int, int, int]], becomes: dict[int, int]) -> None:
        """Messages by key, flags and size; `becomes` has other flags for each that occurs."""
        base, sql = base_of(self.row.number), self.turn.index.sql
        decode = self.turn.index.flagsets.flags
        after = {old: decode[new] for old, new in becomes.items()}
        self._changed.update([(row[0] - base, after[row[1]]) for row in found])
        ids = NumSet.from_sorted(row[0] for row in found)
        if len(ids.ranges) * len(becomes) * 4 < len(found):
            for old, new in becomes.items():
                for low, high in ids.ranges:
                    sql(
                        "UPDATE messages SET flags = ?, modseq = ?"
                        " WHERE id BETWEEN ? AND ? AND flags = ? AND modseq < ?",
                        (new, self.modseq, low, high, old, self.modseq),
                    )
        else:
            self.turn.index.many(
                "UPDATE messages SET flags = ?, modseq = ? WHERE id = ?",
                [(becomes[row[1]], self.modseq, row[0]) for row in found],
            )
        for old, new in becomes.items():
            seen = bool(new & _SEEN) - bool(old & _SEEN)
            turned = bool(new & _DELETED) - bool(old & _DELETED)
            if seen or turned:
                sizes = [held(row[2]) for row in found if row[1] == old]
                self._unseen -= len(sizes) * seen
                self._deleted += len(sizes) * turned
                self._deleted_size += sum(sizes) * turned

    def _tally(self, flags: int, size: int, sign: int) -> None:
        self._messages += sign
        self._size += sign * size
        if not flags & _SEEN:
            self._unseen += sign
        if flags & _DELETED:
            self._deleted += sign
            self._deleted_size += sign * size

    # -- the mailbox

    def finish(self, tidy: bool = False) -> Changes:
        """Write the mailbox's row and log; nothing if nothing changed.

        With `tidy`, the files of what changed are already as the rows say.
        """
        row = self.row
        changed = NumSet.of(*self._changed)
        vanished = NumSet.of(*self._gone) if self._gone else EMPTY
        if self._skipped:
            vanished |= NumSet(self._skipped)
        if not changed and not vanished:
            return Changes(row.modseq, row.modseq)
        if self.uidnext - 1 > row.ceiling and os.path.isdir(self.turn.tree.folder(row.directory)):
            self._raise_ceiling()
        sql = self.turn.index.sql
        sql(
            "INSERT INTO log (mailbox, modseq, changed, vanished) VALUES (?, ?, ?, ?)",
            (row.number, self.modseq, written(changed), written(vanished)),
        )
        sql(
            "UPDATE mailboxes SET uidnext = ?, modseq = ?, messages = messages + ?,"
            " unseen = unseen + ?, deleted = deleted + ?, size = size + ?,"
            " deleted_size = deleted_size + ?, recent_count = recent_count + ?, tidied = ?"
            " WHERE number = ?",
            (self.uidnext, self.modseq, self._messages, self._unseen, self._deleted,
             self._size, self._deleted_size, self._recent,
             self.modseq if tidy and row.tidied == row.modseq else row.tidied, row.number),
        )  # fmt: skip
        if self.modseq % _JOINED == 0 and self.modseq > _APART:
            self._join(self.modseq - _APART)
        self.turn.hints.append(Hint(row.id, self.modseq))
        uids = list(changed)
        return Changes(
            row.modseq,
            self.modseq,
            uids,
            [self._changed[uid] for uid in uids],
            [self.modseq] * len(uids),
            vanished,
        )

    def _raise_ceiling(self) -> None:
        row, turn = self.row, self.turn
        said = Ceiling.above(self.uidnext, row.uidvalidity, row.id)
        turn.last(partial(write_ceiling, turn.tree, row.directory, said))
        turn.index.sql(
            "UPDATE mailboxes SET ceiling = ? WHERE number = ?", (said.ceiling, row.number)
        )

    def _join(self, last: int) -> None:
        """One row for the `_JOINED` modseqs up to `last`: it may say too much, never too little."""
        sql = self.turn.index.sql
        where = "mailbox = ? AND modseq > ? AND modseq <= ?"
        place = (self.row.number, last - _JOINED, last)
        found = sql(f"SELECT changed, vanished FROM log WHERE {where}", place).fetchall()  # noqa: S608
        sql(f"DELETE FROM log WHERE {where}", place)  # noqa: S608
        changed = parsed([row[0] for row in found])
        vanished = parsed([row[1] for row in found])
        sql(
            "INSERT INTO log (mailbox, modseq, changed, vanished) VALUES (?, ?, ?, ?)",
            (self.row.number, last, written(changed - vanished), written(vanished)),
        )
