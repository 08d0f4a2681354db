"""LOGIN-REFERRALS, by configuration (RFC 2221)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd.config import BadConfig, configured
from imapd.preparing import prepare
from tests.dialogue import Server, same
from tests.test_switching import CONFIG

ALICE = "imap://alice;AUTH=*@two.example.org/"
THERE = f"a NO [REFERRAL {ALICE}] Your mail is on another server"


def _server(users: Mapping[str, str], **change: Any) -> Server:
    config = evolve(CONFIG, referred_users=users, **change)
    return Server(dialect=prepare(config, MemoryReactorClock()).factory.policy.dialect)


def test_advertised() -> None:
    """It is said where there is somebody to be referred, and only there (3)."""
    assert b"LOGIN-REFERRALS" in _server({"alice": ALICE}).connect().greeting
    assert b"LOGIN-REFERRALS" not in _server({}).connect().greeting


def test_login() -> None:
    """A user who has moved is told where to, and not let in (4.1)."""
    client = _server({"alice": ALICE}).connect()
    same(client.do("LOGIN alice secret"), THERE)
    same(client.do("SELECT INBOX"), "a BAD SELECT is not for this state")


def test_authenticate() -> None:
    """So it is with AUTHENTICATE (4.1)."""
    client = _server({"alice": ALICE}).connect()
    initial = b64encode(b"\0alice\0secret").decode()
    same(client.do(f"AUTHENTICATE PLAIN {initial}"), THERE)


def test_wrong_password() -> None:
    """Who does not know the password learns nothing (6)."""
    client = _server({"alice": ALICE}).connect()
    same(client.do("LOGIN alice wrong"), "a NO [AUTHENTICATIONFAILED] Authentication failed")
    same(client.do("LOGIN nobody wrong"), "a NO [AUTHENTICATIONFAILED] Authentication failed")


def test_referrals_are_no_failures() -> None:
    """A right password counts as right, however often it is sent."""
    client = _server({"alice": ALICE}).connect()
    for _ in range(10):
        same(client.do("LOGIN alice secret"), THERE)
    client.log_in("bob")


def test_others_stay() -> None:
    """Who has not moved is at home."""
    client = _server({"alice": ALICE}).client("bob")
    assert client.command("SELECT INBOX")[-1] == "a OK [READ-WRITE] Selected"


def test_enter() -> None:
    """With ``referrals.enter`` they are let in, to what is shared with them here (4, 4.1)."""
    client = _server({"alice": ALICE}, referred_enter=True).connect()
    same(
        client.do("LOGIN alice secret"),
        f"a OK [REFERRAL {ALICE}] Your own mailboxes are on another server",
    )
    assert client.command('LIST "" *')[-1] == "a OK LIST completed"


def test_everybody() -> None:
    """``*`` is all others, and ``%u`` the user, as URLs have it."""
    server = _server({"alice": ALICE, "*": "imap://%u;AUTH=*@three.example.org/"})
    same(server.connect().do("LOGIN alice secret"), THERE)
    same(
        server.connect().do("LOGIN bob secret"),
        "a NO [REFERRAL imap://bob;AUTH=*@three.example.org/] Your mail is on another server",
    )


def test_let_go() -> None:
    """The account that was opened for the password is closed again: nobody watches it."""
    server = _server({"alice": ALICE})
    closed = []
    account = server.store.open_account("alice")
    plain = type(account).close
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(account), "close", lambda self: closed.append(1) or plain(self))
        server.connect().do("LOGIN alice secret")
    assert closed == [1]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "two.example.org",
        "imap://two.example.org/",
        "imap://alice@two.example.org",
        "http://alice@two.example.org/",
        "imap://alice@two.example.org/ x",
        "imap://alice@two.example.org/]",
        "imap://alice@two.example.org/\\r\\n",
        "imap://älice@two.example.org/",
        "xyz imap://alice@two.example.org/",
    ],
)
def test_no_url(tmp_path: Any, url: str) -> None:
    """What is no IMAP URL with a user is an error that names the key (3)."""
    path = tmp_path / "imapd.toml"
    path.write_text(f'[referrals]\nusers = {{ alice = "{url}" }}\n', "utf-8")
    with pytest.raises(
        BadConfig, match=r"referrals.users: (?s:.*) is not a table of names and IMAP URLs"
    ):
        configured(path)


def test_one_url(tmp_path: Any) -> None:
    """A user has one home."""
    path = tmp_path / "imapd.toml"
    path.write_text(f'[referrals]\nusers = {{ alice = ["{ALICE}", "{ALICE}"] }}\n', "utf-8")
    with pytest.raises(BadConfig, match="one IMAP URL for each user"):
        configured(path)


def test_from_file(tmp_path: Any) -> None:
    """The file's table is what the server does."""
    path = tmp_path / "imapd.toml"
    path.write_text(f'[referrals]\nusers = {{ alice = "{ALICE}" }}\n', "utf-8")
    same(_server(configured(path).referred_users).connect().do("LOGIN alice secret"), THERE)
