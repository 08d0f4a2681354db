"""A client that believes all it is told, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import define, field

from tests.dialogue import Dialogue

__all__ = ["Believer", "Seen", "responses"]

_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|RECENT|EXPUNGE|FETCH)(?: \((.*)\))?", re.DOTALL)
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_UID = re.compile(rb"UID (\d+)")
_RECENT = b"\\Recent"


def responses(octets: bytes) -> Iterator[bytes]:
    """Each response without its CRLF; the octets of literals are replaced by nothing."""
    at = start = 0
    pieces: list[bytes] = []
    while at < len(octets):
        end = octets.index(b"\r\n", at)
        literal = _LITERAL.search(octets, start, end + 2)
        if literal is not None and literal.end() == end + 2:
            pieces.append(octets[start : literal.start()] + b'""')
            start = at = end + 2 + int(literal[1])
            continue
        yield b"".join(pieces) + octets[start:end]
        pieces.clear()
        start = at = end + 2


@define
class Seen:
    """What a client knows of one message."""

    uid: int | None = None
    flags: frozenset[bytes] | None = None
    recent: bool = False


@define(eq=False)
class Believer:
    """One session; `messages` are what it has been told of, by sequence number."""

    client: Dialogue
    messages: list[Seen] = field(factory=list)
    keywords: frozenset[bytes] = frozenset()
    #: The command that has not been answered yet.
    running: bytes = b""
    answered: bytes = b""
    _octets: bytearray = field(factory=bytearray)

    def begin(self, command: bytes) -> None:
        """Send a command, without waiting for its answer."""
        assert not self.running
        self.running = command.split(b"\r\n")[0]
        self.client.post(b"t " + command + b"\r\n")

    def listen(self) -> None:
        """Take in what has come."""
        self._octets += self.client.read()
        end = self._octets.rfind(b"\r\n") + 2
        if end < 2:
            return
        said = bytes(self._octets[:end])
        del self._octets[:end]
        for response in responses(said):
            self._believe(response)

    def _believe(self, response: bytes) -> None:
        if response.startswith(b"t "):
            self.answered, self.running = response, b""
            return
        if response.startswith(b"* FLAGS ("):
            self.keywords = frozenset(response[9:-1].split())
            return
        numbered = _NUMBERED.fullmatch(response)
        if numbered is None:
            return
        number, word, rest = int(numbered[1]), numbered[2], numbered[3]
        if word == b"EXISTS":
            assert number >= len(self.messages), "EXISTS took messages away"
            self.messages += [Seen() for _ in range(number - len(self.messages))]
        elif word == b"EXPUNGE":
            verb = self.running.split()[0].upper()
            assert verb not in (b"FETCH", b"STORE", b"SEARCH"), f"EXPUNGE during {self.running!r}"
            assert self.running, "EXPUNGE when no command runs"
            del self.messages[number - 1]
        elif word == b"FETCH":
            self._fetched(self.messages[number - 1], rest)

    def _fetched(self, message: Seen, rest: bytes) -> None:
        uid = _UID.search(rest)
        if uid is not None:
            assert message.uid in (None, int(uid[1])), "another message has that number"
            message.uid = int(uid[1])
        flags = _FLAGS.search(rest)
        if flags is not None:
            told = frozenset(flags[1].split())
            assert told - {_RECENT} <= self.keywords, f"{told} was told before FLAGS had it"
            message.recent = _RECENT in told
            message.flags = told - {_RECENT}
