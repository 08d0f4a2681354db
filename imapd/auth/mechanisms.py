"""The mechanisms of RFC 4422 that end in a password the server sees: PLAIN and LOGIN."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from twisted.cred.credentials import UsernamePassword

from imapd.auth.sasl import BadExchange, Exchange, MayNotActAs, Mechanism, words

__all__ = ["MECHANISMS", "login", "plain"]


def plain() -> Exchange:
    """PLAIN (RFC 4616): ``message = [authzid] UTF8NUL authcid UTF8NUL passwd``."""
    fields = (yield b"").split(b"\0")
    if len(fields) != 3:
        raise BadExchange("PLAIN takes an identity, a user and a password")
    authzid, authcid, password = fields
    user = words(authcid, "user name")
    if authzid not in (b"", user):
        raise MayNotActAs("You may not act as another user")
    return UsernamePassword(user, words(password, "password"))


def login() -> Exchange:
    """LOGIN (draft-murchison-sasl-login): two prompts, two answers; obsolete, and still used."""
    user = words((yield b"User Name"), "user name")
    password = words((yield b"Password"), "password")
    return UsernamePassword(user, password)


#: By name.
MECHANISMS: Final[Mapping[str, Mechanism]] = MappingProxyType(
    {
        mechanism.name: mechanism
        for mechanism in (
            Mechanism("PLAIN", plaintext=True, exchange=plain),
            Mechanism("LOGIN", plaintext=True, exchange=login),
        )
    }
)
