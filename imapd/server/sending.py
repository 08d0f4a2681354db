"""Answers on their way to the client: into the socket at once, not when the reactor comes round.

Rules of this file:

* Octets go past the transport's buffer only while that is known to be empty: order is kept.
* What the socket does not take is the transport's to send, and so are errors to be found.
* What is encrypted goes to the transport alone.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor

__all__ = ["Sending"]


class Sending:
    """To one transport, of whatever kind; nobody else writes to it after the greeting."""

    __slots__ = ("_empty", "_encrypted", "_prompt", "_transport")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._prompt = isinstance(transport, FileDescriptor)
        self._encrypted = False
        #: Nothing waits in the transport.
        self._empty = False

    def encrypted(self) -> None:
        """From now on the transport encrypts."""
        self._encrypted, self._empty = True, False

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
            transport.doWrite()
            self._empty = not (transport.dataBuffer or self._encrypted)
