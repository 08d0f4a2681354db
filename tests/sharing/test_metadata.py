"""Annotations of mailboxes of others (RFC 5464, 3.3)."""

from __future__ import annotations

import pytest

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, same
from tests.sharing.houses import ALICES, opened_up, share

_BOX = f'"{ALICES}box"'


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn, whose users see mailboxes of each other."""
    return opened_up(anywhere)


@pytest.fixture
def alice(shared: Server) -> Dialogue:
    """Who shares a mailbox with Bob and Carol, and has annotated it."""
    client = shared.client("alice")
    share(client, "box", "lr", "bob")
    share(client, "box", "li", "carol")
    client.ok('SETMETADATA box (/shared/comment "ours" /private/comment "mine")')
    return client


def _both(client: Dialogue, name: str = _BOX) -> bytes:
    return client.ok(f"GETMETADATA {name} (/shared/comment /private/comment)")


def test_private_and_shared(shared: Server, alice: Dialogue) -> None:
    """What is shared all see and change; what is private each has for themselves, and it stays so."""
    bob, carol = shared.client("bob"), shared.client("carol")
    assert _both(bob) == (
        b'* METADATA %b (/shared/comment "ours" /private/comment NIL)\r\n' % _BOX.encode()
    )
    bob.ok(f'SETMETADATA {_BOX} (/shared/comment "all" /private/comment "bobs")')
    assert b'(/shared/comment "all" /private/comment "bobs")' in _both(bob)
    assert b'(/shared/comment "all" /private/comment NIL)' in _both(carol)
    assert b'(/shared/comment "all" /private/comment "mine")' in _both(alice, "box")
    alice.ok("RENAME box new")
    assert b'"bobs")' in _both(bob, f'"{ALICES}new"')
    bob.ok(f'SETMETADATA "{ALICES}new" (/private/comment NIL)')
    assert b"/private/comment NIL)" in _both(bob, f'"{ALICES}new"')


def test_ones_own_are_not_mixed_up(shared: Server, alice: Dialogue) -> None:
    """Annotations of the user and of their own mailboxes are what they were."""
    bob = shared.client("bob")
    bob.ok('SETMETADATA INBOX (/private/comment "inbox")')
    bob.ok('SETMETADATA "" (/private/comment "server")')
    bob.ok(f'SETMETADATA {_BOX} (/private/comment "bobs")')
    same(
        bob.do('GETMETADATA (DEPTH infinity) "" (/private)'),
        '* METADATA "" (/private/comment "server")',
        "a OK GETMETADATA completed",
    )
    assert b'(/private/comment "inbox")' in bob.ok("GETMETADATA INBOX /private/comment")


@pytest.mark.parametrize(
    ("rights", "code"),
    [("l", "NOPERM"), ("lkxtea", "NOPERM"), ("rswip", "NONEXISTENT"), ("", "NONEXISTENT")],
)
def test_the_rights_it_takes(shared: Server, alice: Dialogue, rights: str, code: str) -> None:
    """Neither kind is read or set without the right to look up and one to use the mailbox."""
    bob = shared.client("bob")
    share(alice, "box", rights)
    for command in (
        f"GETMETADATA {_BOX} /shared/comment",
        f"GETMETADATA {_BOX} /private/comment",
        f'SETMETADATA {_BOX} (/shared/comment "x")',
        f'SETMETADATA {_BOX} (/private/comment "x")',
    ):
        assert bob.do(command).startswith(f"a NO [{code}] ".encode()), command
    assert b'(/shared/comment "ours" /private/comment "mine")' in _both(alice, "box")


@pytest.mark.parametrize("right", "rswip")
def test_any_right_to_use_it(shared: Server, alice: Dialogue, right: str) -> None:
    """With the right to look up, any one of ``r``, ``s``, ``w``, ``i``, ``p`` is enough."""
    share(alice, "box", "l" + right)
    bob = shared.client("bob")
    bob.ok(f'SETMETADATA {_BOX} (/private/comment "x")')
    assert b'/private/comment "x")' in _both(bob)


def test_all_or_none(shared: Server, alice: Dialogue) -> None:
    """If the private ones cannot be set, the shared ones stay as they were."""
    bob = shared.client("bob")
    bob.ok('SETMETADATA "" (/private/a "1" /private/b "2")')
    object.__setattr__(shared.factory.policy, "limits", Limits(metadata_entries=2))
    answer = bob.do(f'SETMETADATA {_BOX} (/shared/comment "all" /private/comment "bobs")')
    assert answer.startswith(b"a NO [METADATA TOOMANY] "), answer
    assert b'(/shared/comment "ours" /private/comment NIL)' in _both(bob)


def test_in_list(shared: Server, alice: Dialogue) -> None:
    """LIST with METADATA tells those of mailboxes of others too."""
    same(
        shared.client("bob").do(f'LIST "" "{ALICES}*" RETURN (METADATA (/shared/comment))'),
        f'* LIST (\\HasNoChildren) "/" {_BOX}',
        f'* METADATA {_BOX} (/shared/comment "ours")',
        "a OK LIST completed",
    )
