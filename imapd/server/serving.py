"""A server as a service: it listens, loads certificates again on SIGHUP, and ends in order.

At the end: no new connections, BYE to the old ones, then the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from imapd.auth.throttle import Throttle
from imapd.dialect import Dialect
from imapd.server.descriptors import raise_descriptors
from imapd.server.factory import IMAPFactory
from imapd.server.hangup import Hangup
from imapd.server.listening import Listener
from imapd.server.lmtp import LMTPFactory
from imapd.server.port import Listening
from imapd.server.tls import BadCertificate, Certificate
from imapd.store.answers import settled
from imapd.store.interfaces import IMailStore

__all__ = ["MailService", "Prepared"]

_log = Logger(namespace="imapd")

#: Seconds that clients have to read their BYE.
_FAREWELL: Final = 10.0


@frozen
class Prepared:
    """Everything that a server is made of, and no open socket."""

    reactor: Any = field(repr=False)
    store: IMailStore
    factory: IMAPFactory
    listeners: Sequence[Listener]
    certificates: Sequence[Certificate]
    #: Of listeners that speak something else than `factory`, by their description.
    dialects: Mapping[str, Dialect] = field(factory=dict, repr=False)
    #: Where mail comes in, and what takes it.
    doors: Sequence[Listener] = ()
    lmtp: LMTPFactory | None = None
    #: What slows down who guesses passwords.
    throttle: Throttle | None = None

    def factory_of(self, listener: Listener) -> IProtocolFactory:
        """What serves who comes there."""
        dialect = self.dialects.get(listener.description)
        return self.factory if dialect is None else self.factory.speaking(dialect)


class MailService(MultiService):
    """A running server."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.prepared = prepared
        self._hangup = Hangup(prepared.reactor, self.reload)
        for listener in prepared.listeners:
            self.addService(Listening(listener, prepared.factory_of(listener)))  # type: ignore[no-untyped-call]
        for door in prepared.doors:
            assert prepared.lmtp is not None
            self.addService(Listening(door, prepared.lmtp))  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """As `IService`."""
        super().startService()  # type: ignore[no-untyped-call]
        raise_descriptors()
        self._hangup.install()

    @property
    def connections(self) -> int:
        """How many are open."""
        lmtp = self.prepared.lmtp
        return self.prepared.factory.connections + (0 if lmtp is None else lmtp.connections)

    def stopService(self) -> Deferred[None]:
        """As `IService`: stop listening, say BYE, close the store."""
        self._hangup.remove()
        closed: Deferred[Any] = super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop(closed))

    async def _stop(self, closed: Deferred[Any]) -> None:
        await closed
        lmtp = self.prepared.lmtp
        farewell: Deferred[Any] = gatherResults(
            [self.prepared.factory.shutdown(), *([] if lmtp is None else [lmtp.shutdown()])],
            # Each is cancelled when time is up, which is nothing to log.
            consumeErrors=True,
        )
        farewell.addTimeout(_FAREWELL, self.prepared.reactor, onTimeoutCancel=_given_up)
        await farewell
        await settled(self.prepared.store.close())

    def reload(self) -> None:
        """Read the certificates again; connections that are open keep theirs."""
        for certificate in self.prepared.certificates:
            try:
                certificate.reload()
            except BadCertificate as error:
                _log.error("the old certificate stays in use: {error}", error=str(error))
            else:
                _log.info("{path}: certificate read again", path=certificate.path)


def _given_up(result: Any, timeout: float) -> None:
    _log.warn("some clients did not read their BYE in {timeout} seconds", timeout=timeout)
