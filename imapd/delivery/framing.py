"""What an LMTP client sends: octets to lines and the octets of messages, without I/O.

Rules of this file:

* Octets in any split give the same events.
* A line ends with CRLF and with nothing else, and so does the line with the dot that ends
  a message (RFC 5321, 2.3.8 and 4.1.1.4): a lone CR or LF ends nothing, so that no two
  servers see different messages in the same octets.
* Nothing is held but a line that is not whole, or what may be the beginning of the end.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import frozen

__all__ = ["End", "Event", "Framer", "Line", "Octets", "TooLong"]

#: The line that ends a message.
_DOT: Final = b".\r\n"


@frozen
class Line:
    """A command, without its CRLF."""

    data: bytes


@frozen
class TooLong:
    """A line that passed its bound; it has been dropped."""


@frozen
class Octets:
    """Some octets of a message, as it is to be kept."""

    data: bytes


@frozen
class End:
    """The message, or its chunk, is here whole."""


Event = Line | TooLong | Octets | End


class _Mode(Enum):
    LINE = "a command"
    DROP = "the rest of a line that is too long"
    MESSAGE = "a message up to its dot (DATA)"
    CHUNK = "so many octets (BDAT)"


class Framer:
    """Octets in by `receive_data`, events out by `next_event`; the caller says what comes next."""

    __slots__ = ("_at_start", "_buffer", "_ended", "_left", "_line_limit", "_mode")

    def __init__(self, line_limit: int) -> None:
        self._line_limit = line_limit
        self._buffer = bytearray()
        self._mode = _Mode.LINE
        #: Octets of a chunk that are still to come.
        self._left = 0
        #: The next octet of a message begins a line.
        self._at_start = False
        #: The dot was seen, and is to be told.
        self._ended = False

    @property
    def waiting(self) -> int:
        """Octets that no event has taken yet."""
        return len(self._buffer)

    def receive_data(self, data: bytes) -> None:
        """Take what the transport delivered."""
        self._buffer += data

    def clear(self) -> None:
        """Forget what has come (RFC 3207, 4.2)."""
        self._buffer.clear()

    def expect_message(self) -> None:
        """What follows is a message that ends with a dot on a line: `Octets`, then `End`."""
        self._mode = _Mode.MESSAGE
        self._at_start = True

    def expect_chunk(self, size: int) -> None:
        """What follows are so many octets: `Octets`, then `End` (RFC 3030, 2)."""
        self._mode = _Mode.CHUNK
        self._left = size

    def next_event(self) -> Event | None:
        """What came next, unless that is not known yet."""
        if self._mode is _Mode.MESSAGE:
            return self._message()
        if self._mode is _Mode.CHUNK:
            return self._chunk()
        return self._line()

    def _line(self) -> Event | None:
        end = self._buffer.find(b"\r\n")
        if self._mode is _Mode.DROP:
            if end < 0:
                # All but what may be half of the line's end.
                del self._buffer[: len(self._buffer) - self._buffer.endswith(b"\r")]
                return None
            del self._buffer[: end + 2]
            self._mode = _Mode.LINE
            return TooLong()
        if end > self._line_limit or (end < 0 and len(self._buffer) > self._line_limit + 1):
            self._mode = _Mode.DROP
            return self._line()
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return Line(line)

    def _chunk(self) -> Event | None:
        if not self._left:
            self._mode = _Mode.LINE
            return End()
        if not self._buffer:
            return None
        data = bytes(self._buffer[: self._left])
        del self._buffer[: len(data)]
        self._left -= len(data)
        return Octets(data)

    def _message(self) -> Event | None:
        octets = b"" if self._ended else self._unstuffed()
        if octets:
            return Octets(octets)
        if self._ended:
            self._ended = False
            self._mode = _Mode.LINE
            return End()
        return None

    def _unstuffed(self) -> bytes:
        """What the buffer has of the message, without the dots before dots (RFC 5321, 4.5.2)."""
        buffer = self._buffer
        pieces: list[bytes] = []
        at, size = 0, len(buffer)
        while at < size:
            if self._at_start and buffer[at] == 0x2E:
                if _DOT.startswith(buffer[at : at + 3]):
                    self._ended = size - at >= 3
                    at += 3 if self._ended else 0
                    break
                at += 1
            found = buffer.find(b"\r\n.", at)
            if found >= 0:
                stop = found + 2
            else:
                # A CR may be half of a line's end.
                stop = size - buffer.endswith(b"\r")
            if stop > at:
                pieces.append(bytes(buffer[at:stop]))
                self._at_start = pieces[-1].endswith(b"\r\n")
            at = stop
            if found < 0:
                break
        del buffer[:at]
        return b"".join(pieces)
