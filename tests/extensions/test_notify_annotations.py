"""AnnotationChange: what NOTIFY tells of annotations of messages (RFC 5465, 5.1; RFC 5257)."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server, same
from tests.sharing.houses import ALICES, opened_up

_NOTES = "(MessageNew MessageExpunge AnnotationChange)"
_FLAGS = "(MessageNew MessageExpunge FlagChange)"
_BOTH = "(MessageNew MessageExpunge FlagChange AnnotationChange)"
_STATUS = "* STATUS INBOX (UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})"


@pytest.fixture
def bob(anywhere: Server) -> Dialogue:
    """Who changes things, in a mailbox with three messages."""
    return anywhere.client().fill(3).select()


@pytest.fixture
def alice(anywhere: Server, bob: Dialogue) -> Dialogue:
    """Another session, with nothing selected."""
    del bob
    return anywhere.client()


def _annotate(client: Dialogue, number: int = 1, entry: str = "/a", text: str = "x") -> None:
    client.ok(f'STORE {number} ANNOTATION ({entry} (value.priv "{text}"))')


def _silent(client: Dialogue) -> bool:
    return client.do("NOOP") == b"a OK NOOP completed\r\n"


# The command.


@pytest.mark.parametrize("group", ["personal", "selected", "selected-delayed"])
@pytest.mark.parametrize("also", ["", "MessageNew ", "MessageExpunge ", "FlagChange "])
def test_needs_messages(server: Server, group: str, also: str) -> None:
    """Without MessageNew and MessageExpunge it is BAD (5)."""
    answer = server.client().do(f"NOTIFY SET ({group} ({also}AnnotationChange))")
    assert answer.startswith(b"a BAD ")


@pytest.mark.parametrize("group", ["personal", "selected", "selected-delayed"])
def test_without_annotations(group: str) -> None:
    """Where messages have no annotations there is no such event (3.1)."""
    client = Server(without=["ANNOTATE-EXPERIMENT-1"]).client()
    same(
        client.do(f"NOTIFY SET ({group} {_NOTES})"),
        "a NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"
        " MailboxMetadataChange ServerMetadataChange)] There is no such event here",
    )


def test_status(alice: Dialogue) -> None:
    """STATUS has HIGHESTMODSEQ too, as with FlagChange (3.1)."""
    same(
        alice.do(f"NOTIFY SET STATUS (personal {_NOTES})"),
        "* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})",
        "a OK NOTIFY completed",
    )


# The selected mailbox.


@pytest.mark.parametrize("group", ["selected", "selected-delayed"])
def test_selected(alice: Dialogue, bob: Dialogue, group: str) -> None:
    """Names of entries, with the UID, at once, though SELECT did not say ANNOTATE; no flags (5.1)."""
    alice.select().ok(f"NOTIFY SET ({group} {_NOTES})")
    _annotate(bob, 2)
    same(alice.read(), "* 2 FETCH (UID 2 ANNOTATION (/a))")
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    _annotate(bob, 2, "/b")
    same(alice.read(), "* 2 FETCH (UID 2 ANNOTATION (/b))")
    assert _silent(alice)


def test_selected_later(alice: Dialogue, bob: Dialogue) -> None:
    """It is said of whichever mailbox is selected (6.1)."""
    alice.ok(f"NOTIFY SET (selected {_NOTES})")
    alice.select()
    _annotate(bob, 3)
    same(alice.read(), "* 3 FETCH (UID 3 ANNOTATION (/a))")


def test_its_own(alice: Dialogue, bob: Dialogue) -> None:
    """What the client does itself is no news, also when it is the first thing it does (5)."""
    alice.ok(f"NOTIFY SET (selected {_BOTH})")
    alice.select()
    _annotate(alice, 1, "/own")
    _annotate(bob, 2)
    told = alice.read()
    assert b"ANNOTATION (/a)" in told
    assert b"/own" not in told


def test_both_are_told(alice: Dialogue, bob: Dialogue) -> None:
    """Flags and annotations of one message, each in its words (5.1)."""
    alice.select().ok(f"NOTIFY SET (selected {_BOTH})")
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    same(alice.read(), "* 1 FETCH (UID 1 FLAGS (\\Flagged))")
    _annotate(bob)
    assert alice.read().endswith(b"* 1 FETCH (UID 1 ANNOTATION (/a))\r\n")


@pytest.mark.parametrize("parameter", ["", " (ANNOTATE)"])
def test_flags_alone(alice: Dialogue, bob: Dialogue, parameter: str) -> None:
    """Who wants FlagChange alone is not told of annotations, whatever SELECT said (5)."""
    alice.ok(f"SELECT INBOX{parameter}")
    alice.ok(f"NOTIFY SET (selected {_FLAGS})")
    _annotate(bob)
    assert _silent(alice)
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    _annotate(bob)
    same(alice.read(), "* 1 FETCH (UID 1 FLAGS (\\Flagged))")


def test_none(alice: Dialogue, bob: Dialogue) -> None:
    """After NOTIFY NONE nothing is told, and who asks later hears of what comes later (3.1)."""
    alice.select().ok(f"NOTIFY SET (selected {_NOTES})")
    alice.ok("NOTIFY NONE")
    _annotate(bob)
    assert _silent(alice)
    assert b"ANNOTATION" not in alice.ok(f"NOTIFY SET (selected {_NOTES})")
    _annotate(bob, 2)
    same(alice.read(), "* 2 FETCH (UID 2 ANNOTATION (/a))")


def test_modseq(alice: Dialogue, bob: Dialogue) -> None:
    """With CONDSTORE each row has MODSEQ (RFC 7162, 3.2.4)."""
    alice.ok("ENABLE CONDSTORE")
    alice.select().ok(f"NOTIFY SET (selected {_NOTES})")
    _annotate(bob)
    same(alice.read(), "* 1 FETCH (UID 1 ANNOTATION (/a) MODSEQ ({{*}}))")


def test_before_esearch(alice: Dialogue, bob: Dialogue) -> None:
    """FETCH comes before what it does to a search context (5.1; RFC 5267)."""
    alice.select().ok('UID SEARCH RETURN (UPDATE) ANNOTATION /a value "x"')
    alice.ok(f"NOTIFY SET (selected {_NOTES})")
    _annotate(bob, 2)
    told = alice.read()
    assert 0 <= told.find(b" FETCH (UID 2 ANNOTATION (/a))") < told.find(b"ADDTO")


# Other mailboxes.


def test_other_mailbox(alice: Dialogue, bob: Dialogue) -> None:
    """With CONDSTORE, STATUS with UIDVALIDITY and HIGHESTMODSEQ; flags are not told (5.1)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok(f"NOTIFY SET (personal {_NOTES})")
    _annotate(bob)
    same(alice.read(), _STATUS)
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    assert _silent(alice)
    _annotate(bob, 2)
    same(alice.read(), _STATUS)


def test_flags_alone_of_other_mailboxes(alice: Dialogue, bob: Dialogue) -> None:
    """Who wants FlagChange alone is not told of annotations there either (5)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok(f"NOTIFY SET (personal {_FLAGS})")
    _annotate(bob)
    _annotate(bob, 2)
    assert _silent(alice)
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    _annotate(bob, 3)
    same(alice.read(), _STATUS)


def test_without_condstore(alice: Dialogue, bob: Dialogue) -> None:
    """There is nothing that STATUS could tell of it without HIGHESTMODSEQ (5.1)."""
    alice.ok(f"NOTIFY SET (personal {_NOTES})")
    _annotate(bob)
    assert _silent(alice)


def test_its_own_before(alice: Dialogue, bob: Dialogue) -> None:
    """What it did itself while the mailbox was selected is not told when it no longer is (5)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok(f"NOTIFY SET (personal {_NOTES})")
    alice.select()
    _annotate(alice)
    alice.ok("UNSELECT")
    assert _silent(alice)
    _annotate(bob, 2)
    same(alice.read(), _STATUS)


# Whose they are.


@pytest.mark.parametrize("select", [True, False])
def test_private_ones_of_others(anywhere: Server, select: bool) -> None:
    """What others note for themselves is theirs alone; what is shared is told (RFC 5257, 3.4)."""
    server = opened_up(anywhere)
    alice, bob = server.client("alice"), server.client("bob")
    alice.commands(["CREATE box", "SETACL box bob lrn"])
    alice.fill(1, "box").select("box")
    bob.ok("ENABLE CONDSTORE")
    if select:
        bob.ok(f'SELECT "{ALICES}box"')
        bob.ok(f"NOTIFY SET (selected {_NOTES})")
    else:
        bob.ok(f'NOTIFY SET (mailboxes "{ALICES}box" {_NOTES})')
    _annotate(alice)
    assert _silent(bob)
    alice.ok('STORE 1 ANNOTATION (/s (value.shared "x"))')
    told = bob.read()
    if select:
        same(told, "* 1 FETCH (UID 1 ANNOTATION (/s) MODSEQ ({{*}}))")
    else:
        same(told, f'* STATUS "{ALICES}box" (UIDVALIDITY {{{{*}}}} HIGHESTMODSEQ {{{{*}}}})')
