"""The factory: what one listener's connections share, and how an application makes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.portal import IRealm, Portal
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from imapd import commands, extensions
from imapd.auth.chain import FirstOf
from imapd.auth.mechanisms import MECHANISMS
from imapd.auth.realm import MailRealm
from imapd.dialect import Dialect
from imapd.model.limits import Limits
from imapd.server.flow import Turns
from imapd.server.imap import IMAPProtocol
from imapd.server.paced import PacedFactory
from imapd.session.ahead import Ahead
from imapd.session.at_hand import AtHand
from imapd.session.blocks import Blocks
from imapd.session.images import Images
from imapd.session.policy import Policy
from imapd.store.arrivals import IArrivals
from imapd.store.interfaces import IMailStore

__all__ = ["IMAPFactory", "imap_factory"]

#: Octets of rows of FETCH that are at hand.
_TEXTS: Final = 1 << 24


class IMAPFactory(PacedFactory):
    """Makes the protocol of each connection, for IMAP and IMAPS alike.

    `portal` gives `imapd.store.interfaces.IAccount` to whom it knows.  `tls` has a method
    ``options()`` that returns what ``startTLS`` takes; without it there is no STARTTLS.
    `plaintext_login` allows passwords without TLS from other machines too.  `without` names
    capabilities that are switched off, unless `dialect` says all that is spoken.  `submitters`
    are users that may read what URLs with ``submit+`` name (RFC 4467).  `administrators` may
    set quotas, of all users.
    """

    def __init__(
        self,
        portal: Portal,
        *,
        dialect: Dialect | None = None,
        without: Sequence[str] = (),
        limits: Limits | None = None,
        tls: Any = None,
        plaintext_login: bool = False,
        mechanisms: Mapping[str, Any] | None = None,
        clock: IReactorTime | None = None,
        submitters: Sequence[str] = (),
        administrators: Iterable[str] = (),
    ) -> None:
        super().__init__()
        if clock is None:
            from twisted.internet import reactor

            clock = IReactorTime(reactor)
        #: What its connections, and what else this process does for clients, share.
        self.clock = clock
        self.turns = Turns(clock)
        self._tls = tls
        blocks = Blocks(clock, self.turns.turn)
        limits = limits or Limits()
        self._ahead = Ahead(clock, blocks, self.turns.turn, limits)
        self.policy = Policy(
            dialect=dialect or Dialect.of([*commands.FEATURES, *extensions.FEATURES], without),
            images=Images(self.turns.turn, self._ahead.grown),
            texts=AtHand(clock, _TEXTS),
            blocks=blocks,
            limits=limits,
            mechanisms=MECHANISMS if mechanisms is None else mechanisms,
            portal=portal,
            plaintext_login=plaintext_login,
            log=Logger(namespace="imapd"),
            now=lambda: datetime.fromtimestamp(clock.seconds()).astimezone(),
            later=lambda seconds: deferLater(clock, seconds),
            seconds=clock.seconds,
            submitters=frozenset(submitters),
            administrators=frozenset(administrators),
        )

    def serve(self, store: IMailStore) -> None:
        """Let a store that the portal leads to say when messages have come, if it is `IArrivals`."""
        arrivals = IArrivals(store, None)
        if arrivals is not None:
            arrivals.prepare(lambda mailbox: self._ahead.arrived(mailbox, self.policy.images))

    def buildProtocol(self, addr: IAddress | None) -> IMAPProtocol:
        """As `Factory`."""
        return self._protocol(self.policy)

    def speaking(self, dialect: Dialect) -> Factory:
        """The same for a listener that speaks something else; `shutdown` is of its clients too."""
        policy = evolve(self.policy, dialect=dialect, memory={})
        return _Speaking(lambda: self._protocol(policy))

    def _protocol(self, policy: Policy) -> IMAPProtocol:
        protocol = IMAPProtocol(policy, self.turns, self.clock, self._tls)
        protocol.factory = self
        return protocol

    def stopFactory(self) -> None:
        """As `Factory`."""
        self._ahead.stop()
        self.policy.texts.clear()
        self.policy.blocks.at_hand.clear()


class _Speaking(Factory):
    noisy = False

    def __init__(self, made: Callable[[], IMAPProtocol]) -> None:
        self._made = made

    def buildProtocol(self, addr: IAddress | None) -> IMAPProtocol:
        """As `Factory`."""
        return self._made()


def imap_factory(
    store_or_portal: IMailStore | Portal,
    *,
    checkers: Sequence[ICredentialsChecker] = (),
    **options: Any,
) -> IMAPFactory:
    """A factory for an `IMailStore` whose users `checkers` know, or for a portal of one's own.

    `options` are those of `IMAPFactory`.
    """
    if isinstance(store_or_portal, Portal):
        return IMAPFactory(store_or_portal, **options)
    realm: IRealm = MailRealm(store_or_portal)
    factory = IMAPFactory(Portal(realm, [FirstOf(checkers)]), **options)
    factory.serve(store_or_portal)
    return factory
