"""The octets of a message that are not, or not yet, in a store."""

from __future__ import annotations

import mmap
import tempfile
from typing import IO

from zope.interface import implementer

from imapd.store.interfaces import IMapped, IMessageReader, ISpool

__all__ = ["BytesReader", "TemporarySpool"]


@implementer(IMessageReader, IMapped)
class BytesReader:
    """A message in memory."""

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        return self._data[offset : offset + length]

    def buffer(self) -> bytes:
        """As `IMapped`."""
        return self._data

    def close(self) -> None:
        """As `IMessageReader`."""


@implementer(IMessageReader, IMapped)
class _FileReader:
    """A message in an open file, which whoever opened it closes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map)

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        return self._map[offset : offset + length]

    def buffer(self) -> mmap.mmap:
        """As `IMapped`."""
        return self._map

    def close(self) -> None:
        """As `IMessageReader`."""
        self._map.close()


@implementer(ISpool)
class TemporarySpool:
    """Room for a message in a temporary file, for accounts that are no `ISpools`."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (open until `close`)

    def write(self, data: bytes) -> None:
        """As `ISpool`."""
        self._file.write(data)

    def reader(self) -> IMessageReader:
        """As `ISpool`."""
        self._file.flush()
        return _FileReader(self._file) if self._file.tell() else BytesReader(b"")

    def close(self) -> None:
        """As `ISpool`."""
        self._file.close()
