"""The octets of a message in a file.

A file that has just its message's octets is read as it is; one with lines that end in a
lone LF is read with CRLF (its size in the index is larger than the file).  Reading touches
a thread only when the octets are not in memory, or when much of a file must be converted
to find them.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.store.errors import MessageGone
from imapd.store.interfaces import Answer, IMapped, IMessageReader
from imapd.store.maildir.troubles import reporting

__all__ = [
    "ConvertingReader",
    "FileReader",
    "InThread",
    "Untold",
    "all_of",
    "converted",
    "mapped",
    "wire_size",
]

_T = TypeVar("_T")

#: Runs a call in a thread.
InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]

_CHUNK: Final = 1 << 16
#: Chunks converted at once on the reactor's thread: less than a millisecond.
_QUICK: Final = 8
#: Octets of a message that is read rather than mapped.
_MAPPED: Final = 1 << 20
_NOWAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)


def converted(data: bytes) -> bytes:
    """The octets with CRLF for every lone LF (what follows a CR is none)."""
    if b"\r" not in data:
        return data.replace(b"\n", b"\r\n")
    if data.count(b"\n") == data.count(b"\r\n"):
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def wire_size(descriptor: int) -> int:
    """How many octets the file has as a message."""
    size, last = 0, b""
    # Room for all of a small one, and to see that it ends.
    room = min(os.fstat(descriptor).st_size + 1, 1 << 20)
    while chunk := os.read(descriptor, room):
        size += len(chunk) + chunk.count(b"\n")
        if b"\r" in chunk:
            size -= chunk.count(b"\r\n")
        if last == b"\r" and chunk.startswith(b"\n"):
            size -= 1
        last = chunk[-1:]
        if len(chunk) < room:
            break
    return size


@reporting
@implementer(IMessageReader, IMapped)
@define(eq=False)
class FileReader:
    """Reads a file that is its message."""

    _descriptor: int
    size: int
    _in_thread: InThread = field(repr=False)

    def read(self, offset: int, length: int) -> Answer[bytes]:
        """As `IMessageReader`."""
        if self._descriptor < 0:
            raise MessageGone("the reader was closed")
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        found = _at_once(self._descriptor, length, offset)
        if found is not None:
            return found
        # The reader may be closed before the thread comes to it.
        descriptor = os.dup(self._descriptor)

        def wait() -> bytes:
            try:
                return _whole(descriptor, length, offset)
            finally:
                os.close(descriptor)

        return self._in_thread(wait)

    def buffer(self) -> bytes | mmap.mmap:
        """As `IMapped`."""
        if self._descriptor < 0:
            raise MessageGone("the reader was closed")
        return mapped(self._descriptor, self.size)

    def close(self) -> None:
        """As `IMessageReader`."""
        descriptor, self._descriptor = self._descriptor, -1
        _let_go(descriptor)

    def __del__(self) -> None:
        self.close()


@reporting
@implementer(IMessageReader)
@define(eq=False)
class ConvertingReader:
    """Reads a file with lone LFs as a message with CRLF."""

    _descriptor: int
    size: int
    _in_thread: InThread = field(repr=False)
    #: Where each chunk of the file begins in the message, as far as that was found out.
    _starts: list[int] = field(factory=lambda: [0], init=False, repr=False)
    #: What keeps the file open while a thread reads it.
    _busy: int = field(default=0, init=False)
    _closed: bool = field(default=False, init=False)

    def read(self, offset: int, length: int) -> Answer[bytes]:
        """As `IMessageReader`."""
        if self._closed:
            raise MessageGone("the reader was closed")
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        known = bisect_right(self._starts, offset) - 1
        far = offset + length - self._starts[known]
        if far <= _QUICK * _CHUNK:
            return self._read(offset, length)
        self._busy += 1
        return self._in_thread(lambda: self._read(offset, length)).addBoth(self._done)

    def close(self) -> None:
        """As `IMessageReader`."""
        self._closed = True
        self._let_go()

    def __del__(self) -> None:
        self.close()

    def _done(self, outcome: _T) -> _T:
        self._busy -= 1
        if self._closed:
            self._let_go()
        return outcome

    def _let_go(self) -> None:
        if not self._busy:
            descriptor, self._descriptor = self._descriptor, -1
            _let_go(descriptor)

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length <= _CHUNK and len(self._starts) == 1:
            # A message's first octets are in no more of the file's.
            return converted(os.pread(self._descriptor, offset + length, 0))[offset:][:length]
        place = bisect_right(self._starts, offset) - 1
        at, end = self._starts[place], offset + length
        pieces: list[bytes] = []
        while at < end:
            piece = self._chunk(place)
            if not piece:
                break
            if at + len(piece) > offset:
                pieces.append(piece[max(0, offset - at) : end - at])
            at += len(piece)
            place += 1
            if place == len(self._starts):
                self._starts.append(at)
        return b"".join(pieces)

    def _chunk(self, place: int) -> bytes:
        if not place:
            return converted(os.pread(self._descriptor, _CHUNK, 0))
        # The octet before the chunk tells whether its first LF is alone.
        raw = os.pread(self._descriptor, _CHUNK + 1, place * _CHUNK - 1)
        piece = converted(raw[1:])
        return piece[1:] if raw[:2] == b"\r\n" else piece


def _let_go(descriptor: int) -> None:
    if descriptor >= 0:
        # It is closed whatever is said of it, and nothing was written to it.
        with suppress(OSError):
            os.close(descriptor)


def mapped(descriptor: int, size: int) -> bytes | mmap.mmap:
    """A file's octets; those of a large one are in memory only where they are looked at.

    What is mapped must not be made shorter by others: the process would die of it.
    """
    if size > _MAPPED:
        return mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
    return _whole(descriptor, size, 0)


class Untold(OSError):
    """The file system cannot tell what is in memory."""


def all_of(path: str, size: int, waits: bool) -> bytes | None:
    """A file of that size, if it is there, can be read, and is in memory already, unless one `waits` for it.

    Raises `Untold`, but not to one who `waits`; other OSErrors as they come.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if waits or not _NOWAIT:
            octets = os.read(descriptor, size + 1)
            return octets if len(octets) == size else None
        room = bytearray(size + 1)
        try:
            count = os.preadv(descriptor, [room], 0, _NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Untold from error
        return bytes(memoryview(room)[:size]) if count == size else None
    finally:
        os.close(descriptor)


def _at_once(descriptor: int, length: int, offset: int) -> bytes | None:
    """The octets if they are in memory already."""
    if not _NOWAIT:
        return _whole(descriptor, length, offset)
    room = bytearray(length)
    try:
        count = os.preadv(descriptor, [room], offset, _NOWAIT)
    except BlockingIOError:
        return None
    except OSError:
        # The file system cannot tell.
        return _whole(descriptor, length, offset)
    return bytes(room) if count == length else None


def _whole(descriptor: int, length: int, offset: int) -> bytes:
    pieces: list[bytes] = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)
