"""LIST-METADATA (RFC 9590): annotations of many mailboxes in one LIST."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from imapd.store.errors import StoreUnavailable
from tests.dialogue import Dialogue, Server, same
from tests.distant import DistantStore

_COLOR = "/shared/vendor/cmu/cyrus-imapd/color"


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Who has some mailboxes, one of them with a colour."""
    client = anywhere.client()
    client.commands(["CREATE a", "CREATE b/c", "DELETE b"])
    client.ok(f'SETMETADATA a ({_COLOR} "#b71c1c" /private/comment "mine")')
    return client


def test_capability(client: Dialogue) -> None:
    """The capability says so."""
    assert b"LIST-METADATA" in client.ok("CAPABILITY").split()


def test_each_mailbox_is_followed_by_its_annotations(client: Dialogue) -> None:
    """RFC 9590, 3: LIST and then METADATA, as GETMETADATA would tell it; mere names have none."""
    same(
        client.ok(f'LIST "" * RETURN (METADATA ("{_COLOR}" /private/Comment))'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        f"* METADATA INBOX ({_COLOR} NIL /private/Comment NIL)",
        '* LIST (\\HasNoChildren) "/" a',
        f'* METADATA a ({_COLOR} "#b71c1c" /private/Comment "mine")',
        '* LIST (\\Noselect \\HasChildren) "/" b',
        '* LIST (\\HasNoChildren) "/" b/c',
        f"* METADATA b/c ({_COLOR} NIL /private/Comment NIL)",
    )


def test_with_other_options(client: Dialogue) -> None:
    """RFC 9590, 3: what is chosen is told of, beside what else is asked for."""
    client.ok("SUBSCRIBE a")
    client.ok("SUBSCRIBE gone")
    same(
        client.ok('LIST (SUBSCRIBED) "" * RETURN (STATUS (MESSAGES) METADATA (/private/comment))'),
        '* LIST (\\Subscribed \\HasNoChildren) "/" a',
        "* STATUS a (MESSAGES 0)",
        '* METADATA a (/private/comment "mine")',
        '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" gone',
    )


def test_a_parent_that_does_not_match_has_none(client: Dialogue) -> None:
    """RFC 9590, 4: a name that is shown for what is below it has no METADATA response."""
    client.ok("CREATE d")
    client.ok("CREATE d/e")
    client.ok("SUBSCRIBE d/e")
    same(
        client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (METADATA (/private/comment))'),
        '* LIST (\\HasChildren) "/" d ("CHILDINFO" ("SUBSCRIBED"))',
    )


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("METADATA", "expected a space at octet 22"),
        ("METADATA ()", "expected a string at octet 24"),
        ("METADATA /private/comment", "expected '(' at octet 23"),
        ("METADATA (comment)", "That is no name of an entry"),
        ("METADATA (/private)", "Such an entry has 2 levels or more"),
    ],
)
def test_bad(server: Server, option: str, answer: str) -> None:
    """RFC 9590, 5: what is not of the grammar is BAD, before any name is told."""
    same(server.client().do(f'LIST "" * RETURN ({option})'), f"a BAD {answer}")


def test_a_store_that_fails() -> None:
    """RFC 9590, 3: a response that cannot be had is left out; the LIST is OK all the same."""
    clock = Clock()
    store = DistantStore(clock, delay=None)
    server = Server(store, clock=clock)
    client = server.client()
    store.faults["annotations"] = StoreUnavailable("no disk")
    same(
        client.do('LIST "" * RETURN (METADATA (/private/comment))'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        "a OK LIST completed",
    )
    server.logged("no disk")
