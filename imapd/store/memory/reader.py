"""The octets of a message on its way into memory."""

from __future__ import annotations

from imapd.store.answers import settled
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMapped, IMessageReader

__all__ = ["octets"]

#: Octets asked of a reader at once.
_CHUNK = 1 << 20


async def octets(content: IMessageReader) -> bytes:
    """All of a message; MessageGone if it ends before its size."""
    mapped = IMapped(content, None)
    if mapped is not None:
        return bytes(mapped.buffer())
    chunks: list[bytes] = []
    missing = content.size
    while missing > 0:
        chunk = await settled(content.read(content.size - missing, min(missing, _CHUNK)))
        if not chunk:
            raise MessageGone("the message ended before its size")
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)
