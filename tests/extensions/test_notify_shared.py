r"""What NOTIFY tells of mailboxes of others: only what the user may know (RFC 5465, 3.1 and 5.9)."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server, same
from tests.sharing.houses import ALICES, opened_up

_BOX = f'"{ALICES}box"'


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn, whose users see mailboxes of each other."""
    return opened_up(anywhere)


@pytest.fixture
def alice(shared: Server) -> Dialogue:
    """Who has two mailboxes, and lets bob at one."""
    client = shared.client("alice")
    client.commands(["CREATE box", "CREATE secret", "SETACL box bob lr"])
    return client


@pytest.fixture
def bob(shared: Server, alice: Dialogue) -> Dialogue:
    """Whom she lets at it."""
    del alice
    return shared.client("bob")


def test_new_messages(alice: Dialogue, bob: Dialogue) -> None:
    """A mailbox that may be read is watched like one's own."""
    bob.ok(f"NOTIFY SET (mailboxes {_BOX} (MessageNew MessageExpunge))")
    alice.fill(1, "box")
    same(bob.read(), f"* STATUS {_BOX} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{{{*}}}})")


def test_personal(alice: Dialogue, bob: Dialogue) -> None:
    """Personal mailboxes are not those of others (6.2)."""
    same(
        bob.do("NOTIFY SET STATUS (personal (MessageNew MessageExpunge MailboxName))"),
        "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY {{*}})",
        "a OK NOTIFY completed",
    )
    alice.fill(1, "box")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"


def test_what_must_not_be_known(alice: Dialogue, bob: Dialogue) -> None:
    """Of a mailbox that the user may not look up nothing is said, as if it were not there (3.1)."""
    names = f'"{ALICES}secret" "{ALICES}none"'
    same(
        bob.do(f"NOTIFY SET STATUS (mailboxes ({names}) (MessageNew MessageExpunge MailboxName))"),
        "a OK NOTIFY completed",
    )
    alice.fill(1, "secret").ok("DELETE secret")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"


def test_no_access(alice: Dialogue, bob: Dialogue) -> None:
    r"""One that may be looked up but not read is \NoAccess; when it may be read, it is watched (5.9)."""
    alice.ok("SETACL box bob l")
    same(
        bob.do(f"NOTIFY SET STATUS (mailboxes {_BOX} (MessageNew MessageExpunge))"),
        f'* LIST (\\NoAccess) "/" {_BOX}',
        "a OK NOTIFY completed",
    )
    alice.fill(1, "box")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"
    alice.ok("SETACL box bob lr")
    same(
        bob.do("NOOP"),
        f'* LIST (\\HasNoChildren) "/" {_BOX}',
        "a OK NOOP completed",
    )
    alice.fill(1, "box")
    same(bob.read(), f"* STATUS {_BOX} (MESSAGES 2 UIDNEXT 3 UIDVALIDITY {{{{*}}}})")


def test_a_right_that_is_taken(alice: Dialogue, bob: Dialogue) -> None:
    r"""When the right to read is taken, nothing more is told but \NoAccess (5.9)."""
    bob.ok(f"NOTIFY SET (mailboxes {_BOX} (MessageNew MessageExpunge))")
    alice.ok("SETACL box bob l")
    alice.fill(1, "box")
    same(bob.read(), f'* LIST (\\NoAccess) "/" {_BOX}')
    alice.fill(1, "box")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"


def test_rights_are_names(alice: Dialogue, bob: Dialogue) -> None:
    """Who gets or loses the right to look a mailbox up is told as if it came or went (5.4)."""
    bob.ok(f'NOTIFY SET (subtree "{ALICES[:-1]}" (MailboxName MessageNew MessageExpunge))')
    alice.ok("SETACL secret bob lr")
    told = bob.read()
    assert told.endswith(f'* LIST (\\HasNoChildren) "/" "{ALICES}secret"\r\n'.encode())
    alice.ok("DELETEACL secret bob")
    told = bob.read()
    assert told.endswith(
        f'* LIST (\\NonExistent \\HasNoChildren) "/" "{ALICES}secret"\r\n'.encode()
    )
    alice.fill(1, "secret")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"


@pytest.mark.parametrize("event", ["MessageNew MessageExpunge", "SubscriptionChange"])
def test_looking_up_is_taken(alice: Dialogue, bob: Dialogue, event: str) -> None:
    r"""When the right to look it up is taken, it is \NoAccess; when given back, it is watched on (5.9)."""
    bob.ok(f"NOTIFY SET (mailboxes {_BOX} ({event}))")
    alice.ok("DELETEACL box bob")
    same(bob.read(), f'* LIST (\\NoAccess) "/" {_BOX}')
    alice.fill(1, "box")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"
    alice.ok("SETACL box bob lr")
    told = bob.read()
    assert told.count(f'* LIST (\\HasNoChildren) "/" {_BOX}\r\n'.encode()) == 1
    assert (b"* STATUS" in told) == (event != "SubscriptionChange")
    alice.ok("DELETEACL box bob")
    same(bob.read(), f'* LIST (\\NoAccess) "/" {_BOX}')


def test_what_is_never_given_back(alice: Dialogue, bob: Dialogue) -> None:
    r"""After NOTIFY NONE it is not told that a mailbox may be read again (3.1)."""
    bob.ok(f"NOTIFY SET (mailboxes {_BOX} (MessageNew MessageExpunge))")
    alice.ok("DELETEACL box bob")
    bob.ok("NOOP")
    bob.ok("NOTIFY NONE")
    alice.ok("SETACL box bob lr")
    assert bob.do("NOOP") == b"a OK NOOP completed\r\n"


@pytest.mark.parametrize("event", ["MailboxName", "SubscriptionChange", "MailboxMetadataChange"])
def test_every_event_needs_reading(alice: Dialogue, bob: Dialogue, event: str) -> None:
    r"""Also where no message is told of: without the right to read, it is \NoAccess (3.1 and 5)."""
    alice.ok("SETACL box bob l")
    same(
        bob.do(f"NOTIFY SET (mailboxes {_BOX} ({event}))"),
        f'* LIST (\\NoAccess) "/" {_BOX}',
        "a OK NOTIFY completed",
    )
    alice.ok("SETACL box bob lr")
    same(bob.do("NOOP"), f'* LIST (\\HasNoChildren) "/" {_BOX}', "a OK NOOP completed")


def test_only_looking_up_is_given(alice: Dialogue, bob: Dialogue) -> None:
    r"""A name that comes and may not be read is \NoAccess, and told once (3.1 and 5.4)."""
    secret = f'"/" "{ALICES}secret"'
    bob.ok(f'NOTIFY SET (subtree "{ALICES[:-1]}" (MailboxName))')
    for command, attributes in (
        ("SETACL secret bob l", "\\NoAccess"),
        ("DELETEACL secret bob", "\\NonExistent \\HasNoChildren"),
        ("SETACL secret bob lr", "\\HasNoChildren"),
    ):
        alice.ok(command)
        rows = [row for row in bob.read().decode().split("\r\n") if row.endswith(secret)]
        assert rows == [f"* LIST ({attributes}) {secret}"]
