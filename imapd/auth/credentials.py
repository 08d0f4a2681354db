"""Credentials that remember where they came from, so that a checker can slow a guesser down."""

from __future__ import annotations

from hmac import compare_digest

from attrs import field, frozen
from twisted.cred.credentials import ICredentials, IUsernamePassword
from zope.interface import Attribute, Interface, implementer

__all__ = ["IFromPeer", "PeerPassword", "from_peer", "peer_of"]


class IFromPeer(Interface):
    """Credentials that know the other end of their connection."""

    peer: str | None = Attribute("Its IP address; None when it has none (a local socket).")


@implementer(IUsernamePassword, IFromPeer)
@frozen
class PeerPassword:
    """A name and a password, and who sent them."""

    username: bytes
    password: bytes = field(repr=False)
    peer: str | None = None

    def checkPassword(self, password: bytes) -> bool:
        """As `IUsernamePassword`, in a time that does not depend on what differs."""
        return compare_digest(self.password, password)


def from_peer(credentials: ICredentials, address: str | None) -> ICredentials:
    """The same credentials with the peer's IP address; others than passwords as they are."""
    if not IUsernamePassword.providedBy(credentials):
        return credentials
    return PeerPassword(credentials.username, credentials.password, address)


def peer_of(credentials: object) -> str | None:
    """Where credentials came from, if they say."""
    return credentials.peer if IFromPeer.providedBy(credentials) else None
