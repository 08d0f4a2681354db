"""Checking names and passwords against a password file.

* Hashing runs in a thread, and few at a time: each takes 64 MiB for some 50 ms.
* An unknown user costs the time of a known one.
* The file is read again when it has changed.  What cannot be read lets nobody in.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Hashable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHash, VerificationError
from attrs import define, field
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorFromThreads, IReactorThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from zope.interface import implementer

from imapd.auth.asking import AvatarId, IUserDirectory
from imapd.auth.cache import IRevised
from imapd.auth.passwdfile import BadPasswordFile, PasswordFile, normal
from imapd.store.errors import StoreUnavailable

__all__ = ["PasswordChecker", "open_passwords"]

#: What an unknown user is checked against when the file has nobody to take time from.
_DECOY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$eZzb+6woWqBNJJpgSVhnLA$"
    "jkvbNmAmC5Wqy3+SRpu1QNLFhDPBJwnvAExLiV3aodU"
)

#: Hashes at once: each holds 64 MiB.
_AT_ONCE: Final = 4


@implementer(ICredentialsChecker, IRevised, IUserDirectory)
@define(eq=False)
class PasswordChecker:
    """Lets in whom the file knows.

    `reactor` gives the thread pool; None is the process's own, looked up when it is needed.
    """

    file: PasswordFile
    _reactor: Any = field(default=None, repr=False)
    _at_once: DeferredSemaphore = field(
        factory=lambda: DeferredSemaphore(_AT_ONCE), init=False, repr=False
    )
    _secret: bytes = field(factory=lambda: secrets.token_bytes(16), init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _revision: Hashable = field(default=None, init=False, repr=False)
    _users: Mapping[str, str] = field(factory=dict, init=False, repr=False)

    credentialInterfaces = (IUsernamePassword,)
    _log = Logger()

    def revision(self) -> Hashable:
        """As `IRevised`."""
        return self.file.revision()

    def user(self, name: str) -> str | None:
        """As `IUserDirectory`."""
        try:
            user = normal(name)
        except ValueError:
            return None
        return user if user in self._current() else None

    def requestAvatarId(self, credentials: Any) -> Deferred[AvatarId]:
        """As `ICredentialsChecker`: the name in the file's own spelling, in UTF-8."""
        return Deferred.fromCoroutine(self._check(credentials.username, credentials.password))

    async def _check(self, username: bytes, password: bytes) -> AvatarId:
        try:
            user, secret = normal(username), normal(password)
        except ValueError:
            raise UnauthorizedLogin("not UTF-8, or too long") from None
        if not await self._at_once.run(self._in_thread, user, secret):
            raise UnauthorizedLogin("the name or the password is wrong")
        return user.encode("utf-8")

    def _in_thread(self, user: str, password: str) -> Deferred[bool]:
        reactor = self._reactor
        if reactor is None:
            from twisted.internet import reactor
        pool = IReactorThreads(reactor).getThreadPool()
        return deferToThreadPool(IReactorFromThreads(reactor), pool, self._verify, user, password)

    def _verify(self, user: str, password: str) -> bool:
        users = self._current()
        known = user in users
        hash_ = users[user] if known else self._decoy(user, users)
        try:
            PasswordHasher().verify(hash_, password)
        except (VerificationError, InvalidHash):
            return False
        return known

    def _decoy(self, user: str, users: Mapping[str, str]) -> str:
        """Some known user's hash, always the same one for a name: its time says nothing."""
        if not users:
            return _DECOY
        number = blake2b(user.encode("utf-8", "surrogatepass"), key=self._secret).digest()
        hashes = list(users.values())
        return hashes[int.from_bytes(number[:8], "big") % len(hashes)]

    def _current(self) -> Mapping[str, str]:
        """What the file says now."""
        with self._lock:
            revision = self.file.revision()
            if revision is None or revision != self._revision:
                try:
                    self._users = self.file.forgiving(self._report)
                except (OSError, BadPasswordFile) as error:
                    self._users, self._revision = {}, None
                    self._report(f"the password file cannot be read, nobody can log in: {error}")
                    raise StoreUnavailable("Passwords cannot be checked just now") from error
                self._revision = revision
            return self._users

    def _report(self, problem: str) -> None:
        self._log.error("{problem}", problem=problem)


def open_passwords(argument: str) -> PasswordChecker:
    """The factory of ``passwords:FILE``; what is wrong with the file is said at once."""
    if not argument:
        raise BadPasswordFile("passwords: needs a file; write passwords:/etc/imapd/passwords")
    file = PasswordFile(Path(argument))
    try:
        file.users()
    except FileNotFoundError:
        raise BadPasswordFile(
            f"{argument}: there is no such file; `imapd user --file {argument} add NAME` makes it"
        ) from None
    except OSError as error:
        raise BadPasswordFile(
            f"{argument}: {error.strerror}; let the server's user read it"
        ) from error
    return PasswordChecker(file)
