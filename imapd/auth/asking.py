"""Asking a checker, whatever way it answers."""

from __future__ import annotations

from typing import Any, Union

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import maybeDeferred

__all__ = ["AvatarId", "asked"]

#: Who somebody is: a name in UTF-8, or nobody in particular.
AvatarId = Union[bytes, tuple[()]]  # noqa: UP007  (evaluated; Python 3.10 takes both, mypy this)


async def asked(checker: ICredentialsChecker, credentials: Any) -> AvatarId:
    """What the checker says: at once, by a Deferred, or by `UnauthorizedLogin`."""
    ask: Any = checker.requestAvatarId
    answer: AvatarId = await maybeDeferred(ask, credentials)
    return answer
