"""Certificates: what is loaded, what is refused and how, and what a client gets."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface.verify import verifyObject

from imapd.server.tls import BadCertificate, Certificate, self_signed, write_self_signed


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """The files of a new self-signed certificate."""
    path, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_self_signed(path, key)
    return path, key


def _handshake(certificate: Certificate, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    """A client's TLS socket after a handshake with `certificate` over a pair of real sockets."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    server = certificate.options().serverConnectionForTLS(None)

    def serve() -> None:
        server.set_accept_state()
        while True:
            try:
                server.do_handshake()
                break
            except SSL.WantReadError:
                _send(server, theirs)
                data = theirs.recv(65536)
                if not data:
                    break
                server.bio_write(data)
            except SSL.Error:
                break
        _send(server, theirs)
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return context.wrap_socket(ours, server_hostname=name)
    finally:
        thread.join(10)


def _send(server: SSL.Connection, to: socket.socket) -> None:
    while True:
        try:
            to.sendall(server.bio_read(65536))
        except (SSL.WantReadError, OSError):
            return


def _trusting(path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(path))


def test_provides(pair: tuple[Path, Path]) -> None:
    """A certificate is what Twisted's TLS asks for."""
    assert verifyObject(IOpenSSLServerConnectionCreator, Certificate(*pair).options())


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_handshake(pair: tuple[Path, Path], name: str) -> None:
    """A client that trusts the self-signed certificate finds this machine's names in it."""
    with _handshake(Certificate(*pair), _trusting(pair[0]), name) as client:
        assert client.version() == "TLSv1.3"


def test_strange_name_refused(pair: tuple[Path, Path]) -> None:
    """The certificate speaks for no other machine."""
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(Certificate(*pair), _trusting(pair[0]), "mail.example.org")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_tls_refused(pair: tuple[Path, Path]) -> None:
    """A client that knows only TLS 1.1 is not let in (RFC 9325, 3.1.1)."""
    context = _trusting(pair[0])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        _handshake(Certificate(*pair), context, "localhost")


def test_weak_cipher_refused(pair: tuple[Path, Path]) -> None:
    """In TLS 1.2 a cipher without AEAD is not agreed to (RFC 9325, 4.2)."""
    context = _trusting(pair[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    with pytest.raises((ssl.SSLError, OSError)):
        _handshake(Certificate(*pair), context, "localhost")


def test_tls_1_2(pair: tuple[Path, Path]) -> None:
    """A client of TLS 1.2 gets forward secrecy and AEAD."""
    context = _trusting(pair[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with _handshake(Certificate(*pair), context, "localhost") as client:
        cipher = client.cipher()
        assert cipher is not None
        assert cipher[0].startswith("ECDHE-ECDSA-")
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_reload(pair: tuple[Path, Path]) -> None:
    """After a reload new connections get the new certificate."""
    certificate = Certificate(*pair)
    new, key = self_signed()
    pair[0].write_bytes(new)
    pair[1].write_bytes(key)
    certificate.reload()
    with _handshake(certificate, _trusting(pair[0]), "localhost") as client:
        got = client.getpeercert(binary_form=True)
    assert got is not None
    assert x509.load_der_x509_certificate(got) == x509.load_pem_x509_certificate(new)


def test_bad_reload_changes_nothing(pair: tuple[Path, Path]) -> None:
    """When the new files are not usable, the old certificate stays in use."""
    certificate = Certificate(*pair)
    old = pair[0].read_bytes()
    pair[0].write_bytes(b"half a file")
    with pytest.raises(BadCertificate):
        certificate.reload()
    pair[0].write_bytes(old)
    with _handshake(certificate, _trusting(pair[0]), "localhost"):
        pass


def test_chain(tmp_path: Path) -> None:
    """The certificates behind the first in the file are sent too (fullchain.pem)."""
    leaf, key = self_signed()
    other, _ = self_signed(["ca.example.org"])
    (tmp_path / "full.pem").write_bytes(leaf + other)
    (tmp_path / "key.pem").write_bytes(key)
    certificate = Certificate(tmp_path / "full.pem", tmp_path / "key.pem")
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    client.set_connect_state()
    server = certificate.serverConnectionForTLS(None)
    server.set_accept_state()
    for one, another in [(client, server), (server, client)] * 3:
        with suppress(SSL.WantReadError):
            one.do_handshake()
        with suppress(SSL.WantReadError):
            another.bio_write(one.bio_read(65536))
    chain = client.get_peer_cert_chain()
    assert chain is not None
    assert [each.to_cryptography() for each in chain] == [
        x509.load_pem_x509_certificate(leaf),
        x509.load_pem_x509_certificate(other),
    ]


def test_key_mode(pair: tuple[Path, Path]) -> None:
    """Nobody but the owner reads a key that was generated."""
    assert os.stat(pair[1]).st_mode & 0o777 == 0o600


def test_never_overwrites(pair: tuple[Path, Path]) -> None:
    """Generating a certificate does not destroy a key that is there."""
    before = pair[1].read_bytes()
    with pytest.raises(FileExistsError):
        write_self_signed(*pair)
    assert pair[1].read_bytes() == before


def _encrypted() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("cert.pem", None, "there is no such file; name the PEM file of the certificate"),
        ("key.pem", None, "there is no such file; name the PEM file of the key"),
        ("cert.pem", b"nonsense", "is not a certificate in PEM"),
        ("key.pem", b"nonsense", "is not a private key in PEM"),
        ("key.pem", _encrypted(), "the key is encrypted; `openssl pkey -in "),
        ("key.pem", self_signed()[1], "this key is not that of the certificate"),
    ],
)
def test_errors(pair: tuple[Path, Path], file: str, content: bytes | None, says: str) -> None:
    """What is wrong with a file is said with its name and what to do."""
    path = pair[0].parent / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(BadCertificate) as caught:
        Certificate(*pair)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
