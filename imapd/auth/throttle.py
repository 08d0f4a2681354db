"""Slowing down who guesses passwords.

* Failures are counted for the user and for the peer's address (an IPv6 network
  of 64 bits is one address; the machine itself, where webmail runs, is none).
* A few are free; then each answer waits, twice as long as the one before, right
  or wrong: a quick answer would tell.
* The same wrong password again counts once: a telephone with an old password is
  no guesser (so does Dovecot).
* Time forgives, success does not: or whoever has an account could guess for ever,
  and so could others whenever the owner logs in.
* Attempts under way count when they are many, so that guessing at once is no way round.
* What was right a moment ago does not wait, unless the peer has been guessing.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final
from unicodedata import normalize

from attrs import define, field, frozen
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from imapd.auth.asking import AvatarId, asked
from imapd.auth.cache import IRemembers, fingerprint
from imapd.auth.credentials import peer_of

__all__ = ["Throttle", "ThrottlingChecker", "network"]

#: Names and addresses kept in mind; the one seen longest ago is forgotten first.
_KEPT: Final = 10_000

#: Failures that cost nothing: people mistype.
_FREE: Final = 3

#: Log-ins under way at once that cost nothing: clients open several connections.
_AT_ONCE: Final = 10

#: Seconds after the last failure when all is forgiven.
_MEMORY: Final = 900.0

#: Seconds that the owner of a name others are guessing has to wait at most.
_LONGEST_FOR_USER: Final = 5.0

#: Wrong passwords told apart, for each name and address.
_TOLD_APART: Final = 4


@define
class _Record:
    failures: int = 0
    pending: int = 0
    last: float = 0.0
    wrong: tuple[bytes, ...] = ()


def network(peer: str | None) -> str | None:
    """What counts as one address; None for this machine, and for what is no IP address."""
    if peer is None:
        return None
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif not address.is_loopback:
            return str(ip_network((address, 64), strict=False))
    return None if address.is_loopback else str(address)


@define(eq=False)
class Throttle:
    """Counts failures by key, and says how long the next attempt has to wait."""

    _seconds: Callable[[], float]
    #: The longest wait, in seconds.
    longest: float = 15.0
    _kept: int = _KEPT
    #: Called with each failure that counts: other processes of the server count it too.
    tell_others: Callable[[str, bytes], object] | None = field(default=None, repr=False)
    _records: OrderedDict[str, _Record] = field(factory=OrderedDict, init=False, repr=False)

    def begin(self, key: str, longest: float) -> float:
        """An attempt starts: the seconds it has to wait.  Each is ended by one of the others."""
        record = self._record(key)
        many = max(0, record.pending - (_AT_ONCE if not record.failures else 0))
        record.pending += 1
        excess = record.failures + many - _FREE
        return min(longest, 2.0 ** min(excess, 20)) if excess >= 0 else 0.0

    def penalised(self, key: str) -> bool:
        """Failures beyond the free ones are on record."""
        record = self._records.get(key)
        return record is not None and record.failures >= _FREE

    def failed(self, key: str, mark: bytes) -> None:
        """The attempt was wrong; `mark` tells it from other wrong ones."""
        record = self._records.setdefault(key, _Record(pending=1))
        record.pending = max(0, record.pending - 1)
        if self._counted(record, mark) and self.tell_others is not None:
            self.tell_others(key, mark)

    def told(self, key: str, mark: bytes) -> None:
        """Another process said so to its `tell_others`."""
        self._counted(self._record(key), mark)

    def _record(self, key: str) -> _Record:
        """What is known, as far as it is not forgiven."""
        record = self._records.pop(key, None) or _Record()
        if record.failures and self._seconds() - record.last >= _MEMORY:
            record.failures, record.wrong = 0, ()
        self._records[key] = record
        while len(self._records) > self._kept:
            self._records.popitem(last=False)
        return record

    def _counted(self, record: _Record, mark: bytes) -> bool:
        if mark in record.wrong:
            return False
        record.wrong = (record.wrong + (mark,))[-_TOLD_APART:]
        record.failures += 1
        record.last = self._seconds()
        return True

    def left(self, key: str) -> None:
        """The attempt was right, or came to nothing: nothing is counted, nothing forgiven."""
        record = self._records.get(key)
        if record is not None:
            record.pending = max(0, record.pending - 1)
            if not record.pending and not record.failures:
                del self._records[key]


def _user_key(username: bytes) -> str:
    """A name as it is counted: however it is composed (RFC 8265, 3.3), and never long."""
    return f"user {normalize('NFC', username[:255].decode('utf-8', 'backslashreplace'))}"


@frozen
class _Key:
    name: str
    longest: float


@implementer(ICredentialsChecker)
@define(eq=False)
class ThrottlingChecker:
    """Answers for another checker, later and later to who is wrong.

    Credentials that know their peer (`imapd.auth.credentials.from_peer`) are counted for it too.
    """

    _checker: ICredentialsChecker
    _clock: IReactorTime = field(repr=False)
    throttle: Throttle = field(repr=False)
    #: What wrong passwords are told apart with.
    _secret: bytes = field(factory=lambda: secrets.token_bytes(32), repr=False)

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: Any) -> Deferred[AvatarId]:
        """As `ICredentialsChecker`."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> AvatarId:
        throttle = self.throttle
        peer = network(peer_of(credentials))
        keys = [_Key(_user_key(credentials.username), min(_LONGEST_FOR_USER, throttle.longest))]
        if peer is not None:
            keys.append(_Key(f"peer {peer}", throttle.longest))
        guessing = any(throttle.penalised(key.name) for key in keys[1:])
        wait = max(throttle.begin(key.name, key.longest) for key in keys)
        mark = fingerprint(self._secret, credentials)
        try:
            if wait and (guessing or not self._remembered(credentials)):
                await deferLater(self._clock, wait)
            avatar_id = await asked(self._checker, credentials)
        except UnauthorizedLogin:
            for key in keys:
                throttle.failed(key.name, mark)
            raise
        except BaseException:
            self._leave(keys)
            raise
        self._leave(keys)
        return avatar_id

    def _remembered(self, credentials: Any) -> bool:
        return IRemembers.providedBy(self._checker) and self._checker.remembers(credentials)

    def _leave(self, keys: Sequence[_Key]) -> None:
        for key in keys:
            self.throttle.left(key.name)
