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
