"""Remembering, for a short while, that a password was right.

Webmail logs in anew for every page (Roundcube: 44 times in a short visit), and a
strong hash costs 50 ms each time.  What is remembered is a keyed hash of name and
password, under a key that only this process has; only success is remembered.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import blake2b
from typing import Any, Final

from attrs import define, field, frozen
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred
from zope.interface import Interface, implementer

from imapd.auth.asking import AvatarId, asked

__all__ = ["IRemembers", "IRevised", "RememberingChecker", "fingerprint"]

#: Log-ins remembered at most; the one used longest ago goes first.
_ENTRIES: Final = 10_000


class IRevised(Interface):
    """A checker whose passwords can change, and that says when."""

    def revision() -> Hashable:
        """Differs from before as soon as anything changed.  Quick: asked at every log-in."""


class IRemembers(Interface):
    """A checker that may know an answer without checking."""

    def remembers(credentials: object) -> bool:
        """These credentials were right a moment ago."""


def fingerprint(key: bytes, credentials: Any) -> bytes:
    """Tells credentials apart, and says nothing about them without the key."""
    user: bytes = credentials.username
    mark = blake2b(len(user).to_bytes(8, "big") + user, key=key, digest_size=32)
    mark.update(credentials.password)
    return mark.digest()


@frozen
class _Entry:
    avatar_id: AvatarId
    until: float


@implementer(ICredentialsChecker, IRemembers)
@define(eq=False)
class RememberingChecker:
    """Answers for another checker; all is forgotten when its passwords change."""

    _checker: ICredentialsChecker
    _seconds: Callable[[], float] = field(repr=False)
    #: How long a success is remembered.
    _lifetime: float = 60.0
    _entries_max: int = _ENTRIES
    _key: bytes = field(factory=lambda: secrets.token_bytes(32), init=False, repr=False)
    _entries: OrderedDict[bytes, _Entry] = field(factory=OrderedDict, init=False, repr=False)
    _revision: Hashable = field(default=None, init=False, repr=False)

    credentialInterfaces = (IUsernamePassword,)

    def remembers(self, credentials: object) -> bool:
        """As `IRemembers`."""
        return self._known(fingerprint(self._key, credentials)) is not None

    def requestAvatarId(self, credentials: Any) -> Deferred[AvatarId]:
        """As `ICredentialsChecker`."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> AvatarId:
        mark = fingerprint(self._key, credentials)
        entry = self._known(mark)
        if entry is not None:
            self._entries.move_to_end(mark)
            return entry.avatar_id
        before = self._current()
        avatar_id = await asked(self._checker, credentials)
        if before == self._current():
            self._entries[mark] = _Entry(avatar_id, self._seconds() + self._lifetime)
            if len(self._entries) > self._entries_max:
                self._entries.popitem(last=False)
        return avatar_id

    def _known(self, mark: bytes) -> _Entry | None:
        revision = self._current()
        if revision != self._revision:
            self._entries.clear()
            self._revision = revision
        entry = self._entries.get(mark)
        if entry is not None and entry.until <= self._seconds():
            del self._entries[mark]
            return None
        return entry

    def _current(self) -> Hashable:
        if IRevised.providedBy(self._checker):
            return self._checker.revision()
        return None
