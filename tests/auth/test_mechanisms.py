"""PLAIN and LOGIN: what a client sends, and who it is then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin

from imapd.auth.mechanisms import MECHANISMS
from imapd.auth.sasl import BadExchange, MayNotActAs


def _run(name: str, *responses: bytes) -> tuple[list[bytes], tuple[bytes, bytes]]:
    """The challenges of an exchange, and the name and password at its end."""
    exchange = MECHANISMS[name].exchange()
    challenges = [next(exchange)]
    for response in responses:
        try:
            challenges.append(exchange.send(response))
        except StopIteration as end:
            credentials = IUsernamePassword(end.value)
            return challenges, (credentials.username, credentials.password)
    raise AssertionError("the exchange wants more")


def test_plain() -> None:
    """The example of RFC 4616, 4, with a user of its own."""
    assert _run("PLAIN", b"\0tim\0tanstaaftanstaaf") == ([b""], (b"tim", b"tanstaaftanstaaf"))


def test_plain_as_oneself() -> None:
    """An identity that is the user's own changes nothing."""
    assert _run("PLAIN", b"tim\0tim\0x")[1] == (b"tim", b"x")


def test_plain_as_another() -> None:
    """RFC 4616, 4: "Ursel" wants to act as "Kurt"; nobody may here."""
    with pytest.raises(MayNotActAs) as caught:
        _run("PLAIN", b"Kurt\0Ursel\0xipj3plmq")
    assert isinstance(caught.value, UnauthorizedLogin)


def test_plain_utf8() -> None:
    """Names and passwords of any script come through."""
    assert _run("PLAIN", "\0Jürgen\0пароль".encode())[1] == ("Jürgen".encode(), "пароль".encode())


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (b"", "PLAIN takes an identity, a user and a password"),
        (b"tim\0secret", "PLAIN takes an identity, a user and a password"),
        (b"\0tim\0se\0cret", "PLAIN takes an identity, a user and a password"),
        (b"\0\0secret", "The user name is empty"),
        (b"\0tim\0", "The password is empty"),
        (b"\0\xff\0secret", "The user name is not UTF-8"),
        (b"\0tim\0\xc0\x80", "The password is not UTF-8"),
        (b"\0" + b"t" * 1025 + b"\0secret", "The user name is too long"),
        (b"\0tim\0" + b"s" * 1025, "The password is too long"),
    ],
)
def test_plain_nonsense(response: bytes, says: str) -> None:
    """What is no PLAIN message is refused in words a person understands."""
    with pytest.raises(BadExchange) as caught:
        _run("PLAIN", response)
    assert str(caught.value) == says


def test_login() -> None:
    """Two prompts, two answers."""
    assert _run("LOGIN", b"tim", b"secret") == ([b"User Name", b"Password"], (b"tim", b"secret"))


@pytest.mark.parametrize(
    "responses", [(b"",), (b"tim", b""), (b"t\0im",), (b"tim", b"\xff"), (b"t" * 1025,)]
)
def test_login_nonsense(responses: tuple[bytes, ...]) -> None:
    """Empty, broken or endless names and passwords are refused."""
    with pytest.raises(BadExchange):
        _run("LOGIN", *responses)


@given(st.sampled_from(sorted(MECHANISMS)), st.lists(st.binary(), min_size=2, max_size=2))
def test_any_responses(name: str, responses: list[bytes]) -> None:
    """Whatever is sent ends in credentials or in BadExchange."""
    try:
        _, (user, password) = _run(name, *responses)
    except BadExchange:
        return
    assert user.decode()
    assert password.decode()


def test_table() -> None:
    """Each mechanism is listed under its name, and says that it sends the password."""
    assert {name: mechanism.plaintext for name, mechanism in MECHANISMS.items()} == {
        "PLAIN": True,
        "LOGIN": True,
    }
    assert all(name == mechanism.name for name, mechanism in MECHANISMS.items())
