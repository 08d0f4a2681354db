"""The tables of an account's index, and how the file comes to be.

A message is one row in each of two tables of the same key, ``mailbox number << 32 | UID``:
`messages` is what listings of flags, dates and sizes read and stays compact; `files` is read by those
who ask.  So are `facts`, `headers`, and `previews`, which came later and may lack rows: by the same
key or, of a copy, by that of the message it was made of.  Numbers of mailboxes are never used again.

`log` has one row for each modification sequence of a mailbox: the UIDs that came or changed
and those that vanished.  It says where to look, so it may say too much; what changed is in
the rows themselves.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from typing import Final

from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.tree import no_links

__all__ = ["ANNOTATION_OCTETS", "VERSION", "connect", "ensure", "is_damage"]

#: What this program reads and writes.
VERSION: Final = 4

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE mailboxes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    directory TEXT NOT NULL UNIQUE,
    -- the directory it is about to get: the name is ahead of the tree
    moving TEXT,
    special_use TEXT NOT NULL DEFAULT '',
    uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL DEFAULT 1,
    modseq INTEGER NOT NULL DEFAULT 1,
    messages INTEGER NOT NULL DEFAULT 0,
    unseen INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    deleted_size INTEGER NOT NULL DEFAULT 0,
    -- from this UID on no session was told, and how many those are
    recent INTEGER NOT NULL DEFAULT 1,
    recent_count INTEGER NOT NULL DEFAULT 0,
    -- up to this modseq the files' names and the removals are as the rows say
    tidied INTEGER NOT NULL DEFAULT 1,
    -- mtime_ns of new and cur when they were last read; negative: may have changed in that instant
    new_stamp INTEGER NOT NULL DEFAULT 0,
    cur_stamp INTEGER NOT NULL DEFAULT 0
);
-- directories of deleted mailboxes that are still to be removed
CREATE TABLE doomed (directory TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE subscriptions (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE keyword_sets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    keywords TEXT NOT NULL UNIQUE
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    flags INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    -- below 0 while the file has not been read: then that of the file, every bit turned (~)
    size INTEGER NOT NULL,
    internal_date BLOB NOT NULL
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    -- octets on the disk: fewer than the message's if its lines end in LF
    size INTEGER NOT NULL,
    -- the mailbox in whose directory the file still is, if not its own
    home INTEGER,
    saved INTEGER,
    email_id BLOB,
    thread_id BLOB
);
CREATE INDEX files_away ON files (home) WHERE home IS NOT NULL;
CREATE TABLE facts (
    id INTEGER PRIMARY KEY,
    sent INTEGER,
    header_size INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    bodystructure BLOB NOT NULL
);
CREATE TABLE headers (id INTEGER PRIMARY KEY, header BLOB NOT NULL);
CREATE TABLE log (
    mailbox INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    changed TEXT NOT NULL,
    vanished TEXT NOT NULL,
    PRIMARY KEY (mailbox, modseq)
) WITHOUT ROWID;
"""

#: Tables that came later; an index that is without them is given them.
_ADDED: Final = """
-- who may do what
CREATE TABLE IF NOT EXISTS acl (
    mailbox INTEGER NOT NULL,
    identifier TEXT NOT NULL,
    rights TEXT NOT NULL,
    PRIMARY KEY (mailbox, identifier)
) WITHOUT ROWID;
-- what others than the owner have seen, change by change
CREATE TABLE IF NOT EXISTS seen_marks (
    mailbox INTEGER NOT NULL,
    user TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- the mailbox's modseq at that moment
    at INTEGER NOT NULL,
    uids TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (mailbox, user, number)
) WITHOUT ROWID;
-- who shares something with whom, in any account; it says where to look
CREATE TABLE IF NOT EXISTS offers (
    identifier TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (identifier, owner)
) WITHOUT ROWID;
-- which annotations changed, of which mailbox; only the last are kept
CREATE TABLE IF NOT EXISTS annotation_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox_id TEXT NOT NULL,
    entry TEXT NOT NULL
);
-- annotations of messages, by the key of the message
CREATE TABLE IF NOT EXISTS message_annotations (
    id INTEGER NOT NULL,
    entry TEXT NOT NULL,
    whose TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (id, entry, whose)
) WITHOUT ROWID;
-- by modseq, the UIDs and the names of what was changed, as JSON
CREATE TABLE IF NOT EXISTS message_annotation_log (
    mailbox INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    changed TEXT NOT NULL,
    PRIMARY KEY (mailbox, modseq)
) WITHOUT ROWID;
-- the first words of messages, by the key of `messages`
CREATE TABLE IF NOT EXISTS previews (id INTEGER PRIMARY KEY, preview TEXT NOT NULL);
-- what the engine made of many messages; it can be made again
CREATE TABLE IF NOT EXISTS blocks (
    mailbox INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (mailbox, number, name)
);
"""
#: In `meta`: the octets that all annotations of messages take.
ANNOTATION_OCTETS: Final = "message_annotation_octets"
_COUNTED: Final = """
CREATE TRIGGER IF NOT EXISTS message_annotations_came AFTER INSERT ON message_annotations BEGIN
    INSERT INTO meta (key, value)
    VALUES ('message_annotation_octets', length(new.entry) + length(new.value))
    ON CONFLICT (key) DO UPDATE SET value = value + excluded.value;
END;
CREATE TRIGGER IF NOT EXISTS message_annotations_changed AFTER UPDATE OF value ON message_annotations BEGIN
    UPDATE meta SET value = value + length(new.value) - length(old.value)
    WHERE key = 'message_annotation_octets';
END;
CREATE TRIGGER IF NOT EXISTS message_annotations_went AFTER DELETE ON message_annotations BEGIN
    UPDATE meta SET value = value - length(old.entry) - length(old.value)
    WHERE key = 'message_annotation_octets';
END;
"""
_ADDED_TABLES: Final = frozenset(
    ("acl", "seen_marks", "offers", "annotation_log",
     "message_annotations", "message_annotation_log", "previews", "blocks")
)  # fmt: skip

#: From each version to the next; a new index goes the same way.
_STEPS: Final = {
    1: """
-- the UIDs up to it may have been given out, as a file beside the messages says
ALTER TABLE mailboxes ADD COLUMN ceiling INTEGER NOT NULL DEFAULT 0;
""",
    2: """
CREATE INDEX messages_unmeasured ON messages (id) WHERE size < 0;
""",
    3: """
-- the key of the rows of facts, headers and previews, if it is not the message's own
ALTER TABLE messages ADD COLUMN facts INTEGER;
CREATE INDEX messages_sharing ON messages (facts) WHERE facts IS NOT NULL;
-- keys that a message which is gone referred to: it is to be seen whether others do
CREATE TABLE released (id INTEGER PRIMARY KEY);
""",
}
#: The version that `_TABLES` makes.
_FIRST: Final = 1

#: Pages of 4 KB of the log that are written before it is brought home.
_CHECKPOINT: Final = 2_000
#: Seconds: whoever lets go of the file last may shut out who opens it for so long.
_OPENING: Final = 1.0
#: Octets of the log's file that stay when it has been brought home.
_LOG_KEPT: Final = 1 << 24


def connect(path: str, wait: float, checkpoints: bool) -> sqlite3.Connection:
    """A connection that waits up to `wait` seconds for a lock.

    Only one that `checkpoints` ever writes to more than the log, which may take long.
    """
    no_links(path)
    connection = sqlite3.connect(
        path,
        timeout=max(wait, _OPENING),
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for pragma in (
            "temp_store = MEMORY",
            # Mapped, it would be a little faster; but who makes the file shorter would end us.
            "mmap_size = 0",
            f"wal_autocheckpoint = {_CHECKPOINT if checkpoints else 0}",
            *([f"journal_size_limit = {_LOG_KEPT}"] if checkpoints else ()),
            # The first look into the file, which may have to wait as above; the others do not.
            "schema_version",
            f"busy_timeout = {int(wait * 1_000)}",
        ):
            connection.execute("PRAGMA " + pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def ensure(path: str) -> None:
    """An index is at `path`, of this version: whole or not at all, whoever makes it first.

    One of an older version is brought to this one.  Raises `StoreUnavailable` for one of a newer
    version, and sqlite3.DatabaseError for a file that is no index.
    """
    no_links(path)
    if not os.path.exists(path) and _make(path):
        return
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        version = _version(connection)
        if version < _FIRST:
            raise sqlite3.DatabaseError("the file is no index")
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if version < VERSION or not names >= _ADDED_TABLES:
            _migrate(connection)
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError("the file is damaged") from error
    finally:
        connection.close()
    if version > VERSION:
        raise StoreUnavailable("The index of the account is of a newer version of the server")


def is_damage(error: Exception) -> bool:
    """Whether it says that the file's octets are wrong, and not that it cannot be used just now."""
    return type(error) is sqlite3.DatabaseError or (
        isinstance(error, sqlite3.Error) and "decode" in str(error)
    )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    """From whatever version it is to this one, in one step for everyone."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version(connection), VERSION):
            _run(connection, _STEPS[version])
        _run(connection, _ADDED + _COUNTED)
        connection.execute(f"PRAGMA user_version = {max(VERSION, _version(connection))}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statements inside a transaction that goes on, which `executescript` would end."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _make(path: str) -> bool:
    """Whether there was none, so that it is ours."""
    beside = f"{path}.{secrets.token_hex(8)}"
    try:
        octets = _octets(beside)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(beside, flags, 0o600)
        try:
            view = memoryview(octets)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
        return True
    finally:
        _unlink(beside)


#: An index with nothing in it, once it has been made, by the version of the tables.
_empty: dict[tuple[int, str], bytes] = {}


def _octets(beside: str) -> bytes:
    """An empty index: the same for all accounts, so that it is made once, and copied."""
    key = VERSION, "".join((_TABLES, *_STEPS.values(), _ADDED, _COUNTED))
    if key not in _empty:
        try:
            connection = sqlite3.connect(beside, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
                connection.executescript(
                    f"BEGIN; {_TABLES} PRAGMA user_version = {_FIRST}; COMMIT;"
                )
                _migrate(connection)
            finally:
                connection.close()
            with open(beside, "rb") as file:
                _empty[key] = file.read()
        finally:
            _unlink(beside)
    return _empty[key]


def _unlink(beside: str) -> None:
    for name in (beside, beside + "-wal", beside + "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(name)
