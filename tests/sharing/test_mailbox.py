r"""A mailbox of another, as its readers see it: \Seen is each reader's own, the rest is shared."""

from __future__ import annotations

import random

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
    """Who lets Bob and Carol at a mailbox of three messages, of which she has seen the first."""
    client = shared.client("alice")
    share(client, "box", "lrswite", "bob")
    share(client, "box", "lrs", "carol")
    client.append(letter("1"), mailbox="box", flags="\\Seen")
    client.append(letter("2"), letter("3"), mailbox="box")
    return client


def _flags(client: Dialogue) -> bytes:
    return client.ok("UID FETCH 1:* (FLAGS)")


def _status(client: Dialogue, name: str = _BOX) -> bytes:
    return client.ok(f"STATUS {name} (MESSAGES UNSEEN RECENT)").rpartition(b"(")[2]


def test_everybody_has_seen_for_themselves(shared: Server, alice: Dialogue) -> None:
    r"""What one user reads is unread to the others, also in STATUS and SEARCH, after years too."""
    bob, carol = shared.client("bob", _BOX), shared.client("carol", _BOX)
    bob.ok("FETCH 2 BODY[TEXT]")
    carol.ok("STORE 3 +FLAGS (\\Seen)")
    assert bob.ok("SEARCH SEEN") == b"* SEARCH 2\r\n"
    assert carol.ok("SEARCH SEEN") == b"* SEARCH 3\r\n"
    assert alice.select("box").ok("SEARCH SEEN") == b"* SEARCH 1\r\n"
    assert _status(bob) == _status(carol) == b"MESSAGES 3 UNSEEN 2 RECENT 0)\r\n"
    for client in (bob, carol):
        client.ok("LOGOUT")
    again = shared.client("bob", _BOX)
    assert again.ok("SEARCH SEEN") == b"* SEARCH 2\r\n"
    again.ok("STORE 1:* -FLAGS (\\Seen)")
    assert _status(again) == b"MESSAGES 3 UNSEEN 3 RECENT 0)\r\n"
    assert alice.ok("SEARCH SEEN") == b"* SEARCH 1\r\n"


def test_other_flags_are_shared(shared: Server, alice: Dialogue) -> None:
    """What one user flags, all see flagged, and are told of it; what they read, nobody hears."""
    bob, carol = shared.client("bob", _BOX), shared.client("carol", _BOX)
    alice.select("box")
    bob.ok("STORE 1 +FLAGS.SILENT (\\Flagged \\Seen)")
    same(carol.do("NOOP"), "* 1 FETCH (UID 1 FLAGS (\\Flagged))", "a OK NOOP completed")
    same(
        alice.do("NOOP"),
        "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent))",
        "a OK NOOP completed",
    )
    same(bob.do("NOOP"), "a OK NOOP completed")
    bob.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    same(carol.do("NOOP"), "a OK NOOP completed")
    same(alice.do("NOOP"), "a OK NOOP completed")


def test_sessions_of_one_user_agree(shared: Server, alice: Dialogue) -> None:
    """What a user reads in one session is read in their others, which hear of it while they idle."""
    one, other = shared.client("bob", _BOX), shared.client("bob", _BOX)
    other.send(b"b IDLE\r\n")
    one.ok("STORE 2 +FLAGS (\\Seen)")
    assert other.read() == b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"


def test_who_idles_hears_of_the_owner(shared: Server, alice: Dialogue) -> None:
    """New mail, flags and removals by the owner are told to who has the mailbox open, at once."""
    bob = shared.client("bob", _BOX)
    bob.send(b"b IDLE\r\n")
    alice.append(letter("4"), mailbox="box")
    assert bob.read() == b"* 4 EXISTS\r\n* 0 RECENT\r\n"
    alice.select("box").ok("STORE 1 +FLAGS (\\Deleted)")
    assert bob.read() == b"* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n"
    alice.ok("EXPUNGE")
    assert bob.read() == b"* 1 EXPUNGE\r\n"


def test_replacing_flags(shared: Server, alice: Dialogue) -> None:
    r"""STORE FLAGS by another sets all but the owner's \Seen."""
    bob = shared.client("bob", _BOX)
    alice.select("box").ok("STORE 1 +FLAGS (\\Draft kw)")
    bob.do("NOOP")
    same(
        bob.do("STORE 1:2 FLAGS (\\Flagged \\Seen)"),
        "* 1 FETCH (FLAGS (\\Flagged \\Seen))",
        "* 2 FETCH (FLAGS (\\Flagged \\Seen))",
        "a OK STORE completed",
    )
    alice.do("NOOP")
    same(
        alice.do("FETCH 1:2 (FLAGS)"),
        "* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))",
        "* 2 FETCH (FLAGS (\\Flagged \\Recent))",
        "a OK FETCH completed",
    )
    bob.ok("STORE 1 FLAGS ()")
    assert bob.ok("SEARCH SEEN") == b"* SEARCH 2\r\n"
    assert alice.ok("SEARCH SEEN").startswith(b"* SEARCH 1\r\n")


def test_replacing_flags_without_all_rights(shared: Server, alice: Dialogue) -> None:
    """Who may not change a flag does not clear it by replacing others."""
    share(alice, "box", "lrs", "bob")
    alice.select("box").ok("STORE 1 +FLAGS (\\Flagged \\Deleted)")
    bob = shared.client("bob", _BOX)
    same(
        bob.do("STORE 1 FLAGS (\\Seen \\Draft)"),
        "* 1 FETCH (FLAGS (\\Flagged \\Deleted \\Seen))",
        "a OK STORE completed",
    )
    assert bob.do("STORE 1 FLAGS (\\Draft)").startswith(b"a NO [NOPERM] ")
    assert bob.do("STORE 1 +FLAGS (\\Draft \\Deleted)").startswith(b"a NO [NOPERM] ")


def test_unchanged_since(shared: Server, alice: Dialogue) -> None:
    """UNCHANGEDSINCE fails for what this user or another changed; not for what others only read."""
    bob, carol = shared.client("bob", _BOX), shared.client("carol", _BOX)
    told = bob.ok("FETCH 1:3 (MODSEQ)")
    modseq = max(int(part.split(b")")[0]) for part in told.split(b"MODSEQ (")[1:])
    carol.ok("STORE 1 +FLAGS (\\Seen)")
    bob.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    alice.select("box").ok("STORE 3 +FLAGS (\\Flagged)")
    bob.do("NOOP")
    answer = bob.do(f"STORE 1:3 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (\\Draft \\Seen)")
    assert b"a OK [MODIFIED 2:3] " in answer
    assert bob.ok("SEARCH DRAFT") == b"* SEARCH 1\r\n"


def _known(client: Dialogue) -> dict[int, bytes]:
    return {
        int(line.split(b"UID ")[1].split(b" ")[0]): line.split(b"FLAGS ")[1].split(b")")[0]
        for line in _flags(client).split(b"\r\n")
        if b" FETCH (" in line
    }


def _modseq(client: Dialogue) -> int:
    answer = client.do(f"SELECT {_BOX} (CONDSTORE)")
    return int(answer.split(b"HIGHESTMODSEQ ")[1].split(b"]")[0])


@pytest.mark.parametrize("seed", range(6))
def test_any_history_is_followed(shared: Server, alice: Dialogue, seed: int) -> None:
    """Whatever an owner and two sessions of a reader do, who resynchronises knows what is there."""
    chance = random.Random(seed)
    alice.select("box")
    one, other = shared.client("bob", _BOX), shared.client("bob", _BOX)
    known, at = _known(one), _modseq(one)
    for _ in range(8):
        for _ in range(chance.randint(0, 3)):
            who = chance.choice((alice, one, other))
            who.do("NOOP")
            step = chance.randint(0, 4)
            uid = chance.randint(1, 6)
            if step == 0:
                alice.append(letter("more"), mailbox="box")
            elif step == 1 and chance.random() < 0.3:
                who.do(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
                who.do("EXPUNGE")
            else:
                flag = chance.choice(("\\Seen", "\\Flagged", "\\Seen kw", "kw"))
                sign = chance.choice(("+", "-", ""))
                who.do(f"UID STORE {uid} {sign}FLAGS.SILENT ({flag})")
        one.do("NOOP")
        fresh = shared.client("bob", _BOX)
        expected = _known(fresh)
        assert _known(one) == expected
        synced = shared.client("bob", _BOX)
        told = synced.do(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {at})")
        for line in told.split(b"\r\n"):
            if b" FETCH (" in line:
                uid = int(line.split(b"UID ")[1].split(b" ")[0])
                known[uid] = line.split(b"FLAGS ")[1].split(b")")[0]
        assert {uid: flags for uid, flags in known.items() if uid in expected} == expected
        known, newer = expected, _modseq(synced)
        assert newer >= at
        at = newer
        for client in (fresh, synced):
            client.ok("LOGOUT")


def test_qresync(shared: Server, alice: Dialogue) -> None:
    """A client that comes back by QRESYNC hears what it read elsewhere, what changed and what is gone."""
    bob = shared.client("bob")
    bob.ok("ENABLE QRESYNC")
    answer = bob.do(f"SELECT {_BOX}")
    validity = int(answer.split(b"UIDVALIDITY ")[1].split(b"]")[0])
    modseq = int(answer.split(b"HIGHESTMODSEQ ")[1].split(b"]")[0])
    bob.ok("LOGOUT")
    shared.client("bob", _BOX).ok("STORE 2 +FLAGS (\\Seen)")
    shared.client("carol", _BOX).ok("STORE 3 +FLAGS (\\Seen)")
    alice.select("box").commands(["STORE 1 +FLAGS (\\Deleted)", "EXPUNGE"])
    bob = shared.client("bob")
    bob.ok("ENABLE QRESYNC")
    answer = bob.do(f"SELECT {_BOX} (QRESYNC ({validity} {modseq}))")
    assert b"* VANISHED (EARLIER) 1\r\n" in answer
    assert b"UID 2 FLAGS (\\Seen)" in answer
    assert b"UID 3 " not in answer


def test_expunging_what_others_deleted(shared: Server, alice: Dialogue) -> None:
    """Who has the right to expunge removes what is marked, whoever marked it, and all are told."""
    bob = shared.client("bob", _BOX)
    alice.select("box").ok("STORE 1,3 +FLAGS (\\Deleted)")
    same(
        bob.do("EXPUNGE"),
        "* 3 EXPUNGE",
        "* 1 EXPUNGE",
        "a OK EXPUNGE completed",
    )
    same(alice.do("NOOP"), "* 3 EXPUNGE", "* 1 EXPUNGE", "a OK NOOP completed")


def test_copying_out_takes_ones_own_seen(shared: Server, alice: Dialogue) -> None:
    r"""A copy in one's own mailbox is read if oneself has read it, not if the owner has."""
    bob = shared.client("bob", _BOX)
    bob.ok("STORE 2 +FLAGS (\\Seen)")
    bob.ok("COPY 1:2 INBOX")
    bob.ok("EXAMINE INBOX")
    same(
        bob.do("FETCH 1:2 (FLAGS)"),
        "* 1 FETCH (FLAGS (\\Recent))",
        "* 2 FETCH (FLAGS (\\Seen \\Recent))",
        "a OK FETCH completed",
    )


def test_moving_between_mailboxes_of_others(shared: Server, alice: Dialogue) -> None:
    """MOVE from one mailbox of another to a second one works, and the mover has read what they had."""
    share(alice, "second", "lrswi")
    bob = shared.client("bob", _BOX)
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    answer = bob.do(f'MOVE 1:2 "{ALICES}second"')
    assert b"* OK [COPYUID " in answer
    assert b"* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n" in answer
    bob.select(f'"{ALICES}second"')
    assert bob.ok("SEARCH SEEN") == b"* SEARCH 1\r\n"
    assert b"(MESSAGES 1)" in alice.ok("STATUS box (MESSAGES)")
    assert alice.select("second").ok("SEARCH SEEN") == b"* SEARCH\r\n"


def _ids(client: Dialogue) -> list[str]:
    rows = client.ok("FETCH 1:* (EMAILID THREADID)").decode().splitlines()
    return [row.partition(" FETCH ")[2] for row in rows]


def test_copies_keep_their_ids(shared: Server, alice: Dialogue) -> None:
    """A copy in another's account is the same mail: its ids are those of its source (RFC 8474, 5)."""
    share(alice, "second", "lrswi")
    bob = shared.client("bob", _BOX)
    bob.ok("COPY 1:* INBOX")
    # Nobody has asked for any before.
    own = _ids(bob.select())
    assert len({*own}) == 3
    assert _ids(bob.select(_BOX)) == own
    assert _ids(alice.select("box")) == own
    bob.ok(f'MOVE 1:2 "{ALICES}second"')
    assert _ids(alice.select("second")) == own[:2]
    bob.select().ok(f'COPY 3 "{ALICES}second"')
    assert _ids(alice.select("second")) == own


def test_a_reply_to_a_copy(shared: Server, alice: Dialogue) -> None:
    """An answer to what was copied from another is of its thread (RFC 8474, 5.2)."""
    alice.append(letter("plan", "x", "Message-ID: <plan@example.org>"), mailbox="box")
    bob = shared.client("bob", _BOX)
    bob.ok("COPY 4 INBOX")
    bob.append(
        letter("Re: plan", "x", "Message-ID: <re@example.org>", "In-Reply-To: <plan@example.org>")
    )
    first, second = (row.partition("THREADID")[2] for row in _ids(bob.select()))
    assert first == second


def test_the_owner_deletes_it(shared: Server, alice: Dialogue) -> None:
    """Who has a mailbox open that its owner deletes hears that all is gone; nobody has seen a new one."""
    bob = shared.client("bob", _BOX)
    bob.ok("STORE 1:* +FLAGS (\\Seen)")
    alice.ok("DELETE box")
    assert b"EXPUNGE" in bob.do("NOOP")
    assert bob.do(f"SELECT {_BOX}").startswith(b"a NO [NONEXISTENT] ")
    alice.ok("CREATE box")
    assert bob.do(f"SELECT {_BOX}").startswith(b"a NO [NONEXISTENT] ")
    share(alice, "box", "lrs")
    alice.append(letter("new"), mailbox="box")
    assert _status(bob) == b"MESSAGES 1 UNSEEN 1 RECENT 0)\r\n"


def test_recent_is_the_owners(shared: Server, alice: Dialogue) -> None:
    r"""Readers take no \Recent from the owner, and have none."""
    bob = shared.client("bob")
    assert b"* 0 RECENT\r\n" in bob.do(f"SELECT {_BOX}")
    assert b"* 3 RECENT\r\n" in alice.do("SELECT box")
