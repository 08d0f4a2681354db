"""Endpoint strings: who can reach them, what certificate they show, what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.interfaces import IStreamServerEndpoint
from zope.interface.verify import verifyObject

from imapd.server.listening import BadListener, TLSEndpoint, imap_listener, imaps_listener
from imapd.server.tls import Certificate, self_signed, write_self_signed


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """The files of a new self-signed certificate."""
    path, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_self_signed(path, key)
    return path, key


@pytest.mark.parametrize(
    ("description", "local"),
    [
        ("tcp:143", False),
        ("tcp:143:interface=127.0.0.1", True),
        ("tcp:143:127.0.0.1", True),
        ("tcp:interface=127.0.0.5:port=143", True),
        ("tcp:143:interface=0.0.0.0", False),
        ("tcp:143:interface=192.0.2.1", False),
        ("tcp:143:interface=localhost", False),
        (r"tcp:143:interface=\:\:1", True),
        ("tcp6:143", False),
        (r"tcp6:143:interface=\:\:1", True),
        (r"tcp6:143:50:\:\:1", True),
        ("unix:/tmp/imap", True),
        ("haproxy:tcp:143:interface=127.0.0.1", False),
        ("haproxy:tcp:143", False),
        ("systemd:domain=INET:index=0", False),
    ],
)
def test_local(description: str, local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether another machine can get there is known before anything is opened."""
    # What systemd would have handed over.
    monkeypatch.setenv("LISTEN_PID", "0")
    if description.startswith("systemd"):
        pytest.importorskip("twisted.python.systemd")
        from imapd.server import listening

        monkeypatch.setattr(listening, "_endpoint", lambda reactor, description: None)
    assert imap_listener(reactor, description).local is local


def test_ssl(pair: tuple[Path, Path]) -> None:
    """An ssl: endpoint is one of ours, with a certificate that can be loaded again."""
    path, key = pair
    listener = imaps_listener(
        reactor, f"ssl:993:privateKey={key}:certKey={path}:interface=127.0.0.1", None
    )
    assert verifyObject(IStreamServerEndpoint, listener.endpoint)
    assert listener.local
    assert listener.certificate is not None
    assert (listener.certificate.path, listener.certificate.key) == (path, key)


def test_ssl_one_file(tmp_path: Path) -> None:
    """Key and certificate may be in one file, as with Twisted's own."""
    path = tmp_path / "both.pem"
    path.write_bytes(b"".join(self_signed()))
    assert imaps_listener(reactor, f"ssl:993:{path}", None).certificate is not None


def test_ssl_kept_to_this_machine(pair: tuple[Path, Path]) -> None:
    """When only this machine may come in, an ssl: endpoint that says no interface is loopback's."""
    path, key = pair
    plain = f"ssl:993:privateKey={key}:certKey={path}"
    assert not imaps_listener(reactor, plain, None).local
    assert imaps_listener(reactor, plain, None, loopback=True).local
    wide = f"{plain}:interface=0.0.0.0"
    assert not imaps_listener(reactor, wide, None, loopback=True).local


def test_tcp_inside_tls(pair: tuple[Path, Path]) -> None:
    """For IMAPS a plain endpoint is put inside TLS, with the server's own certificate."""
    certificate = Certificate(*pair)
    listener = imaps_listener(reactor, "tcp:993", certificate)
    assert isinstance(listener.endpoint, TLSEndpoint)
    assert listener.certificate is certificate


@pytest.mark.parametrize(("inner", "wrapped"), [("tcp:993", True), ("ssl:993:{both}", False)])
def test_behind_a_proxy(tmp_path: Path, inner: str, wrapped: bool) -> None:
    """TLS goes inside the proxy's connection, once."""
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(self_signed()))
    listener = imaps_listener(
        reactor, f"haproxy:{inner.format(both=both)}", Certificate(both, both)
    )
    assert isinstance(listener.endpoint, TLSEndpoint) is wrapped


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ("993", "'993' is not an endpoint "),
        ("tcp:imap", "'tcp:imap' is not an endpoint "),
        ("tcp:143:port=144", "'tcp:143:port=144' is not an endpoint "),
        ("ssl:993", "is TLS from the start; write it for IMAPS"),
    ],
)
def test_bad_imap(description: str, says: str) -> None:
    """What is no endpoint for IMAP is refused with what to write."""
    with pytest.raises(BadListener) as caught:
        imap_listener(reactor, description)
    assert says in str(caught.value)
    assert "write" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (":sslmethod=SSLv23_METHOD", "leave sslmethod out; TLS 1.2 and 1.3 are spoken"),
        (":colour=red", "ssl has no 'colour'; it has port, privateKey, certKey"),
        (":backlog=many", "has no port; write ssl:993:"),
    ],
)
def test_bad_ssl(pair: tuple[Path, Path], more: str, says: str) -> None:
    """What an ssl: endpoint does not have is refused with what it has."""
    path, key = pair
    with pytest.raises(BadListener) as caught:
        imaps_listener(reactor, f"ssl:993:privateKey={key}:certKey={path}{more}", None)
    assert says in str(caught.value)


def test_no_certificate() -> None:
    """IMAPS without any certificate is refused with the two ways to give one."""
    with pytest.raises(BadListener) as caught:
        imaps_listener(reactor, "tcp:993", None)
    assert str(caught.value) == (
        "'tcp:993' needs a certificate; write tls.certificate (--certificate),"
        " or ssl:993:privateKey=k.pem:certKey=c.pem"
    )
