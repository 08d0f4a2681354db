"""Certificates: loaded with errors a person can act on, and loaded again while connections last.

A `Certificate` is what `startTLS` and TLS listeners are given.  It makes each new
connection from the context of the moment, so `reload` changes what new connections
get and touches no old one.

TLS as RFC 9325 asks: 1.2 and 1.3, forward secrecy and AEAD only, no compression,
no renegotiation.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

__all__ = ["BadCertificate", "Certificate", "beneath_tls", "self_signed", "write_self_signed"]

_log = Logger()

#: For TLS 1.2 (RFC 9325, 4.2); TLS 1.3 has only good ones.
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"

#: OpenSSL's SSL_OP_NO_RENEGOTIATION, which pyOpenSSL does not name everywhere (RFC 9325, 3.5).
_NO_RENEGOTIATION: Final = getattr(SSL, "OP_NO_RENEGOTIATION", 1 << 30)

#: How long a certificate made here is good; browsers and mail programs take no more than 825 days.
_SELF_SIGNED: Final = timedelta(days=730)


class BadCertificate(ValueError):
    """A certificate or key cannot be used; the text names the file and what to do."""


@implementer(IOpenSSLServerConnectionCreator)
@define(eq=False)
class Certificate:
    """A certificate and its key, from files, for any number of listeners.

    The certificate's file may hold the chain behind it (``fullchain.pem``) and the key,
    `chain` more certificates.  Raises `BadCertificate`.
    """

    path: Path = field(converter=Path)
    key: Path = field(converter=Path)
    chain: Path | None = None
    _context: SSL.Context = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._context = self._load()

    def options(self) -> IOpenSSLServerConnectionCreator:
        """For ``transport.startTLS`` and `twisted.protocols.tls.TLSMemoryBIOFactory`."""
        return self

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """As `IOpenSSLServerConnectionCreator`: with the certificate of this moment."""
        return SSL.Connection(self._context, None)

    def reload(self) -> None:
        """Read the files again.  On `BadCertificate`, what was there stays in use."""
        self._context = self._load()

    def _load(self) -> SSL.Context:
        certificates = _certificates(self.path)
        leaf, chain = certificates[0], certificates[1:]
        if self.chain is not None:
            chain += _certificates(self.chain)
        key = _key(self.key)
        if _public(key.public_key()) != _public(leaf.public_key()):
            raise BadCertificate(
                f"{self.key}: this key is not that of the certificate {self.path};"
                " name the two that were made together"
            )
        if leaf.not_valid_after_utc < datetime.now(timezone.utc):
            _log.warn("{path}: the certificate has expired; clients will refuse it", path=self.path)
        context = _empty_context()
        try:
            context.use_certificate(leaf)
            context.use_privatekey(key)
            for each in chain:
                context.add_extra_chain_cert(each)
        except (SSL.Error, TypeError, ValueError) as error:
            raise BadCertificate(
                f"{self.path}: OpenSSL does not take it ({error});"
                " use a certificate of RSA (2048 bits or more) or ECDSA (P-256)"
            ) from error
        return context


def _empty_context() -> SSL.Context:
    """A server's context, without a certificate."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_CIPHERS)
    context.set_options(
        SSL.OP_NO_COMPRESSION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        # Tickets whose key is never changed would undo forward secrecy (RFC 9325, 3.4).
        | SSL.OP_NO_TICKET
        | _NO_RENEGOTIATION
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    # An idle connection keeps no buffers.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    return context


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadCertificate(
            f"{path}: there is no such file; name the PEM file of {what}"
        ) from None
    except OSError as error:
        raise BadCertificate(
            f"{path}: {error.strerror}; let the server's user read {what}"
        ) from error


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, "the certificate"))
    except ValueError as error:
        if isinstance(error, BadCertificate):
            raise
        raise BadCertificate(
            f"{path}: is not a certificate in PEM (-----BEGIN CERTIFICATE-----); "
            f"`openssl x509 -in {path} -inform DER` turns DER into PEM"
        ) from error


def _key(path: Path) -> Any:
    data = _read(path, "the key")
    with suppress(OSError):
        if os.stat(path).st_mode & stat.S_IROTH:
            _log.warn("{path}: everybody can read this key; chmod o-r it", path=path)
    try:
        return serialization.load_pem_private_key(data, password=None)
    except TypeError as error:
        raise BadCertificate(
            f"{path}: the key is encrypted; `openssl pkey -in {path}` writes it without a pass phrase"
        ) from error
    except ValueError as error:
        raise BadCertificate(
            f"{path}: is not a private key in PEM (-----BEGIN PRIVATE KEY-----);"
            " name the file that was made with the certificate"
        ) from error


def _public(key: Any) -> bytes:
    data: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


def beneath_tls(transport: Any) -> Any:
    """The transport that carries the records of a TLS connection; None if it is none."""
    while isinstance(transport, ProtocolWrapper):
        if isinstance(transport, TLSMemoryBIOProtocol):
            return transport.transport
        transport = transport.transport
    # After STARTTLS.
    started = getattr(transport, "protocol", None)
    return started.transport if isinstance(started, TLSMemoryBIOProtocol) else None


def self_signed(
    names: Sequence[str] = ("localhost", "127.0.0.1", "::1"), *, now: datetime | None = None
) -> tuple[bytes, bytes]:
    """A certificate for host names and addresses, and its key, in PEM: for trying things."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = (now or datetime.now(timezone.utc)) - timedelta(minutes=5)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _SELF_SIGNED)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def write_self_signed(
    path: Path, key: Path, names: Sequence[str] = ("localhost", "127.0.0.1", "::1")
) -> None:
    """Put a new self-signed certificate and its key (mode 0600) in files that are not there yet."""
    certificate, secret = self_signed(names)
    for file, data, mode in ((key, secret, 0o600), (path, certificate, 0o644)):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
