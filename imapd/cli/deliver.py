"""`imapd deliver`: a message from standard input into a user's mailbox, for procmail, fetchmail and cron.

Its exit status is one of sysexits.h, which mail transports understand: 75 asks them to try
again, the others are for good.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterator
from datetime import datetime
from socket import gethostname
from typing import IO, Any, Final

from attrs import define
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from imapd.auth.chain import FirstOf
from imapd.auth.maker import open_checker
from imapd.auth.realm import MailRealm
from imapd.cli.store_options import StoreOptions
from imapd.config import BadConfig, Config
from imapd.delivery.deposit import deposit
from imapd.delivery.paths import read_path
from imapd.delivery.recipients import Recipient, Recipients
from imapd.delivery.replies import Rejected
from imapd.delivery.trace import Trace
from imapd.preparing import store_of
from imapd.store import errors
from imapd.store.answers import settled
from imapd.store.interfaces import IMailStore, ISpools
from imapd.store.written import Written

__all__ = ["DeliverOptions", "deliver", "lines_of_wire"]

_PIECE: Final = 65_536
#: The line that stands before a message in an mbox; procmail and fetchmail may send it.
_FROM: Final = re.compile(rb"From (\S+)[^\n]*\n")
#: Octets in which it is looked for.
_FROM_MOST: Final = 1_024


class DeliverOptions(StoreOptions):
    """Options of `imapd deliver`."""

    synopsis = "USER [options]"
    longdesc = "Puts a message from standard input into a mailbox of USER."
    optParameters = [
        ["mailbox", "m", "", "The mailbox; INBOX if it is not there."],
        ["from", "f", "", "The sender of the envelope, for Return-Path."],
    ]

    def parseArgs(self, user: str = "", *more: str) -> None:
        """Whose mailbox it is."""
        if not user or more:
            raise UsageError("write imapd deliver USER, and perhaps -m MAILBOX")
        self["user"] = user

    def postOptions(self) -> None:
        """Say what is wrong before the message is read."""
        try:
            config = self.configuration()
        except BadConfig as error:
            print(f"imapd: {error}", file=sys.stderr)
            raise SystemExit(os.EX_CONFIG) from error
        if self["from"]:
            try:
                read_path(b"FROM:<%b>" % os.fsencode(self["from"]), b"FROM", empty=True)
            except Rejected as rejected:
                raise UsageError(f"--from: {rejected}") from rejected
        self["prepared"] = config


def lines_of_wire(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same octets with CRLF for every lone LF, in whatever pieces they come."""
    last = b""
    for piece in pieces:
        yield re.sub(rb"(?<!\r)\n", b"\r\n", last + piece)[len(last) :]
        last = b"\r" if piece.endswith(b"\r") else b""


@define
class _Delivery:
    """One run of the program."""

    config: Config
    user: str
    mailbox: str
    sender: str
    octets: IO[bytes]

    async def run(self, store: IMailStore) -> int:
        """Deliver; the exit status."""
        realm = MailRealm(store, self.config.mailboxes)
        recipients = Recipients(realm, FirstOf([open_checker(each) for each in self.config.auth]))
        recipient = await recipients.user(self.user)
        if recipient is None:
            return self._failed(os.EX_NOUSER, f"there is no user {self.user}")
        account = await recipients.account(Recipient(recipient))
        try:
            written = Written(ISpools(account, None), self.config.limits.spool)
            try:
                first = self.octets.read(_FROM_MOST)
                match = _FROM.match(first)
                if match is not None:
                    first = first[match.end() :]
                    self.sender = self.sender or match[1].decode("utf-8", "replace")
                await written.write(self._trace(recipient))
                for piece in lines_of_wire(self._pieces(first)):
                    if written.size + len(piece) > self.config.limits.message:
                        return self._failed(os.EX_DATAERR, "the message is too large")
                    await written.write(piece)
                content = await written.reader()
                await deposit(account, self.mailbox, content, _now)
            finally:
                written.close()
        finally:
            await settled(account.close())
        return os.EX_OK

    def _pieces(self, first: bytes) -> Iterator[bytes]:
        yield first
        while piece := self.octets.read(_PIECE):
            yield piece

    def _trace(self, recipient: str) -> bytes:
        trace = Trace(
            sender=re.sub(r"[\x00-\x20<>\x7f]", "", self.sender),
            client="",
            address=None,
            host=self.config.delivery_host or gethostname(),
            protocol="",
            identifier=secrets.token_hex(8),
            moment=_now(),
        )
        return trace.fields(recipient, shown=False)

    def failed(self, error: Exception) -> int:
        """The exit status of an exception; what it says goes to standard error."""
        if isinstance(error, errors.OverQuota):
            permanent = self.config.delivery_full_is_permanent
            return self._failed(os.EX_CANTCREAT if permanent else os.EX_TEMPFAIL, "mailbox full")
        if isinstance(error, errors.BadMailboxName):
            return self._failed(os.EX_NOUSER, str(error))
        if isinstance(error, (errors.TooBig, errors.CannotKeepBinary)):
            return self._failed(os.EX_DATAERR, str(error) or "the message cannot be kept")
        return self._failed(os.EX_TEMPFAIL, str(error) or "the store is not available")

    def _failed(self, status: int, text: str) -> int:
        print(f"imapd: {text}", file=sys.stderr)
        return status


def _now() -> datetime:
    return datetime.now().astimezone()


def deliver(options: DeliverOptions, octets: IO[bytes] | None = None) -> int:
    """Deliver what `octets`, standard input, has; the exit status."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    config: Config = options["prepared"]
    delivery = _Delivery(
        config, options["user"], options["mailbox"], options["from"], octets or sys.stdin.buffer
    )
    status = os.EX_SOFTWARE

    async def run() -> None:
        nonlocal status
        try:
            store = store_of(config, reactor)
        except BadConfig as error:
            print(f"imapd: {error}", file=sys.stderr)
            status = os.EX_CONFIG
            return
        try:
            status = await delivery.run(store)
        except Exception as error:
            status = delivery.failed(error)
        finally:
            await settled(store.close())

    def ended(outcome: object) -> None:
        if isinstance(outcome, Failure):
            print(f"imapd: {outcome.getErrorMessage()}", file=sys.stderr)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run()).addBoth(ended))
    reactor.run()
    return status
