"""Where to listen: Twisted's endpoint strings, and what has to be known of them before.

* ``ssl:`` endpoints are made here, of the same words that Twisted's have, so that
  their certificate can be loaded again while they listen; their ``certKey`` may
  hold the chain as well.
* For IMAPS, an endpoint that is not TLS by itself (``tcp:993``) is put inside TLS.
* An endpoint is *local* when nobody can reach it from another machine.  One behind a
  proxy (``haproxy:``) never is: what comes over loopback may come from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from imapd.server.handover import HandedOver
from imapd.server.tls import Certificate

__all__ = ["BadListener", "Listener", "TLSEndpoint", "imap_listener", "imaps_listener",
           "lmtp_listener"]  # fmt: skip

#: The words of an endpoint in their order, where some may come without their name.
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "backlog", "interface"),
    "tls": ("path", "port", "backlog", "interface"),
    "ssl": (
        "port", "privateKey", "certKey", "sslmethod", "interface", "backlog", "extraCertChain",
        "dhParameters",
    ),
}  # fmt: skip

#: Endpoints that carry octets as they are.
_PLAIN: Final = frozenset({"tcp", "tcp6", "unix", "systemd", "fd", "stdio"})


class BadListener(ValueError):
    """Nobody can listen there; the text says what to write."""


@implementer(IStreamServerEndpoint)
@frozen
class TLSEndpoint:
    """Another endpoint, inside TLS."""

    endpoint: IStreamServerEndpoint
    certificate: Certificate

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """As `IStreamServerEndpoint`."""
        creator = self.certificate.options()
        listening: Deferred[IListeningPort] = self.endpoint.listen(
            TLSMemoryBIOFactory(creator, False, protocolFactory)
        )
        return listening


@frozen
class Listener:
    """One place to listen."""

    description: str
    endpoint: IStreamServerEndpoint = field(repr=False)
    #: Out of reach for other machines.
    local: bool
    #: What it shows, when that is ours to load again.
    certificate: Certificate | None = None


def imap_listener(reactor: object, description: str) -> Listener:
    """A listener for IMAP.  Raises `BadListener`."""
    kind, words = _words(description)
    if kind in ("ssl", "tls"):
        raise BadListener(
            f"{description!r} is TLS from the start; write it for IMAPS (listen.imaps, --imaps)"
        )
    return Listener(description, _endpoint(reactor, description), _local(kind, words))


def lmtp_listener(reactor: object, description: str) -> Listener:
    """A listener for LMTP.  Raises `BadListener`."""
    kind, words = _words(description)
    if kind in ("ssl", "tls"):
        raise BadListener(
            f"{description!r} is TLS from the start, which no transport speaks for LMTP;"
            " write tcp:24, which has STARTTLS"
        )
    return Listener(description, _endpoint(reactor, description), _local(kind, words))


def imaps_listener(
    reactor: object, description: str, certificate: Certificate | None, *, loopback: bool = False
) -> Listener:
    """A listener for IMAP inside TLS.  Raises `BadListener` and `imapd.server.tls.BadCertificate`.

    With `loopback`, an ``ssl:`` endpoint that names no interface is kept to this machine.
    """
    kind, words = _words(description)
    if loopback and kind == "ssl":
        words.setdefault("interface", "127.0.0.1")
    local = _local(kind, words)
    if kind == "ssl":
        certificate = _ssl_certificate(description, words)
        port = _ssl_port(reactor, description, words)
        return Listener(description, TLSEndpoint(port, certificate), local, certificate)
    endpoint = _endpoint(reactor, description)
    if description.removeprefix("haproxy:").partition(":")[0] not in _PLAIN:
        return Listener(description, endpoint, local)
    if certificate is None:
        raise BadListener(
            f"{description!r} needs a certificate; write tls.certificate (--certificate),"
            " or ssl:993:privateKey=k.pem:certKey=c.pem"
        )
    return Listener(description, TLSEndpoint(endpoint, certificate), local, certificate)


def _ssl_certificate(description: str, words: Mapping[str, str]) -> Certificate:
    if "sslmethod" in words:
        raise BadListener(f"{description!r}: leave sslmethod out; TLS 1.2 and 1.3 are spoken")
    # dhParameters are for ciphers that are not offered: keys are agreed on by elliptic curves.
    key = words.get("privateKey", "server.pem")
    return Certificate(
        Path(words.get("certKey", key)).absolute(),
        Path(key).absolute(),
        Path(words["extraCertChain"]).absolute() if "extraCertChain" in words else None,
    )


def _ssl_port(reactor: object, description: str, words: Mapping[str, str]) -> IStreamServerEndpoint:
    try:
        port, backlog = int(words["port"]), int(words.get("backlog", "50"))
    except (KeyError, ValueError):
        raise BadListener(
            f"{description!r} has no port; write ssl:993:privateKey=k.pem:certKey=c.pem"
        ) from None
    strange = sorted(set(words) - set(_WORDS["ssl"]))
    if strange:
        raise BadListener(
            f"{description!r}: ssl has no {strange[0]!r}; it has {', '.join(_WORDS['ssl'])}"
        )
    return TCP4ServerEndpoint(reactor, port, backlog, words.get("interface", ""))  # type: ignore[no-untyped-call]


def _endpoint(reactor: object, description: str) -> IStreamServerEndpoint:
    """As Twisted reads it."""
    if isinstance(reactor, HandedOver):
        description = reactor.stand_in(description)
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise BadListener(
            f"{description!r} is not an endpoint ({error});"
            " write for example tcp:143 or tcp:143:interface=127.0.0.1"
        ) from error
    return endpoint


def _words(description: str) -> tuple[str, dict[str, str]]:
    """The kind of an endpoint and its words by name, as `serverFromString` splits them."""
    fields: list[tuple[str | None, str]] = []
    name: str | None = None
    text = ""
    each = iter(description)
    for character in each:
        if character == ":":
            fields.append((name, text))
            name, text = None, ""
        elif character == "=" and name is None:
            name, text = text, ""
        elif character == "\\":
            text += next(each, "")
        else:
            text += character
    fields.append((name, text))
    kind, *rest = fields
    order = iter(_WORDS.get(kind[1], ()))
    return kind[1], {name or next(order, text): text for name, text in rest}


def _local(kind: str, words: Mapping[str, str]) -> bool:
    if kind in ("unix", "stdio"):
        return True
    if kind not in _WORDS:
        return False
    try:
        return ip_address(words.get("interface", "")).is_loopback
    except ValueError:
        return False
