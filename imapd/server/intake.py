"""What a client sends, on its way to events: as it comes or, once it compresses, inflated."""

from __future__ import annotations

from collections.abc import Callable

from imapd.wire.connection import Connection
from imapd.wire.deflate import Inflater
from imapd.wire.events import Event

__all__ = ["Intake"]


class Intake:
    """Octets in, events out; of what has to be inflated no more at once than `most` octets."""

    __slots__ = ("_connection", "_inflater", "_most", "next_event")

    def __init__(self, connection: Connection, most: int) -> None:
        self._connection = connection
        self._most = most
        self._inflater: Inflater | None = None
        #: What the client sent next, unless that is not known yet.  Raises `wire.deflate.BadStream`.
        self.next_event: Callable[[], Event | None] = connection.next_event

    @property
    def inflates(self) -> bool:
        """The client compresses."""
        return self._inflater is not None

    @property
    def pending(self) -> bool:
        """There may be another event though nothing more comes."""
        return self._inflater is not None and self._inflater.pending

    @property
    def waiting(self) -> int:
        """Octets that no event has taken yet."""
        inflated = self._connection.waiting
        return inflated if self._inflater is None else inflated + self._inflater.waiting

    def receive_data(self, data: bytes) -> None:
        """Take what the transport delivered."""
        if self._inflater is None:
            self._connection.receive_data(data)
        else:
            self._inflater.receive_data(data)

    def _next_inflated(self) -> Event | None:
        event = self._connection.next_event()
        if event is None and self._inflater is not None and self._inflater.pending:
            self._connection.receive_data(self._inflater.inflate(self._most))
            event = self._connection.next_event()
        return event

    def inflate(self) -> None:
        """What has come behind the command that runs is compressed, and all that follows."""
        self._inflater = Inflater()
        self.next_event = self._next_inflated
        self._inflater.receive_data(self._connection.take())

    def end_inflating(self) -> None:
        """What comes behind the command that runs is as it is."""
        if self._inflater is not None:
            self._connection.receive_data(self._inflater.end())
            self._inflater = None
            self.next_event = self._connection.next_event
