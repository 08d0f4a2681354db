"""An account's directories: paths, and the few system calls that keep them safe.

Rules of this file:

* No symbolic link below the root is followed: what it leads to may be another user's, and the server may
  do there what the user may not.  Who works with files of a mailbox makes sure by `Tree.own`
  first; files themselves are opened with O_NOFOLLOW.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.names import PARTS, RESERVED

__all__ = [
    "DELETED",
    "INDEX",
    "Tree",
    "age",
    "is_fs",
    "is_there",
    "modified",
    "no_links",
    "synced",
    "unavailable",
]

#: The index, in a directory of its own: its log comes and goes, and the root's mtime tells
#: when others make mailboxes.
INDEX: Final = "imapd/index.sqlite"
#: Before the id of a deleted mailbox: its directory in ``tmp``, while it is removed.
DELETED: Final = "deleted."
#: The index of what messages say: it can be removed at any time.
_TEXTS: Final = "imapd/texts.sqlite"
#: Levels of the layout ``fs`` that are looked into: a name has no more.
_DEEPEST: Final = 500
#: A file in every Maildir++ folder, by which delivery agents know it.
_FOLDER: Final = "maildirfolder"

#: Nanoseconds: far more than the clocks of file systems tick in.
_AGED: Final = 60_000_000_000
#: The largest mtime that is told from others: the index has 64 bits for it.
_LATEST: Final = (1 << 63) - 1

_log = Logger(namespace="imapd")


@frozen
class Tree:
    """The root of one account."""

    root: str
    #: Mailboxes are directories inside each other (Dovecot's layout ``fs``), not of Maildir++.
    fs: bool = False

    @property
    def index(self) -> str:
        """Where the index is."""
        return f"{self.root}/{INDEX}"

    @property
    def damaged(self) -> str:
        """A file that says that the index is to be made again."""
        return f"{os.path.dirname(self.index)}/damaged"

    def mark_damaged(self) -> None:
        """Have the index made again by who opens the account next."""
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(self.damaged, flags, 0o600))

    def folder(self, directory: str) -> str:
        """A mailbox's directory."""
        return f"{self.root}/{directory}" if directory else self.root

    @property
    def texts(self) -> str:
        """Where the index of the texts is, if there is one."""
        return f"{self.root}/{_TEXTS}"

    def part(self, directory: str, part: str = "cur") -> str:
        """``cur``, ``new`` or ``tmp`` of a mailbox."""
        return f"{self.root}/{directory}/{part}" if directory else f"{self.root}/{part}"

    def file(self, directory: str, name: str, part: str = "cur") -> str:
        """A message."""
        return f"{self.part(directory, part)}/{name}"

    def identity(self) -> tuple[int, int] | None:
        """Which file the index is; None if there is none."""
        try:
            status = os.lstat(self.index)
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def written(self) -> tuple[int, int]:
        """Other numbers whenever the index was written, by whomever; not when it is only opened."""
        log = 0
        with suppress(FileNotFoundError):
            status = os.lstat(self.index + "-wal")
            log = status.st_mtime_ns if status.st_size else 0
        return log, modified(self.index)

    def draft(self, unique: str) -> str:
        """A message on its way in.  Raises `StoreUnavailable` as `own` does."""
        self.own("", "tmp")
        return self.file("", unique, "tmp")

    def own(self, directory: str, part: str = "cur") -> None:
        """Make sure that no symbolic link leads to a part of a mailbox.  Raises `StoreUnavailable`."""
        _no_link(self.root, *directory.split("/"), part)

    def listed(self, directory: str, part: str = "cur") -> list[str] | None:
        """The names that may be messages; None if there is no directory of ours."""
        try:
            self.own(directory, part)
        except StoreUnavailable:
            return None
        return _listed(self.part(directory, part))

    def found(self) -> None:
        """The root, INBOX and the place of the index, if they are not there."""
        self.own("", os.path.dirname(INDEX))
        os.makedirs(os.path.dirname(self.index), mode=0o700, exist_ok=True)
        self.make("")

    def make(self, directory: str) -> None:
        """The directories of a mailbox, if they are not there."""
        for part in PARTS:
            self.own(directory, part)
            os.makedirs(self.part(directory, part), mode=0o700, exist_ok=True)
        mark = f"{self.root}/{directory}/{_FOLDER}"
        if directory.startswith(".") and not os.path.lexists(mark):
            flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(mark, flags, 0o600))

    def unmake(self, directory: str, *files: str) -> None:
        """Take back `make`, and `files` beside the parts, unless there are messages."""
        try:
            self.own(directory)
        except StoreUnavailable:
            return
        for part in PARTS:
            with suppress(OSError):
                os.rmdir(self.part(directory, part))
        for file in (_FOLDER, *files):
            with suppress(OSError):
                os.unlink(f"{self.folder(directory)}/{file}")
        with suppress(OSError):
            os.rmdir(self.folder(directory))

    def directories(self) -> Iterator[str]:
        """Directories of mailboxes other than INBOX: real ones, no symbolic links."""
        yield from self._below("", 0)

    def _below(self, directory: str, depth: int) -> Iterator[str]:
        with os.scandir(self.folder(directory)) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        for name in names:
            if name.startswith(".") is self.fs or (self.fs and name in RESERVED):
                continue
            place = f"{directory}/{name}" if directory else name
            with suppress(FileNotFoundError):
                if stat.S_ISDIR(os.lstat(f"{self.folder(place)}/cur").st_mode):
                    yield place
            if self.fs and depth < _DEEPEST:
                with suppress(FileNotFoundError, NotADirectoryError):
                    yield from self._below(place, depth + 1)

    def stamp(self, directories: Iterable[str]) -> int:
        """A number that is larger when a mailbox's directory was made or removed since."""
        root = modified(self.root)
        if not self.fs:
            return root
        return max(root, *(modified(self.folder(directory)) for directory in directories))

    def move(self, directory: str, target: str) -> None:
        """Give a mailbox's directory another name; again, if that was interrupted."""
        source, place = self.folder(directory), self.folder(target)
        if not is_there(source):
            return
        _no_link(self.root, *os.path.dirname(directory).split("/"))
        _no_link(self.root, *os.path.dirname(target).split("/"))
        if not is_there(place):
            os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
            os.rename(source, place)
        elif self.fs and not os.path.islink(source) and not os.path.islink(place):
            # It holds, or held, other mailboxes.
            for name in os.listdir(source):
                inside = f"{source}/{name}"
                other = name not in PARTS and _is_directory(inside)
                if not other and not is_there(f"{place}/{name}"):
                    os.rename(inside, f"{place}/{name}")

    def remove(self, directory: str, id: str) -> None:
        """Take the directory of a deleted mailbox away; again, if that was interrupted."""
        aside = self.draft(DELETED + id)
        folder = self.folder(directory)
        _no_link(self.root, *os.path.dirname(directory).split("/"))
        if os.path.islink(folder):
            os.unlink(folder)
        if not is_there(aside):
            with suppress(FileNotFoundError):
                if self.fs and self._holds_others(folder):
                    os.mkdir(aside, 0o700)
                else:
                    os.rename(folder, aside)
        if self.fs and is_there(folder):
            # Mailboxes below it stay.
            for name in os.listdir(folder):
                if name in PARTS or not _is_directory(f"{folder}/{name}"):
                    os.rename(f"{folder}/{name}", f"{aside}/{name}")
        shutil.rmtree(aside, ignore_errors=True)

    def _holds_others(self, folder: str) -> bool:
        with os.scandir(folder) as entries:
            return any(
                entry.name not in PARTS and entry.is_dir(follow_symlinks=False) for entry in entries
            )


def is_fs(root: str) -> bool:
    """Whether what is there is in Dovecot's layout ``fs``: mailboxes without a dot before their name."""
    for tree in (Tree(root), Tree(root, fs=True)):
        try:
            if next(tree.directories(), None) is not None:
                return tree.fs
        except FileNotFoundError:
            break
    return False


def age(path: str) -> None:
    """Give a directory that we made just now an mtime that no change to come can have."""
    past = time.time_ns() - _AGED
    os.utime(path, ns=(past, past))


def modified(path: str) -> int:
    """The directory's mtime in nanoseconds, from 1 to `_LATEST`; 0 if it is not there."""
    try:
        stamp = os.lstat(path).st_mtime_ns
    except FileNotFoundError:
        return 0
    return stamp if 0 < stamp <= _LATEST else max(1, min(stamp, _LATEST))


def no_links(path: str) -> None:
    """Make sure that neither a database nor its directory is a link.  Raises `StoreUnavailable`."""
    place, name = os.path.split(path)
    _no_link(os.path.dirname(place), os.path.basename(place))
    for suffix in ("", "-wal", "-shm", "-journal"):
        _no_link(place, name + suffix)


def _no_link(root: str, *names: str) -> None:
    path = root
    for name in filter(None, names):
        path = f"{path}/{name}"
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISLNK(mode):
            _log.warn("{path} is a symbolic link, and is not followed", path=path)
            raise StoreUnavailable(
                "the mail store is not available: a directory is a symbolic link"
            )


def is_there(path: str) -> bool:
    """Whether something has that name; what the disk does not tell is no answer, and raises OSError."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _listed(path: str) -> list[str] | None:
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            return None
        return [name for name in os.listdir(path) if not name.startswith(".")]
    except FileNotFoundError:
        return None


def synced(path: str) -> None:
    """The entries of a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unavailable(error: Exception) -> StoreUnavailable:
    """What a client is told of an error of the disk or the index; the log has the rest."""
    return StoreUnavailable("the mail store is not available just now; nothing was lost")
