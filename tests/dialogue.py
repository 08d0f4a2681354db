"""A whole server without sockets: clients that send octets and get octets back, on a clock of the test's.

The factory, the protocol, the session and the store are the real ones.  What is not is
the transport (`Line`), which behaves like TCP as far as a protocol can tell, and time.
Whatever is logged as a failure while a `Server` runs fails the test that ran it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, ClassVar

from attrs import evolve
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from imapd.mime.facts import facts
from imapd.model.flags import interned
from imapd.model.limits import Limits
from imapd.server.factory import IMAPFactory, imap_factory
from imapd.server.imap import IMAPProtocol
from imapd.store.answers import settled
from imapd.store.interfaces import IMailStore, NewMessage
from imapd.store.memory import MemoryStore
from imapd.store.readers import BytesReader

__all__ = ["UIDVALIDITY", "Dialogue", "Line", "Server", "letter", "matches", "same"]

#: Octets that are on their way to a client that does not read, before TCP pushes back.
_WINDOW = 65_536
#: Seconds that a store may take; what is due later is a timeout.
_PATIENCE = 5.0
#: The moment at which tests begin, and the first UIDVALIDITY of the memory store.
START = 1_000_000_000
UIDVALIDITY = 1_700_000_000
_MOMENT = datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone.utc)

_FAILURE = ("log_failure", "log_traceback")


class Line(StringTransport):
    """The server's end of a connection."""

    def __init__(self, clock: Clock, peer: str) -> None:
        super().__init__(hostAddress=IPv4Address("TCP", "127.0.0.1", 143))
        self.peerAddr = IPv4Address("TCP", peer, 40_000)
        self.clock = clock
        self.protocol: IMAPProtocol
        self.out = bytearray()
        self.reads = True
        self.paused_producer = False
        self.lost = False
        self.no_delay = False
        self.aborted = False
        #: Handshakes that were begun: what was in force then.
        self.handshakes: list[Any] = []

    def write(self, data: bytes) -> None:
        """As `ITransport`."""
        assert isinstance(data, bytes), "only bytes can be sent"
        if self.lost or self.aborted:
            return
        self.out += data
        full = not self.reads and len(self.out) > _WINDOW
        if full and not self.paused_producer and self.producer is not None:
            self.paused_producer = True
            self.producer.pauseProducing()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """As `ITCPTransport`."""
        self.no_delay = enabled

    def startTLS(self, options: object) -> None:
        """As `ITLSTransport`: noted; the octets go on as they are."""
        self.handshakes.append(options)

    def loseConnection(self) -> None:
        """As `ITransport`: over TLS that waits until no producer is registered, so it must not be."""
        assert self.producer is None, "over TLS the connection would not end"
        if not self.disconnecting:
            self.disconnecting = True
            self._end_when_read()

    def abortConnection(self) -> None:
        """As `ITCPTransport`."""
        if not self.aborted:
            self.aborted = True
            self.clock.callLater(0, self.end, Failure(ConnectionAborted()))

    def _end_when_read(self) -> None:
        if self.reads or not self.out:
            self.clock.callLater(0, self.end, Failure(ConnectionDone()))

    def end(self, reason: Failure) -> None:
        """The connection is no more."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(reason)

    def take(self) -> bytes:
        """All that has come for the client."""
        data = bytes(self.out)
        self.out.clear()
        if self.paused_producer and self.producer is not None:
            self.paused_producer = False
            self.producer.resumeProducing()
        if self.disconnecting and not self.reads:
            self._end_when_read()
        return data


class Dialogue:
    """A client's end of a connection."""

    def __init__(self, server: Server, line: Line) -> None:
        self._server = server
        self.transport = line
        self._pending = bytearray()
        self.greeting = b""
        #: Send that many octets at a time; 0 for all at once.
        self.step = 0

    @property
    def protocol(self) -> IMAPProtocol:
        """The server's side."""
        return self.transport.protocol

    @property
    def open(self) -> bool:
        """The server has not ended the connection."""
        return not self.transport.lost

    @property
    def unsent(self) -> int:
        """Octets that the server does not take just now."""
        return len(self._pending)

    def deliver(self) -> bool:
        """Give the server what it takes; whether it took something."""
        took = False
        while self._pending and self.open and self.transport.producerState == "producing":
            count = self.step or 65_536
            data = bytes(self._pending[:count])
            del self._pending[:count]
            self.transport.protocol.dataReceived(data)
            took = True
        return took

    def send(self, data: bytes) -> bytes:
        """Send octets, and return all that came until the server has nothing more to do."""
        self._pending += data
        self.deliver()
        self._server.rest()
        return self.read()

    def post(self, data: bytes) -> None:
        """Send octets, and let the server do what it does without waiting."""
        self._pending += data
        self.deliver()

    def do(self, command: str | bytes, literal: bytes | None = None) -> bytes:
        """A command with the tag ``a`` and, if given, one synchronising literal at its end."""
        line = command.encode("utf-8") if isinstance(command, str) else command
        if literal is None:
            return self.send(b"a " + line + b"\r\n")
        asked = self.send(b"a %b {%d}\r\n" % (line, len(literal)))
        if not asked.startswith(b"+ "):
            return asked
        return self.send(literal + b"\r\n")

    def command(self, text: str | bytes) -> list[str]:
        """The lines of the answer to one command, given without its tag and CRLF; tagged ``a``."""
        octets = self.do(text)
        assert octets.endswith(b"\r\n"), octets
        return octets[:-2].decode("utf-8").split("\r\n")

    def commands(self, texts: Sequence[str]) -> None:
        """Send commands that are all answered by OK."""
        for text in texts:
            assert self.command(text)[-1].startswith("a OK"), text

    def ok(self, command: str | bytes, literal: bytes | None = None) -> bytes:
        """As `do`, when it succeeds: the untagged part of the answer."""
        answer = self.do(command, literal)
        untagged, tagged, rest = answer.rpartition(b"a OK ")
        assert tagged, f"{command!r} got {answer!r}"
        assert rest.count(b"\r\n") == 1, answer
        return untagged

    def read(self) -> bytes:
        """What has come; nothing if the client does not read."""
        return self.transport.take() if self.transport.reads else b""

    def stop_reading(self) -> None:
        """The client goes for a coffee."""
        self.transport.reads = False

    def read_on(self) -> bytes:
        """What has come, now that the client reads again."""
        self.transport.reads = True
        found = self.transport.take()
        while True:
            self._server.settle()
            more = self.transport.take()
            if not more:
                return found
            found += more

    def hang_up(self) -> None:
        """The client's end is gone."""
        self.transport.end(Failure(ConnectionLost()))
        self._server.settle()

    def log_in(self, user: str = "alice") -> Dialogue:
        """As that user, by LOGIN."""
        answer = self.do(f"LOGIN {user} {Server.PASSWORD}")
        assert answer.startswith(b"a OK [CAPABILITY "), answer
        return self

    def select(self, mailbox: str = "INBOX") -> Dialogue:
        """Select, when that succeeds."""
        self.ok(f"SELECT {mailbox}")
        return self

    def append(
        self, *letters: bytes, mailbox: str = "INBOX", flags: str = "", date: str = ""
    ) -> Dialogue:
        """Put messages into a mailbox by APPEND."""
        for each in letters:
            options = f" ({flags})" if flags else ""
            options += f' "{date}"' if date else ""
            self.ok(f"APPEND {mailbox}{options}", each)
        return self

    def fill(self, count: int, mailbox: str = "INBOX") -> Dialogue:
        """That many messages with the subjects 1, 2, 3."""
        return self.append(*[letter(str(number)) for number in range(1, count + 1)],
                           mailbox=mailbox)  # fmt: skip


class Server:
    """A factory, its store, and the clients of one test."""

    USERS = ("alice", "bob", "carol")
    PASSWORD = "secret"

    #: Those of the running test, to be closed after it.
    made: ClassVar[list[Server]] = []

    def __init__(
        self,
        store: IMailStore | None = None,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        pump: Callable[[], bool] | None = None,
        patience: float | None = None,
        **options: Any,
    ) -> None:
        self.made.append(self)
        self.failures: list[str] = []
        globalLogPublisher.addObserver(self._observe)
        self.clock = clock or Clock()
        self.clock.rightNow = float(START)
        self.store: Any = MemoryStore(lambda: UIDVALIDITY) if store is None else store
        checker = InMemoryUsernamePasswordDatabaseDontUse()
        for user in self.USERS:
            checker.addUser(user.encode("ascii"), self.PASSWORD.encode("ascii"))
        self.factory: IMAPFactory = imap_factory(
            self.store, checkers=[checker], clock=self.clock, limits=limits, **options
        )
        # The zone of the machine that runs the tests is nobody's affair.
        self.factory.policy = evolve(self.factory.policy, now=lambda: _MOMENT)
        self.clients: list[Dialogue] = []
        #: Lets threads of the store have their say; whether they had something to say.
        self._pump = pump
        #: Seconds for which `rest` waits.
        self._patience = (
            (0.0 if store is None or pump else _PATIENCE) if patience is None else patience
        )

    def _observe(self, event: dict[str, Any]) -> None:
        failure = event.get("log_failure")
        if failure is not None or event.get("isError"):
            text = failure.getTraceback() if failure is not None else str(event)
            self.failures.append(text)

    def connect(self, peer: str = "127.0.0.1") -> Dialogue:
        """A client that has got its greeting."""
        line = Line(self.clock, peer)
        protocol = self.factory.buildProtocol(line.peerAddr)
        line.protocol = protocol
        client = Dialogue(self, line)
        self.clients.append(client)
        protocol.makeConnection(line)
        client.greeting = client.read()
        return client

    def client(self, user: str = "alice", select: str | None = None) -> Dialogue:
        """A client that has logged in and, if a mailbox is given, selected it."""
        client = self.connect().log_in(user)
        return client if select is None else client.select(select)

    def login(self, user: str = "alice", enable: str = "") -> Dialogue:
        """A client that has logged in, and has enabled what `enable` names."""
        client = self.client(user)
        if enable:
            client.ok(f"ENABLE {enable}")
        return client

    def deliver(self, *letters: bytes, user: str = "alice") -> None:
        """Put messages into a user's INBOX past IMAP, as a mail transfer agent does."""

        async def deliver() -> None:
            account = await settled(self.store.open_account(user))
            mailbox = await settled(account.open("INBOX"))
            date = b" 9-Sep-2001 01:46:40 +0000"
            messages = [
                NewMessage(BytesReader(each), interned(()), date, facts(each)) for each in letters
            ]
            await settled(mailbox.append(messages))
            await settled(account.close())

        self.wait(deliver())

    def wait(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """Do something with the store past every client, to its end."""
        outcome: list[object] = []
        Deferred.fromCoroutine(work).addBoth(outcome.append)
        self.rest()
        assert outcome == [None]

    def settle(self) -> None:
        """Let the server do all it can do without time passing."""
        for _ in range(200_000):
            now = self.clock.seconds()
            if any(call.getTime() <= now for call in self.clock.getDelayedCalls()):
                self.clock.advance(0)
            elif not (self._delivered() or (self._pump is not None and self._pump())):
                return
        raise AssertionError("the server does not come to rest")

    def rest(self) -> None:
        """Let the server finish what it does, though its store may take some seconds."""
        while True:
            self.settle()
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=None)
            if due is None or due > self.clock.seconds() + self._patience:
                return
            self.clock.advance(due - self.clock.seconds())

    def _delivered(self) -> bool:
        took = [client.deliver() for client in self.clients]
        return True in took

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.seconds() + seconds
        while True:
            self.settle()
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=end)
            if due >= end:
                break
            self.clock.advance(due - self.clock.seconds())
        self.clock.advance(max(0.0, end - self.clock.seconds()))
        self.settle()

    def logged(self, text: str) -> None:
        """Exactly one failure was logged, and its traceback has `text`; it is forgiven."""
        assert len(self.failures) == 1, self.failures
        assert text in self.failures[0], self.failures[0]
        self.failures.clear()

    def close(self) -> None:
        """End every connection; AssertionError if anything was logged as a failure."""
        if self not in self.made:
            return
        self.made.remove(self)
        try:
            for client in self.clients:
                client.hang_up()
            self.advance(60.0)
            assert not self.factory._connections, "a connection is still counted"
            self.factory.stopFactory()
            assert not self.clock.getDelayedCalls(), "a timer outlives its connection"
        finally:
            globalLogPublisher.removeObserver(self._observe)
        assert not self.failures, "\n".join(self.failures)


def letter(subject: str = "hello", body: str = "Hello.\r\n", *headers: str) -> bytes:
    """A small message."""
    lines = ["From: Alice <alice@example.org>", f"Subject: {subject}", *headers, "", body]
    return "\r\n".join(lines).encode("utf-8")


_PLACE = re.compile(rb"\{\{(\*|[a-z]+)\}\}")


def matches(template: bytes, actual: bytes) -> re.Match[bytes] | None:
    """Whether they are the same but for ``{{*}}`` (any of a line) and ``{{name}}`` (a word, one each).

    The match has the words by their names.
    """
    known: set[bytes] = set()
    pattern = bytearray()
    at = 0
    for place in _PLACE.finditer(template):
        pattern += re.escape(template[at : place.start()])
        at = place.end()
        name = place[1]
        if name == b"*":
            pattern += rb"[^\r\n]*"
        elif name in known:
            pattern += rb"(?P=%b)" % name
        else:
            known.add(name)
            pattern += rb'(?P<%b>[^ \[\]()"\r\n]+)' % name
    pattern += re.escape(template[at:])
    return re.fullmatch(bytes(pattern), actual)


def same(actual: bytes, *lines: str | bytes) -> Mapping[str, bytes]:
    """AssertionError unless these are the lines of an answer, each without its CRLF; see `matches`.

    Returns the words by their names.
    """
    template = _joined(lines)
    found = matches(template, actual)
    if found is None:
        # Shown by pytest line by line.
        assert actual.split(b"\r\n") == template.split(b"\r\n")
        raise AssertionError("a placeholder does not match")
    return found.groupdict()


def _joined(lines: Sequence[str | bytes]) -> bytes:
    return b"".join(
        (line.encode("utf-8") if isinstance(line, str) else line) + b"\r\n" for line in lines
    )
