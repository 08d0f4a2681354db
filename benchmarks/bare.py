"""A server that does nothing but what it cannot do without, to show what Twisted, SQLite and files cost.

It believes its client, knows the commands of `benchmarks.floor` by their first letters, keeps no state but
its tables, parses and checks nothing, and finds out nothing about messages.  It shares no code with imapd.
What it is quicker in than imapd is imapd's own; what it costs, no server of this kind can do without.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from itertools import islice
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol

from benchmarks.corpus import letters
from benchmarks.serve import serve

reactor: Any = _reactor

BOXES: Final = 100
MESSAGES: Final = 2_000
_TABLES: Final = """
CREATE TABLE mailboxes (number INTEGER PRIMARY KEY, name TEXT UNIQUE, uidnext INTEGER, modseq INTEGER,
    messages INTEGER, unseen INTEGER);
CREATE TABLE messages (id INTEGER PRIMARY KEY, flags INTEGER, modseq INTEGER, size INTEGER, date BLOB);
CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT, size INTEGER);
CREATE TABLE facts (id INTEGER PRIMARY KEY, envelope BLOB, bodystructure BLOB);
CREATE TABLE headers (id INTEGER PRIMARY KEY, header BLOB);
CREATE TABLE log (mailbox INTEGER, modseq INTEGER, changed TEXT, PRIMARY KEY (mailbox, modseq)) WITHOUT ROWID;
"""
_FIELDS: Final = re.compile(
    rb"\n(?=[dfmstDFMST])(?:[Dd]ate|[Ff]rom|[Mm]essage-[Ii][Dd]|[Ss]ubject|[Tt]o):[^\n]*(?:\n[ \t][^\n]*)*"
)
_OPENED: Final = b"".join(
    b"* OK [UIDVALIDITY 1] a line of what is told of a mailbox that was opened\r\n"
    for _ in range(7)
)


class Mail:
    """A mailbox of files, and the tables of an account."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for part in ("cur", "new", "tmp"):
            (place / part).mkdir(parents=True)
        self.cur, self.new = str(place / "cur"), str(place / "new")
        self.reading, self.writing = self._connection(), self._connection()
        self.reading.executescript(f"PRAGMA journal_mode = WAL; {_TABLES}")
        self.next = self.modseq = 1
        self.reading.execute("BEGIN")
        for number in range(BOXES):
            self.reading.execute(
                "INSERT INTO mailboxes VALUES (?, ?, 1, 1, 0, 0)", (number + 1, f"box{number:03}")
            )
        for message in islice(letters(MESSAGES), MESSAGES):
            path = f"{self.cur}/{self.next}"
            Path(path).write_bytes(message)
            self.enter(self.reading, path, message)
        self.reading.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.place / "index", isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def look(self) -> None:
        """Whether another process has written, or another program."""
        self.reading.execute("PRAGMA data_version").fetchone()
        os.lstat(self.cur)
        os.lstat(self.new)

    def enter(self, connection: sqlite3.Connection, path: str, message: bytes) -> None:
        """The rows of a message."""
        uid, self.next = self.next, self.next + 1
        header = message[: message.find(b"\r\n\r\n") + 4]
        execute = connection.execute
        execute("INSERT INTO messages VALUES (?, 1, ?, ?, ?)", (uid, uid, len(message), b"a date"))
        execute("INSERT INTO files VALUES (?, ?, ?)", (uid, path, len(message)))
        execute("INSERT INTO facts VALUES (?, ?, ?)", (uid, header[:300], header[:120]))
        execute("INSERT INTO headers VALUES (?, ?)", (uid, header))
        self.log(connection, str(uid))
        execute(
            "UPDATE mailboxes SET uidnext = ?, messages = messages + 1 WHERE number = 1", (uid,)
        )

    def log(self, connection: sqlite3.Connection, changed: str) -> None:
        """That messages changed."""
        self.modseq += 1
        connection.execute("INSERT INTO log VALUES (1, ?, ?)", (self.modseq, changed))

    def deliver(self, messages: list[bytes]) -> None:
        """Messages on the disk: files and their directory first, then the rows."""
        self.writing.execute("BEGIN IMMEDIATE")
        for message in messages:
            draft, path = f"{self.place}/tmp/{self.next}", f"{self.cur}/{self.next}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(descriptor, message)
            os.fsync(descriptor)
            os.rename(draft, path)
            os.close(descriptor)
            self.enter(self.writing, path, message)
        descriptor = os.open(self.cur, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        self.writing.execute("COMMIT")


class Bare(Protocol):
    """One connection."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._rest = b""
        self._selected = False
        self._verbs = {
            b"LOGIN": lambda _: b"", b"LOGOUT": self._logout, b"NOOP": self._noop,
            b"SELECT": self._select, b"STATUS": self._status, b"LIST": self._list,
            b"FETCH": self._fetch, b"STORE": self._store,
        }  # fmt: skip

    def connectionMade(self) -> None:
        """As `Protocol`."""
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        self.transport.write(b"* OK ready\r\n")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """As `Protocol`."""
        data = self._rest + data
        if b" APPEND " in data[:20]:
            self._append(data)
            return
        *lines, self._rest = data.split(b"\r\n")
        answers = []
        for line in lines:
            tag, verb, *rest = line.split(b" ", 2)
            answers.append(self._verbs[verb](rest) + tag + b" OK done\r\n")
        self.transport.write(b"".join(answers))  # type: ignore[union-attr]

    def _logout(self, _: list[bytes]) -> bytes:
        reactor.callLater(0, self.transport.loseConnection)  # type: ignore[union-attr]
        return b"* BYE\r\n"

    def _noop(self, _: list[bytes]) -> bytes:
        if self._selected:
            self._mail.look()
        return b""

    def _select(self, _: list[bytes]) -> bytes:
        self._selected = True
        self._mail.look()
        self._mail.reading.execute("SELECT * FROM mailboxes WHERE number = 1").fetchone()
        return b"* %d EXISTS\r\n%b" % (self._mail.next, _OPENED)

    def _status(self, rest: list[bytes]) -> bytes:
        name = rest[0].partition(b" ")[0]
        self._mail.look()
        row = self._mail.reading.execute(
            "SELECT messages, unseen, uidnext FROM mailboxes WHERE name = ?", (name.decode(),)
        ).fetchone()
        return b"* STATUS %b (MESSAGES %d UNSEEN %d UIDNEXT %d UIDVALIDITY 1)\r\n" % (name, *row)

    def _list(self, rest: list[bytes]) -> bytes:
        if b"STATUS" in rest[0]:
            return self._list_status()
        rows = self._mail.reading.execute("SELECT name FROM mailboxes ORDER BY name").fetchall()
        return b"".join([b'* LIST () "/" %b\r\n' % row[0].encode() for row in rows])

    def _list_status(self) -> bytes:
        answer = []
        for row in self._mail.reading.execute(
            "SELECT name, messages, unseen, uidnext FROM mailboxes ORDER BY name"
        ).fetchall():
            os.lstat(self._mail.cur)
            os.lstat(self._mail.new)
            name = row[0].encode()
            figures = b"MESSAGES %d UNSEEN %d UIDNEXT %d UIDVALIDITY 1" % row[1:]
            answer.append(b'* LIST () "/" %b\r\n* STATUS %b (%b)\r\n' % (name, name, figures))
        return b"".join(answer)

    def _fetch(self, rest: list[bytes]) -> bytes:
        numbers, _, items = rest[0].partition(b" ")
        low, _, high = numbers.partition(b":")
        if b"CHANGEDSINCE" in items:
            self._mail.look()
            return b""
        if b"STRUCTURE" in items:
            return b"".join(
                [
                    b"* %d FETCH (BODYSTRUCTURE %b)\r\n" % row
                    for row in self._mail.reading.execute(
                        "SELECT id, bodystructure FROM facts WHERE id BETWEEN ? AND ?",
                        (int(low), MESSAGES),
                    )
                ]
            )
        if b"FIELDS" in items:
            return b"".join(
                b"* %d FETCH (BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)] {%d}\r\n%b\r\n\r\n)\r\n"
                % (uid, len(found) + 3, found)
                for uid, header in self._mail.reading.execute(
                    "SELECT id, header FROM headers WHERE id BETWEEN ? AND ?", (int(low), MESSAGES)
                )
                for found in [b"".join(_FIELDS.findall(header))[1:]]
            )
        if not high:
            self._mail.look()
        found = self._mail.reading.execute(
            "SELECT m.id, name FROM messages m JOIN files f ON f.id = m.id WHERE m.id BETWEEN ? AND ?",
            (int(low), int(high or low)),
        ).fetchall()
        answer = []
        for uid, path in found:
            descriptor = os.open(path, os.O_RDONLY)
            size = os.fstat(descriptor).st_size
            octets = os.read(descriptor, size)
            os.close(descriptor)
            answer.append(b"* %d FETCH (BODY[] {%d}\r\n%b)\r\n" % (uid, size, octets))
            if len(answer) == 32:
                self.transport.write(b"".join(answer))  # type: ignore[union-attr]
                answer = []
        return b"".join(answer)

    def _store(self, rest: list[bytes]) -> bytes:
        numbers = rest[0].partition(b" ")[0]
        low, _, high = numbers.partition(b":")
        last = int(low) if not high else MESSAGES
        self._mail.look()
        execute = self._mail.writing.execute
        execute("BEGIN IMMEDIATE")
        found = execute(
            "SELECT id, flags FROM messages WHERE id BETWEEN ? AND ?", (int(low), last)
        ).fetchall()
        execute(
            "UPDATE messages SET flags = flags + 1, modseq = modseq + 1 WHERE id BETWEEN ? AND ?",
            (int(low), last),
        )
        self._mail.log(self._mail.writing, numbers.decode())
        execute("UPDATE mailboxes SET modseq = modseq + 1 WHERE number = 1")
        execute("COMMIT")
        return b"".join([b"* %d FETCH (FLAGS (\\Seen))\r\n" % row[0] for row in found])

    def _append(self, data: bytes) -> None:
        messages, at = [], 0
        tag = data.partition(b" ")[0]
        while True:
            begin = data.find(b"{", at)
            end = data.find(b"+}\r\n", begin)
            if begin < 0 or end < 0:
                break
            size = int(data[begin + 1 : end])
            messages.append(data[end + 4 : end + 4 + size])
            at = end + 4 + size
        if len(data) < at + 2 or not data.endswith(b"\r\n") or data[at : at + 2] != b"\r\n":
            self._rest = data
            return
        self._rest = b""
        reactor.callInThread(self._deliver, tag, messages)

    def _deliver(self, tag: bytes, messages: list[bytes]) -> None:
        self._mail.deliver(messages)
        reactor.callFromThread(self.transport.write, tag + b" OK [APPENDUID 1 1] done\r\n")  # type: ignore[union-attr]


class _Bare(Factory):
    noisy = False

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def buildProtocol(self, addr: object) -> Bare:
        """As `Factory`."""
        return Bare(self._mail)


if __name__ == "__main__":
    serve(_Bare(Mail(Path(sys.argv[1]))))
