"""Checkers by name: what a plugin says of one, without loading it."""

from __future__ import annotations

from attrs import frozen
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import ICheckerFactory
from twisted.plugin import IPlugin, getPlugins
from twisted.python.reflect import namedAny
from zope.interface import implementer

__all__ = ["CheckerMaker", "UnknownChecker", "open_checker"]


class UnknownChecker(ValueError):
    """No plugin provides such a checker, or its argument is wrong; the text says what to write."""


@implementer(IPlugin, ICheckerFactory)
@frozen
class CheckerMaker:
    """A plugin for `twisted.cred.strcred` that names its factory as text: ``factory(argument)``."""

    authType: str
    argStringFormat: str
    authHelp: str
    factory: str

    credentialInterfaces = (IUsernamePassword,)

    def generateChecker(self, argstring: str) -> ICredentialsChecker:
        """As `ICheckerFactory`."""
        checker: ICredentialsChecker = namedAny(self.factory)(argstring)  # type: ignore[no-untyped-call]
        return checker


def open_checker(description: str) -> ICredentialsChecker:
    """The checker of ``type:argument``, of any strcred plugin that checks passwords."""
    name, _, argument = description.partition(":")
    makers = {
        each.authType: each
        for each in getPlugins(ICheckerFactory)
        if IUsernamePassword in each.credentialInterfaces
    }
    if name not in makers:
        known = ", ".join(sorted(makers))
        raise UnknownChecker(f"no checker of passwords is called {name!r}; there are {known}")
    try:
        checker: ICredentialsChecker = makers[name].generateChecker(argument)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise UnknownChecker(str(error) or f"{name}: cannot be made of {argument!r}") from error
    return checker
