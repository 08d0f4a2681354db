"""A conversation with a whole server in memory: send octets, get every answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from imapd.server.factory import IMAPFactory, imap_factory
from imapd.store.interfaces import IMailStore
from imapd.store.memory import MemoryStore

__all__ = ["Dialogue", "Server"]


class _Transport(StringTransport):
    """A `StringTransport` that takes the calls of a real one."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no TCP."""

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Everything is read at once: nothing is ever paused."""


class Server:
    """A factory over a store, by default one in memory, with the users alice and bob.

    Both have the password "secret".  `options` are those of `imap_factory`.
    """

    def __init__(self, store: IMailStore | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.store: Any = MemoryStore(lambda: 1_700_000_000) if store is None else store
        checker = InMemoryUsernamePasswordDatabaseDontUse(alice=b"secret", bob=b"secret")
        self.factory: IMAPFactory = imap_factory(
            self.store, checkers=[checker], clock=self.clock, **options
        )

    def connect(self) -> Dialogue:
        """A client that has been greeted."""
        return Dialogue(self)

    def login(self, user: str = "alice", enable: str = "") -> Dialogue:
        """A client that has logged in, and has enabled what `enable` names."""
        client = self.connect()
        client.send(b"in LOGIN %b secret\r\n" % user.encode("ascii"))
        if enable:
            client.send(b"en ENABLE %b\r\n" % enable.encode("ascii"))
        return client


class Dialogue:
    """One client's connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        address = IPv4Address("TCP", "127.0.0.1", 40_000)
        self.transport = _Transport(peerAddress=address)
        self.protocol = server.factory.buildProtocol(address)
        self.protocol.makeConnection(self.transport)
        self.greeting = self.answers()

    def send(self, data: bytes) -> bytes:
        """Send octets as they are; everything that is answered to them."""
        self.protocol.dataReceived(data)
        return self.answers()

    def answers(self) -> bytes:
        """Everything sent since the last call, when all that could be done has been done."""
        clock = self._server.clock
        while any(call.getTime() <= clock.seconds() for call in clock.getDelayedCalls()):
            clock.advance(0)
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets

    def command(self, text: str | bytes) -> list[str]:
        """Send one command, without its tag and CRLF; the lines of the answer, tagged ``a``."""
        data = text.encode("utf-8") if isinstance(text, str) else text
        octets = self.send(b"a %b\r\n" % data)
        assert octets.endswith(b"\r\n"), octets
        return octets[:-2].decode("utf-8").split("\r\n")

    def commands(self, texts: Sequence[str]) -> None:
        """Send commands that are all answered by OK."""
        for text in texts:
            assert self.command(text)[-1].startswith("a OK"), text
