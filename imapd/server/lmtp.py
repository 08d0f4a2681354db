"""LMTP's transport on one side, its session on the other; and the factory of a listener.

Rules of this file:

* One coroutine takes events one at a time and answers each before it takes the next.
* What the client sends meanwhile waits in the framer.  While the client does not read, no
  command is begun.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from imapd.delivery.framing import Event, Framer
from imapd.delivery.lmtp import LMTPSession, Policy
from imapd.model.gone import Gone
from imapd.server.flow import Turns
from imapd.server.paced import PacedFactory, PacedProtocol

__all__ = ["LMTPFactory", "LMTPProtocol"]


class LMTPProtocol(PacedProtocol):
    """A server's side of one connection; a `delivery.lmtp.Peer`."""

    def __init__(self, policy: Policy, turns: Turns, clock: IReactorTime, tls: Any) -> None:
        super().__init__(policy.limits, turns, clock, tls)
        self._policy = policy

    _log = Logger(namespace="imapd")

    # What the transport calls.

    def connectionMade(self) -> None:
        """As `Protocol`: greet."""
        self._framer = Framer(self._limits.lmtp_line)
        self._session = LMTPSession(self._policy, self, self._framer)
        super().connectionMade()
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
        self.read_less()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As `Protocol`."""
        super().connectionLost(reason)
        if not self._running:
            self._session.close()

    @property
    def unread(self) -> int:
        """As `PacedProtocol`."""
        return self._framer.waiting

    # What the session calls.

    def write(self, data: bytes) -> None:
        """As `Peer`."""
        if not self._ended:
            self.transport.write(data)  # type: ignore[union-attr]

    async def event(self) -> Event:
        """As `Peer`."""
        event = self._framer.next_event()
        if event is None:
            self.read_on()
            if self._ended:
                raise Gone
            self._waiting = Deferred()
            event = await self._waiting
        return event

    async def turn(self) -> None:
        """As `Peer`."""
        await self.until_writable()
        if self._ended:
            raise Gone
        await self._turns.turn()

    def start_tls(self) -> None:
        """As `Peer`."""
        self._framer.clear()
        super().start_tls()

    def close(self) -> None:
        """As `Peer`."""
        self._closing = True

    def bye(self, text: str) -> None:
        """As `PacedProtocol`."""
        if not self._closing:
            self._closing = True
            if not self._running or self._waiting is not None:
                self.write(b"421 4.3.2 %b\r\n" % text.encode("ascii"))
                self.leave()

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
                self.leave()
        self.read_on()

    def _failed(self, failure: Failure) -> None:
        self._log.failure("a delivery connection failed", failure)
        self.abort()

    def _active(self) -> None:
        """RFC 5321, 4.5.3.2.7: a client has five minutes for each command."""
        self.expect(self._limits.lmtp_timeout)

    def timed_out(self) -> None:
        """As `PacedProtocol`."""
        if self._closing:
            self.give_up()
        elif self._running and self._waiting is None:
            # It is we who are slow.
            self._active()
        else:
            self._closing = True
            self.write(b"421 4.4.2 Nothing came for too long\r\n")
            self.leave()


class LMTPFactory(PacedFactory):
    """Makes the protocol of each connection.  `tls` is as in `imapd.server.factory.IMAPFactory`."""

    def __init__(self, policy: Policy, clock: IReactorTime, turns: Turns, tls: Any = None) -> None:
        super().__init__()
        self._policy = policy
        self._clock = clock
        self._turns = turns
        self._tls = tls

    def buildProtocol(self, addr: IAddress | None) -> LMTPProtocol:
        """As `Factory`."""
        protocol = LMTPProtocol(self._policy, self._turns, self._clock, self._tls)
        protocol.factory = self
        return protocol
