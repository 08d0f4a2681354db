"""Clients that work until the server dies, and remember what they were told."""

from __future__ import annotations

import random
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count

from attrs import define, field

from tests.drills.ledger import Box, History, Message, Seen, State, agreeing, with_loose
from tests.drills.letters import octets
from tests.drills.serving import PASSWORD, USER, Fresh, connected
from tests.drills.steps import SHARED, Step, chosen, fresh_state

__all__ = ["Client", "Deliverer"]

_MODSEQ = re.compile(rb"(?:MODSEQ \(|HIGHESTMODSEQ )(\d+)")


class Refused(Exception):
    """An answer that is no OK."""


@define
class Client:
    """One that speaks IMAP, one command at a time, and touches only what is its own."""

    name: str
    history: History
    state: State = field(init=False)
    pending: Step | None = field(init=False, default=None)
    answers: int = field(init=False, default=0)
    trouble: list[str] = field(init=False, factory=list)
    _names: Iterator[int] = field(init=False, factory=lambda: count(1))
    _thread: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.state = fresh_state(self.name)

    def start(
        self, server: Fresh, seed: str, stop: threading.Event, told: Callable[[], object]
    ) -> None:
        """Work, in a thread, until the server goes or `stop` is set; `told` is called for each OK."""
        self.answers = 0
        self._thread = threading.Thread(target=self._run, args=(server, seed, stop, told))
        self._thread.start()

    def join(self) -> None:
        """Wait until it has seen the end."""
        self._thread.join()

    def outcomes(self) -> Iterator[State]:
        """What may be there."""
        yield self.state
        if self.pending is not None:
            yield from self.pending.outcomes(self.state)

    def check(self, seen: Mapping[str, Seen]) -> list[str]:
        """What is there must agree; it is what is known from now on."""
        pending, (self.state, wrong) = self.pending, agreeing(self.name, self.outcomes(), seen)
        self.pending = None
        if wrong and pending is not None:
            wrong.append(f"({self.name} was waiting for the answer to {pending!r})")
        return wrong

    def _run(
        self, server: Fresh, seed: str, stop: threading.Event, told: Callable[[], object]
    ) -> None:
        chance = random.Random(f"{seed}/{self.name}")
        try:
            with connected(server, self._lmtp) as sock:
                self._work(sock, chance, stop, told)
        except OSError:
            pass
        except (Refused, AssertionError) as error:
            self.trouble.append(f"{self.name}: {error}")

    _lmtp = False

    def _work(
        self,
        sock: socket.socket,
        chance: random.Random,
        stop: threading.Event,
        told: Callable[[], object],
    ) -> None:
        connection = _Connection(sock)
        connection.command(b"LOGIN %b %b" % (USER.encode(), PASSWORD.encode()))
        connection.command(b"ENABLE CONDSTORE")
        selected, uidvalidity = None, 0
        while not stop.is_set():
            step = chosen(self.name, self.state, chance, self._names)
            if step.selected not in (None, selected):
                assert step.selected is not None
                answer = connection.command(b"SELECT " + step.selected.encode())
                selected, uidvalidity = step.selected, _number(rb"UIDVALIDITY (\d+)", answer)
                self._told(uidvalidity, answer)
            elif step.selected is None and selected is not None and selected not in SHARED:
                # It may be renamed, or deleted, by the next command.
                connection.command(b"UNSELECT")
                selected = None
            self.pending = step
            answer = connection.command(step.text)
            self.state, self.pending = step.done(self.state, answer), None
            if step.selected is not None:
                self._told(uidvalidity, answer)
            told()

    def _told(self, uidvalidity: int, answer: bytes) -> None:
        for modseq in _MODSEQ.findall(answer):
            self.history.told_modseq(uidvalidity, int(modseq))


def _number(pattern: bytes, answer: bytes) -> int:
    match = re.search(pattern, answer)
    assert match is not None, answer
    return int(match[1])


@define
class _Connection:
    _socket: socket.socket
    _rest: bytes = b""
    _tags: Iterator[int] = field(factory=lambda: count(1))

    def line(self) -> bytes:
        while b"\n" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line + b"\n"

    def command(self, text: bytes) -> bytes:
        """The whole answer to a command that must succeed."""
        tag = b"t%d" % next(self._tags)
        self._socket.sendall(b"%b %b\r\n" % (tag, text))
        line = answer = self.line()
        while not line.startswith(tag + b" "):
            line = self.line()
            answer += line
        if not line.startswith(tag + b" OK"):
            raise Refused(f"{text[:200]!r} was answered {answer[-400:]!r}")
        return answer

    def say(self, text: bytes, code: bytes) -> None:
        """A line of LMTP, and the answer that it must have."""
        self._socket.sendall(text)
        while True:
            line = self.line()
            if not line.startswith(code):
                raise Refused(f"{text[:200]!r} was answered {line!r}")
            if line[3:4] != b"-":
                return


@define
class Deliver:
    """A message by LMTP."""

    message: Message
    selected: None = None
    text: bytes = b""

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        return {"INBOX": with_loose(state["INBOX"], [self.message])}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`."""
        yield self.done(state, b"")


class Deliverer(Client):
    """One that delivers by LMTP; its messages stay."""

    _lmtp = True

    def __attrs_post_init__(self) -> None:
        self.state = {"INBOX": Box()}

    def _work(
        self,
        sock: socket.socket,
        chance: random.Random,
        stop: threading.Event,
        told: Callable[[], object],
    ) -> None:
        connection = _Connection(sock)
        connection.say(b"", b"220")
        connection.say(b"LHLO drill.example\r\n", b"250")
        while not stop.is_set():
            name = f"{self.name}/{next(self._names)}"
            connection.say(b"MAIL FROM:<drill@example.org>\r\n", b"250")
            connection.say(b"RCPT TO:<%b>\r\n" % USER.encode(), b"250")
            connection.say(b"DATA\r\n", b"354")
            self.pending = Deliver(Message(name))
            connection.say(octets(name) + b".\r\n", b"250")
            self.state, self.pending = self.pending.done(self.state, b""), None
            told()
