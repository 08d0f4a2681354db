"""One connection to an account's index: transactions, and the rows of mailboxes."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar

from imapd.model.mailbox import Status
from imapd.store.errors import AccountClosed, NoSuchMailbox
from imapd.store.maildir.flagsets import FlagSets
from imapd.store.maildir.schema import connect

__all__ = ["UID_BITS", "UID_MASK", "Index", "MailboxRow", "base_of", "closed", "held"]

_T = TypeVar("_T")

UID_BITS: Final = 32
UID_MASK: Final = (1 << UID_BITS) - 1

#: Seconds of waiting for who writes, after which it is known that one waits; and for which SQLite
#: waits by itself.
_STUCK: Final = 1.0
_STEP: Final = 0.01


def held(size: int) -> int:
    """What a message counts for: its size, or as long as that is not known its file's."""
    return max(size, ~size)


def base_of(number: int) -> int:
    """What is added to a UID of the mailbox to make the key of its rows."""
    return number << UID_BITS


class MailboxRow(NamedTuple):
    """A row of `mailboxes`."""

    number: int
    id: str
    name: str
    directory: str
    special_use: str
    uidvalidity: int
    uidnext: int
    modseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    deleted_size: int
    recent: int
    recent_count: int
    tidied: int
    new_stamp: int
    cur_stamp: int
    ceiling: int

    def status(self, sized: bool) -> Status:
        """The figures; whether all sizes are in them."""
        return Status(
            messages=self.messages,
            uidnext=self.uidnext,
            uidvalidity=self.uidvalidity,
            unseen=self.unseen,
            deleted=self.deleted,
            recent=self.recent_count,
            size=self.size,
            highest_modseq=self.modseq,
            deleted_size=self.deleted_size,
            mailbox_id=self.id,
            sized=sized,
        )


_COLUMNS: Final = ", ".join(MailboxRow._fields)
_BY_NUMBER: Final = f"SELECT {_COLUMNS} FROM mailboxes WHERE number = ?"  # noqa: S608
_BY_NAME: Final = f"SELECT {_COLUMNS} FROM mailboxes WHERE name = ?"  # noqa: S608
_FROM_NAME: Final = f"SELECT {_COLUMNS} FROM mailboxes WHERE name >= ? ORDER BY name LIMIT ?"  # noqa: S608
#: Rows read together when so many were asked for one by one: somebody goes through all.
_TOGETHER: Final = 64
_ONE_BY_ONE: Final = 4
_UNSIZED: Final = (
    "SELECT id FROM messages INDEXED BY messages_unmeasured"
    " WHERE size < 0 AND id > ? ORDER BY id LIMIT 1"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM mailboxes ORDER BY name"  # noqa: S608


class Index:
    """A connection, used by one thread at a time; opened when it is used."""

    #: Runs a statement.
    sql: Callable[..., sqlite3.Cursor]
    #: Runs a statement for many rows.
    many: Callable[..., sqlite3.Cursor]

    def __init__(self, path: str, wait: float, checkpoints: bool) -> None:
        self._path, self._wait, self._checkpoints = path, min(wait, _STEP), checkpoints
        self._connection: sqlite3.Connection | None = None
        #: Called when a connection is made.
        self.when_opened: Callable[[], object] = lambda: None
        self._synced: bool | None = None
        self._ended = False
        #: Seconds to wait for who writes just now.
        self.patience = wait
        self._stuck = 0.0
        #: Rows of mailboxes by number and by name, and the state of the file of which they are.
        self._rows: dict[int | str, MailboxRow] = {}
        self._rows_of = (0, 0)
        #: Whether nobody else can write now; and the version since then, if it was asked for.
        self._holds = False
        self._held_version: int | None = None
        self._unsized: frozenset[int] | None = None
        #: What was made of rows since then: figures by mailbox, and what `unwritten` keeps.
        self._statuses: dict[int, Status] = {}
        self._asked = 0
        self._made: dict[str, Any] = {}
        self.close()
        self.flagsets = FlagSets(lambda *statement: self.sql(*statement))

    # -- the connection

    @property
    def opened(self) -> bool:
        """Whether there is a connection just now."""
        return self._connection is not None

    def open(self) -> sqlite3.Connection:
        """The connection."""
        if self._ended:
            raise closed()
        if self._connection is None:
            self._connection = connect(self._path, self._wait, self._checkpoints)
            self.sql, self.many = self._connection.execute, self._connection.executemany
            self._synced = None
            self.when_opened()
        return self._connection

    def close(self) -> None:
        """Let go of the file; the next statement opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._release()
        self._unopened()

    def end(self) -> None:
        """From now on every statement raises `AccountClosed`; the file is still to be closed."""
        self._ended = True
        self._unopened()

    def _unopened(self) -> None:
        self._forget_rows()
        self.sql = lambda *statement: self.open().execute(*statement)
        self.many = lambda *statement: self.open().executemany(*statement)

    # -- transactions

    @property
    def stuck(self) -> bool:
        """Whether somebody else was writing all the time, when this was tried a moment ago."""
        return time.monotonic() < self._stuck

    def begin(self, durable: bool) -> None:
        """Begin to write; with `durable`, the commit is on the disk when it returns."""
        if durable != self._synced:
            self.sql("PRAGMA synchronous = " + ("FULL" if durable else "NORMAL")).fetchall()
            self._synced = durable
        begun = time.monotonic()
        while True:
            try:
                self.sql("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                if now - begun >= _STUCK:
                    self._stuck = now + _STUCK
                if now - begun >= self.patience or not self.locked(error):
                    raise
            else:
                self._stuck = 0.0
                self._holds = True
                return

    def commit(self) -> None:
        """Make it so."""
        self.sql("COMMIT")
        self._release()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read meanwhile is of one moment."""
        self.sql("BEGIN")
        try:
            yield
        except BaseException:
            self.roll_back()
            raise
        self.sql("COMMIT")

    def roll_back(self) -> None:
        """Undo what was done since `begin`."""
        self.forget()
        self._release()
        if self._connection is not None and self._connection.in_transaction:
            self.sql("ROLLBACK")

    def _release(self) -> None:
        self._holds, self._held_version = False, None

    def _version(self) -> int:
        """Another when another connection has written."""
        if self._held_version is not None:
            return self._held_version
        version: int
        (version,) = self.sql("PRAGMA data_version").fetchone()
        if self._holds:
            self._held_version = version
        return version

    def forget(self) -> None:
        """What was read in a transaction, or in a step of one, that was undone is not there."""
        self.flagsets.forget()
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._rows.clear()
        self._unsized = None
        self._statuses.clear()
        self._asked = 0
        self._made.clear()

    def checkpoint(self) -> None:
        """Bring the log home, as far as no one reads it."""
        self.sql("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    # -- mailboxes

    def mailbox(self, number: int) -> MailboxRow:
        """Raises `NoSuchMailbox`."""
        row = self._current().get(number) or self._read(_BY_NUMBER, (number,))
        if row is None:
            raise NoSuchMailbox("the mailbox was deleted")
        return row

    def named(self, name: str) -> MailboxRow | None:
        """The mailbox of that name."""
        return self._current().get(name) or self._read_named(name)

    def identified(self, id: str) -> MailboxRow:
        """The mailbox with that id.  Raises `NoSuchMailbox`."""
        found = self.sql("SELECT number FROM mailboxes WHERE id = ?", (id,)).fetchone()
        if found is None:
            raise NoSuchMailbox("the mailbox was deleted")
        return self.mailbox(found[0])

    def named_all(self, names: Iterable[str]) -> list[MailboxRow]:
        """The mailboxes that have one of these names."""
        rows, found = self._current(), []
        for name in names:
            try:
                row = rows.get(name) or self._read_named(name)
            except UnicodeEncodeError:
                continue
            if row is not None:
                found.append(row)
        return found

    def _current(self) -> dict[int | str, MailboxRow]:
        """The rows that were read and are as they were: nobody, here or elsewhere, has written."""
        now = self._version(), self.open().total_changes
        if now != self._rows_of:
            self._forget_rows()
            self._rows_of = now
        return self._rows

    def unwritten(self, name: str, make: Callable[[], _T]) -> _T:
        """What `make` made when it was last asked for by this name, if nobody has written since."""
        self._current()
        made: _T | None = self._made.get(name)
        if made is None:
            made = self._made[name] = make()
        return made

    def _read_named(self, name: str) -> MailboxRow | None:
        self._asked += 1
        if self._asked <= _ONE_BY_ONE:
            return self._read(_BY_NAME, (name,))
        self._read(_FROM_NAME, (name, _TOGETHER))
        return self._rows.get(name)

    def _read(self, statement: str, which: tuple[int | str, ...]) -> MailboxRow | None:
        """The first of what is read."""
        first = None
        for found in self.sql(statement, which):
            row = MailboxRow._make(found)
            self._rows[row.number] = self._rows[row.name] = row
            first = first or row
        return first

    def mailboxes(self) -> list[MailboxRow]:
        """All, by name."""
        return [MailboxRow._make(row) for row in self.sql(_ALL)]

    def names(self) -> list[tuple[str, str, str]]:
        """Name, id and special uses of all, by name."""
        return self.sql("SELECT name, id, special_use FROM mailboxes ORDER BY name").fetchall()

    def status(self, row: MailboxRow) -> Status:
        """The figures of a row that was read a moment ago, or later ones."""
        status = self._statuses.get(row.number)
        if status is None:
            status = row.status(self.sized(row.number))
            if self._rows.get(row.number) is row:
                self._statuses[row.number] = status
        return status

    def sized(self, number: int) -> bool:
        """Whether the sizes of all messages are known of a mailbox that was read just now."""
        return number not in self._not_sized()

    def unsized(self) -> frozenset[int]:
        """Mailboxes with messages of which the size is not known yet."""
        self._current()
        return self._not_sized()

    def _not_sized(self) -> frozenset[int]:
        if self._unsized is None:
            found, last = [], 0
            while True:
                row = self.sql(_UNSIZED, (last,)).fetchone()
                if row is None:
                    break
                found.append(row[0] >> UID_BITS)
                last = row[0] | UID_MASK
            self._unsized = frozenset(found)
        return self._unsized

    def directory(self, number: int) -> str:
        """Where its files are.  Raises `NoSuchMailbox`."""
        return self.mailbox(number).directory

    def modseqs(self) -> Sequence[tuple[int, str, int]]:
        """Number, id and modseq of all mailboxes."""
        return self.sql("SELECT number, id, modseq FROM mailboxes").fetchall()

    def add_mailbox(
        self, name: str, directory: str, special_use: str, now: float, id: str = ""
    ) -> MailboxRow:
        """A new and empty one, with a UIDVALIDITY that this account never gave."""
        last = self.meta("uidvalidity") or 0
        uidvalidity = max(int(now), last + 1) & 0xFFFF_FFFF or 1
        self.set_meta("uidvalidity", uidvalidity)
        self.sql(
            "INSERT INTO mailboxes (id, name, directory, special_use, uidvalidity)"
            " VALUES (?, ?, ?, ?, ?)",
            (id or secrets.token_hex(16), name, directory, special_use, uidvalidity),
        )
        row = self.named(name)
        assert row is not None
        return row

    def number_from(self, number: int) -> None:
        """No mailbox gets a number up to this one."""
        self.sql("DELETE FROM sqlite_sequence WHERE name = 'mailboxes'")
        self.sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('mailboxes', ?)", (number,))

    def drop_mailbox(self, number: int) -> None:
        """Forget it and its messages, but not what is known of their octets."""
        base = base_of(number)
        for table in ("messages", "files", "message_annotations"):
            self.sql(
                f"DELETE FROM {table} WHERE id BETWEEN ? AND ?",  # noqa: S608
                (base, base + UID_MASK),
            )
        for table in ("log", "acl", "seen_marks", "message_annotation_log", "blocks"):
            self.sql(f"DELETE FROM {table} WHERE mailbox = ?", (number,))  # noqa: S608
        for key in ("facts", "new_stamp", "cur_stamp"):
            self.sql("DELETE FROM meta WHERE key = ?", (f"{key}/{number}",))
        self.sql("DELETE FROM mailboxes WHERE number = ?", (number,))

    # -- the rest

    def meta(self, key: str) -> Any:
        """A single value; None if it was never set."""
        row = self.sql("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_meta(self, key: str, value: object) -> None:
        """Set a single value."""
        self.sql("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def locked(self, error: sqlite3.OperationalError) -> bool:
        """Whether it is only that someone else writes just now."""
        text = str(error)
        return "locked" in text or "busy" in text


def closed() -> AccountClosed:
    """What is said instead of using an index that is to be made again."""
    return AccountClosed("The index of the account is damaged, and is made again")
