"""LMTP's transport on one side, its session on the other; and the factory of a listener.

Rules of this file:

* One coroutine takes events one at a time and answers each before it takes the next.
* What the client sends meanwhile waits in the framer; past `Limits.input` the transport is
  paused.  While the client does not read, no command is begun.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from imapd.delivery.framing import Event, Framer
from imapd.delivery.lmtp import Gone, LMTPSession, Policy
from imapd.server.flow import Turns

__all__ = ["LMTPFactory", "LMTPProtocol"]


@implementer(IPushProducer)
class LMTPProtocol(Protocol):
    """A server's side of one connection; a `delivery.lmtp.Peer`."""

    def __init__(self, policy: Policy, turns: Turns, clock: IReactorTime, tls: Any) -> None:
        self._policy = policy
        self._turns = turns
        self._clock = clock
        self._tls = tls
        self._running = False
        self._waiting: Deferred[Event] | None = None
        self._writable: Deferred[None] | None = None
        self._reading = True
        self._paused = False
        self._ended = False
        self._closing = False
        self._timeout: IDelayedCall | None = None
        self.secure = False

    _log = Logger(namespace="imapd")

    # What the transport calls.

    def connectionMade(self) -> None:
        """As `Protocol`: greet."""
        transport: Any = self.transport
        self._framer = Framer(self._policy.limits.lmtp_line)
        self._session = LMTPSession(self._policy, self, self._framer)
        self.secure = ISSLTransport.providedBy(transport)
        transport.registerProducer(self, True)
        self.factory.joined(self)
        self._active()
        self._session.greet()

    def dataReceived(self, data: bytes) -> None:
        """As `Protocol`."""
        if self._closing:
            return
        self._active()
        self._framer.receive_data(data)
        self._turns.begin()
        if self._waiting is not None:
            event = self._framer.next_event()
            if event is not None:
                waiting, self._waiting = self._waiting, None
                waiting.callback(event)
        elif not self._running:
            self._running = True
            Deferred.fromCoroutine(self._serve()).addErrback(self._failed)
        if self._reading and self._framer.waiting > self._policy.limits.input:
            self._reading = False
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As `Protocol`."""
        self._ended = True
        if self._timeout is not None and self._timeout.active():
            self._timeout.cancel()
        self.factory.left(self)
        for waiting in (self._waiting, self._writable):
            if waiting is not None:
                waiting.errback(Gone())
        self._waiting = self._writable = None
        if not self._running:
            self._session.close()

    def pauseProducing(self) -> None:
        """As `IPushProducer`: the client does not read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """As `IPushProducer`."""
        self._paused = False
        if self._writable is not None:
            waiting, self._writable = self._writable, None
            waiting.callback(None)

    def stopProducing(self) -> None:
        """As `IPushProducer`: `connectionLost` follows."""

    # What the session calls.

    @property
    def address(self) -> str | None:
        """As `Peer`."""
        host: str | None = getattr(self.transport.getPeer(), "host", None)  # type: ignore[union-attr]
        return host

    def write(self, data: bytes) -> None:
        """As `Peer`."""
        if not self._ended:
            self.transport.write(data)  # type: ignore[union-attr]

    async def event(self) -> Event:
        """As `Peer`."""
        event = self._framer.next_event()
        if event is None:
            self._read_on()
            if self._ended:
                raise Gone
            self._waiting = Deferred()
            event = await self._waiting
        return event

    async def turn(self) -> None:
        """As `Peer`."""
        if self._paused and not self._ended:
            self._writable = Deferred()
            await self._writable
        if self._ended:
            raise Gone
        await self._turns.turn()

    def can_start_tls(self) -> bool:
        """As `Peer`."""
        return self._tls is not None and not self.secure

    def start_tls(self) -> None:
        """As `Peer`."""
        self._framer.clear()
        self.transport.startTLS(self._tls.options())  # type: ignore[union-attr]
        self.secure = True

    def close(self) -> None:
        """As `Peer`."""
        self._closing = True

    def bye(self) -> None:
        """The server is about to end: no more commands."""
        if not self._closing:
            self._closing = True
            if not self._running or self._waiting is not None:
                self.write(b"421 4.3.2 The server is shutting down\r\n")
                self._leave()

    # Serving.

    async def _serve(self) -> None:
        try:
            while not self._closing:
                event = self._framer.next_event()
                if event is None:
                    break
                await self._session.answer(event)
                await self.turn()
        except Gone:
            pass
        finally:
            self._running = False
            if self._ended:
                self._session.close()
            elif self._closing:
                self._leave()
        self._read_on()

    def _failed(self, failure: Failure) -> None:
        self._log.failure("a delivery connection failed", failure)
        if not self._ended:
            self.transport.abortConnection()  # type: ignore[union-attr]

    def _leave(self) -> None:
        transport: Any = self.transport
        # TLS waits for a registered producer to end, and ours never does.
        transport.unregisterProducer()
        transport.loseConnection()

    def _read_on(self) -> None:
        if (
            not self._reading
            and not self._ended
            and self._framer.waiting <= self._policy.limits.input
        ):
            self._reading = True
            self.transport.resumeProducing()  # type: ignore[union-attr]

    def _active(self) -> None:
        """RFC 5321, 4.5.3.2.7: a client has five minutes for each command."""
        if self._timeout is not None and self._timeout.active():
            self._timeout.reset(self._policy.limits.lmtp_timeout)
        else:
            self._timeout = self._clock.callLater(self._policy.limits.lmtp_timeout, self._late)

    def _late(self) -> None:
        if self._running and self._waiting is None:
            # It is we who are slow.
            self._active()
            return
        self._closing = True
        self.write(b"421 4.4.2 Nothing came for too long\r\n")
        self._leave()
        self._timeout = self._clock.callLater(self._policy.limits.write_timeout, self._abort)

    def _abort(self) -> None:
        if not self._ended:
            self.transport.abortConnection()  # type: ignore[union-attr]


class LMTPFactory(Factory):
    """Makes the protocol of each connection.  `tls` is as in `imapd.server.factory.IMAPFactory`."""

    noisy = False

    def __init__(self, policy: Policy, clock: IReactorTime, turns: Turns, tls: Any = None) -> None:
        self._policy = policy
        self._clock = clock
        self._turns = turns
        self._tls = tls
        self._connections: set[LMTPProtocol] = set()
        self._empty: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> LMTPProtocol:
        """As `Factory`."""
        protocol = LMTPProtocol(self._policy, self._turns, self._clock, self._tls)
        protocol.factory = self
        return protocol

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def joined(self, protocol: LMTPProtocol) -> None:
        """A connection has been made."""
        self._connections.add(protocol)

    def left(self, protocol: LMTPProtocol) -> None:
        """A connection has ended."""
        self._connections.discard(protocol)
        if not self._connections and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def shutdown(self) -> Deferred[None]:
        """Take no more commands; fires when what was begun is answered and all have ended."""
        if not self._connections:
            return succeed(None)
        done = self._empty = Deferred()
        for protocol in tuple(self._connections):
            protocol.bye()
        return done
