"""LOGIN and AUTHENTICATE (RFC 9051, 6.2.2 and 6.2.3; RFC 4959)."""

from __future__ import annotations

from base64 import b64encode

import pytest

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, same

_PLAIN = b64encode(b"\0alice\0secret").decode()
_WELCOME = "a OK [CAPABILITY {{*}}] Logged in"
_WRONG = "a NO [AUTHENTICATIONFAILED] Authentication failed"


@pytest.fixture
def client(server: Server) -> Dialogue:
    """A client that has been greeted."""
    return server.connect()


@pytest.mark.parametrize(
    "command",
    ["LOGIN alice secret", 'login "alice" "secret"', 'Login alice "se\\cret"'.replace("\\c", "c"),
     "LOGIN {5+}\r\nalice {6+}\r\nsecret"],
)  # fmt: skip
def test_login(client: Dialogue, command: str) -> None:
    """A name and a password may be atoms, quoted or literals."""
    same(client.do(command), _WELCOME)
    assert client.do('LIST "" INBOX').endswith(b"a OK LIST completed\r\n")


def test_login_with_literals_that_wait(client: Dialogue) -> None:
    """A client that waits for leave before each literal gets it (RFC 9051, 4.3)."""
    assert client.send(b"a LOGIN {5}\r\n") == b"+ Go ahead\r\n"
    assert client.send(b"alice {6}\r\n") == b"+ Go ahead\r\n"
    same(client.send(b"secret\r\n"), _WELCOME)


@pytest.mark.parametrize(
    "command",
    ["LOGIN alice wrong", "LOGIN nobody secret", 'LOGIN alice ""', 'LOGIN "" secret',
     "LOGIN alice SECRET", b"LOGIN alice {6+}\r\nsecre\0", b"LOGIN {6+}\r\nalic\0e secret",
     b'LOGIN alice "\xff"', b"LOGIN {5+}\r\n\xff\xff\xff\xff\xff secret"],
)  # fmt: skip
def test_wrong(client: Dialogue, command: str | bytes) -> None:
    """The answer to a wrong name is that to a wrong password."""
    same(client.do(command), _WRONG)


@pytest.mark.parametrize("arguments", ["", " alice", " alice ", " alice secret more", " (a) b"])
def test_bad(client: Dialogue, arguments: str) -> None:
    """LOGIN takes a name and a password."""
    assert client.do("LOGIN" + arguments).startswith(b"a BAD expected ")


def test_twice(client: Dialogue) -> None:
    """Who has logged in does not log in again."""
    client.log_in()
    same(client.do("LOGIN bob secret"), "a BAD LOGIN is not for this state")
    same(client.do("AUTHENTICATE PLAIN"), "a BAD AUTHENTICATE is not for this state")


def test_plain_with_initial_response(client: Dialogue) -> None:
    """With an initial response AUTHENTICATE takes one step."""
    same(client.do(f"AUTHENTICATE PLAIN {_PLAIN}"), _WELCOME)


def test_plain_without(client: Dialogue) -> None:
    """Without, the client is asked by an empty challenge."""
    assert client.do("authenticate plain") == b"+ \r\n"
    same(client.send(_PLAIN.encode() + b"\r\n"), _WELCOME)


def test_login_mechanism(client: Dialogue) -> None:
    """AUTH=LOGIN, obsolete and still used, asks for a name and a password."""
    assert client.do("AUTHENTICATE LOGIN") == b"+ VXNlciBOYW1l\r\n"
    assert client.send(b"YWxpY2U=\r\n") == b"+ UGFzc3dvcmQ=\r\n"
    same(client.send(b"c2VjcmV0\r\n"), _WELCOME)


def test_cancelled(client: Dialogue) -> None:
    """An asterisk cancels (RFC 9051, 6.2.2)."""
    client.do("AUTHENTICATE PLAIN")
    same(client.send(b"*\r\n"), "a BAD The exchange was cancelled")
    client.log_in()


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (b"!!!", "a BAD not base64"),
        (b"", "a BAD {{*}}"),
        (b"YWxpY2U=", "a BAD PLAIN takes an identity, a user and a password"),
        (b64encode(b"bob\0alice\0secret"), "a NO [AUTHORIZATIONFAILED] You may not act as another user"),
        (b64encode(b"alice\0alice\0secret"), _WELCOME),
        (b64encode(b"\0alice\0wrong"), _WRONG),
        (b64encode(b"\0\0secret"), "a BAD The user name is empty"),
        (b64encode(b"\0alice\0" + b"x" * 2000), "a BAD The password is too long"),
    ],
)  # fmt: skip
def test_responses(client: Dialogue, response: bytes, answer: str) -> None:
    """What makes no sense is BAD; what is wrong is NO."""
    client.do("AUTHENTICATE PLAIN")
    same(client.send(response + b"\r\n"), answer)
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"


def test_empty_initial_response(client: Dialogue) -> None:
    """An equals sign is an initial response of no octets (RFC 4959, 3)."""
    same(client.do("AUTHENTICATE PLAIN ="), "a BAD PLAIN takes an identity, a user and a password")


def test_unknown_mechanism(client: Dialogue) -> None:
    """A mechanism that is not there is refused; the client may try another."""
    same(client.do("AUTHENTICATE GSSAPI"), "a NO [CANNOT] There is no such mechanism")
    client.log_in()


def test_a_response_without_end(client: Dialogue) -> None:
    """A response that never ends ends the connection."""
    client.do("AUTHENTICATE PLAIN")
    answer = client.send(b"A" * 20_000)
    assert answer.startswith(b"a BAD The line is too long\r\n")
    assert answer.endswith(b"* BYE The line is too long\r\n")
    assert not client.open


def test_too_many_failures(server: Server) -> None:
    """After five wrong passwords the connection ends."""
    client = server.connect()
    answers = [client.do("LOGIN alice wrong") for _ in range(5)]
    assert answers[:4] == [b"a NO [AUTHENTICATIONFAILED] Authentication failed\r\n"] * 4
    assert b"* BYE Too many failed log-ins\r\n" in answers[4]
    assert b"a NO [AUTHENTICATIONFAILED] Authentication failed\r\n" in answers[4]
    assert not client.open


def test_not_in_the_clear_from_afar(server: Server) -> None:
    """From another machine no password is taken without TLS (RFC 5530: PRIVACYREQUIRED)."""
    client = server.connect("192.0.2.1")
    same(client.do("LOGIN alice secret"), "a NO [PRIVACYREQUIRED] Start TLS first")
    same(client.do(f"AUTHENTICATE PLAIN {_PLAIN}"), "a NO [PRIVACYREQUIRED] Start TLS first")
    same(client.do("AUTHENTICATE PLAIN"), "a NO [PRIVACYREQUIRED] Start TLS first")


def test_allowed_in_the_clear() -> None:
    """Unless the owner has allowed it in so many words."""
    client = Server(plaintext_login=True).connect("192.0.2.1")
    assert b"LOGINDISABLED" not in client.greeting
    client.log_in()


def test_a_flood_of_small_literals_before_login() -> None:
    """What a stranger can make the server hold is small."""
    client = Server(limits=Limits()).connect()
    answer = client.send(b"a LOGIN " + b"{1+}\r\nx " * 5_000 + b"\r\n")
    same(answer, "a BAD [TOOBIG] The command is too long")
