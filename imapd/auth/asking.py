"""Asking a checker, whatever way it answers; and asking who there is."""

from __future__ import annotations

from typing import Any, Union

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import maybeDeferred
from zope.interface import Interface

__all__ = ["AvatarId", "IUserDirectory", "asked"]

#: Who somebody is: a name in UTF-8, or nobody in particular.
AvatarId = Union[bytes, tuple[()]]  # noqa: UP007  (evaluated; Python 3.10 takes both, mypy this)


class IUserDirectory(Interface):
    """Provided by a checker that can tell who there is, without a password: for mail to them."""

    def user(name: str) -> str | None:
        """The user of that name in the spelling of their avatar; None if there is none.

        Quick.  Raises `imapd.store.errors.StoreUnavailable` when it cannot be told just now.
        """


async def asked(checker: ICredentialsChecker, credentials: Any) -> AvatarId:
    """What the checker says: at once, by a Deferred, or by `UnauthorizedLogin`."""
    ask: Any = checker.requestAvatarId
    answer: AvatarId = await maybeDeferred(ask, credentials)
    return answer
