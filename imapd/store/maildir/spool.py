"""Messages on their way in: files in the account's ``tmp``, linked into a mailbox by the append.

A draft is written where it will stay on the disk; taking it over is a link, so one draft
can become messages in several mailboxes, and closing it removes only its name in ``tmp``.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
from contextlib import suppress
from threading import Lock
from typing import Final

from attrs import define, field
from zope.interface import implementer

from imapd.model.dates import InternalDate, timestamp_of
from imapd.store.answers import settled
from imapd.store.errors import MessageGone, NoSuchMailbox
from imapd.store.interfaces import Answer, IMapped, IMessageReader, ISpool
from imapd.store.maildir.filename import fresh
from imapd.store.maildir.reader import InThread, mapped
from imapd.store.maildir.tree import Tree, is_there, unavailable

__all__ = ["Draft", "Spool", "SpoolReader", "drafted", "linked"]

#: Octets asked of a reader at once, and kept in memory before they are written.
_CHUNK: Final = 1 << 18
#: Octets of one message written on the reactor's thread: they go to memory, not to the disk.
_QUICK: Final = 1 << 20
#: What a file system without hard links, or with too many to one file, says.
_NO_LINKS: Final = frozenset((errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP))


@define(eq=False)
class Draft:
    """A file in ``tmp``, or the octets of one that is not written yet.

    A thread may work on it while it is closed: the file is let go of after that.
    """

    path: str
    size: int = 0
    #: Octets that are not in the file yet; None when it is there.
    octets: bytes | None = None
    _descriptor: int = -1
    _synced: bool = False
    _closed: bool = False
    #: It could not be brought to the disk.
    _lost: bool = False
    _users: int = 0
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @classmethod
    def made(cls, tree: Tree) -> Draft:
        """A new and empty one."""
        return cls(tree.draft(fresh()))

    def write(self, data: bytes) -> None:
        """Add octets to the file."""
        descriptor = self._taken()
        try:
            self._write(descriptor, data)
        finally:
            self._released()

    def _write(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        self.size += len(data)
        self._synced = False

    def read(self, offset: int, length: int) -> bytes:
        """Octets that were written."""
        descriptor = self._taken()
        try:
            return os.pread(descriptor, length, offset)
        finally:
            self._released()

    def buffer(self) -> bytes | mmap.mmap:
        """All octets that were written."""
        descriptor = self._taken()
        try:
            return mapped(descriptor, self.size)
        finally:
            self._released()

    def sync(self, date: InternalDate) -> None:
        """Bring it to the disk, with its date as mtime.

        If that fails it always will: a file is half written then, and the kernel says but once
        that it has lost something.
        """
        descriptor = self._taken()
        try:
            if self._lost:
                raise OSError(errno.EIO, "the message could not be brought to the disk")
            try:
                self._sync(descriptor, date)
            except BaseException:
                self._lost = True
                raise
        finally:
            self._released()

    def _sync(self, descriptor: int, date: InternalDate) -> None:
        if self.octets is not None:
            data, self.octets, self.size = self.octets, None, 0
            self._write(descriptor, data)
        if not self._synced:
            moment = _moment(date)
            with suppress(OSError, OverflowError):
                os.utime(descriptor, (moment, moment))
            os.fsync(descriptor)
            self._synced = True

    def link(self, path: str) -> None:
        """Take it over under a name of its own."""
        self._taken()
        try:
            linked(self.path, path)
        finally:
            self._released()

    def close(self) -> None:
        """Remove it, and let go of the file."""
        with self._lock:
            self._closed = True
            if not self._users:
                self._let_go()

    def _taken(self) -> int:
        """The open file, until `_released`."""
        with self._lock:
            if self._closed and not self._users:
                raise MessageGone("the message was given up")
            if self._descriptor < 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self.path, flags, 0o600)
            self._users += 1
            return self._descriptor

    def _released(self) -> None:
        with self._lock:
            self._users -= 1
            if self._closed and not self._users:
                self._let_go()

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            # What cannot be removed now is a stray, and goes later (`founding`).
            with suppress(OSError):
                os.unlink(self.path)
            with suppress(OSError):
                os.close(descriptor)


def _moment(date: InternalDate) -> int:
    try:
        return timestamp_of(date)
    except (ValueError, OverflowError):
        return 0


@implementer(IMessageReader, IMapped)
@define(eq=False)
class SpoolReader:
    """Reads a draft; usable until the spool is closed."""

    draft: Draft
    _open: bool = True

    @property
    def size(self) -> int:
        """As `IMessageReader`."""
        return self.draft.size

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        if not self._open:
            raise MessageGone("the reader was closed")
        return self.draft.read(offset, max(0, min(length, self.size - offset)))

    def buffer(self) -> bytes | mmap.mmap:
        """As `IMapped`."""
        if not self._open:
            raise MessageGone("the reader was closed")
        return self.draft.buffer()

    def close(self) -> None:
        """As `IMessageReader`."""
        self._open = False


@implementer(ISpool)
@define(eq=False)
class Spool:
    """As `ISpool`."""

    _draft: Draft
    _in_thread: InThread = field(repr=False)
    _closed: bool = False

    def write(self, data: bytes) -> Answer[None]:
        """As `ISpool`; what goes beyond a MB may wait for the disk, so it is written in a thread."""
        if self._closed:
            raise MessageGone("the spool was closed")
        if self._draft.size < _QUICK:
            self._write(data)
            return None
        return self._in_thread(lambda: self._write(data))

    def reader(self) -> SpoolReader:
        """As `ISpool`."""
        return SpoolReader(self._draft)

    def close(self) -> None:
        """As `ISpool`."""
        self._closed = True
        self._draft.close()

    def _write(self, data: bytes) -> None:
        try:
            self._draft.write(data)
        except OSError as error:
            raise unavailable(error) from error


async def drafted(tree: Tree, content: IMessageReader, in_thread: InThread) -> tuple[Draft, bool]:
    """What a reader reads, as a draft; and whether the draft is ours to close."""
    if isinstance(content, SpoolReader):
        return content.draft, False
    draft = Draft.made(tree)
    spool = Spool(draft, in_thread)
    try:
        missing = content.size
        while missing > 0:
            chunk = await settled(content.read(content.size - missing, min(missing, _CHUNK)))
            if not chunk:
                raise MessageGone("the message ended before its size")
            missing -= len(chunk)
            if len(chunk) == content.size:
                draft.octets, draft.size = bytes(chunk), len(chunk)
            else:
                await settled(spool.write(chunk))
        if not content.size:
            draft.octets = b""
    except OSError as error:
        draft.close()
        raise unavailable(error) from error
    except BaseException:
        draft.close()
        raise
    return draft, True


def linked(source: str, target: str) -> None:
    """The file under one more name; a copy of it where links are not to be had.

    Raises `NoSuchMailbox` if the directory of that name is not there any more.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        if is_there(os.path.dirname(target)):
            raise
        raise NoSuchMailbox("the mailbox was deleted") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with open(source, "rb") as octets, open(target, "xb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            shutil.copyfileobj(octets, copy, 1 << 20)
            copy.flush()
            status = os.fstat(octets.fileno())
            os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(copy.fileno())
