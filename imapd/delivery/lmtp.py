"""LMTP: what a mail transport says, and one answer for each recipient (RFC 2033).

Rules of this file:

* Commands are answered in the order in which they came (RFC 2920): a client need not wait
  for an answer but that to DATA and STARTTLS.
* A message's octets are taken whatever becomes of it, and answered for afterwards: one 250
  for each recipient in whose mailbox it is, on the disk, and another answer for each other.
* A message is in memory only as far as `Limits.spool` goes.  It comes once; each recipient
  gets the same octets behind trace fields of their own.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from attrs import define, evolve, field, frozen
from twisted.logger import Logger

from imapd.delivery.deposit import deposit, reply_to
from imapd.delivery.framing import End, Event, Framer, Line, Octets
from imapd.delivery.paths import Path, read_path
from imapd.delivery.recipients import Recipient, Recipients
from imapd.delivery.replies import BAD_SEQUENCE, OK, Rejected, Reply
from imapd.delivery.trace import Trace
from imapd.model.gone import Gone
from imapd.model.limits import Limits
from imapd.store.answers import settled
from imapd.store.errors import StoreError
from imapd.store.interfaces import IMessageReader, ISpools
from imapd.store.written import Written

__all__ = ["LMTPSession", "Peer", "Policy"]

#: Octets of a message that are copied at once.
_PIECE: Final = 65_536
#: What a client may call itself: it gets into a header field.
_HOST: Final = re.compile(r"[!-~\x80-\U0010ffff]{1,255}")
_BODIES: Final = ("7BIT", "8BITMIME", "BINARYMIME")
_TOO_LARGE: Final = Reply(552, "5.3.4", "The message is too large")
_WHAT: Final = Reply(500, "5.5.1", "There is no such command")


class Peer(Protocol):
    """The client's end, as a session sees it."""

    #: TLS is on.
    secure: bool

    @property
    def address(self) -> str | None:
        """Its IP address; None on a local socket."""

    def write(self, data: bytes) -> None:
        """Send octets; they may wait for others."""

    async def event(self) -> Event:
        """What the client sends next.  Raises `Gone`."""

    async def turn(self) -> None:
        """Let others have their turn if this one was long."""

    def can_start_tls(self) -> bool:
        """There is a certificate, and no TLS yet."""

    def start_tls(self) -> None:
        """Begin the handshake; what was received before it is forgotten."""

    def close(self) -> None:
        """End the connection when what was written is sent."""


@frozen
class Policy:
    """What a listener's owner decided; shared by its sessions."""

    recipients: Recipients
    limits: Limits
    #: What this machine calls itself.
    host: str
    #: A full mailbox stays full: the sender is told at once (552), and not after days of trying (452).
    full_is_permanent: bool
    now: Callable[[], datetime]


@define
class _Transaction:
    """What MAIL began (RFC 5321, 3.3)."""

    sender: Path
    utf8: bool
    binary: bool
    size: int
    recipients: list[tuple[Path, Recipient]] = field(factory=list)
    #: While BDAT goes on: what has come, and the answer if it cannot be kept.
    body: _Body | None = None


@define(eq=False)
class _Body:
    """A message while it comes."""

    written: Written
    most: int
    failure: Reply | None = None
    size: int = 0

    async def write(self, data: bytes) -> None:
        """Add octets, unless the message is lost already."""
        self.size += len(data)
        if self.size > self.most:
            self.failure = self.failure or _TOO_LARGE
        if self.failure is None:
            try:
                await self.written.write(data)
            except (StoreError, OSError) as error:
                self.failure = reply_to(error, False)


class LMTPSession:
    """What the server keeps of one connection."""

    def __init__(self, policy: Policy, peer: Peer, framer: Framer) -> None:
        self._policy = policy
        self._peer = peer
        self._framer = framer
        #: What the client calls itself; "" before LHLO.
        self._client = ""
        self._transaction: _Transaction | None = None
        self._bad = 0

    _log = Logger(namespace="imapd")

    def greet(self) -> None:
        """The first line."""
        self._peer.write(f"220 {self._policy.host} LMTP imapd ready\r\n".encode())

    async def answer(self, event: Event) -> None:
        """One command.  Raises `Gone`."""
        if isinstance(event, Line):
            reply = await self._command(event.data)
        else:
            reply = Reply(500, "5.5.2", "The line is too long")
        if reply is None:
            return
        self._peer.write(reply.wire())
        self._bad = self._bad + 1 if reply.code in (500, 501, 503, 555) else 0
        if self._bad >= self._policy.limits.bad_commands:
            self._peer.write(Reply(421, "4.7.0", "Too many bad commands").wire())
            self._peer.close()

    def close(self) -> None:
        """The connection has ended: what has come of a message is forgotten."""
        self._reset()

    def _reset(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None and transaction.body is not None:
            transaction.body.written.close()

    async def _command(self, line: bytes) -> Reply | None:
        name, _, argument = line.partition(b" ")
        command = _COMMANDS.get(name.upper())
        if command is None:
            return _WHAT
        try:
            return await command(self, argument)
        except Rejected as rejected:
            return rejected.reply
        except StoreError as error:
            return reply_to(error, self._policy.full_is_permanent)

    # Commands.

    async def _lhlo(self, argument: bytes) -> None:
        text = argument.decode("utf-8", "replace").strip()
        if _HOST.fullmatch(text) is None:
            raise Rejected(Reply(501, "5.5.4", "Write LHLO and your name"))
        self._reset()
        self._client = text
        words = [
            self._policy.host,
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            f"SIZE {self._policy.limits.message}",
            "CHUNKING",
            "BINARYMIME",
        ]
        if self._peer.can_start_tls():
            words.append("STARTTLS")
        lines = [f"250-{word}\r\n" for word in words[:-1]] + [f"250 {words[-1]}\r\n"]
        self._peer.write("".join(lines).encode())

    async def _mail(self, argument: bytes) -> Reply:
        if not self._client or self._transaction is not None:
            return BAD_SEQUENCE
        sender, parameters = read_path(argument, b"FROM", empty=True)
        _know(parameters, "SIZE", "BODY", "SMTPUTF8")
        size, body = parameters.get("SIZE", "0") or "", parameters.get("BODY", "7BIT") or ""
        if not (size.isascii() and size.isdigit() and len(size) <= 20):
            raise Rejected(Reply(501, "5.5.4", "SIZE is a number"))
        if body.upper() not in _BODIES or parameters.get("SMTPUTF8") is not None:
            raise Rejected(Reply(501, "5.5.4", "That is no value of a parameter"))
        if int(size) > self._policy.limits.message:
            return _TOO_LARGE
        transaction = _Transaction(
            sender, "SMTPUTF8" in parameters, body.upper() == "BINARYMIME", int(size)
        )
        _check_ascii(sender, transaction)
        self._transaction = transaction
        return evolve(OK, status="2.1.0")

    async def _rcpt(self, argument: bytes) -> Reply:
        transaction = self._transaction
        if transaction is None or transaction.body is not None:
            return BAD_SEQUENCE
        path, parameters = read_path(argument, b"TO", empty=False)
        _know(parameters)
        _check_ascii(path, transaction)
        if len(transaction.recipients) >= self._policy.limits.recipients:
            return Reply(452, "4.5.3", "Too many recipients")
        recipient = await self._policy.recipients.find(path)
        if recipient is None:
            return Reply(550, "5.1.1", f"<{path}> is nobody here")
        transaction.recipients.append((path, recipient))
        return evolve(OK, status="2.1.5")

    async def _data(self, argument: bytes) -> Reply | None:
        transaction = self._transaction
        if argument or transaction is None or transaction.body is not None or transaction.binary:
            return BAD_SEQUENCE
        if not transaction.recipients:
            return Reply(503, "5.5.1", "There are no recipients")  # RFC 2033, 4.2
        self._peer.write(b"354 Go on; a dot on a line ends the message\r\n")
        self._framer.expect_message()
        transaction.body = self._begun(transaction)
        await self._take(transaction.body)
        await self._deliver(transaction)
        return None

    async def _bdat(self, argument: bytes) -> Reply | None:
        """RFC 3030, 2: the octets come at once, so they are taken before anything is refused."""
        words = argument.upper().split(b" ")
        if not (words[0].isdigit() and len(words[0]) <= 18) or words[1:] not in ([], [b"LAST"]):
            # How much of what follows is a chunk nobody knows.
            self._peer.write(Reply(501, "5.5.4", "Write BDAT, a size, and LAST").wire())
            self._peer.close()
            return None
        transaction = self._transaction
        self._framer.expect_chunk(int(words[0]))
        if transaction is None or not transaction.recipients:
            await self._take(None)
            return BAD_SEQUENCE
        if transaction.body is None:
            transaction.body = self._begun(transaction)
        body = transaction.body
        await self._take(body)
        if len(words) == 2:
            await self._deliver(transaction)
            return None
        return body.failure or Reply(250, "2.0.0", f"{int(words[0])} octets taken")

    async def _rset(self, argument: bytes) -> Reply:
        self._reset()
        return OK

    async def _noop(self, argument: bytes) -> Reply:
        return OK

    async def _vrfy(self, argument: bytes) -> Reply:
        return Reply(252, "2.5.0", "Send mail, and see")

    async def _quit(self, argument: bytes) -> Reply:
        self._peer.close()
        return Reply(221, "2.0.0", "Goodbye")

    async def _starttls(self, argument: bytes) -> Reply | None:
        if not self._peer.can_start_tls():
            return _WHAT
        if argument:
            raise Rejected(Reply(501, "5.5.4", "Write STARTTLS alone"))
        self._peer.write(Reply(220, "2.0.0", "Go on").wire())
        self._peer.start_tls()
        # RFC 3207, 4.2: as if nothing had been said.
        self._reset()
        self._client = ""
        return None

    # Messages.

    def _begun(self, transaction: _Transaction) -> _Body:
        return _Body(Written(None, self._policy.limits.spool), self._policy.limits.message)

    async def _take(self, body: _Body | None) -> None:
        """Take octets until their end, even if they are for nobody."""
        while not isinstance(event := await self._peer.event(), End):
            assert isinstance(event, Octets)
            if body is not None:
                await body.write(event.data)
            await self._peer.turn()

    async def _deliver(self, transaction: _Transaction) -> None:
        """One answer for each recipient, in their order (RFC 2033, 4.2)."""
        body = transaction.body
        assert body is not None
        trace = self._trace(transaction)
        done: dict[Recipient, Reply] = {}
        try:
            for path, recipient in transaction.recipients:
                if recipient not in done:
                    alone = len(transaction.recipients) == 1
                    fields = trace.fields(str(path), shown=alone)
                    done[recipient] = body.failure or await self._deposited(
                        recipient, fields, await body.written.reader()
                    )
                reply = done[recipient]
                self._log.info(
                    "{id}: from <{sender}> to <{path}>: {code} {status}",
                    id=trace.identifier, sender=str(transaction.sender), path=str(path),
                    code=reply.code, status=reply.status,
                )  # fmt: skip
                self._peer.write(evolve(reply, text=f"<{path}> {reply.text}").wire())
                await self._peer.turn()
        finally:
            self._reset()

    def _trace(self, transaction: _Transaction) -> Trace:
        return Trace(
            sender=str(transaction.sender),
            client=self._client,
            address=self._peer.address,
            host=self._policy.host,
            protocol=("UTF8" if transaction.utf8 else "") + "LMTP" + "S" * self._peer.secure,
            identifier=secrets.token_hex(8),
            moment=self._policy.now(),
        )

    async def _deposited(self, recipient: Recipient, fields: bytes, body: IMessageReader) -> Reply:
        try:
            account = await self._policy.recipients.account(recipient)
            try:
                written = Written(ISpools(account, None), self._policy.limits.spool)
                try:
                    await written.make_room(len(fields) + body.size)
                    await written.write(fields)
                    for at in range(0, body.size, _PIECE):
                        await written.write(await settled(body.read(at, _PIECE)))
                        await self._peer.turn()
                    content = await written.reader()
                    await deposit(account, recipient.detail, content, self._policy.now)
                finally:
                    written.close()
            finally:
                await settled(account.close())
        except Gone:
            raise
        except Exception as error:
            return reply_to(error, self._policy.full_is_permanent)
        return Reply(250, "2.0.0", "is in the mailbox")


_Command = Callable[[LMTPSession, bytes], Awaitable[Reply | None]]
_COMMANDS: Final[Mapping[bytes, _Command]] = {
    b"LHLO": LMTPSession._lhlo,
    b"MAIL": LMTPSession._mail,
    b"RCPT": LMTPSession._rcpt,
    b"DATA": LMTPSession._data,
    b"BDAT": LMTPSession._bdat,
    b"RSET": LMTPSession._rset,
    b"NOOP": LMTPSession._noop,
    b"VRFY": LMTPSession._vrfy,
    b"QUIT": LMTPSession._quit,
    b"STARTTLS": LMTPSession._starttls,
}


def _know(parameters: Mapping[str, str | None], *known: str) -> None:
    for name in parameters:
        if name not in known:
            raise Rejected(Reply(555, "5.5.4", "There is no such parameter"))


def _check_ascii(path: Path, transaction: _Transaction) -> None:
    """RFC 6531, 3.5: other characters only for who said SMTPUTF8."""
    if not transaction.utf8 and not str(path).isascii():
        raise Rejected(Reply(553, "5.6.7", "An address in other characters needs SMTPUTF8"))
