"""The octets of a message that is in memory."""

from __future__ import annotations

from attrs import field, frozen
from zope.interface import implementer

from imapd.store.answers import settled
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMessageReader

__all__ = ["BytesReader", "octets"]

#: Octets asked of a reader at once.
_CHUNK = 1 << 20


@implementer(IMessageReader)
@frozen
class BytesReader:
    """Reads what it was given; `close` has nothing to let go of."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """As `IMessageReader`."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        return self.data[offset : offset + length]

    def close(self) -> None:
        """As `IMessageReader`."""


async def octets(content: IMessageReader) -> bytes:
    """All of a message; MessageGone if it ends before its size."""
    if isinstance(content, BytesReader):
        return content.data
    chunks: list[bytes] = []
    missing = content.size
    while missing > 0:
        chunk = await settled(content.read(content.size - missing, min(missing, _CHUNK)))
        if not chunk:
            raise MessageGone("the message ended before its size")
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)
