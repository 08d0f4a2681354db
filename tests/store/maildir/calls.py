"""The system calls that a store makes, noted one by one; and any of them can fail.

Of SQLite's own calls only the statements are seen: ``BEGIN``, ``commit FULL`` (synced) and so on.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress

from attrs import frozen

__all__ = ["Call", "Calls", "descriptors"]

_NAMES = (
    "chmod", "close", "fstat", "fsync", "link", "listdir", "lstat", "mkdir", "open", "pread", "rename",
    "rmdir", "scandir", "stat", "unlink", "utime", "write",
)  # fmt: skip
#: Calls that may find the disk full, besides `open` of a new file.
_ROOM = frozenset(("fsync", "link", "mkdir", "rename", "write"))


@frozen
class Call:
    """A call, and the file it was about; of a rename, the new name."""

    name: str
    path: str

    @property
    def needs_room(self) -> bool:
        """Whether a full disk may stop it."""
        return self.name in _ROOM or self.name in ("create", "COMMIT", "INSERT", "UPDATE")

    @property
    def needs_descriptor(self) -> bool:
        """Whether too many open files may stop it."""
        return self.name in ("open", "create", "scandir", "listdir")


def error(number: int) -> OSError:
    """The error of that number."""
    return OSError(number, os.strerror(number))


class Calls:
    """Notes calls that concern `root` while it is `active`; `verdict` says which error each ends in."""

    def __init__(self, monkeypatch, root) -> None:
        self.root = str(root)
        self.made: list[Call] = []
        self.active = False
        self.verdict: Callable[[Call], int] = lambda call: 0
        self._lock = threading.Lock()
        for name in _NAMES:
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))
        connect = sqlite3.connect
        monkeypatch.setattr(
            sqlite3,
            "connect",
            lambda *args, **kwargs: connect(*args, **kwargs, factory=self._connection()),
        )

    def _watched(self, name, call):
        def watched(*args, **kwargs):
            if not self.active:
                return call(*args, **kwargs)
            path = self._path(name, args)
            if path is None:
                return call(*args, **kwargs)
            made = name
            if name == "open" and args[1] & os.O_CREAT:
                made = "create"
            failure = self._made(Call(made, path))
            if not failure:
                return call(*args, **kwargs)
            if name == "close":
                # The descriptor is gone all the same.
                call(*args)
            raise error(failure)

        return watched

    def _path(self, name, args) -> str | None:
        about = args[1] if name in ("rename", "link") else args[0]
        if isinstance(about, int):
            try:
                about = os.readlink(f"/proc/self/fd/{about}")
            except OSError:
                return None
        about = os.fspath(about)
        return about if isinstance(about, str) and about.startswith(self.root) else None

    def _made(self, call: Call) -> int:
        with self._lock:
            self.made.append(call)
            return self.verdict(call)

    def _connection(self):
        calls = self

        class Connection(sqlite3.Connection):
            synchronous = ""

            def execute(self, sql, *args):
                self._noted(sql)
                return super().execute(sql, *args)

            def executemany(self, sql, *args):
                self._noted(sql)
                return super().executemany(sql, *args)

            def _noted(self, sql):
                word = sql.split(None, 1)[0]
                if sql.startswith("PRAGMA synchronous"):
                    self.synchronous = sql.rpartition(" ")[2]
                if not calls.active or word in ("ROLLBACK", "RELEASE"):
                    return
                failure = calls._made(Call(word, self.synchronous if word == "COMMIT" else sql))
                if failure:
                    if self.in_transaction:
                        # As SQLite may do of its own accord (https://sqlite.org/lang_transaction.html).
                        super().execute("ROLLBACK")
                    full = failure in (errno.ENOSPC, errno.EDQUOT)
                    said = "database or disk is full" if full else "disk I/O error"
                    raise sqlite3.OperationalError(said)

        return Connection


def descriptors() -> int:
    """How many this process has open, but for SQLite's, which keeps some for later."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(".sqlite" not in link for link in links)
