"""The client's octets to events, without I/O: frame first, parse second.

Rules of this file:

* Bytes in any split give the same events.  The caller feeds `receive_data` and
  pulls `next_event` when it is ready for one, so commands that came early wait
  here, in order.
* What a literal announces is decided by its line alone, before any grammar: a
  refused non-synchronising literal is swallowed with the rest of its command and
  can never run as a command; a refused synchronising one is forgotten, for the
  client will not send it (RFC 9051, 4.3).
* Nothing here grows beyond `Limits`.
* What has been taken stays at the front of the buffer until nothing more can be: what comes together
  is moved once, not command by command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from imapd.model.limits import Limits
from imapd.wire.events import (
    Chunk,
    CommandReceived,
    ContinuationDue,
    Event,
    LineReceived,
    Literal,
    Malformed,
    TooLong,
    UploadLine,
    UploadStarted,
)

__all__ = ["Connection"]


class _Mode(Enum):
    COMMAND = "a line of a command"
    ARGUMENT = "the octets of a literal that is an argument"
    OFFERED = "the caller decides about an upload"
    MESSAGE = "the octets of an accepted upload"
    AFTER_MESSAGE = "the line after an upload"
    SWALLOW_LITERAL = "the octets of a refused literal"
    SWALLOW_LINE = "the line after a refused literal"
    LINE = "a line the caller asked for"


#: ``tag SP command-name``; UID takes its command with it.
_HEAD: Final = re.compile(
    rb'([^\x00-\x20\x7f-\xff(){%*"\\+]+) +((?:[Uu][Ii][Dd] +)?[A-Za-z][A-Za-z0-9.\-]*)(?= |$)'
)
#: A whole command in one line, as most are sent.
_COMMAND: Final = re.compile(
    rb'([^\x00-\x20\x7f-\xff(){%*"\\+]+) ((?:[Uu][Ii][Dd] )?[A-Za-z][A-Za-z0-9.\-]*)(| [^\r\n]*)\r?\n'
)
_TAG: Final = re.compile(rb'([^\x00-\x20\x7f-\xff(){%*"\\+]{1,100})(?: |$)')
_LITERAL: Final = re.compile(rb"(~?)\{(\d{1,20})(\+?)\}$")
_LITERAL_TAIL: Final = 24


class Connection:
    """One client's side of the conversation.

    `uploads` names the commands that carry a message, each with the pattern of those
    arguments after which a literal is still an ordinary argument (a mailbox name).
    """

    __slots__ = (
        "_at", "_buffer", "_command", "_command_limit", "_left", "_limits", "_mode", "_offered", "_parts",
        "_searched", "_short", "_size", "_uploads",
    )  # fmt: skip

    def __init__(self, limits: Limits, uploads: Mapping[bytes, re.Pattern[bytes]]) -> None:
        self._limits = limits
        self._uploads = uploads
        self._buffer = bytearray()
        #: What has been taken of it, and where no end of a line is before.
        self._at = 0
        self._searched = 0
        self._mode = _Mode.COMMAND
        self._parts: list[bytes] = []
        self._size = 0
        self._left = 0
        self._command: tuple[bytes, bytes] | None = None
        self._offered: Literal | None = None
        self.command_limit = limits.command_before_login

    @property
    def command_limit(self) -> int:
        """Octets of one command; the caller raises it when the client has logged in."""
        return self._command_limit

    @command_limit.setter
    def command_limit(self, octets: int) -> None:
        self._command_limit = octets
        #: A line that is no longer is not too long, whatever it is.
        self._short = min(octets, self._limits.line)

    @property
    def waiting(self) -> int:
        """Octets received and not yet part of an event."""
        return len(self._buffer) - self._at

    def receive_data(self, data: bytes) -> None:
        """Take what the transport delivered."""
        self._let_go()
        self._buffer += data

    def take(self) -> bytes:
        """What was received and is not part of an event: it was no plain text."""
        return self._take(self.waiting)

    def clear(self) -> None:
        """Forget what was received: nothing sent before a TLS handshake counts (RFC 9051, 6.2.1)."""
        self._take(self.waiting)
        self._reset()

    def expect_line(self) -> None:
        """The next event is the next line, whatever it says."""
        self._mode = _Mode.LINE

    def accept(self) -> None:
        """The offered message may come; if its literal synchronises, the caller sends ``+``."""
        self._mode = _Mode.MESSAGE

    def abandon(self) -> None:
        """Let an upload go, wherever it is: what of its command still comes is dropped."""
        if self._mode is _Mode.OFFERED:
            assert self._offered is not None
            self._drop(self._offered)
        elif self._mode is _Mode.MESSAGE:
            self._mode = _Mode.SWALLOW_LITERAL
        elif self._mode is _Mode.AFTER_MESSAGE:
            self._mode = _Mode.SWALLOW_LINE

    def next_event(self) -> Event | None:
        """What happened next, or None when that is not known yet."""
        buffer, at = self._buffer, self._at
        if at >= len(buffer) and self._mode is not _Mode.MESSAGE:
            self._let_go()
            return None
        # Where no line has come to its end since, no command has.
        if (
            self._mode is _Mode.COMMAND
            and not self._parts
            and (self._searched <= at or buffer.find(b"\n", self._searched) >= 0)
        ):
            match = _COMMAND.match(buffer, at)
            if match is not None:
                end = match.end()
                tag, name, arguments = match.groups()
                # What may be too long, goes on, or is only the first half of a name, is for `_next`.
                if end - at <= self._short and arguments[-1:] != b"}":
                    name = name.upper()
                    if name != b"UID":
                        self._at = self._searched = end
                        return CommandReceived(tag, name, arguments)
        event = self._next()
        if event is None:
            self._let_go()
        return event

    def _let_go(self) -> None:
        if self._at:
            self._searched -= self._at
            del self._buffer[: self._at]
            self._at = 0

    def _next(self) -> Event | None:
        while True:
            mode = self._mode
            if mode is _Mode.COMMAND:
                line = self._line(self._limits.line)
                if line is None:
                    return self._overlong_command()
                event = self._command_line(line)
            elif mode is _Mode.ARGUMENT:
                if self.waiting < self._left:
                    return None
                self._parts.append(self._take(self._left))
                self._mode = _Mode.COMMAND
                continue
            elif mode is _Mode.MESSAGE:
                return self._chunk()
            elif mode is _Mode.AFTER_MESSAGE:
                line = self._line(self._limits.line)
                if line is None:
                    if self._overlong(self._limits.line):
                        return TooLong("The line is too long")
                    return None
                literal = self._literal(line)
                self._mode = _Mode.COMMAND
                if literal is None:
                    self._reset()
                else:
                    self._offer(literal)
                return UploadLine(line, literal)
            elif mode is _Mode.SWALLOW_LITERAL:
                gone = min(self._left, self.waiting)
                self._drop_octets(gone)
                self._left -= gone
                if self._left:
                    return None
                self._mode = _Mode.SWALLOW_LINE
                continue
            elif mode is _Mode.SWALLOW_LINE:
                if not self._swallow_line():
                    return None
                continue
            elif mode is _Mode.LINE:
                line = self._line(self._limits.exchange_line)
                if line is None:
                    if self._overlong(self._limits.exchange_line):
                        return TooLong("The line is too long")
                    return None
                self._mode = _Mode.COMMAND
                return LineReceived(line)
            else:
                return None
            if event is not None:
                return event

    # Lines and octets.

    def _line(self, most: int) -> bytes | None:
        """The next line without its end.  A bare LF ends one too: people type at servers."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(buffer)
            return None
        if end - at > most + 1:
            self._searched = end
            return None
        line = bytes(buffer[at : end - 1 if end > at and buffer[end - 1] == 13 else end])
        self._at = self._searched = end + 1
        return line

    def _overlong(self, most: int) -> bool:
        """When `_line` has none: whether it never will.  The CR of its end may be there already."""
        return self.waiting > most + 1

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[self._at : self._at + count])
        self._drop_octets(count)
        return taken

    def _drop_octets(self, count: int) -> None:
        self._at += count
        self._searched = self._at

    def _chunk(self) -> Event | None:
        if self._left == 0:
            self._mode = _Mode.AFTER_MESSAGE
            return self._next()
        if not self.waiting:
            return None
        data = self._take(min(self._left, self.waiting))
        self._left -= len(data)
        return Chunk(data)

    # Commands.

    def _command_line(self, line: bytes) -> Event | None:
        """One line of a command has come; None if the command goes on."""
        first = not self._parts
        if first:
            if not line:
                return None
            head = _HEAD.match(line)
            if head is None:
                return self._malformed(line, "Not a command")
            name = head[2].upper()
            if b" " in name:
                name = b"UID " + name.split()[1]
            self._command = (head[1], name)
            self._size = 0
            line = line[head.end() :]
        assert self._command is not None
        self._size += len(line)
        literal = self._literal(line)
        if literal is None:
            if self._size > self.command_limit:
                return self._refused("The command is too long", "TOOBIG")
            tag, name = self._command
            if first:
                return CommandReceived(tag, name, line)
            arguments = b"".join([*self._parts, line])
            self._reset()
            return CommandReceived(tag, name, arguments)
        return self._argument(line, literal)

    def _argument(self, line: bytes, literal: Literal) -> Event | None:
        assert self._command is not None
        tag, name = self._command
        ordinary = self._uploads.get(name)
        if ordinary is not None and self._size <= self.command_limit:
            arguments = b"".join([*self._parts, line])
            before = arguments[: -len(_announced(line))]
            if ordinary.fullmatch(before) is None:
                self._parts.clear()
                self._offer(literal)
                return UploadStarted(tag, name, before, literal)
        if literal.size > self._limits.literal:
            refusal = "The literal is too long"
        elif self._size + literal.size > self.command_limit:
            refusal = "The command is too long"
        else:
            self._size += literal.size
            self._parts.append(line + b"\r\n")
            self._left = literal.size
            self._mode = _Mode.ARGUMENT
            return ContinuationDue() if literal.synchronising else None
        self._drop(literal)
        return Malformed(tag, refusal, "TOOBIG")

    def _literal(self, line: bytes) -> Literal | None:
        if not line.endswith(b"}"):
            return None
        match = _LITERAL.search(line, max(0, len(line) - _LITERAL_TAIL))
        if match is None:
            return None
        return Literal(int(match[2]), not match[3], bool(match[1]))

    def _malformed(self, line: bytes, text: str) -> Malformed:
        tag = _TAG.match(line)
        event = Malformed(tag[1] if tag else b"*", text)
        literal = self._literal(line)
        if literal is None:
            self._reset()
        else:
            self._drop(literal)
        return event

    def _refused(self, text: str, code: str) -> Malformed:
        assert self._command is not None
        tag = self._command[0]
        self._reset()
        return Malformed(tag, text, code)

    def _overlong_command(self) -> Event | None:
        """A command line that has no end yet, or one beyond its bound, which is swallowed."""
        buffer = self._buffer
        if not self._overlong(self._limits.line):
            return None
        if self._command is not None and self._parts:
            tag = self._command[0]
        else:
            match = _TAG.match(buffer, self._at)
            tag = match[1] if match else b"*"
        self._reset()
        self._mode = _Mode.SWALLOW_LINE
        return Malformed(tag, "The line is too long", "TOOBIG")

    def _offer(self, literal: Literal) -> None:
        self._offered = literal
        self._left = literal.size
        self._mode = _Mode.OFFERED

    def _drop(self, literal: Literal) -> None:
        """A refused literal: it comes all the same, unless the client waits for leave."""
        self._reset()
        if not literal.synchronising:
            self._left = literal.size
            self._mode = _Mode.SWALLOW_LITERAL

    def _swallow_line(self) -> bool:
        """Drop up to the end of a line, and what that announces; whether it has come."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at)
        if end < 0:
            # The end of the line may still announce a literal, so its tail is kept.
            self._drop_octets(max(0, self.waiting - _LITERAL_TAIL - 2))
            return False
        tail = bytes(buffer[max(at, end - _LITERAL_TAIL - 1) : end]).rstrip(b"\r")
        self._drop_octets(end + 1 - at)
        literal = self._literal(tail)
        if literal is None:
            self._reset()
        else:
            self._drop(literal)
        return True

    def _reset(self) -> None:
        self._mode = _Mode.COMMAND
        self._parts.clear()
        self._size = 0
        self._command = None


def _announced(line: bytes) -> bytes:
    match = _LITERAL.search(line, max(0, len(line) - _LITERAL_TAIL))
    assert match is not None
    return match[0]
