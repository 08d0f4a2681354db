"""Clients that break off, talk nonsense or are none at all: the log stays calm, mail stays whole."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable

import pytest

from tests.interop.mail import letters
from tests.interop.running import Account


def _connected(account: Account, port: int) -> socket.socket:
    plug = socket.create_connection((account.host, port), timeout=10)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plug


def _read(plug: socket.socket, until: bytes = b"") -> bytes:
    """What is said up to some octets, or up to the end."""
    said = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while not (until and until in said):
            data = plug.recv(65536)
            if not data:
                break
            said += data
    return said


def _reset(plug: socket.socket) -> None:
    """Hang up as a crashing machine does: with RST."""
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plug.close()


def _log_in(account: Account, plug: socket.socket) -> None:
    plug.sendall(f"a LOGIN {account.user} {account.password}\r\n".encode())
    assert b"a OK" in _read(plug, b"a OK")


@pytest.mark.parametrize("end", [socket.socket.close, _reset], ids=["closed", "reset"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_upload_broken_off(
    account: Account, end: Callable[[socket.socket], None], tls: bool
) -> None:
    """A message whose upload breaks off is not there, whole or in part; the next one is."""
    (letter,) = letters(91, 1, ["long lines"])
    half = letter.octets[: len(letter.octets) // 2]
    for size in ("{%d}", "{%d+}"):
        plug = _connected(account, account.port("tls" if tls else "plain"))
        if tls:
            plug = account.server.context().wrap_socket(plug, server_hostname="localhost")
        _log_in(account, plug)
        plug.sendall(f"b APPEND INBOX {size % len(letter.octets)}\r\n".encode())
        if "+" not in size:
            _read(plug, b"+ ")
        plug.sendall(half)
        end(plug)
    account.fill("INBOX", letter.octets)
    assert [octets for _, octets in account.messages("INBOX")] == [letter.octets]


@pytest.mark.parametrize("end", [socket.socket.close, _reset], ids=["closed", "reset"])
def test_download_broken_off(account: Account, end: Callable[[socket.socket], None]) -> None:
    """A client that goes away in the middle of a large answer does not trouble the others."""
    account.fill("INBOX", *[b"Subject: large\r\n\r\n" + b"x" * 400_000] * 10)
    for _ in range(3):
        plug = _connected(account, account.server.imap)
        _log_in(account, plug)
        plug.sendall(b"b SELECT INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\nd FETCH 1:* BODY[]\r\n")
        _read(plug, b"1 FETCH")
        end(plug)
    assert len(account.messages("INBOX")) == 10


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n" * 100,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"EHLO localhost\r\nMAIL FROM:<a@example.org>\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        bytes(range(256)) * 40,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"a" * 200_000,
        b"a LOGIN {99999999999999999999}\r\n",
        b"a LOGIN {9999999+}\r\n",
        b"a AUTHENTICATE PLAIN\r\n!!!!\r\n",
        b"a STARTTLS\r\nno client hello\r\n",
    ],
    ids=[
        "nothing", "empty lines", "HTTP", "SMTP", "SSH", "octets", "ClientHello",
        "endless line", "endless literal", "large literal", "no base64", "no handshake",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tls", [False, True], ids=["imap", "imaps"])
def test_not_imap(account: Account, said: bytes, tls: bool) -> None:
    """Whoever talks something else to a port gets an end, and leaves no traceback."""
    plug = _connected(account, account.port("tls" if tls else "plain"))
    # The server may be quicker to hang up.
    with contextlib.suppress(OSError):
        plug.sendall(said)
        plug.shutdown(socket.SHUT_WR)
    _read(plug)
    plug.close()


def test_logout_ends_the_connection(account: Account, security: str) -> None:
    """After LOGOUT, and all that was sent behind it, the server is the first to hang up."""
    plug = _connected(account, account.port(security))
    plug.settimeout(5)
    if security == "starttls":
        _read(plug, b"\r\n")
        plug.sendall(b"a STARTTLS\r\n")
        _read(plug, b"\r\n")
    if security != "plain":
        plug = account.server.context().wrap_socket(plug, server_hostname="localhost")
    _log_in(account, plug)
    plug.sendall(b"b LOGOUT\r\nc NOOP\r\n")
    said = _read(plug)
    assert said.startswith(b"* BYE ")
    assert b"\r\nb OK " in said
    assert b"\r\nc " not in said
    plug.close()


def test_injection_before_starttls(account: Account) -> None:
    """Commands smuggled in behind STARTTLS, before the handshake, are never run."""
    plug = _connected(account, account.server.imap)
    _read(plug, b"\r\n")
    plug.sendall(b"a STARTTLS\r\nb CAPABILITY\r\nc NOOP\r\n")
    said = _read(plug, b"a OK")
    assert b"\r\nb " not in said
    with account.server.context().wrap_socket(plug, server_hostname="localhost") as secure:
        secure.sendall(b"d NOOP\r\n")
        assert _read(secure, b"\r\n").startswith(b"d OK")


def test_certificate_of_another(account: Account) -> None:
    """A client that does not trust the certificate goes away, and the log says no more than that."""
    plug = _connected(account, account.server.imaps)
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plug, server_hostname="localhost")
    plug.close()


def test_curl_speaks_http(program: Callable[..., str], account: Account) -> None:
    """A browser on the wrong port is told off and let go."""
    curl = program("curl", "apt-get install curl")
    for url in (
        f"http://localhost:{account.server.imap}",
        f"https://localhost:{account.server.imaps}",
    ):
        done = subprocess.run(
            [curl, "-sS", "--http0.9", "-k", "--max-time", "1", url], capture_output=True
        )
        assert b"BAD" in done.stdout
