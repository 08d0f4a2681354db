r"""Dialogues with real clients: recorded by a proxy, kept as text, replayed without the client.

To record, run a test with the environment's ``IMAPD_RECORD`` set to a folder: what
it says to the server without TLS is written there, a file for a test.  In such a file

* ``C: `` and ``S: `` begin a line of the client or the server, whose CRLF is left out;
* octets outside printable ASCII are written ``\xNN``, the backslash twice;
* ``-- connection`` begins the next connection, when the one before has ended.
"""

from __future__ import annotations

import re
import socket
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

__all__ = [
    "Connection", "Recorder", "Replay", "comparable", "inflated", "read", "save", "written",
]  # fmt: skip

_SEPARATOR = "-- connection"
_ODD = re.compile(rb"[^\x20-\x5b\x5d-\x7e]")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})|\\\\")


@frozen
class Connection:
    """What was said, in turns: who (``C`` or ``S``) and the octets."""

    turns: Sequence[tuple[str, bytes]]


def inflated(connection: Connection) -> bytes:
    """What a client said after COMPRESS; AssertionError if it did not compress."""
    said = b"".join(octets for who, octets in connection.turns if who == "C")
    _, begun, rest = said.partition(b" COMPRESS DEFLATE\r\n")
    assert begun, said
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(rest)


@define(eq=False)
class Recorder:
    """A proxy on a port of its own that keeps what passes."""

    target: tuple[str, int]
    port: int = field(init=False)
    _turns: list[list[tuple[str, bytes]]] = field(init=False, factory=list)
    _listener: socket.socket = field(init=False, repr=False)

    def __enter__(self) -> Recorder:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closed alone, the accepting thread would go on accepting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def connections(self) -> list[Connection]:
        """What was recorded, with what one side said without a pause as one turn."""
        return [Connection(list(_joined(turns))) for turns in self._turns]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.target)
                turns: list[tuple[str, bytes]] = []
                self._turns.append(turns)
                for who, one, other in (("C", client, server), ("S", server, client)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(
                        target=_pass, args=(who, one, other, turns), daemon=True
                    ).start()


def _pass(who: str, one: socket.socket, other: socket.socket, turns: list[Any]) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            turns.append((who, data))
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _joined(turns: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    who, said = "", b""
    for speaker, octets in turns:
        if speaker == who:
            said += octets
            continue
        if said:
            yield who, said
        who, said = speaker, octets
    if said:
        yield who, said


def written(connections: Sequence[Connection]) -> str:
    """Dialogues as text."""
    lines = []
    for connection in connections:
        lines.append(_SEPARATOR)
        for who, octets in connection.turns:
            assert octets.endswith(b"\r\n"), f"{who} was cut off in {octets[-80:]!r}"
            lines += [f"{who}: {_escaped(line)}" for line in octets[:-2].split(b"\r\n")]
    return "\n".join(lines) + "\n"


def read(text: str) -> list[Connection]:
    """The dialogues of a text."""
    found: list[list[tuple[str, bytes]]] = []
    for line in text.splitlines():
        if line == _SEPARATOR:
            found.append([])
        else:
            who, _, said = line.partition(": ")
            found[-1].append((who, _unescaped(said) + b"\r\n"))
    return [Connection(list(_joined(turns))) for turns in found]


def _escaped(octets: bytes) -> str:
    return _ODD.sub(
        lambda match: b"\\\\" if match[0] == b"\\" else b"\\x%02x" % match[0][0], octets
    ).decode("ascii")


def _unescaped(text: str) -> bytes:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\\", text).encode(
        "latin-1"
    )


#: What a server says unasked that the recorded clients do not know, and pass over (RFC 8474, 4;
#: RFC 5257, 4.1).
_NEWER: Final = re.compile(
    rb"^\* OK \[(?:MAILBOXID|ANNOTATIONS) .*\r\n|(?<= OK )\[MAILBOXID [^\]]*\] ", re.MULTILINE
)


@define
class Replay:
    """A recorded client, talking to a server again."""

    address: tuple[str, int]

    def run(self, connection: Connection) -> bytes:
        """Say what the client said, each turn when the server has answered the one before."""
        answers = b""
        with socket.create_connection(self.address, timeout=5) as plug:
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            heard = plug.makefile("rb")
            for who, octets in connection.turns:
                if who == "C":
                    plug.sendall(octets)
                else:
                    until = _lines(answers) + octets.count(b"\r\n")
                    while _lines(answers) < until and (line := heard.readline()):
                        answers += line
        return answers


def _lines(answers: bytes) -> int:
    return _NEWER.sub(b"", answers).count(b"\r\n")


#: What may be another at another time: numbers that stand for a moment, words for a reader.
_VARIABLE: Sequence[tuple[re.Pattern[bytes], bytes]] = [
    (re.compile(pattern), by)
    for pattern, by in (
        (rb"^\+ .*", b"+ #"),
        (rb"(?<=CAPABILITY )[^\]]+", b"#"),
        (rb"(?<=^\* ENABLED).*", b" #"),
        (rb"^((?:\S+) (?:OK|NO|BAD|BYE)(?: \[.*?\])?) .*", rb"\1 #"),
        (rb"((?:UIDVALIDITY|APPENDUID|COPYUID|HIGHESTMODSEQ) )\d+", rb"\1#"),
        (rb'(?<=INTERNALDATE )"[^"]*"', b"#"),
        (rb"(?<=MODSEQ )\(\d+\)", b"#"),
    )
]


def comparable(answers: bytes) -> list[bytes]:
    """The lines of a server without what may differ from one time to the next."""
    compared = []
    for line in _NEWER.sub(b"", answers).split(b"\r\n")[:-1]:
        for pattern, by in _VARIABLE:
            line = pattern.sub(by, line)
        compared.append(line)
    return compared


def save(folder: Path, name: str, connections: Sequence[Connection]) -> None:
    """Write what was recorded; inside TLS nothing can be."""
    if connections and not any(
        b"STARTTLS\r\n" in said for each in connections for _, said in each.turns
    ):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text(written(connections), encoding="ascii")
