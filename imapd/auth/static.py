"""Any user name, one password: to try the server, on this machine only."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from attrs import field, frozen
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import Interface, implementer

from imapd.auth.asking import AvatarId, IUserDirectory

__all__ = ["ILoopbackOnly", "StaticPassword", "open_static"]


class ILoopbackOnly(Interface):
    """A checker that must not be reached from other machines; the service sees to it."""


@implementer(ICredentialsChecker, ILoopbackOnly, IUserDirectory)
@frozen
class StaticPassword:
    """Lets in everybody who knows the password."""

    _password: bytes = field(repr=False)

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: Any) -> Deferred[AvatarId]:
        """As `ICredentialsChecker`."""
        if not compare_digest(credentials.password, self._password):
            return fail(UnauthorizedLogin("the password is wrong"))
        return succeed(credentials.username)

    def user(self, name: str) -> str | None:
        """As `IUserDirectory`: everybody, by a name without a domain."""
        return name if "@" not in name else None


def open_static(argument: str) -> StaticPassword:
    """The factory of ``static:PASSWORD``."""
    if not argument:
        raise ValueError("static: needs a password; write static:PASSWORD")
    return StaticPassword(argument.encode("utf-8"))
