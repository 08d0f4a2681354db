"""Answers on their way to the client: into the socket at once, not when the reactor comes round.

Rules of this file:

* Octets go past the transport's buffer only while that is known to be empty: order is kept.
* What the socket does not take is the transport's to send, and so are errors to be found.
* What is encrypted goes to the transport alone.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import ISSLTransport, IWriteDescriptor

__all__ = ["Sending"]


class Sending:
    """To one transport, of whatever kind; nobody else writes to it after the greeting."""

    __slots__ = ("_direct", "_empty", "_prompt", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._prompt = IWriteDescriptor.providedBy(transport)
        self._direct = isinstance(transport, FileDescriptor) and not ISSLTransport.providedBy(
            transport
        )
        #: Nothing waits in the transport, and nothing has to go through it.
        self._empty = False

    def encrypted(self) -> None:
        """From now on the transport encrypts."""
        self._direct = self._empty = False

    def send(self, data: bytes) -> None:
        """Send it, or as much as the socket takes, and leave the rest to the transport."""
        transport = self._transport
        if self._empty:
            sent = transport.writeSomeData(data)
            if sent == len(data):
                return
            self._empty = False
            if isinstance(sent, int):
                data = data[sent:]
        transport.write(data)
        if self._prompt:
            if transport.doWrite() is not None:
                # It is over: the reactor asks again, and acts on the answer.
                transport.startWriting()
            # After `abortConnection` nothing is written, and all stays in the second buffer.
            self._empty = self._direct and not (transport.dataBuffer or transport._tempDataBuffer)
