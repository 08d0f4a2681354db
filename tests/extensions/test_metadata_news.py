"""Annotations that others changed, as clients are told of them (RFC 5464, 4.4.2; RFC 5465, 5.6 and 5.7)."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer_only

from imapd.extensions import metadata_news
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryAccount
from tests.dialogue import Dialogue, Server, same
from tests.sharing.houses import ALICES, opened_up

_BOX = f'"{ALICES}box"'
#: How a client says that it wants to hear of all of its own.
_WAYS = ("ENABLE METADATA", "NOTIFY SET (personal (MailboxMetadataChange ServerMetadataChange))")


@pytest.fixture(params=_WAYS, ids=["ENABLE", "NOTIFY"])
def asked(request: pytest.FixtureRequest) -> str:
    """Either way to ask."""
    way: str = request.param
    return way


@pytest.fixture
def client(anywhere: Server, asked: str) -> Dialogue:
    """Who wants to hear of annotations."""
    client = anywhere.client()
    client.commands(["CREATE box", asked])
    return client


@pytest.fixture
def other(anywhere: Server) -> Dialogue:
    """Another session of the same user."""
    return anywhere.client()


# Either way.


def _quiet(client: Dialogue) -> None:
    same(client.do("NOOP"), "a OK NOOP completed")


def _told(client: Dialogue, *lines: str) -> None:
    """These are told, at once or by NOOP."""
    early = client.read()
    same(early + client.ok("NOOP"), *lines)


def test_names_never_values(client: Dialogue, other: Dialogue) -> None:
    """The entries that changed are named: new, changed and removed ones, no other."""
    other.ok('SETMETADATA box (/private/a "1" /private/b "2" /shared/c "3")')
    _told(client, "* METADATA box /private/a /private/b /shared/c")
    other.ok('SETMETADATA box (/private/a NIL /private/b "new" /shared/c "3" /shared/d NIL)')
    _told(client, "* METADATA box /private/a /private/b")
    _quiet(client)


def test_not_ones_own(client: Dialogue, other: Dialogue) -> None:
    """What the client itself sets it is not told; every other session is."""
    other.ok("ENABLE METADATA")
    for name in ("box", '""'):
        same(client.do(f'SETMETADATA {name} (/private/a "1")'), "a OK SETMETADATA completed")
        _quiet(client)
        _told(other, f"* METADATA {name} /private/a")


def test_ones_own_and_anothers(client: Dialogue, other: Dialogue) -> None:
    """When another has changed the same entry since, that is told."""
    client.ok('SETMETADATA box (/private/a "1")')
    other.ok('SETMETADATA box (/private/a "2")')
    _told(client, "* METADATA box /private/a")


def test_in_idle(client: Dialogue, other: Dialogue) -> None:
    """A client that waits by IDLE is told at once, selected mailbox or not."""
    client.select("box")
    client.send(b"i IDLE\r\n")
    other.ok('SETMETADATA box (/shared/a "1")')
    same(client.read(), "* METADATA box /shared/a")
    other.ok('SETMETADATA INBOX (/shared/a "1")')
    same(client.read(), "* METADATA INBOX /shared/a")
    same(client.send(b"DONE\r\n"), "i OK IDLE ended")


def test_the_new_name(anywhere: Server, other: Dialogue) -> None:
    """A mailbox that was renamed is told of by its name of now; one that is gone is not."""
    client = anywhere.login(enable="METADATA")
    other.ok("CREATE box")
    other.commands(
        ['SETMETADATA box (/private/a "1")', "RENAME box new", "CREATE b2"]
        + ['SETMETADATA b2 (/private/a "1")', "DELETE b2"]
    )
    _told(client, "* METADATA new /private/a")


def test_names_are_the_clients(client: Dialogue, other: Dialogue) -> None:
    """Names are in modified UTF-7, and entries that are no atoms are quoted."""
    other.ok("CREATE &AOQ-")
    client.ok("NOOP")
    other.ok('SETMETADATA &AOQ- ("/private/two words" "1")')
    _told(client, '* METADATA &AOQ- "/private/two words"')


def test_many_in_one(client: Dialogue, other: Dialogue) -> None:
    """However many, all are told, a hundred at most in one response."""
    values = " ".join(f'/private/{n:03} "x"' for n in range(100))
    other.ok(f"SETMETADATA box ({values})")
    names = [f"/private/{n:03}" for n in range(100)]
    _told(client, "* METADATA box " + " ".join(names))
    client.send(b"i IDLE\r\n")
    values = " ".join(f"/private/{n:03} NIL" for n in range(100))
    other.ok(f'SETMETADATA box ({values} /private/new "y")')
    told = [line.split() for line in client.read().splitlines()]
    assert [line[:3] for line in told] == [[b"*", b"METADATA", b"box"]] * 2
    assert [len(line) - 3 for line in told] == [100, 1]
    assert {name for line in told for name in line[3:]} == {
        each.encode() for each in [*names, "/private/new"]
    }
    client.send(b"DONE\r\n")


def test_more_than_can_be_remembered(
    client: Dialogue, other: Dialogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When too much has changed, all that is there is told (RFC 5465, 5.6)."""
    monkeypatch.setattr(metadata_news, "_MOST", 0)
    other.ok('SETMETADATA box (/private/a "1" /private/b "2")')
    _told(client, "* METADATA box /private/a /private/b")
    other.ok('SETMETADATA box (/private/c "1" /private/a NIL)')
    _told(client, "* METADATA box /private/b /private/c")
    other.ok('SETMETADATA "" (/private/d "1")')
    _told(client, '* METADATA "" /private/d', "* METADATA box /private/b /private/c")
    _quiet(client)


def test_a_store_that_fails(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store cannot be asked, commands go on; it is told when it can."""
    server = Server()
    client, other = server.client(), server.client()
    client.ok(asked)
    client.ok("NOOP")
    mailboxes, failing = MemoryAccount.mailboxes, [True]

    def fails(self: MemoryAccount) -> Any:
        if failing:
            raise StoreUnavailable("no disk")
        return mailboxes(self)

    monkeypatch.setattr(MemoryAccount, "mailboxes", fails)
    other.ok("CREATE box")
    other.ok('SETMETADATA box (/private/a "1")')
    _quiet(client)
    client.send(b"i IDLE\r\n")
    other.ok('SETMETADATA box (/private/b "1")')
    same(client.send(b"DONE\r\n"), "i OK IDLE ended")
    failing.clear()
    _told(client, "* METADATA box /private/a /private/b")


# ENABLE.


def test_enabled(anywhere: Server) -> None:
    """METADATA is enabled; METADATA-SERVER is not, where there is METADATA (RFC 5464, 4.1)."""
    same(
        anywhere.client().do("ENABLE METADATA METADATA-SERVER"),
        "* ENABLED METADATA",
        "a OK ENABLE completed",
    )


def test_not_enabled(anywhere: Server, other: Dialogue) -> None:
    """Who has not asked is told nothing (RFC 5464, 4.1)."""
    client = anywhere.client(select="INBOX")
    other.ok('SETMETADATA INBOX (/private/a "1")')
    _quiet(client)


def test_enabled_is_for_the_user(anywhere: Server, other: Dialogue) -> None:
    """After UNAUTHENTICATE it is as if nothing had been enabled (RFC 8437, 3)."""
    client = anywhere.login(enable="METADATA")
    client.ok("UNAUTHENTICATE")
    client.log_in()
    other.ok('SETMETADATA INBOX (/private/a "1")')
    _quiet(client)


@pytest.mark.parametrize("first", [True, False])
def test_notify_rules(anywhere: Server, other: Dialogue, first: bool) -> None:
    """Once NOTIFY says which events are wanted, others are not told (RFC 5465, 5)."""
    client = anywhere.client()
    ways = ["ENABLE METADATA", "NOTIFY SET (personal (MailboxName))"]
    client.commands(ways if first else ways[::-1])
    other.ok('SETMETADATA INBOX (/private/a "1")')
    _quiet(client)
    client.ok("NOTIFY NONE")
    other.ok('SETMETADATA INBOX (/private/b "1")')
    _quiet(client)


def test_what_was_changed_before_notify(anywhere: Server, other: Dialogue) -> None:
    """NOTIFY SET tells first what there was to tell (RFC 5465, 3.1)."""
    client = anywhere.login(enable="METADATA")
    other.ok('SETMETADATA INBOX (/private/a "1")')
    same(
        client.do("NOTIFY SET (personal (MailboxName))"),
        "* METADATA INBOX /private/a",
        "a OK NOTIFY completed",
    )


# NOTIFY.


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ("personal (MailboxMetadataChange)", ["box", "INBOX"]),
        ("mailboxes (box none) (MailboxMetadataChange)", ["box"]),
        ("personal (ServerMetadataChange)", ['""']),
        ("mailboxes none (ServerMetadataChange)", ['""']),
        ("subscribed (MailboxMetadataChange)", ["INBOX"]),
        ("mailboxes box NONE) (personal (MailboxMetadataChange)", ["INBOX"]),
        ("personal (MailboxName SubscriptionChange MessageNew MessageExpunge FlagChange)", []),
        ("selected (MessageNew MessageExpunge FlagChange)", []),
    ],
)
def test_groups(server: Server, groups: str, told: list[str]) -> None:
    """Only what was asked for is told; what is said of the selected mailbox is of messages (RFC 5465, 6)."""
    client, other = server.client(), server.client()
    client.commands(["CREATE box", "SUBSCRIBE INBOX", "SELECT INBOX", f"NOTIFY SET ({groups})"])
    for name in ("box", '""', "INBOX"):
        other.ok(f'SETMETADATA {name} (/private/a "1")')
    same(client.read(), *(f"* METADATA {name} /private/a" for name in told))
    _quiet(client)


def test_no_status_of_annotations(anywhere: Server) -> None:
    """STATUS is of mailboxes whose messages are of interest (RFC 5465, 3.1)."""
    same(
        anywhere.client().do("NOTIFY SET STATUS (personal (MailboxMetadataChange))"),
        "a OK NOTIFY completed",
    )


def _supported(server: Server) -> bytes:
    refused = server.client().do("NOTIFY SET (personal (Other))")
    return refused.partition(b"(")[2].partition(b")")[0]


def test_switched_off() -> None:
    """Without METADATA there are no such events (RFC 5465, 5.6 and 5.7)."""
    server = Server(without=["METADATA"])
    assert b"Metadata" not in _supported(server)
    for event in ("MailboxMetadataChange", "ServerMetadataChange"):
        refused = server.client().do(f"NOTIFY SET (personal ({event}))")
        assert refused.startswith(b"a NO [BADEVENT (MessageNew ")
    same(server.client().ok("ENABLE METADATA"), "* ENABLED")


def test_a_store_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the store keeps no annotations."""

    @implementer_only(IAccount)
    class Plain(MemoryAccount):
        """An account with nothing optional."""

    monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", Plain)
    server = Server()
    assert b"Metadata" not in _supported(server)
    same(server.client().ok("ENABLE METADATA METADATA-SERVER"), "* ENABLED")


# Mailboxes of others.


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn, whose users see mailboxes of each other."""
    return opened_up(anywhere)


@pytest.fixture
def alice(shared: Server) -> Dialogue:
    """Who lets Bob at one of her two mailboxes."""
    client = shared.client("alice")
    client.commands(["CREATE box", "CREATE secret", "SETACL box bob lr"])
    return client


@pytest.fixture(params=["ENABLE METADATA", f"NOTIFY SET (subtree {_BOX} (MailboxMetadataChange))"],
                ids=["ENABLE", "NOTIFY"])  # fmt: skip
def bob(request: pytest.FixtureRequest, shared: Server, alice: Dialogue) -> Dialogue:
    """Who wants to hear of them, and has opened none."""
    del alice
    client = shared.client("bob")
    client.ok(request.param)
    return client


def test_shared_annotations(alice: Dialogue, bob: Dialogue) -> None:
    """What the owner changes of what is shared is told; what is private, or of others, is not."""
    alice.ok('SETMETADATA box (/shared/a "1" /private/b "2")')
    _told(bob, f"* METADATA {_BOX} /shared/a")
    alice.ok('SETMETADATA box (/private/b "3")')
    alice.ok('SETMETADATA secret (/shared/a "1")')
    alice.ok('SETMETADATA "" (/private/a "1")')
    _quiet(bob)


def test_ones_own_of_others(shared: Server, alice: Dialogue, bob: Dialogue) -> None:
    """Of a mailbox of another, too, what one set oneself is told to all others who may know it."""
    del alice
    owner, second = shared.login("alice", "METADATA"), shared.login("bob", "METADATA")
    bob.ok(f'SETMETADATA {_BOX} (/shared/a "1" /private/b "2")')
    _quiet(bob)
    _told(owner, "* METADATA box /shared/a")
    _told(second, f"* METADATA {_BOX} /shared/a /private/b")


def test_a_right_that_is_taken(alice: Dialogue, bob: Dialogue) -> None:
    """Who may no longer read is told no more (RFC 5465, 5.9; RFC 5464, 3.3)."""
    alice.ok("SETACL box bob l")
    alice.ok('SETMETADATA box (/shared/a "1")')
    assert b"METADATA" not in bob.read() + bob.do("NOOP")
    alice.ok("DELETEACL box bob")
    alice.ok('SETMETADATA box (/shared/b "1")')
    assert b"METADATA" not in bob.read() + bob.do("NOOP")
    alice.ok("SETACL box bob lr")
    bob.ok("NOOP")
    alice.ok('SETMETADATA box (/shared/c "1")')
    _told(bob, f"* METADATA {_BOX} /shared/c")


def test_who_may_not_read(shared: Server, alice: Dialogue) -> None:
    r"""NOTIFY says \NoAccess of what may be looked up but not read (RFC 5465, 3.1)."""
    alice.ok("SETACL box bob l")
    same(
        shared.client("bob").do(f"NOTIFY SET (mailboxes {_BOX} (MailboxMetadataChange))"),
        f'* LIST (\\NoAccess) "/" {_BOX}',
        "a OK NOTIFY completed",
    )


def test_new_neighbours(shared: Server) -> None:
    """Who begins to share after ENABLE is heard from the next command on that looks."""
    bob = shared.login("bob", "METADATA")
    alice = shared.client("alice")
    alice.commands(["CREATE box", "SETACL box bob lr"])
    bob.ok('LIST "" *')
    alice.ok('SETMETADATA box (/shared/a "1")')
    _told(bob, f"* METADATA {_BOX} /shared/a")


def test_the_public_ones(shared: Server) -> None:
    """Mailboxes of nobody are watched too."""
    carol = shared.client("carol")
    carol.commands(["CREATE Shared/news", "SETACL Shared/news anyone lr"])
    bob = shared.login("bob", "METADATA")
    carol.ok('SETMETADATA Shared/news (/shared/a "1")')
    _told(bob, "* METADATA Shared/news /shared/a")
