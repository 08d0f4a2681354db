"""An account's directories: paths, and the few system calls that keep them safe."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from attrs import frozen

from imapd.store.errors import StoreUnavailable

__all__ = ["INDEX", "Tree", "listed", "modified", "synced", "unavailable"]

#: The index, in a directory of its own: its log comes and goes, and the root's mtime tells
#: when others make mailboxes.
INDEX: Final = "imapd/index.sqlite"
_PARTS: Final = ("cur", "new", "tmp")
#: A file in every Maildir++ folder, by which delivery agents know it.
_FOLDER: Final = "maildirfolder"


@frozen
class Tree:
    """The root of one account."""

    root: str

    @property
    def index(self) -> str:
        """Where the index is."""
        return f"{self.root}/{INDEX}"

    def part(self, directory: str, part: str = "cur") -> str:
        """``cur``, ``new`` or ``tmp`` of a mailbox."""
        return f"{self.root}/{directory}/{part}" if directory else f"{self.root}/{part}"

    def file(self, directory: str, name: str, part: str = "cur") -> str:
        """A message."""
        return f"{self.part(directory, part)}/{name}"

    def written(self) -> tuple[int, int]:
        """Other numbers whenever the index was written, by whomever."""
        return modified(self.index + "-wal"), modified(self.index)

    def draft(self, unique: str) -> str:
        """A message on its way in."""
        return self.file("", unique, "tmp")

    def found(self) -> None:
        """The root, INBOX and the place of the index, if they are not there."""
        os.makedirs(os.path.dirname(self.index), mode=0o700, exist_ok=True)
        self.make("")

    def make(self, directory: str) -> None:
        """The directories of a mailbox, if they are not there."""
        for part in _PARTS:
            os.makedirs(self.part(directory, part), mode=0o700, exist_ok=True)
        if directory:
            flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(f"{self.root}/{directory}/{_FOLDER}", flags, 0o600))

    def directories(self) -> Iterator[str]:
        """Directories of mailboxes other than INBOX: real ones, no symbolic links."""
        with os.scandir(self.root) as entries:
            for entry in entries:
                if entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        status = os.lstat(f"{entry.path}/cur")
                        if stat.S_ISDIR(status.st_mode):
                            yield entry.name

    def remove(self, directory: str, id: str) -> None:
        """Take the directory of a deleted mailbox away; again, if that was interrupted."""
        aside = self.draft(f"deleted.{id}")
        if not os.path.lexists(aside):
            with suppress(FileNotFoundError):
                os.rename(f"{self.root}/{directory}", aside)
        shutil.rmtree(aside, ignore_errors=True)


def modified(path: str) -> int:
    """The directory's mtime in nanoseconds; 0 if it is not there."""
    try:
        return os.lstat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def listed(path: str) -> list[str] | None:
    """The names in a directory that may be messages; None if it is no directory of ours."""
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
