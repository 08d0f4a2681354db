"""The protocol: one client's transport on one side, its session on the other.

Rules of this file:

* One coroutine, `_serve`, takes events from the connection one at a time and
  answers each before it takes the next; it runs while there is something to do,
  and so nothing is told unasked but between two answers.
* What the client sends meanwhile waits in the connection.  Past `Limits.output` unread
  octets, a command waits.
* What is compressed is inflated only when the connection has no event, a piece in each turn.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure

from imapd.model.gone import Gone
from imapd.model.states import State
from imapd.server.flow import Turns
from imapd.server.intake import Intake
from imapd.server.paced import PacedProtocol
from imapd.server.sending import Sending
from imapd.session.capabilities import capabilities
from imapd.session.dispatch import answer
from imapd.session.outcome import BadCommand
from imapd.session.policy import Policy
from imapd.session.session import Session
from imapd.wire.connection import Connection
from imapd.wire.deflate import BadStream, Deflater
from imapd.wire.events import Event, LineReceived

__all__ = ["IMAPProtocol"]

#: Seconds until a store that could not say what changed is asked again for who idles.
_AGAIN: Final = 10.0


class IMAPProtocol(PacedProtocol):
    """A server's side of one connection; a `session.peer.Peer`."""

    def __init__(self, policy: Policy, turns: Turns, clock: IReactorTime, tls: Any) -> None:
        super().__init__(policy.limits, turns, clock, tls)
        self._policy = policy
        self._out: list[bytes] = []
        self._out_size = 0
        self._idling: Deferred[None] | None = None
        self._farewell = b""
        self._flushing = False
        self._deflater = Deflater()

    # What the transport calls.

    def connectionMade(self) -> None:
        """As `Protocol`: greet."""
        transport: Any = self.transport
        self.connection = Connection(self._limits, self._policy.dialect.upload_arguments)
        self._intake = Intake(self.connection, self._limits.input)
        self.session = Session(self._policy, self, self.connection)
        self._sending = Sending(transport)
        no_delay = getattr(transport, "setTcpNoDelay", None)
        if no_delay is not None:
            no_delay(True)
        super().connectionMade()
        self.expect(self._limits.login_timeout)
        transport.write(b"* OK [CAPABILITY %b] imapd ready\r\n" % capabilities(self.session))

    def dataReceived(self, data: bytes) -> None:
        """As `Protocol`."""
        if self._closing:
            return
        self._intake.receive_data(data)
        self._arrived()
        self.read_less()

    def _arrived(self) -> None:
        """There may be another event."""
        if self._ended or self._closing:
            return
        if not self._running:
            self._turns.begin()
            self._running = True
            self._start(self._serve(heard=True))
        elif self._waiting is not None:
            self._turns.begin()
            self._active()
            try:
                event = self._next_event()
            except Gone:
                return
            if event is not None:
                waiting, self._waiting = self._waiting, None
                waiting.callback(event)
            elif self._intake.pending:
                self._clock.callLater(0, self._arrived)
            else:
                self.read_on()

    def _next_event(self) -> Event | None:
        """What the client sent next.  Raises `Gone`, having said BYE, when that cannot be read."""
        try:
            return self._intake.next_event()
        except BadStream:
            self._bye_to_bad_stream()
            raise Gone from None

    def _bye_to_bad_stream(self) -> None:
        self.bye("What you sent is not compressed by DEFLATE")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As `Protocol`."""
        super().connectionLost(reason)
        if self._idling is not None:
            idling, self._idling = self._idling, None
            idling.errback(Gone())
        if not self._running:
            self._start(self._finish())

    @property
    def unread(self) -> int:
        """As `PacedProtocol`."""
        return self._intake.waiting

    # What the session calls.

    @property
    def local(self) -> bool:
        """As `Peer`; who comes through a proxy is not."""
        if isinstance(self.transport, ProtocolWrapper):
            return False
        host = self.address
        return host is None or host == "::1" or host.startswith(("127.", "::ffff:127."))

    def write(self, data: bytes) -> None:
        """As `Peer`."""
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size > 65_536:
            self.flush()

    def write_sequence(self, parts: Sequence[bytes]) -> None:
        """As `Peer`."""
        self._out += parts
        self._out_size += sum(map(len, parts))
        if self._out_size > 65_536:
            self.flush()

    def flush(self) -> None:
        """Give the transport what was written."""
        if self._out:
            data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            self._out_size = 0
            if not self._ended:
                if self._intake.inflates:
                    data = self._deflater.deflate(data)
                self._sending.send(data)

    async def turn(self) -> None:
        """As `Peer`."""
        if self._paused:
            self.flush()
            await self.until_writable()
        if self._ended:
            raise Gone
        await self._turns.turn()

    async def event(self) -> Event:
        """As `Peer`."""
        event = self._next_event()
        while event is None and self._intake.pending:
            await self.turn()
            event = self._next_event()
        if event is None:
            self.read_on()
            self.flush()
            if self._ended:
                raise Gone
            self._waiting = Deferred()
            event = await self._waiting
        return event

    def start_tls(self) -> None:
        """As `Peer`."""
        self.flush()
        self.connection.clear()
        self._sending.encrypted()
        super().start_tls()

    @property
    def compressed(self) -> bool:
        """As `Peer`."""
        return self._intake.inflates

    def compress(self) -> None:
        """As `Peer`."""
        self.flush()
        self._intake.inflate()

    def start_over(self) -> None:
        """As `Peer`."""
        self.flush()
        self._intake.end_inflating()
        self._deflater.rest()
        self.expect(self._limits.login_timeout)

    def wake(self) -> None:
        """As `Peer`."""
        if self._idling is not None:
            waiting, self._idling = self._idling, None
            waiting.callback(None)
        elif not (self._running or self._ended or self._closing) and self.session.notices.speaks(
            self.session
        ):
            self._running = True
            self._start(self._serve(heard=False))

    async def idle(self) -> bytes:
        """As `Peer`."""
        self.connection.expect_line()
        lines: list[Event] = []
        line = self._next_event()
        self._waiting = Deferred()
        self._waiting.addCallbacks(self._line_in_idle, _nothing, callbackArgs=(lines,))
        if line is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(line)
        elif self._intake.pending:
            self._clock.callLater(0, self._arrived)
        while not lines:
            told = await self.session.told(self.session.news(expunges=True))
            self.flush()
            if self._paused:
                await self.until_writable()
                continue
            if lines or (told and self.session.notices.pending(self.session)):
                continue
            if self._ended:
                raise Gone
            self._deflater.rest()
            # Only the client ends IDLE: what cannot be asked now is asked again.
            again = None if told else self._clock.callLater(_AGAIN, self.wake)
            self._idling = Deferred()
            try:
                await self._idling
            finally:
                if again is not None and again.active():
                    again.cancel()
            await self._turns.turn()
        event = lines[0]
        if not isinstance(event, LineReceived):
            raise BadCommand("The line is too long")
        return event.data

    def _line_in_idle(self, event: Event, lines: list[Event]) -> None:
        lines.append(event)
        self.wake()

    def close(self) -> None:
        """As `Peer`: when the running command has been answered."""
        self._closing = True

    def _leave(self) -> None:
        if self._farewell:
            self.write(self._farewell)
        self.flush()
        self.leave()

    def bye(self, text: str) -> None:
        """End the connection, saying why (RFC 9051, 7.1.5); a command that runs is answered first."""
        if not self._closing:
            self._closing = True
            self._farewell = self.session.status(b"BYE", b"", text)
            if not self._running or self._waiting is not None:
                self._leave()
            else:
                self.expect(self._limits.write_timeout)

    # Serving.

    def _start(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """Most commands wait for nothing: a Deferred is only made for what does."""
        self._go_on(None, work)

    def _go_on(self, result: object, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """As far as it comes without waiting, with the result of what it waited for."""
        try:
            if isinstance(result, Failure):
                waiting = work.throw(result.value)  # type: ignore[arg-type]  # a failure has one
            else:
                waiting = work.send(result)
        except StopIteration:
            return
        except Exception:
            self._fault(Failure())  # type: ignore[no-untyped-call]
            return
        waiting.addBoth(self._go_on, work)

    def _fault(self, failure: Failure) -> None:
        if not isinstance(failure.value, Gone):
            self._policy.log.failure("a connection failed", failure)
            if not self._ended:
                self.transport.abortConnection()  # type: ignore[union-attr]

    async def _serve(self, heard: bool) -> None:
        """Answer what has come, and tell what the client wants to hear at any time."""
        session, intake = self.session, self._intake
        try:
            event = intake.next_event()
            while not self._closing:
                if event is None:
                    if intake.pending:
                        await self.turn()
                    elif not (session.notices.speaks(session) and await self._speak()):
                        break
                    event = intake.next_event()
                    continue
                heard = True
                rest = answer(session, event)
                if rest is not None:
                    await rest
                if self._paused or self._ended:
                    await self.turn()
                event = intake.next_event()
                if event is not None and self._out_size:
                    if not self._flushing:
                        self._flush_soon()
                    if self._turns.over():
                        await self._turns.turn()
            self.flush()
        except BadStream:
            self._bye_to_bad_stream()
        except Gone:
            pass
        finally:
            self._running = False
            if self._ended:
                await self._finish()
            elif self._closing:
                self._leave()
        self.read_on()
        if heard and not self._ended and not self._closing:
            self._active()

    async def _speak(self) -> bool:
        self.flush()
        await self.turn()
        return await self.session.speak()

    def _flush_soon(self) -> None:
        """What is answered goes out before the next command has been."""
        self._flushing = True
        self._clock.callLater(0, self._flush_now)

    def _flush_now(self) -> None:
        self._flushing = False
        self.flush()

    async def _finish(self) -> None:
        await self.session.close()

    # Waiting.

    def _active(self) -> None:
        """The client has sent something: that buys it time, once it has logged in."""
        if self.session.state is not State.NOT_AUTHENTICATED:
            self.expect(self._limits.idle_timeout)

    def timed_out(self) -> None:
        """As `PacedProtocol`."""
        if self._closing:
            self.give_up()
        elif self._running and self._waiting is None:
            # A long command is running; when it has logged in, its end starts the clock anew.
            self.expect(self._limits.login_timeout)
        else:
            self.bye("Too long without a command")


def _nothing(_: object) -> None:
    """Who has left waits for no line."""
