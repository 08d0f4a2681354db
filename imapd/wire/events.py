"""What a client's octets become: the events of `imapd.wire.connection.Connection`."""

from __future__ import annotations

from attrs import define, frozen

__all__ = [
    "Chunk", "CommandReceived", "ContinuationDue", "Event", "LineReceived", "Literal", "Malformed",
    "TooLong", "UploadLine", "UploadStarted",
]  # fmt: skip


@frozen
class Literal:
    """A literal's announcement (RFC 7888; `binary` for literal8, RFC 3516)."""

    size: int
    synchronising: bool
    binary: bool = False


@define
class CommandReceived:
    """A whole command.  `arguments` follow the name, with their leading space.

    Not frozen like the others: there is one for every command, and that takes half as long to make.
    """

    tag: bytes
    name: bytes
    arguments: bytes


@frozen
class ContinuationDue:
    """The client waits for ``+`` before it sends a literal that is welcome."""


@frozen
class UploadStarted:
    """A command with a message in it, up to that message.

    Answer with `Connection.accept` or `Connection.abandon`.
    """

    tag: bytes
    name: bytes
    arguments: bytes
    literal: Literal


@frozen
class Chunk:
    """Some octets of an accepted message."""

    data: bytes


@frozen
class UploadLine:
    """What follows a message: the rest of the command, or more up to another message."""

    data: bytes
    literal: Literal | None


@frozen
class LineReceived:
    """A line that was asked for by `Connection.expect_line`."""

    data: bytes


@frozen
class Malformed:
    """Not a command; whatever belongs to it is dropped.  `tag` is ``*`` if it has none."""

    tag: bytes
    text: str
    code: str = ""


@frozen
class TooLong:
    """An expected line that passed its bound: there is no way to go on."""

    text: str


Event = (
    CommandReceived | ContinuationDue | UploadStarted | Chunk | UploadLine | LineReceived
    | Malformed | TooLong
)  # fmt: skip
