"""What a session asks of the connection it is held over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imapd.wire.events import Event

__all__ = ["Peer"]


class Peer(Protocol):
    """The client's end, as a session sees it: the server's protocol, or a test."""

    #: TLS is on.
    secure: bool

    @property
    def compressed(self) -> bool:
        """Octets are compressed in both directions."""

    @property
    def local(self) -> bool:
        """The client is on this machine."""

    @property
    def address(self) -> str | None:
        """Its IP address; None on a local socket."""

    def write(self, data: bytes) -> None:
        """Send octets; they may wait for others."""

    def write_sequence(self, parts: Sequence[bytes]) -> None:
        """Send these one after the other."""

    def flush(self) -> None:
        """Send now what was written."""

    async def event(self) -> Event:
        """What the client sends next."""

    async def turn(self) -> None:
        """Let others have their turn if this one was long, and the client read what waits for it."""

    def start_tls(self) -> None:
        """Begin the handshake; what was received before it is forgotten."""

    def can_start_tls(self) -> bool:
        """There is a certificate, and no TLS yet."""

    def compress(self) -> None:
        """Compress from here on, and take what was received behind the command for compressed."""

    def start_over(self) -> None:
        """The client is a stranger again: it has a minute to log in, and does not compress."""

    def wake(self) -> None:
        """Something may have changed for a session that waits."""

    def close(self) -> None:
        """End the connection when what was written is sent."""

    def bye(self, text: str) -> None:
        """End the connection, saying why (RFC 9051, 7.1.5)."""

    def abort(self) -> None:
        """End the connection at once: what was begun cannot be finished."""

    async def idle(self) -> bytes:
        """Announce what changes until the client sends a line, which is returned."""
