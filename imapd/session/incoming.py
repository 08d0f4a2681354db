"""A command with messages in it, read while it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from imapd.session.outcome import BadCommand
from imapd.session.session import Session
from imapd.wire.events import Chunk, CommandReceived, Literal, UploadLine, UploadStarted

__all__ = ["Incoming"]


class Incoming:
    """A command with messages in it, while they come.

    Read `cursor` up to `literal`; then `accept`, take the `chunks`, and ask for what
    follows by `rest`, which gives the next literal or None.
    """

    __slots__ = ("_left", "_session", "cursor", "literal", "name", "tag")

    def __init__(self, session: Session, started: UploadStarted | CommandReceived) -> None:
        self._session = session
        self.tag = started.tag
        self.name = started.name
        self.cursor = session.cursor(started.arguments)
        self.literal: Literal | None = (
            started.literal if isinstance(started, UploadStarted) else None
        )
        self._left = 0

    def accept(self) -> None:
        """The message may come."""
        assert self.literal is not None
        self._left = self.literal.size
        self._session.connection.accept()
        if self.literal.synchronising:
            self._session.write(b"+ Ready for the message\r\n")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The octets of the accepted message."""
        while self._left:
            event = await self._session.peer.event()
            assert isinstance(event, Chunk)
            self._left -= len(event.data)
            yield event.data

    async def rest(self) -> Literal | None:
        """Go on after the message: `cursor` is then at what follows it."""
        event = await self._session.peer.event()
        if not isinstance(event, UploadLine):
            raise BadCommand("The line is too long")
        data = event.data
        if event.literal is not None:
            data = data[: data.rindex(b"~{" if event.literal.binary else b"{")]
        self.cursor = self._session.cursor(data)
        self.literal = event.literal
        return event.literal

    def abandon(self) -> None:
        """Whatever of it has not come is dropped when it does."""
        self._session.connection.abandon()
