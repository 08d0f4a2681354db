"""Several checkers as one: whoever is known to any of them may come in."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from attrs import frozen
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.auth.asking import AvatarId, IUserDirectory, asked
from imapd.auth.cache import IRevised

__all__ = ["FirstOf"]


@implementer(ICredentialsChecker, IRevised, IUserDirectory)
@frozen
class FirstOf:
    """Asks each in turn, where a `Portal` by itself keeps only the last checker of a kind.

    One that fails otherwise than by refusing is passed over, but if nobody
    accepts, its failure is the answer: "wrong password" would be a guess.
    """

    checkers: Sequence[ICredentialsChecker]

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: Any) -> Deferred[AvatarId]:
        """As `ICredentialsChecker`."""
        return Deferred.fromCoroutine(self._first(credentials))

    async def _first(self, credentials: Any) -> AvatarId:
        trouble: Exception | None = None
        for checker in self.checkers:
            try:
                return await asked(checker, credentials)
            except UnauthorizedLogin:
                continue
            except Exception as error:
                trouble = error
        raise trouble or UnauthorizedLogin("the name or the password is wrong")

    def revision(self) -> Hashable:
        """As `IRevised`, for all together."""
        return tuple(
            checker.revision() for checker in self.checkers if IRevised.providedBy(checker)
        )

    def user(self, name: str) -> str | None:
        """As `IUserDirectory`: of the first that has one of that name."""
        directories = (IUserDirectory(checker, None) for checker in self.checkers)
        found = (directory.user(name) for directory in directories if directory is not None)
        return next((user for user in found if user is not None), None)
