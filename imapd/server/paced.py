"""A connection and its listener, of whatever protocol: who is slow is waited for, and not for ever.

Rules of this file:

* Past `Limits.input` octets that nothing has taken, the transport is paused.
* While the client does not read, `until_writable` waits; past `Limits.write_timeout` the
  connection is aborted.  One that we have ended is closed first, so that what is on its way arrives.
* A timer runs at any time.  What it means is the protocol's to say.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ISSLTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from imapd.model.gone import Gone
from imapd.model.limits import Limits
from imapd.server.flow import Turns
from imapd.server.tls import beneath_tls

__all__ = ["PacedFactory", "PacedProtocol"]

#: Seconds for a client to end TLS when we have.
_GOODBYE: Final = 30.0


@implementer(IPushProducer)
class PacedProtocol(Protocol):
    """A server's side of one connection; its factory is a `PacedFactory`.

    `tls` has a method ``options()`` that returns what ``startTLS`` takes, or is None.
    """

    def __init__(self, limits: Limits, turns: Turns, clock: IReactorTime, tls: Any) -> None:
        self._limits = limits
        self._turns = turns
        self._clock = clock
        self._tls = tls
        #: A coroutine answers what has come.
        self._running = False
        #: That coroutine waits for what comes next; for the client to read.
        self._waiting: Deferred[Any] | None = None
        self._writable: Deferred[None] | None = None
        self._paused = False
        self._reading = True
        self._ended = False
        self._closing = False
        self._given_up = False
        self._timeout: IDelayedCall | None = None
        self.secure = False

    @property
    @abstractmethod
    def unread(self) -> int:
        """Octets of the client that nothing has taken yet."""

    @abstractmethod
    def bye(self, text: str) -> None:
        """End the connection, saying why; a command that runs is answered first."""

    @abstractmethod
    def timed_out(self) -> None:
        """What `expect` said is over."""

    # What the transport calls.

    def connectionMade(self) -> None:
        """As `Protocol`."""
        transport: Any = self.transport
        self.secure = ISSLTransport.providedBy(transport)
        transport.registerProducer(self, True)
        self.factory.joined(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As `Protocol`: whoever waits for the client gets `Gone`."""
        self._ended = True
        if self._timeout is not None and self._timeout.active():
            self._timeout.cancel()
        self.factory.left(self)
        for waiting in (self._waiting, self._writable):
            if waiting is not None:
                waiting.errback(Gone())
        self._waiting = self._writable = None

    def pauseProducing(self) -> None:
        """As `IPushProducer`: the client reads too slowly."""
        self._paused = True

    def resumeProducing(self) -> None:
        """As `IPushProducer`."""
        self._paused = False
        if self._writable is not None:
            waiting, self._writable = self._writable, None
            waiting.callback(None)

    def stopProducing(self) -> None:
        """As `IPushProducer`: `connectionLost` follows."""

    # What the protocol calls.

    @property
    def address(self) -> str | None:
        """The client's IP address, None on a local socket; behind a proxy once that has told it."""
        host: str | None = getattr(self.transport.getPeer(), "host", None)  # type: ignore[union-attr]
        return host

    def read_less(self) -> None:
        """Pause the transport if too much waits."""
        if self._reading and self.unread > self._limits.input:
            self._reading = False
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def read_on(self) -> None:
        """Let the transport go on if little waits."""
        if not self._reading and not self._ended and self.unread <= self._limits.input:
            self._reading = True
            self.transport.resumeProducing()  # type: ignore[union-attr]

    async def until_writable(self) -> None:
        """Wait for a client that does not read.  Raises `Gone`."""
        if not self._paused:
            return
        if self._ended:
            raise Gone
        stuck = self._clock.callLater(self._limits.write_timeout, self.abort)
        self._writable = Deferred()
        try:
            await self._writable
        finally:
            if stuck.active():
                stuck.cancel()

    def expect(self, seconds: float) -> None:
        """Call `timed_out` then, and not when it was said before."""
        timeout = self._timeout
        if timeout is not None and timeout.active():
            timeout.reset(seconds)
        else:
            self._timeout = self._clock.callLater(seconds, self.timed_out)

    def can_start_tls(self) -> bool:
        """There is a certificate, and no TLS yet."""
        return self._tls is not None and not self.secure

    def start_tls(self) -> None:
        """Begin the handshake."""
        self.transport.startTLS(self._tls.options())  # type: ignore[union-attr]
        self.secure = True

    def leave(self) -> None:
        """End the connection when what was written is sent; `timed_out` calls `give_up` then."""
        if not self._ended:
            over_tls = beneath_tls(self.transport) is not None
            self.expect(_GOODBYE if over_tls and not self._paused else self._limits.write_timeout)
            transport: Any = self.transport
            # TLS waits for a registered producer to end, and ours never does.
            transport.unregisterProducer()
            transport.loseConnection()

    def give_up(self) -> None:
        """Wait no longer for who does not say goodbye to our goodbye (TLS: close_notify), or does not read.

        What the system has taken of our octets it sends all the same, unless nobody reads at all.
        """
        below = None if self._given_up or self._ended else beneath_tls(self.transport)
        if below is None:
            self.abort()
        else:
            self._given_up = True
            self.expect(self._limits.write_timeout)
            below.loseConnection()

    def abort(self) -> None:
        """End the connection now."""
        if not self._ended:
            self.transport.abortConnection()  # type: ignore[union-attr]


class PacedFactory(Factory):
    """What one listener's connections have in common: their end."""

    noisy = False

    def __init__(self) -> None:
        self._connections: set[PacedProtocol] = set()
        self._empty: Deferred[None] | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def joined(self, protocol: PacedProtocol) -> None:
        """A connection has been made."""
        self._connections.add(protocol)

    def left(self, protocol: PacedProtocol) -> None:
        """A connection has ended."""
        self._connections.discard(protocol)
        if not self._connections and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def shutdown(self) -> Deferred[None]:
        """Tell every client; fires when what was begun is answered and all connections have ended."""
        if not self._connections:
            return succeed(None)
        done = self._empty = Deferred()
        for protocol in tuple(self._connections):
            protocol.bye("The server is shutting down")
        return done
