"""A mail transport's end of an LMTP connection to the store of a `tests.dialogue.Server`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from zope.interface import implementer

from imapd.auth.asking import IUserDirectory
from imapd.auth.realm import MailRealm
from imapd.delivery.lmtp import Policy
from imapd.delivery.recipients import Recipients
from imapd.model.limits import Limits
from imapd.server.flow import Turns
from imapd.server.lmtp import LMTPFactory
from tests.dialogue import Dialogue, Line, Server

__all__ = ["MOMENT", "connect", "factory", "message_of"]

MOMENT = datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone.utc)


@implementer(IUserDirectory)
class _Users:
    """The users of a `Server`."""

    def user(self, name: str) -> str | None:
        """As `IUserDirectory`."""
        return name if name in (*Server.USERS, "jörg") else None


def factory(
    server: Server, limits: Limits | None = None, full_is_permanent: bool = False, tls: Any = None
) -> LMTPFactory:
    """What listens beside the server's IMAP."""
    policy = Policy(
        recipients=Recipients(MailRealm(server.store), _Users()),
        limits=limits or Limits(),
        host="mail.example.org",
        full_is_permanent=full_is_permanent,
        now=lambda: MOMENT,
    )
    return LMTPFactory(policy, server.clock, Turns(server.clock), tls)


def connect(server: Server, made: LMTPFactory | None = None, hello: bool = True) -> Dialogue:
    """A connection that has said LHLO."""
    line = Line(server.clock, "127.0.0.1")
    line.protocol = (made or factory(server)).buildProtocol(line.peerAddr)  # type: ignore[assignment]
    client = Dialogue(server, line)
    server.clients.append(client)
    line.protocol.makeConnection(line)
    client.greeting = client.read()
    if hello:
        assert client.send(b"LHLO relay.example\r\n").startswith(b"250-")
    return client


def message_of(
    text: bytes, to: Sequence[bytes] = (b"alice@example.org",), sender: bytes = b"bob@example.com"
) -> bytes:
    """A whole transaction in one write (RFC 2920); `text` has its lines stuffed already."""
    lines = [b"MAIL FROM:<%b>\r\n" % sender, *(b"RCPT TO:<%b>\r\n" % each for each in to)]
    return b"".join([*lines, b"DATA\r\n", text, b".\r\n"])
