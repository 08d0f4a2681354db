"""Everything of a configuration, made and not opened: whatever is wrong is said here.

It is said with file, key and remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import permutations
from pathlib import Path
from secrets import token_bytes
from socket import gethostname
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.portal import Portal
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from imapd import commands, extensions
from imapd.auth.cache import RememberingChecker
from imapd.auth.chain import FirstOf
from imapd.auth.maker import open_checker
from imapd.auth.mechanisms import MECHANISMS
from imapd.auth.realm import MailRealm
from imapd.auth.static import ILoopbackOnly
from imapd.auth.throttle import Throttle, ThrottlingChecker
from imapd.config import BadConfig, Config
from imapd.delivery.lmtp import Policy as DeliveryPolicy
from imapd.delivery.recipients import Recipients
from imapd.dialect import Dialect, Feature
from imapd.extensions import (
    filters,
    language,
    login_referrals,
    mailbox_referrals,
    metadata,
    utf8_accept,
    utf8_only,
)
from imapd.model.mailbox import DELIMITER
from imapd.server.factory import IMAPFactory
from imapd.server.listening import Listener, imap_listener, imaps_listener, lmtp_listener
from imapd.server.lmtp import LMTPFactory
from imapd.server.serving import Prepared
from imapd.server.tls import Certificate
from imapd.sharing import Sharing
from imapd.store.interfaces import IMailStore, IManyProcesses, IQuotas
from imapd.store.maker import open_store

__all__ = ["prepare", "store_of"]

_log = Logger(namespace="imapd")


def prepare(
    config: Config, reactor: Any, *, listening: Any = None, secret: bytes | None = None
) -> Prepared:
    """Make a server of a configuration.  Raises `BadConfig`.

    Its endpoints listen by way of `listening`, if that is not the reactor.  `secret` is what
    several processes tell passwords apart with that were wrong.
    """
    if not (config.imap or config.imaps or config.lmtp):
        raise config.error(
            "listen.imap", 'nowhere to listen; write imap = ["tcp:143"] or --imap tcp:143'
        )
    if not config.store:
        raise config.error(
            "store", 'no store; write store = "maildir:/var/mail/%u" or --store memory:'
        )
    checkers = _checkers(config)
    with _blaming(config, "tls.certificate"):
        certificate = _certificate(config)
    where = listening or reactor
    listeners = _listeners(config, where, certificate, any(map(_for_trial, checkers)))
    with _blaming(config, "listen.lmtp"):
        doors = [lmtp_listener(where, each) for each in config.lmtp]
    _refuse_trial(config, checkers, [*listeners, *doors])
    shown = [each.certificate for each in listeners if each.certificate is not None]
    if certificate is None and shown:
        # STARTTLS shows what IMAPS shows, unless it was told otherwise.
        certificate = shown[0]
    mechanisms = _mechanisms(config)
    features = _features(config)
    with _blaming(config, "capabilities.disabled"):
        dialect = Dialect.of(features, config.disabled)
    with _blaming(config, "metadata.filters"):
        filters.check(config.filters, config.limits, Dialect.of(features))
    dialects = _dialects(config, features)
    store = store_of(config, reactor)
    if config.workers > 1:
        _refuse_alone(config, store, [*listeners, *doors])
    throttle = _throttle(config, checkers, reactor)
    sharing = _sharing(config, store)
    realm = MailRealm(store, config.mailboxes, sharing)
    factory = IMAPFactory(
        Portal(realm, [_checker(config, checkers, reactor, throttle, secret)]),
        dialect=dialect,
        limits=config.limits,
        tls=certificate,
        plaintext_login=config.plaintext_login,
        mechanisms=mechanisms,
        clock=IReactorTime(reactor),
        submitters=config.submitters,
        administrators=config.administrators,
    )
    factory.serve(store)
    if not (certificate or config.plaintext_login or all(each.local for each in listeners)):
        _log.warn(
            "nobody can log in from another machine: there is neither a certificate"
            " (--certificate) nor --plaintext-login"
        )
    certificates = [each for each in (certificate, *shown) if each is not None]
    return Prepared(
        reactor,
        store,
        factory,
        listeners,
        list(dict.fromkeys(certificates)),
        dialects,
        doors,
        _lmtp(config, realm, checkers, factory, certificate) if doors else None,
        throttle,
    )


def store_of(config: Config, reactor: Any) -> IMailStore:
    """The store, that knows what accounts may hold.  Raises `BadConfig`."""
    with _blaming(config, "store"):
        store = open_store(reactor, config.store)
    quotas = IQuotas(store, None)
    if quotas is not None:
        quotas.allow_each(config.allowance)
        return store
    for name, limit in attrs.asdict(config.allowance).items():
        if limit is not None:
            raise config.error(f"quota.{name}", "this kind of store keeps no quotas")
    return store


def _lmtp(
    config: Config,
    realm: MailRealm,
    checkers: Sequence[ICredentialsChecker],
    factory: IMAPFactory,
    certificate: Certificate | None,
) -> LMTPFactory:
    policy = DeliveryPolicy(
        recipients=Recipients(realm, FirstOf(checkers), config.delivery_separator),
        limits=config.limits,
        host=config.delivery_host or gethostname(),
        full_is_permanent=config.delivery_full_is_permanent,
        now=factory.policy.now,
    )
    return LMTPFactory(policy, factory.clock, factory.turns, certificate)


def _dialects(config: Config, features: Sequence[Feature]) -> Mapping[str, Dialect]:
    """What is spoken at single places."""
    places = [*config.imap, *config.imaps]
    dialects = {}
    for place, without in config.disabled_on.items():
        with _blaming(config, "capabilities.disabled_on"):
            if place not in places:
                near = get_close_matches(place, places, 1, 0.0)[0]
                raise ValueError(f"{place!r} is not in [listen]; write for example {near!r}")
            dialects[place] = Dialect.of(features, [*config.disabled, *without])
    return dialects


def _features(config: Config) -> Sequence[Feature]:
    features = [*commands.FEATURES, *extensions.FEATURES]
    if config.utf8_only:
        features[features.index(utf8_accept.FEATURE)] = utf8_only.FEATURE
    elif config.utf8_strict:
        features[features.index(utf8_accept.FEATURE)] = utf8_accept.STRICT
    if config.language not in language.LANGUAGES:
        raise config.error(
            "capabilities.language",
            f"{config.language!r} is none of {', '.join(language.LANGUAGES)}; write 'en'",
        )
    features[features.index(metadata.FEATURE)] = metadata.feature(
        {
            "/shared/comment": config.metadata_comment,
            "/shared/admin": config.metadata_admin,
            **{filters.SHARED + name.lower(): value for name, value in config.filters.items()},
        }
    )
    features[features.index(filters.FEATURE)] = filters.feature(config.filters)
    features[features.index(language.FEATURE)] = language.feature(config.language)
    if config.referred_users:
        features.append(login_referrals.feature(config.referred_users, config.referred_enter))
    if config.referred_mailboxes:
        features.append(mailbox_referrals.feature(config.referred_mailboxes))
    return features


@contextmanager
def _blaming(config: Config, name: str) -> Iterator[None]:
    """Say with an error which key it is about."""
    try:
        yield
    except BadConfig:
        raise
    except ValueError as error:
        raise config.error(name, str(error)) from error


def _certificate(config: Config) -> Certificate | None:
    if not config.certificate:
        if config.key:
            raise config.error(
                "tls.key", "a key without its certificate; write tls.certificate too"
            )
        return None
    return Certificate(
        Path(config.certificate).absolute(), Path(config.key or config.certificate).absolute()
    )


def _listeners(
    config: Config, reactor: Any, certificate: Certificate | None, loopback: bool
) -> list[Listener]:
    listeners = []
    for each in config.imap:
        with _blaming(config, "listen.imap"):
            listeners.append(imap_listener(reactor, each))
    for each in config.imaps:
        with _blaming(config, "listen.imaps"):
            listeners.append(imaps_listener(reactor, each, certificate, loopback=loopback))
    return listeners


def _checkers(config: Config) -> list[ICredentialsChecker]:
    if not config.auth:
        raise config.error(
            "auth", 'nobody could log in; write auth = ["passwords:FILE"] or --auth passwords:FILE'
        )
    with _blaming(config, "auth"):
        return [open_checker(each) for each in config.auth]


def _for_trial(checker: ICredentialsChecker) -> bool:
    return bool(ILoopbackOnly.providedBy(checker))


def _refuse_trial(
    config: Config, checkers: Sequence[ICredentialsChecker], listeners: Sequence[Listener]
) -> None:
    """A checker for this machine only, and a listener for all, do not go together."""
    for description, checker in zip(config.auth, checkers):
        for listener in listeners:
            if _for_trial(checker) and not listener.local:
                raise config.error(
                    "auth",
                    f"{description.partition(':')[0]}: is for this machine only, and"
                    f" {listener.description} is open to others;"
                    " add :interface=127.0.0.1 to it, or use passwords:FILE",
                )


def _refuse_alone(config: Config, store: IMailStore, listeners: Sequence[Listener]) -> None:
    """What is of one process, and several, do not go together."""
    if not IManyProcesses.providedBy(store):
        raise config.error(
            "workers",
            f"what {config.store.partition(':')[0]}: keeps is in one process; write workers = 1,"
            ' or store = "maildir:/var/mail/%u"',
        )
    for listener in listeners:
        if listener.description.partition(":")[0] == "stdio":
            raise config.error(
                "workers", f"{listener.description!r} is of one process; write workers = 1"
            )


def _throttle(
    config: Config, checkers: Sequence[ICredentialsChecker], reactor: Any
) -> Throttle | None:
    if all(map(_for_trial, checkers)) or not config.longest_delay:
        return None
    return Throttle(IReactorTime(reactor).seconds, config.longest_delay)


def _checker(
    config: Config,
    checkers: Sequence[ICredentialsChecker],
    reactor: Any,
    throttle: Throttle | None,
    secret: bytes | None,
) -> ICredentialsChecker:
    """All checkers as one, that remembers and slows down."""
    clock = IReactorTime(reactor)
    checker: ICredentialsChecker = FirstOf(checkers)
    if all(map(_for_trial, checkers)):
        return checker
    if config.remember:
        checker = RememberingChecker(checker, clock.seconds, config.remember)
    if throttle is not None:
        checker = ThrottlingChecker(checker, clock, throttle, secret or token_bytes(32))
    return checker


def _sharing(config: Config, store: IMailStore) -> Sharing | None:
    """How users see mailboxes of each other, if they do."""
    if not config.sharing_account:
        return None
    prefixes = [
        name + DELIMITER if name else "" for name in (config.sharing_others, config.sharing_public)
    ]
    if all(prefixes) and any(one.startswith(other) for one, other in permutations(prefixes)):
        raise config.error(
            "sharing.public",
            f"{config.sharing_public!r} and {config.sharing_others!r} are one below the other;"
            " write public = 'Shared' and others = 'Other Users'",
        )
    return Sharing(
        store,
        config.sharing_account,
        prefixes[0],
        prefixes[1],
        config.sharing_administrators,
        config.sharing_groups,
    )


def _mechanisms(config: Config) -> dict[str, Any]:
    chosen = {}
    for name in config.mechanisms:
        if name.upper() not in MECHANISMS:
            near = get_close_matches(name.upper(), MECHANISMS, 1, 0.0)[0]
            raise config.error(
                "login.mechanisms",
                f"{name!r} is none of {', '.join(MECHANISMS)}; write for example {near!r}",
            )
        chosen[name.upper()] = MECHANISMS[name.upper()]
    return chosen
