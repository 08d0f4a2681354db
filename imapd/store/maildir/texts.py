"""The file in which an account keeps the index of what its messages say.

Rules of this file:

* It holds nothing that is not in the messages: whatever is wrong with it, it is thrown away, and
  made again behind the answers.  It is not synced.
* Each row that is read has a checksum over all that it says and whose it is.
* Segments of a mailbox do not overlap.  One is about all messages from its `low` to its `high`:
  a message between them of which it knows nothing is gone, or says so.
* Used by several threads, one at a time; never by the reactor's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, Final, TypeVar
from zlib import crc32

from attrs import define, field, frozen
from twisted.logger import Logger

from imapd.model.text import Sought, Told
from imapd.query.indexed import VERSION
from imapd.query.segment import Segment
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.tree import no_links

__all__ = ["Row", "Texts"]

_T = TypeVar("_T")

_FORM: Final = 1
_TABLES: Final = f"""
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox TEXT NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    -- of head and pieces
    octets INTEGER NOT NULL,
    head BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS segments_of ON segments (mailbox, low);
-- the body of a segment; the key is number << 32 | place
CREATE TABLE IF NOT EXISTS pieces (
    id INTEGER PRIMARY KEY,
    octets BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
PRAGMA user_version = {_FORM};
COMMIT;
"""
#: Octets of a piece: to find one list, one or two are read.
_PIECE: Final = 16_384
#: Octets of segments that are kept in memory, besides the one in use.
_KEPT: Final = 48 << 20
#: Seconds to wait for another process that writes.
_WAIT: Final = 5.0


@frozen
class Row:
    """A segment as the file has it."""

    number: int
    mailbox: str
    low: int
    high: int
    messages: int
    octets: int


class _Damaged(Exception):
    """The file says what was never written."""


@define(eq=False)
class Texts:
    """One account's; `path` need not exist."""

    path: str
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    #: How often it was thrown away.
    lost: int = field(default=0, init=False)
    #: The file that is open.
    _inode: int = field(default=0, init=False)
    _seen: int = field(default=-1, init=False)
    _rows: dict[str, Sequence[Row]] = field(factory=dict, init=False, repr=False)
    #: The one used last at the end.
    _segments: dict[int, Segment] = field(factory=dict, init=False, repr=False)

    _log = Logger()

    # -- reading

    @property
    def exists(self) -> bool:
        """Whether there is anything to ask; may be asked on the reactor's thread."""
        return os.path.exists(self.path)

    def rows(self, mailbox: str) -> Sequence[Row]:
        """The segments of a mailbox, ascending."""
        return self._use(lambda: self._listed(mailbox), ())

    def tell(
        self, mailbox: str, low: int, high: int, sought: Sought
    ) -> tuple[int, Told | None] | None:
        """What the first segment with UIDs from `low` to `high` tells, and its last UID, if there is one."""

        def tell() -> tuple[int, Told | None] | None:
            for row in self._listed(mailbox):
                if row.high >= low and row.low <= high:
                    return row.high, self._segment(row).told(sought)
            return None

        return self._use(tell, None)

    def whole(self, row: Row) -> Segment | None:
        """A segment that needs the file no more; None if it is not there any more."""

        def whole() -> Segment | None:
            if row not in self._listed(row.mailbox):
                return None
            head = self._head(row)
            body = _Pieces(self._sql, row.number).read(0, row.octets - len(head))
            return Segment(head, lambda start, length: body[start : start + length])

        return self._use(whole, None)

    # -- changing

    def put(
        self,
        mailbox: str,
        low: int,
        high: int,
        head: bytes,
        body: bytes,
        instead: Collection[Row] = (),
    ) -> bool:
        """Add a segment in the place of others, unless another process was faster; False: it cannot be."""

        def put() -> bool:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._seen = -1
                rows = self._listed(mailbox)
                others = [row for row in rows if row not in instead]
                if len(rows) - len(others) == len(instead) and not any(
                    row.high >= low and row.low <= high for row in others
                ):
                    for row in instead:
                        self._drop(row.number)
                    self._insert(mailbox, low, high, head, body)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._seen = -1
            return True

        return self._use(put, False, make=True)

    def tidy(self) -> None:
        """Give back to the disk what is not used any more."""
        self._use(
            lambda: (
                self._sql("PRAGMA incremental_vacuum").fetchall()
                and self._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            ),
            [],
        )

    def forget(self, rows: Collection[Row]) -> None:
        """Drop segments."""
        if rows:
            self._use(lambda: self._forget(rows), None)

    def mailboxes(self) -> Sequence[tuple[str, int]]:
        """The ids of mailboxes that there are segments of, and how far these go."""
        return self._use(
            lambda: self._sql(
                "SELECT mailbox, max(high) FROM segments GROUP BY mailbox"
            ).fetchall(),
            (),
        )

    def discard(self) -> None:
        """Throw all away."""
        with self._lock:
            self._discard()

    def close(self) -> None:
        """Let go of the file and of memory; it is opened again when it is used."""
        with self._lock:
            self._close()

    def size(self) -> int:
        """Octets on the disk."""
        total = 0
        for name in (self.path, self.path + "-wal"):
            with suppress(FileNotFoundError):
                total += os.stat(name).st_size
        return total

    # -- inside

    def _use(self, call: Callable[[], _T], otherwise: _T, make: bool = False) -> _T:
        with self._lock:
            if self._connection is not None and _inode(self.path) != self._inode:
                # Another process threw it away.
                self.lost += 1
                self._close()
            if not make and self._connection is None and not os.path.exists(self.path):
                return otherwise
            try:
                return call()
            except StoreUnavailable:
                return otherwise
            except OSError:
                self._log.failure("{path}: cannot be used", path=self.path)
                return otherwise
            except (sqlite3.Error, UnicodeError, OverflowError, _Damaged) as error:
                if isinstance(error, sqlite3.OperationalError) and _will_pass(error):
                    return otherwise
                self._log.warn(
                    "{path}: the index of texts is damaged ({error}); it is made again",
                    path=self.path,
                    error=str(error),
                )
                self._discard()
                return otherwise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            no_links(self.path)
            connection = sqlite3.connect(
                self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            try:
                if connection.execute("PRAGMA user_version").fetchone() == (0,):
                    connection.executescript(_TABLES)
                    connection.execute(
                        "INSERT INTO meta SELECT ? WHERE NOT EXISTS (SELECT * FROM meta)",
                        (VERSION,),
                    )
                    os.chmod(self.path, 0o600)
                if connection.execute("SELECT * FROM meta").fetchall() != [(VERSION,)]:
                    raise _Damaged("it is of another version")
                for pragma in ("synchronous = OFF", "mmap_size = 0", "journal_size_limit = 0"):
                    connection.execute("PRAGMA " + pragma).fetchall()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._inode = _inode(self.path)
            self._seen = -1
        return self._connection

    def _sql(self, *statement: Any) -> sqlite3.Cursor:
        return self._open().execute(*statement)

    def _listed(self, mailbox: str) -> Sequence[Row]:
        (seen,) = self._sql("PRAGMA data_version").fetchone()
        if seen != self._seen:
            self._rows.clear()
            self._seen = seen
        rows = self._rows.get(mailbox)
        if rows is None:
            found = self._sql(
                "SELECT number, mailbox, low, high, messages, octets FROM segments"
                " WHERE mailbox = ? ORDER BY low",
                (mailbox,),
            )
            rows = [Row(*row) for row in found]
            if not all(map(_is_sound, rows)):
                raise _Damaged("a segment has no bounds")
            self._rows[mailbox] = rows
        return rows

    def _segment(self, row: Row) -> Segment:
        segment = self._segments.pop(row.number, None)
        if segment is None:
            segment = Segment(self._head(row), _Pieces(self._sql, row.number).read)
        self._segments[row.number] = segment
        held = sum(each.held for each in self._segments.values())
        while held > _KEPT and len(self._segments) > 1:
            held -= self._segments.pop(next(iter(self._segments))).held
        return segment

    def _head(self, row: Row) -> bytes:
        found = self._sql(
            "SELECT head, checksum FROM segments WHERE number = ?", (row.number,)
        ).fetchone()
        if found is None or found[1] != _row_checksum(row, found[0]):
            raise _Damaged("a segment is not what was written")
        head: bytes = found[0]
        return head

    def _insert(self, mailbox: str, low: int, high: int, head: bytes, body: bytes) -> None:
        messages = len(Segment(head, lambda start, length: b"").uids)
        octets = len(head) + len(body)
        number = self._sql(
            "INSERT INTO segments (mailbox, low, high, messages, octets, head, checksum)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)",
            (mailbox, low, high, messages, octets, head),
        ).lastrowid
        assert number is not None
        row = Row(number, mailbox, low, high, messages, octets)
        self._sql(
            "UPDATE segments SET checksum = ? WHERE number = ?", (_row_checksum(row, head), number)
        )
        for place in range(0, len(body), _PIECE):
            id = number << 32 | place // _PIECE
            piece = body[place : place + _PIECE]
            self._sql(
                "INSERT INTO pieces (id, octets, checksum) VALUES (?, ?, ?)",
                (id, piece, _checksum(id, piece)),
            )

    def _forget(self, rows: Collection[Row]) -> None:
        self._sql("BEGIN IMMEDIATE")
        for row in rows:
            self._drop(row.number)
        self._sql("COMMIT")
        self._seen = -1

    def _drop(self, number: int) -> None:
        self._segments.pop(number, None)
        self._sql("DELETE FROM segments WHERE number = ?", (number,))
        self._sql(
            "DELETE FROM pieces WHERE id BETWEEN ? AND ?", (number << 32, (number + 1 << 32) - 1)
        )

    def _discard(self) -> None:
        self.lost += 1
        self._close()
        if os.path.islink(os.path.dirname(self.path)):
            return
        for name in (self.path, self.path + "-wal", self.path + "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(name)

    def _close(self) -> None:
        self._segments.clear()
        self._rows.clear()
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


@frozen
class _Pieces:
    """The body of a segment."""

    _sql: Callable[..., sqlite3.Cursor]
    _number: int

    def read(self, start: int, length: int) -> bytes:
        """So many octets from an offset."""
        if length <= 0:
            return b""
        first, last = start // _PIECE, (start + length - 1) // _PIECE
        base = self._number << 32
        found = self._sql(
            "SELECT id, octets, checksum FROM pieces WHERE id BETWEEN ? AND ? ORDER BY id",
            (base + first, base + last),
        ).fetchall()
        pieces: list[bytes] = []
        for place, (id, octets, checksum) in enumerate(found):
            if (
                id != base + first + place
                or not isinstance(octets, bytes)
                or checksum != _checksum(id, octets)
            ):
                raise _Damaged("a piece is not what was written")
            pieces.append(octets)
        joined = b"".join(pieces)[start - first * _PIECE :][:length]
        if len(joined) != length:
            raise _Damaged("a piece is missing")
        return joined


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _is_sound(row: Row) -> bool:
    numbers = (row.number, row.low, row.high, row.messages, row.octets)
    return isinstance(row.mailbox, str) and all(isinstance(each, int) for each in numbers)


def _checksum(id: int, octets: bytes) -> int:
    return crc32(octets, crc32(b"%d" % id))


def _row_checksum(row: Row, head: object) -> int:
    said = f"{row.number} {row.mailbox} {row.low} {row.high} {row.messages} {row.octets}"
    return crc32(head if isinstance(head, bytes) else b"", crc32(said.encode("utf-8", "replace")))


def _will_pass(error: sqlite3.OperationalError) -> bool:
    """Whether the file is as good as it was: someone else uses it, or there is no room."""
    return any(
        word in str(error) for word in ("locked", "busy", "full", "unable to open", "readonly")
    )
