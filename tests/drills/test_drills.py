"""kill -9 of the real server under load: what was acknowledged stays; and a server that lies is found out."""

from __future__ import annotations

import os
import random
import tempfile

import pytest

from tests.drills.drill import Failed, drill
from tests.drills.ledger import Box, History, Message, Seen, agreeing
from tests.drills.letters import named, octets
from tests.drills.liars import LIES


@pytest.fixture
def memory():
    """Where what is written survives a process, as it does anywhere, and there is no disk to wait for."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="drills", dir=where) as folder:
        yield folder


def test_what_was_acknowledged_stays(memory):
    """Whenever the server is killed: every message once, as it was sent, under its UID, with its flags."""
    assert drill(30, random.randrange(1 << 32), where=memory) > 100


def test_the_program_itself():
    """The same with a process started as users start it, and flags that are synced."""
    assert drill(2, random.randrange(1 << 32), fresh=True, options=":flags=synced") > 0


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies(lie, memory):
    """A store that breaks one promise does not get through."""
    with pytest.raises(Failed):
        drill(60, 7, lie=lie, where=memory)


def _seen(messages, uidvalidity=1, modseq=9):
    return Seen(
        uidvalidity, max(messages, default=0) + 1, modseq, messages, dict.fromkeys(messages, 5)
    )


ONE, TWO = Message("c1/1", frozenset(["\\Seen"])), Message("c1/2")


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({1: ONE, 2: TWO}, []),
        ({1: ONE, 2: TWO, 3: Message("c2/1")}, []),
        ({1: ONE}, ["INBOX: UID 2, c1/2, is gone"]),
        ({1: Message("c1/1"), 2: TWO}, ["INBOX: UID 1 has () and had (\\Seen)"]),
        ({1: TWO, 2: TWO}, ["INBOX: UID 1 is c1/2 and was c1/1"]),
        ({1: ONE, 2: TWO, 4: TWO}, ["INBOX: UID 4, c1/2 with (), is one too many"]),
    ],
)
def test_what_is_there_is_held_against_what_was_told(there, said):
    """Each way in which a mailbox can be wrong is told; other clients' messages are their own affair."""
    told = {"INBOX": Box(1, {1: ONE, 2: TWO})}
    assert agreeing("c1", [told], {"INBOX": _seen(there)})[1] == said


def test_mailboxes_are_held_against_what_was_told():
    """A mailbox that is gone, is another, or should not be there."""
    told = {"c1/a": Box(1), "c1/b": Box(1)}
    seen = {"c1/a": _seen({}, uidvalidity=2), "c1/c": _seen({}), "c2/a": _seen({})}
    assert agreeing("c1", [told], seen)[1] == [
        "c1/a has UIDVALIDITY 2 and had 1",
        "c1/b is gone",
        "c1/c should not be there",
    ]


def test_either_outcome_of_what_was_not_answered():
    """The state after it is as good as the one before; what is found is known from then on."""
    before, after = {"INBOX": Box(1, {1: ONE})}, {"INBOX": Box(1, {1: ONE}, (TWO,))}
    for there in ({1: ONE}, {1: ONE, 7: TWO}):
        state, wrong = agreeing("c1", [before, after], {"INBOX": _seen(there)})
        assert not wrong
        assert state["INBOX"].known == there
    assert agreeing("c1", [before, after], {"INBOX": _seen({1: ONE, 7: TWO, 8: TWO})})[1]


def test_history_binds():
    """A UID is never another message's, and neither UIDNEXT nor a modseq goes back."""
    history = History()
    assert not list(history.seen("a", _seen({1: ONE, 2: TWO})))
    assert list(history.seen("a", _seen({1: TWO}, modseq=8))) == [
        "UID 1 of UIDVALIDITY 1 was c1/1 and is c1/2",
        "a: UIDNEXT was 3 and is 2",
        "a: HIGHESTMODSEQ was 9 and is 8",
    ]
    assert not list(history.seen("a", _seen({1: TWO}, uidvalidity=2)))


def test_octets_are_told_from_others():
    """A message is known only by all its octets."""
    whole = octets("c1/1")
    assert named(whole) == "c1/1"
    assert named(whole[:-1]) is None
    assert named(whole.replace(b"From", b"Frum")) is None
    trace = b"Return-Path: <a@b>\r\nDelivered-To: u\r\nReceived: from x\r\n\tby y\r\n"
    assert named(trace + octets("mta1/1")) == "mta1/1"
    assert named(trace + octets("c1/1")) is None
