"""What workers tell each other: changes are merged and come in pieces, and nobody is flooded."""

from __future__ import annotations

import json

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from zope.interface.verify import verifyObject

from imapd.model.mailbox import Hint
from imapd.server.between import (
    HINTS,
    Between,
    Hints,
    failure_from,
    failure_of,
    hints_from,
)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


def test_hints(clock: Clock) -> None:
    """Of a mailbox the last change is told; the same of names and annotations once."""
    told: list[bytes] = []
    hints = Hints(clock, told.append)
    hints.add("/mail/ann", [Hint("a", 5), Hint("")])
    hints.add("/mail/ann", [Hint("a", 7), Hint("b", 1), Hint(""), Hint("a", entries=("/x",))])
    hints.add("/mail/bob", [Hint("a", 6)])
    hints.add("/mail/bob", [])
    assert told == []
    clock.advance(0.01)
    assert [hints_from(each) for each in told] == [
        {
            "/mail/ann": [Hint("a", 7), Hint("b", 1), Hint(""), Hint("a", 0, ("/x",))],
            "/mail/bob": [Hint("a", 6)],
        }
    ]
    clock.advance(1)
    assert len(told) == 1


def test_many(clock: Clock) -> None:
    """What is more than AMP takes at once comes in pieces, and all of it."""
    told: list[bytes] = []
    hints = Hints(clock, told.append)
    many = [Hint(f"{number:032}", number) for number in range(5_000)]
    hints.add("/mail/ann", many)
    hints.stop()
    assert len(told) > 1
    assert max(map(len, told)) < 65_536
    assert [hint for each in told for hint in hints_from(each)["/mail/ann"]] == many
    assert clock.getDelayedCalls() == []


def test_failure() -> None:
    """A failed log-in comes as it went, whatever the name."""
    assert failure_from(failure_of("user j\u00fcrgen", b"\x00\xff")) == (
        "user j\u00fcrgen",
        b"\x00\xff",
    )


def test_between() -> None:
    """News arrive in order, until the other does not read them; then they are left out."""
    heard: list[tuple[bytes, bytes]] = []
    lost: list[str] = []
    one = Between(lambda kind, what: None, lambda: lost.append("lost"))
    other = Between(lambda kind, what: heard.append((kind, what)))
    there = StringTransportWithDisconnection()
    one.tell(HINTS, b"before it is there")
    one.makeConnection(there)
    other.makeConnection(StringTransportWithDisconnection())
    assert verifyObject(IPushProducer, one)
    one.tell(HINTS, b"1")
    there.producer.pauseProducing()  # type: ignore[union-attr]
    one.tell(HINTS, b"2")
    there.producer.resumeProducing()  # type: ignore[union-attr]
    one.tell(HINTS, b"3")
    other.dataReceived(there.value())
    assert heard == [(HINTS, b"1"), (HINTS, b"3")]
    there.protocol = one
    there.loseConnection()
    assert lost == ["lost"]
    one.tell(HINTS, b"after it has gone")


def test_is_json() -> None:
    """What is passed on is text that a person can read."""
    clock = Clock()
    told: list[bytes] = []
    Hints(clock, told.append).add("/mail/ann", [Hint("a", 5)])
    clock.advance(1)
    assert json.loads(told[0]) == [["/mail/ann", "a", 5, []]]
