"""Annotations of messages of others (RFC 5257, 3.3 and 3.4)."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server, letter, same
from tests.sharing.houses import ALICES, opened_up, share

_BOX = f'"{ALICES}box"'


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn, whose users see mailboxes of each other."""
    return opened_up(anywhere)


@pytest.fixture
def alice(shared: Server) -> Dialogue:
    """Who shares a mailbox with Bob and Carol, and has annotated a message in it."""
    client = shared.client("alice")
    share(client, "box", "lrn", "bob")
    share(client, "box", "lr", "carol")
    client.append(letter("1"), letter("2"), mailbox="box")
    client.select("box")
    client.ok('STORE 1 ANNOTATION (/comment (value.shared "ours" value.priv "hers"))')
    return client


def _values(client: Dialogue, number: int = 1) -> bytes:
    client.ok("NOOP")
    return client.ok(f"FETCH {number} (ANNOTATION (/comment value))").partition(b"(/comment ")[2][
        :-4
    ]


def _told(shared: str, private: str) -> bytes:
    return f"(value.priv {private} value.shared {shared})".encode()


def test_private_and_shared(shared: Server, alice: Dialogue) -> None:
    """RFC 5257, 3.3: what is shared all see; what is private each has for themselves."""
    bob, carol = shared.client("bob", _BOX), shared.client("carol", _BOX)
    assert _values(bob) == _told('"ours"', "NIL")
    bob.ok('STORE 1 ANNOTATION (/comment (value.shared "bob was here" value.priv "his"))')
    carol.ok('STORE 1 ANNOTATION (/comment (value.priv "carols"))')
    assert _values(bob) == _told('"bob was here"', '"his"')
    assert _values(carol) == _told('"bob was here"', '"carols"')
    assert _values(alice) == _told('"bob was here"', '"hers"')
    for client, found in ((alice, b" 1"), (bob, b""), (carol, b"")):
        assert client.ok('SEARCH ANNOTATION * value "hers"') == b"* SEARCH%b\r\n" % found
    bob.ok("STORE 1 ANNOTATION (/comment (value.priv NIL))")
    assert _values(bob) == _told('"bob was here"', "NIL")
    assert _values(carol) == _told('"bob was here"', '"carols"')


def test_without_the_right(shared: Server, alice: Dialogue) -> None:
    """RFC 5257, 3.4: without ``n``, what is shared MUST be NO, in part too; nothing is changed."""
    carol = shared.client("carol", _BOX)
    for values in ('value.shared "x"', 'value.priv "x" value.shared "y"'):
        same(
            carol.do(f"STORE 1 ANNOTATION (/comment ({values}))"),
            "a NO [NOPERM] Such annotations cannot be changed there",
        )
    assert _values(carol) == _told('"ours"', "NIL")
    alice.ok("SETACL box carol +n")
    carol.ok('STORE 1 ANNOTATION (/comment (value.shared "x"))')


@pytest.mark.parametrize(
    ("rights", "level", "mode"),
    [("lr", "65536", "READ-ONLY"), ("lrn", "65536", "READ-WRITE"), ("lrs", "65536", "READ-ONLY")],
)
def test_what_select_says(
    shared: Server, alice: Dialogue, rights: str, level: str, mode: str
) -> None:
    """RFC 5257, 3.4: who may read may write their own; ``n`` is a right of shared flags (RFC 4314, 5.2)."""
    share(alice, "box", rights)
    bob = shared.client("bob")
    answer = bob.do(f"SELECT {_BOX}")
    assert f"* OK [ANNOTATIONS {level}] ".encode() in answer
    assert f"a OK [{mode}] ".encode() in answer
    assert b"* OK [ANNOTATIONS READ-ONLY] " in bob.ok(f"EXAMINE {_BOX}")


def test_rights_that_go(shared: Server, alice: Dialogue) -> None:
    """Rights hold at once: who may read no more sees and writes nothing, not even their own."""
    bob = shared.client("bob", _BOX)
    bob.ok('STORE 1 ANNOTATION (/comment (value.priv "his"))')
    alice.ok("SETACL box bob ln")
    same(bob.do("FETCH 1 (ANNOTATION (/comment value))"), "a NO [NOPERM] Permission denied")
    assert bob.do("STORE 1 ANNOTATION (/comment (value.priv NIL))").startswith(b"a NO [NOPERM] ")


@pytest.mark.parametrize(
    ("rights", "kept"),
    [("lrin", _told('"ours"', '"his"')), ("lri", _told("NIL", '"his"')),
     ("lin", _told('"ours"', "NIL")), ("li", _told("NIL", "NIL"))],
)  # fmt: skip
def test_copies_into_a_mailbox_of_others(
    shared: Server, alice: Dialogue, rights: str, kept: bytes
) -> None:
    """RFC 5257, 4.6: what the destination does not allow is left out; all else goes along."""
    bob = shared.client("bob")
    bob.append(letter("1")).select()
    bob.ok('STORE 1 ANNOTATION (/comment (value.shared "ours" value.priv "his"))')
    share(alice, "to", rights)
    bob.ok(f'COPY 1 "{ALICES}to"')
    share(alice, "to", "lr")
    bob.select(f'"{ALICES}to"')
    assert _values(bob) == kept
    alice.select("to")
    assert b"his" not in _values(alice)


def test_copies_of_what_others_have(shared: Server, alice: Dialogue) -> None:
    """RFC 5257, 4.6: private annotations of any but the current user MUST NOT be copied."""
    bob = shared.client("bob", _BOX)
    bob.ok('STORE 1 ANNOTATION (/comment (value.priv "his"))')
    bob.ok("COPY 1 INBOX")
    bob.select()
    assert _values(bob) == _told('"ours"', '"his"')
    alice.ok("CREATE own")
    share(alice, "own", "lr")
    alice.ok("COPY 1 own")
    alice.select("own")
    assert _values(alice) == _told('"ours"', '"hers"')
    bob.select(f'"{ALICES}own"')
    assert _values(bob) == _told('"ours"', "NIL")


@pytest.mark.parametrize(
    ("rights", "whose", "permitted"),
    [
        ("lrin", "shared", True),
        ("lri", "shared", False),
        ("lri", "priv", True),
        ("li", "priv", False),
    ],
)
def test_append(shared: Server, alice: Dialogue, rights: str, whose: str, permitted: bool) -> None:
    """RFC 5257, 3.4: an APPEND with annotations that the user may not set MUST be NO."""
    share(alice, "box", rights)
    bob = shared.client("bob")
    answer = bob.do(f'APPEND {_BOX} ANNOTATION (/comment (value.{whose} "x"))', letter("3"))
    if permitted:
        assert answer.startswith(b"a OK [APPENDUID "), answer
        assert _values(bob.select(_BOX), 3) == (
            _told('"x"', "NIL") if whose == "shared" else _told("NIL", '"x"')
        )
    else:
        same(answer, "a NO [NOPERM] Such annotations cannot be changed there")
        assert b"(MESSAGES 2)" in alice.ok("STATUS box (MESSAGES)")


def test_conditional(shared: Server, alice: Dialogue) -> None:
    """UNCHANGEDSINCE means the modification sequences that this user sees, which differ."""
    share(alice, "box", "lrns")
    bob = shared.client("bob", _BOX)
    bob.ok("ENABLE CONDSTORE")
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    bob.ok("STORE 1 -FLAGS (\\Seen)")
    seen = int(bob.ok("FETCH 1 (MODSEQ)").partition(b"MODSEQ (")[2].partition(b")")[0])
    alice.ok('STORE 2 ANNOTATION (/comment (value.shared "x"))')
    bob.ok("NOOP")
    answer = bob.do(f'STORE 1:2 (UNCHANGEDSINCE {seen}) ANNOTATION (/comment (value.priv "y"))')
    assert b"a OK [MODIFIED 2] " in answer, answer
    assert _values(bob) == _told('"ours"', '"y"')
    assert _values(bob, 2) == _told('"x"', "NIL")


def test_told_unasked(shared: Server, alice: Dialogue) -> None:
    """RFC 5257, 4.4: users are told of what is shared and of their own, not of what others have."""
    bob, elsewhere = shared.client("bob"), shared.client("bob", _BOX)
    bob.ok(f"SELECT {_BOX} (ANNOTATE)")
    carol = shared.client("carol", _BOX)
    carol.ok('STORE 1 ANNOTATION (/secret (value.priv "x"))')
    assert b"ANNOTATION" not in bob.ok("NOOP")
    alice.ok('STORE 1 ANNOTATION (/mine (value.priv "x") /ours (value.shared "y"))')
    elsewhere.ok('STORE 2 ANNOTATION (/his (value.priv "z"))')
    told = bob.ok("NOOP").splitlines()
    assert told[-2:] == [
        b"* 1 FETCH (UID 1 ANNOTATION (/ours))", b"* 2 FETCH (UID 2 ANNOTATION (/his))"
    ]  # fmt: skip
    bob.ok('STORE 1 ANNOTATION (/ours (value.shared "mine") /his (value.priv "z"))')
    assert b"ANNOTATION" not in bob.ok("NOOP")


def test_a_public_mailbox(shared: Server) -> None:
    """Mailboxes of nobody are annotated like others; who administers them has their own, too."""
    carol = shared.client("carol")
    carol.ok("CREATE Shared/news")
    carol.ok("SETACL Shared/news anyone lrn")
    carol.append(letter("1"), mailbox="Shared/news").select("Shared/news")
    bob = shared.client("bob", "Shared/news")
    bob.ok('STORE 1 ANNOTATION (/comment (value.priv "his" value.shared "ours"))')
    carol.ok('STORE 1 ANNOTATION (/comment (value.priv "hers"))')
    assert _values(bob) == _told('"ours"', '"his"')
    assert _values(carol) == _told('"ours"', '"hers"')
