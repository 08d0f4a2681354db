"""URLAUTH (RFC 4467): URLs that let others read a message, or a part of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from zope.interface import classImplementsOnly

from imapd.model.limits import Limits
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryAccount, MemoryStore
from tests.dialogue import Dialogue, Server, same

_MESSAGE = b"""From: joe@example.com
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y

one
--y

Si vis pacem, para bellum.

--y--
--x--
""".replace(b"\n", b"\r\n")
_URL = "imap://alice@example.com/INBOX/;uid=1/;section=1.2;urlauth="
_TEXT = b"Si vis pacem, para bellum.\r\n"
_TOKEN = "91354a473744909de610943775f92038"


def _alice(server: Server) -> Dialogue:
    """Her INBOX has the message."""
    return server.client("alice").append(_MESSAGE)


def _authorized(client: Dialogue, rump: str) -> str:
    """The URL with its token."""
    answer = client.ok(f'GENURLAUTH "{rump}" INTERNAL')
    match = re.fullmatch(rb'\* GENURLAUTH "(.*:internal:[0-9a-f]{66})"\r\n', answer)
    assert match is not None, answer
    url = match[1].decode("ascii")
    assert url.startswith(f"{rump}:internal:")
    return url


def _fetched(server: Server, client: Dialogue, *urls: str) -> bytes:
    """The answer to URLFETCH, when it has come, with its tagged line away."""
    answer = client.do("URLFETCH " + " ".join(f'"{url}"' for url in urls))
    server.advance(1)
    answer += client.read()
    assert answer.endswith(b"a OK URLFETCH completed\r\n"), answer
    return answer[: -len(b"a OK URLFETCH completed\r\n")]


def _line(url: str, octets: bytes | None) -> bytes:
    if octets is None:
        return b'* URLFETCH "%b" NIL\r\n' % url.encode()
    return b'* URLFETCH "%b" {%d}\r\n%b\r\n' % (url.encode(), len(octets), octets)


def test_the_example(backend: Any) -> None:
    """RFC 4467's own example: a server of mail submission reads a part of a user's message."""
    server = backend.server()
    object.__setattr__(server.factory.policy, "submitters", frozenset(["bob"]))
    client = _alice(server)
    same(
        client.do('GENURLAUTH "imap://alice@example.com/INBOX/;uid=1/;section=1.2" INTERNAL'),
        "a BAD The URL has no access identifier",
    )
    same(
        client.do('GENURLAUTH "imap://example.com/INBOX/;uid=1/;section=1.2;urlauth=submit+fred" INTERNAL'),
        "a BAD The URL does not name the owner of the mailbox",
    )  # fmt: skip
    url = _authorized(client, _URL + "submit+fred")
    assert _fetched(server, server.client("bob"), url) == _line(url, _TEXT)
    server.close()
    backend.close()


def test_who_may(anywhere: Server) -> None:
    """RFC 4467, 3: each access identifier lets in whom it says, and nobody else."""
    object.__setattr__(anywhere.factory.policy, "submitters", frozenset(["carol"]))
    alice = _alice(anywhere)
    urls = [
        _authorized(alice, _URL + each)
        for each in ("anonymous", "authuser", "user+bob", "submit+bob")
    ]
    may = {
        "alice": [True, True, False, False],
        "bob": [True, True, True, False],
        "carol": [True, True, False, True],
    }  # fmt: skip
    for user, lets in may.items():
        expected = [_line(url, _TEXT if let else None) for url, let in zip(urls, lets)]
        assert _fetched(anywhere, anywhere.client(user), *urls) == b"".join(expected), user


def test_nothing_is_marked_or_selected(anywhere: Server) -> None:
    r"""Reading by URL sets no \Seen and leaves the selected mailbox alone."""
    alice = _alice(anywhere)
    url = _authorized(alice, _URL + "anonymous")
    bob = anywhere.client("bob", select="INBOX")
    assert _fetched(anywhere, bob, url) == _line(url, _TEXT)
    same(bob.do("CHECK"), "a OK CHECK completed")
    assert b"(UNSEEN 1)" in alice.ok("STATUS INBOX (UNSEEN)")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("", _MESSAGE),
        ("/;section=HEADER", _MESSAGE[: _MESSAGE.index(b"--x")]),
        ("/;section=1.1", b"one"),
        ("/;section=1.2/;partial=3.3", b"vis"),
        ("/;section=HEADER.FIELDS%20(From)", b"From: joe@example.com\r\n\r\n"),
        ("/;partial=6", _MESSAGE[6:]),
    ],
)
def test_what_is_read(anywhere: Server, part: str, expected: bytes) -> None:
    """The whole message, a part of it, or a range of octets (RFC 5092, 6; RFC 5550, 5.7.1)."""
    alice = _alice(anywhere)
    url = _authorized(alice, f"imap://alice@h/INBOX/;uid=1{part};urlauth=anonymous")
    answer = _fetched(anywhere, anywhere.client("bob"), url)
    if b"\n" in expected:
        assert answer == _line(url, expected)
    else:
        assert answer in (
            _line(url, expected),
            b'* URLFETCH "%b" "%b"\r\n' % (url.encode(), expected),
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("section=1.2", "section=1.1"),
        lambda url: url.replace("uid=1", "uid=2"),
        lambda url: url.replace("INBOX", "inbox"),
        lambda url: url.replace("anonymous", "ANONYMOUS"),
        lambda url: url.replace("example.com", "EXAMPLE.com"),
        lambda url: url.replace("INBOX", "%49NBOX"),
        lambda url: url.replace("alice", "bob"),
        lambda url: url.replace("alice", "nobody"),
        lambda url: url.replace("INBOX", "nowhere"),
        lambda url: url.replace("internal", "XSAMPLE"),
        lambda url: url.partition(":internal:")[0],
        lambda url: url.partition(":internal:")[0] + ":internal:" + _TOKEN,
        lambda url: "imap://alice@example.com/INBOX",
        lambda url: "imap://alice@example.com/",
        lambda url: "imap://example.com/INBOX?ALL",
        lambda url: "/INBOX/;uid=1",
        lambda url: "nonsense",
    ],
)
def test_a_url_that_was_changed(anywhere: Server, change: Any) -> None:
    """RFC 4467, 6 and 7: no octet of it may change; what is not valid is NIL, and OK."""
    alice = _alice(anywhere)
    url = change(_authorized(alice, _URL + "anonymous"))
    for user in ("alice", "bob"):
        assert _fetched(anywhere, anywhere.client(user), url) == _line(url, None)


def test_the_case_of_the_token(anywhere: Server) -> None:
    """Hexadecimal digits have no case, and the mechanism neither (RFC 4467, 9)."""
    alice = _alice(anywhere)
    rump, _, token = _authorized(alice, _URL + "anonymous").partition(":internal:")
    url = f"{rump}:INTERNAL:{token.upper()}"
    assert _fetched(anywhere, alice, url) == _line(url, _TEXT)


def test_time_tells_nothing(anywhere: Server) -> None:
    """Whether a user or mailbox exists cannot be learnt from the time: what is no good takes the same."""
    alice = _alice(anywhere)
    url = _authorized(alice, _URL + "anonymous")
    bob = anywhere.client("bob")
    for bad in (
        url.replace("alice", "nobody"), url.replace("INBOX", "nowhere"), url[:-1] + "x",
        url[:-1] + ("1" if url.endswith("0") else "0"), "imap://h/",
    ):  # fmt: skip
        bob.post(f'a URLFETCH "{bad}"\r\n'.encode())
        anywhere.settle()
        anywhere.advance(0.49)
        assert bob.read() == b"", bad
        anywhere.advance(0.02)
        assert bob.read().endswith(b"a OK URLFETCH completed\r\n")
    bob.post(f'a URLFETCH "{url}"\r\n'.encode())
    anywhere.settle()
    assert bob.read() == _line(url, _TEXT) + b"a OK URLFETCH completed\r\n"


def test_no_account_is_made() -> None:
    """A URL that names somebody who was never here makes no account."""
    store = MemoryStore()
    server = Server(store)
    url = f"imap://mallory@h/INBOX/;uid=1;urlauth=anonymous:internal:{_TOKEN}"
    assert _fetched(server, server.client("bob"), url) == _line(url, None)
    assert sorted(store._accounts) == ["bob"]


def test_expire(anywhere: Server) -> None:
    """RFC 4467, 3: after its date a URL is no good.  It is 9 September 2001, 01:46:40 UTC."""
    alice = _alice(anywhere)
    for moment, octets in [
        ("2001-09-09T01:46:39Z", None),
        ("2001-09-09T01:46:41Z", _TEXT),
        ("2001-09-09T03:46:41+02:00", _TEXT),
        ("2001-09-09T03:46:39+02:00", None),
    ]:
        rump = f"imap://alice@h/INBOX/;uid=1/;section=1.2;expire={moment};urlauth=anonymous"
        url = _authorized(alice, rump)
        assert _fetched(anywhere, anywhere.client("bob"), url) == _line(url, octets), moment


def test_a_key_is_reset(anywhere: Server) -> None:
    """RESETKEY of a mailbox voids its URLs, and no others."""
    alice = _alice(anywhere)
    alice.ok("CREATE Other")
    alice.append(_MESSAGE, mailbox="Other")
    inbox = _authorized(alice, _URL + "anonymous")
    other = _authorized(alice, _URL.replace("INBOX", "Other") + "anonymous")
    same(alice.do("RESETKEY INBOX"), "a OK [URLMECH INTERNAL] The key has changed")
    bob = anywhere.client("bob")
    assert _fetched(anywhere, bob, inbox, other) == _line(inbox, None) + _line(other, _TEXT)
    again = _authorized(alice, _URL + "anonymous")
    assert again != inbox
    assert _fetched(anywhere, bob, again) == _line(again, _TEXT)
    same(alice.do("RESETKEY"), "a OK All keys are removed")
    assert _fetched(anywhere, bob, again, other) == _line(again, None) + _line(other, None)


def test_a_reset_is_told(anywhere: Server) -> None:
    """Other sessions of the user that have the mailbox selected are told of URLMECH."""
    alice, again = _alice(anywhere), anywhere.client("alice", select="INBOX")
    idle = anywhere.client("alice", select="INBOX")
    idle.do("IDLE")
    alice.ok("RESETKEY INBOX INTERNAL")
    same(again.do("NOOP"), "* OK [URLMECH INTERNAL] Mechanisms", "a OK NOOP completed")
    same(idle.read(), "* OK [URLMECH INTERNAL] Mechanisms")
    same(again.do("NOOP"), "a OK NOOP completed")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RESETKEY nowhere", "NO [NONEXISTENT] there is no mailbox nowhere"),
        ("RESETKEY INBOX XSAMPLE", "NO [CANNOT] The only mechanism is INTERNAL"),
        (f'GENURLAUTH "{_URL}anonymous" XSAMPLE', "BAD The only mechanism is INTERNAL"),
        (f'GENURLAUTH "{_URL}anonymous:internal:{_TOKEN}" INTERNAL', "BAD The URL is authorized already"),
        (f'GENURLAUTH "{_URL}anonymous"', "BAD {{*}}"),
        ("GENURLAUTH", "BAD {{*}}"),
        ("URLFETCH", "BAD {{*}}"),
        ("URLFETCH x(", "BAD {{*}}"),
        ('GENURLAUTH "imap://bob@h/INBOX/;uid=1;urlauth=anonymous" INTERNAL',
         "BAD The URL is of another user"),
        ('GENURLAUTH "imap://alice@h/nowhere/;uid=1;urlauth=anonymous" INTERNAL',
         "BAD There is no such mailbox"),
        ('GENURLAUTH "imap://alice@h/INBOX;UIDVALIDITY=1/;uid=1;urlauth=anonymous" INTERNAL',
         "BAD It is of a mailbox that is no more"),
        ('GENURLAUTH "imap://alice@h/INBOX;urlauth=anonymous" INTERNAL', "BAD It is no URL of a message"),
        ('GENURLAUTH "imap://alice@h/INBOX/;uid=1;urlauth=user+" INTERNAL', "BAD It is no URL of a message"),
        ('GENURLAUTH "/INBOX/;uid=1;urlauth=anonymous" INTERNAL',
         "BAD The URL does not name the owner of the mailbox"),
    ],
)  # fmt: skip
def test_refused(anywhere: Server, command: str, answer: str) -> None:
    """RFC 4467, 7: what GENURLAUTH cannot vouch for is BAD."""
    same(_alice(anywhere).do(command), f"a {answer}")


def test_several_urls(anywhere: Server) -> None:
    """One GENURLAUTH may have several URLs, and they may be literals."""
    alice = _alice(anywhere)
    rump = (_URL + "anonymous").encode()
    answer = alice.send(
        b"a GENURLAUTH {%d+}\r\n%b INTERNAL %bauthuser internal\r\n"
        % (len(rump), rump, _URL.encode())
    )
    token = rb"[0-9a-f]{66}"
    found = re.fullmatch(
        rb'\* GENURLAUTH "(.*anonymous:internal:' + token + rb')" "(.*authuser:internal:' + token
        + rb')"\r\na OK GENURLAUTH completed\r\n', answer
    )  # fmt: skip
    assert found is not None, answer
    urls = [each.decode() for each in found.groups()]
    assert _fetched(anywhere, anywhere.client("bob"), *urls) == b"".join(
        _line(url, _TEXT) for url in urls
    )


def test_too_many_urls(server: Server) -> None:
    """The number of URLs in a command has a bound."""
    object.__setattr__(server.factory.policy, "limits", Limits(urls=2))
    client = _alice(server)
    same(client.do("URLFETCH a b c"), "a BAD too many URLs")
    assert _fetched(server, client, "a", "b") == _line("a", None) + _line("b", None)


def test_a_message_that_has_gone(anywhere: Server) -> None:
    """What the owner has removed cannot be read any more; nor what never was."""
    alice = _alice(anywhere).append(_MESSAGE)
    urls = [
        _authorized(alice, f"imap://alice@h/INBOX/;uid={rest};urlauth=anonymous")
        for rest in ("1", "2/;section=7", "3")
    ]
    alice.select()
    alice.ok("STORE 1 +FLAGS (\\Deleted)")
    alice.ok("EXPUNGE")
    assert _fetched(anywhere, anywhere.client("bob"), *urls) == b"".join(
        _line(url, None) for url in urls
    )


def test_a_mailbox_of_the_same_name(anywhere: Server) -> None:
    """A URL is of its mailbox: another that gets the name is not opened by it."""
    alice = anywhere.client("alice")
    alice.ok("CREATE box")
    alice.append(_MESSAGE, mailbox="box")
    url = _authorized(alice, _URL.replace("INBOX", "box") + "anonymous")
    alice.ok("RENAME box elsewhere")
    alice.ok("CREATE box")
    alice.append(_MESSAGE, mailbox="box")
    _authorized(alice, _URL.replace("INBOX", "box") + "user+carol")
    assert _fetched(anywhere, anywhere.client("bob"), url) == _line(url, None)


def test_only_when_logged_in(server: Server) -> None:
    """Strangers get nothing."""
    for command in ("URLFETCH x", "GENURLAUTH x INTERNAL", "RESETKEY"):
        name = command.split()[0]
        same(server.connect().do(command), f"a BAD {name} is not for this state")


def test_select_tells_of_it_under_tls(server: Server) -> None:
    """URLMECH is told of by SELECT when nobody can listen (RFC 4467, 8 and 10)."""
    client = server.client()
    assert b"URLMECH" not in client.ok("SELECT INBOX")
    client.protocol.secure = True
    for command in ("SELECT INBOX", "EXAMINE INBOX"):
        assert b"* OK [URLMECH INTERNAL] Mechanisms\r\n" in client.ok(command)


def test_it_is_advertised(server: Server) -> None:
    """A client finds the capability."""
    assert b"URLAUTH" in server.client().ok("CAPABILITY").split()


class _Keyless(MemoryAccount):
    """An account whose store keeps no keys."""


classImplementsOnly(_Keyless, IAccount)


def test_a_store_without_keys() -> None:
    """Where the store keeps no keys, the capability is not told, and the commands are refused."""
    store = MemoryStore()
    store._accounts["alice"] = _Keyless(store._new_uidvalidity)
    client = Server(store).client()
    assert b"URLAUTH" not in client.ok("CAPABILITY").split()
    same(
        client.do("RESETKEY INBOX"),
        "a NO [CANNOT] There are no authorized URLs for this account",
    )


def test_switched_off() -> None:
    """A listener can do without it; SELECT is silent then, and what builds on it goes too."""
    client = Server(without=["URLAUTH"]).client()
    told = client.ok("CAPABILITY").split()
    assert not {b"URLAUTH", b"URLAUTH=BINARY"} & set(told)
    same(client.do("URLFETCH x"), "a BAD There is no such command")
    client.protocol.secure = True
    assert b"URLMECH" not in client.ok("SELECT INBOX")
