"""STARTTLS (RFC 9051, 6.2.1): the octets before the handshake do not count."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.dialogue import Server, same
from tests.looping import Looping


class Options:
    """What stands for a certificate where the handshake is only noted."""

    def options(self) -> str:
        """As `server.tls`."""
        return "the certificate"


def test_offered() -> None:
    """STARTTLS is offered where there is a certificate, until TLS is on."""
    server = Server(tls=Options())
    client = server.connect("192.0.2.1")
    assert b" STARTTLS" in client.greeting
    assert b" LOGINDISABLED" in client.greeting
    same(client.do("STARTTLS"), "a OK Begin the TLS handshake")
    assert client.transport.handshakes == ["the certificate"]
    capabilities = client.do("CAPABILITY")
    assert b"STARTTLS" not in capabilities
    assert b"LOGINDISABLED" not in capabilities
    assert b" AUTH=PLAIN" in capabilities
    client.log_in()


def test_not_without_certificate(server: Server) -> None:
    """Without one there is none."""
    client = server.connect()
    assert b"STARTTLS" not in client.greeting
    same(client.do("STARTTLS"), "a BAD There is no TLS here")


def test_not_twice() -> None:
    """TLS is not begun inside TLS."""
    client = Server(tls=Options()).connect()
    client.do("STARTTLS")
    same(client.do("STARTTLS"), "a BAD TLS is on already")


def test_not_after_login() -> None:
    """Nor after log-in."""
    client = Server(tls=Options()).client()
    same(client.do("STARTTLS"), "a BAD STARTTLS is not for this state")


@pytest.mark.parametrize(
    "injected",
    [
        b"b LOGIN alice secret\r\n",
        b"b LOGIN alice {6",
        b"b LOGIN {5}\r\n",
        b"b AUTHENTICATE PLAIN\r\n",
    ],
)
def test_injected(injected: bytes) -> None:
    """What an attacker put behind STARTTLS, whole or in part, is forgotten (CVE-2011-0411)."""
    client = Server(tls=Options()).connect()
    same(client.send(b"a STARTTLS\r\n" + injected), "a OK Begin the TLS handshake")
    same(client.do("NOOP"), "a OK NOOP completed")
    same(client.do("CREATE x"), "a BAD CREATE is not for this state")


# Real TLS, over real sockets.


@pytest.fixture
def looping() -> Iterator[Looping]:
    """A server in a process of its own."""
    with Looping() as made:
        yield made


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        octet = connection.recv(1)
        if not octet:
            return line
        line += octet
    return line


def _talk(connection: socket.socket) -> Callable[[bytes], bytes]:
    def do(command: bytes) -> bytes:
        connection.sendall(b"a " + command + b"\r\n")
        answer = b""
        while True:
            line = _line(connection)
            answer += line
            if not line or line.startswith(b"a "):
                return answer

    return do


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_over_sockets(looping: Looping) -> None:
    """A client starts TLS, logs in, and after LOGOUT sees a proper end of the connection."""
    with socket.create_connection(("127.0.0.1", looping.plain), 20) as plain:
        assert _line(plain).startswith(b"* OK [CAPABILITY ")
        do = _talk(plain)
        assert b"STARTTLS" in do(b"CAPABILITY")
        # The second command is an attacker's.
        plain.sendall(b"a STARTTLS\r\nb CREATE injected\r\n")
        assert _line(plain) == b"a OK Begin the TLS handshake\r\n"
        with _trusting().wrap_socket(plain) as secure:
            do = _talk(secure)
            assert b"STARTTLS" not in do(b"CAPABILITY")
            assert do(b"LOGIN alice secret").startswith(b"a OK ")
            assert b"injected" not in do(b'LIST "" *')
            assert do(b"LOGOUT") == b"* BYE Logging out\r\na OK LOGOUT completed\r\n"
            assert secure.recv(1) == b""


def test_implicit_tls(looping: Looping) -> None:
    """Over IMAPS no password is in the clear, and LOGOUT ends the connection at once."""
    with (
        socket.create_connection(("127.0.0.1", looping.secure), 20) as plain,
        _trusting().wrap_socket(plain) as secure,
    ):
        greeting = _line(secure)
        assert b" AUTH=PLAIN" in greeting
        assert b"STARTTLS" not in greeting
        do = _talk(secure)
        assert do(b"STARTTLS") == b"a BAD TLS is on already\r\n"
        assert do(b"LOGIN alice secret").startswith(b"a OK ")
        assert do(b"LOGOUT").endswith(b"a OK LOGOUT completed\r\n")
        assert secure.recv(1) == b""


def test_a_large_message_over_tls(looping: Looping) -> None:
    """Megabytes go both ways, though they are sent and read in pieces."""
    message = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 120_000
    with (
        socket.create_connection(("127.0.0.1", looping.secure), 20) as plain,
        _trusting().wrap_socket(plain) as secure,
    ):
        _line(secure)
        do = _talk(secure)
        do(b"LOGIN alice secret")
        assert do(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message)).startswith(
            b"a OK [APPENDUID"
        )
        do(b"SELECT INBOX")
        expected = (
            b"* 1 FETCH (BODY[] {%d}\r\n%b FLAGS (\\Seen \\Recent))\r\na OK FETCH completed\r\n"
        )
        expected %= (len(message), message)
        secure.sendall(b"a FETCH 1 BODY[]\r\n")
        answer = b""
        while len(answer) < len(expected):
            answer += secure.recv(65_536)
        assert answer == expected
