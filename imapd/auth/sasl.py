"""The shape of an authentication exchange (RFC 4422), without input or output.

An exchange is a generator.  It yields challenges, is sent responses, and returns
credentials for `twisted.cred`::

    exchange = mechanism.exchange()
    challenge = next(exchange)              # to the client, base64
    exchange.send(response)                 # StopIteration.value: the credentials

The first challenge may be empty: then an initial response (RFC 4959) is simply the
first response, and a client that sent none is asked for it with an empty challenge.
Base64, "*" and the bounds of a line are the protocol's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from attrs import frozen
from twisted.cred.credentials import ICredentials
from twisted.cred.error import UnauthorizedLogin

__all__ = ["FIELD", "BadExchange", "Exchange", "MayNotActAs", "Mechanism", "words"]

Exchange = Generator[bytes, bytes, ICredentials]

#: Octets of a user name or a password.  RFC 4616, 2 asks for 255 at least; what
#: is longer is not a password, but work for whoever hashes it.
FIELD: Final = 1024


class BadExchange(Exception):
    """The client's response makes no sense.  The text may be shown to it."""


class MayNotActAs(BadExchange, UnauthorizedLogin):
    """The client asked to act as somebody else (RFC 5530: AUTHORIZATIONFAILED)."""


@frozen
class Mechanism:
    """One way to authenticate."""

    #: As in AUTH=name, in upper case.
    name: str
    #: The password itself is sent: not to be offered on a line others can read.
    plaintext: bool
    exchange: Callable[[], Exchange]


def words(field: bytes, what: str) -> bytes:
    """The field, when it can be a user name or a password: UTF-8, not empty, no NUL, not too long."""
    if not field:
        raise BadExchange(f"The {what} is empty")
    if len(field) > FIELD:
        raise BadExchange(f"The {what} is too long")
    if b"\0" in field:
        raise BadExchange(f"The {what} contains NUL")
    try:
        field.decode("utf-8")
    except UnicodeDecodeError:
        raise BadExchange(f"The {what} is not UTF-8") from None
    return field
