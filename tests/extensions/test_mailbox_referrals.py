"""MAILBOX-REFERRALS, by configuration, on each kind of store (RFC 2193)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd.config import configured
from imapd.preparing import prepare
from tests.dialogue import Dialogue, Server, letter, same
from tests.test_switching import CONFIG

FOO = "imap://alice;AUTH=*@two/SHARED/FOO"
MAILBOXES = {
    "SHARED/FOO": ("imap://%u;AUTH=*@two/SHARED/FOO",),
    "REMOTE": ("imap://%u;AUTH=*@two/REMOTE", "imap://%u;AUTH=*@three/REMOTE"),
}
TEXT = "The mailbox is on another server"


def _dialect() -> Any:
    config = evolve(CONFIG, referred_mailboxes=MAILBOXES)
    return prepare(config, MemoryReactorClock()).factory.policy.dialect


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Alice, some of whose mailboxes are elsewhere."""
    anywhere.factory.policy = evolve(anywhere.factory.policy, dialect=_dialect())
    return anywhere.client()


def test_advertised(server: Server) -> None:
    """It is said where there is something to refer to (3)."""
    assert b"MAILBOX-REFERRALS" not in server.connect().greeting
    assert b"MAILBOX-REFERRALS" in Server(dialect=_dialect()).connect().greeting


@pytest.mark.parametrize(
    "command",
    ["SELECT SHARED/FOO", "EXAMINE SHARED/FOO", "DELETE SHARED/FOO", "STATUS SHARED/FOO (UIDNEXT)",
     "CREATE SHARED/FOO"],
)  # fmt: skip
def test_referred(client: Dialogue, command: str) -> None:
    """Commands on a mailbox that is elsewhere are told where (4.1, 4.2)."""
    same(client.do(command), f"a NO [REFERRAL {FOO}] {TEXT}")


def test_append(client: Dialogue) -> None:
    """APPEND too, before the message is sent (4.1)."""
    same(client.do("APPEND SHARED/FOO", letter()), f"a NO [REFERRAL {FOO}] {TEXT}")
    same(client.do("NOOP"), "a OK NOOP completed")


def test_copy_and_move(client: Dialogue) -> None:
    """COPY and MOVE too, and the messages stay (4.4)."""
    client.fill(1).select()
    same(client.do("COPY 1 SHARED/FOO"), f"a NO [REFERRAL {FOO}] {TEXT}")
    same(client.do("MOVE 1 SHARED/FOO"), f"a NO [REFERRAL {FOO}] {TEXT}")
    same(client.do("FETCH 1 UID"), "* 1 FETCH (UID 1)", "a OK FETCH completed")


def test_replicas(client: Dialogue) -> None:
    """Several servers that have it are told in the owner's order (3)."""
    same(
        client.do("SELECT REMOTE"),
        f"a NO [REFERRAL imap://alice;AUTH=*@two/REMOTE imap://alice;AUTH=*@three/REMOTE] {TEXT}",
    )


def test_below(client: Dialogue) -> None:
    """What is below it is there too, its name as URLs have it (4.2)."""
    same(
        client.do('CREATE "SHARED/FOO/K&APY-ln/[a]%20b"'),
        f"a NO [REFERRAL {FOO}/K%C3%B6ln/%5Ba%5D%2520b] {TEXT}",
    )


def test_beside(client: Dialogue) -> None:
    """What only begins alike is here."""
    client.commands(["CREATE SHARED/FOOD", "SELECT SHARED/FOOD", "STATUS SHARED (MESSAGES)"])


def test_select_deselects(client: Dialogue) -> None:
    """A SELECT that is referred leaves nothing selected, as any that fails (RFC 9051, 6.3.2)."""
    client.select().do("SELECT SHARED/FOO")
    same(client.do("CHECK"), "a BAD CHECK is not for this state")


def test_rename_across(client: Dialogue) -> None:
    """RENAME tells pairs, here of two servers' (4.3)."""
    two, three = "imap://alice;AUTH=*@two", "imap://alice;AUTH=*@three"
    same(
        client.do("RENAME SHARED/FOO REMOTE/BAR"),
        f"a NO [REFERRAL {FOO} {two}/REMOTE/BAR] {TEXT}",
    )
    same(
        client.do("RENAME REMOTE BAR"),
        f"a NO [REFERRAL {two}/REMOTE {two}/BAR {three}/REMOTE {three}/BAR] {TEXT}",
    )


def test_rename_away(client: Dialogue) -> None:
    """A mailbox of this server cannot be given a name of another's."""
    client.ok("CREATE here")
    same(client.do("RENAME here SHARED/FOO/here"), f"a NO [CANNOT] {TEXT}")
    client.ok("SELECT here")


def test_list_is_local(client: Dialogue) -> None:
    """LIST and LSUB do not show what is elsewhere (3)."""
    client.commands(["CREATE SHARED/here", "SUBSCRIBE SHARED/FOO", "SUBSCRIBE SHARED/here"])
    same(
        client.do('LIST "" SHARED/*'),
        '* LIST (\\HasNoChildren) "/" SHARED/here',
        "a OK LIST completed",
    )
    same(client.do('LSUB "" *'), '* LSUB () "/" SHARED/here', "a OK LSUB completed")


def test_rlist(client: Dialogue) -> None:
    """RLIST shows both (3, 5.1)."""
    client.ok("CREATE SHARED/here")
    same(
        client.do('RLIST "" SHARED/%'),
        '* LIST (\\Remote \\HasNoChildren) "/" SHARED/FOO',
        '* LIST (\\HasNoChildren) "/" SHARED/here',
        "a OK RLIST completed",
    )
    same(
        client.do('RLIST "" REMOTE'),
        '* LIST (\\Remote \\HasNoChildren) "/" REMOTE',
        "a OK RLIST completed",
    )


def test_list_remote(client: Dialogue) -> None:
    """So does LIST (REMOTE), which took the place of RLIST (RFC 5258, 3.1)."""
    told = client.ok('LIST (REMOTE) "" (SHARED/FOO INBOX) RETURN (STATUS (MESSAGES))')
    same(
        told,
        '* LIST (\\HasNoChildren) "/" INBOX',
        "* STATUS INBOX (MESSAGES 0)",
        '* LIST (\\Remote \\HasNoChildren) "/" SHARED/FOO',
    )


def test_rlsub(client: Dialogue) -> None:
    """RLSUB shows subscriptions of both, and those only (5.2)."""
    client.commands(["SUBSCRIBE SHARED/FOO", "SUBSCRIBE SHARED/FOO/deep", "SUBSCRIBE INBOX"])
    same(
        client.do('RLSUB "" *'),
        '* LSUB () "/" INBOX',
        '* LSUB () "/" SHARED/FOO',
        '* LSUB () "/" SHARED/FOO/deep',
        "a OK RLSUB completed",
    )
    client.commands(["UNSUBSCRIBE SHARED/FOO", "UNSUBSCRIBE SHARED/FOO/deep"])
    same(client.do('RLSUB "" *'), '* LSUB () "/" INBOX', "a OK RLSUB completed")


@pytest.mark.parametrize("command", ["RLIST", 'RLIST ""', "RLSUB", 'RLSUB "" * x', 'RLSUB ("") *'])
def test_bad(client: Dialogue, command: str) -> None:
    """Wrong arguments are BAD (5.1, 5.2)."""
    assert client.do(command).startswith(b"a BAD ")


def test_without(server: Server) -> None:
    """Where nothing is configured there is neither command; LIST (REMOTE) shows what is here."""
    client = server.client()
    same(client.do('RLIST "" *'), "a BAD There is no such command")
    same(client.do('RLSUB "" *'), "a BAD There is no such command")
    same(client.ok('LIST (REMOTE) "" *'), '* LIST (\\HasNoChildren) "/" INBOX')


def test_before_login() -> None:
    """They are for after log-in."""
    client = Server(dialect=_dialect()).connect()
    same(client.do('RLIST "" *'), "a BAD RLIST is not for this state")


def test_everything_else_works(client: Dialogue) -> None:
    """An account with referrals is an account: mail comes in, big and small, is moved and idled on."""
    client.ok("CREATE Trash")
    client.append(letter("big", "x" * 78 + "\r\n"), letter("small")).select()
    client.commands(["STORE 1 +FLAGS (\\Seen)", "MOVE 1 Trash", "COPY 1 Trash", "EXPUNGE"])
    client.ok("RENAME Trash Bin")
    same(client.do("STATUS Bin (MESSAGES)"), "* STATUS Bin (MESSAGES 2)", "a OK STATUS completed")


def test_from_file(tmp_path: Any) -> None:
    """The file's table has one URL or several for each name."""
    path = tmp_path / "imapd.toml"
    path.write_text(
        "[referrals.mailboxes]\n"
        "One = 'imap://%u;AUTH=*@two/One'\n"
        "Two = ['imap://%u;AUTH=*@two/Two', 'imap://%u;AUTH=*@three/Two']\n"
    )
    found: Callable[[str], tuple[str, ...]] = configured(path).referred_mailboxes.__getitem__
    assert found("One") == ("imap://%u;AUTH=*@two/One",)
    assert found("Two") == ("imap://%u;AUTH=*@two/Two", "imap://%u;AUTH=*@three/Two")
