"""Octets to events: framing, literals, and what is refused."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapd.model.limits import Limits
from imapd.wire.connection import Connection
from imapd.wire.events import (
    Chunk,
    CommandReceived,
    ContinuationDue,
    Event,
    LineReceived,
    Literal,
    Malformed,
    TooLong,
    UploadLine,
    UploadStarted,
)

_LIMITS = Limits(line=130, literal=30, command=200, command_before_login=200, exchange_line=20)
_UPLOADS = {b"APPEND": re.compile(rb" *")}


def _connection(limits: Limits = _LIMITS) -> Connection:
    return Connection(limits, _UPLOADS)


def _events(pieces: Iterable[bytes], *, accept: bool = True) -> list[Event]:
    """All events, neighbouring chunks joined; uploads are accepted, or not."""
    connection = _connection()
    events: list[Event] = []
    for piece in pieces:
        connection.receive_data(piece)
        while (event := connection.next_event()) is not None:
            if isinstance(event, UploadStarted) or (
                isinstance(event, UploadLine) and event.literal is not None
            ):
                if accept:
                    connection.accept()
                else:
                    connection.abandon()
            if isinstance(event, Chunk) and events and isinstance(events[-1], Chunk):
                events[-1] = Chunk(events[-1].data + event.data)
            else:
                events.append(event)
            if isinstance(event, TooLong):
                return events
    return events


def _ways(octets: bytes, expected: Sequence[Event], *, accept: bool = True) -> None:
    """The octets give these events whole, by 7 and by 1."""
    for step in (len(octets), 7, 1):
        pieces = [octets[at : at + step] for at in range(0, len(octets), step)]
        assert _events(pieces, accept=accept) == list(expected), f"by {step}"


_NOOP = CommandReceived(b"z", b"NOOP", b"")

#: Name, octets, events.  Each is followed by ``z NOOP``, which must be the next thing seen.
_CASES: list[tuple[str, bytes, list[Event]]] = [
    ("a command", b"a LOGIN u p\r\n", [CommandReceived(b"a", b"LOGIN", b" u p")]),
    ("lower case", b"a login u p\r\n", [CommandReceived(b"a", b"LOGIN", b" u p")]),
    ("a bare LF ends a line", b"a LOGIN u p\n", [CommandReceived(b"a", b"LOGIN", b" u p")]),
    ("UID takes its command along", b"a uid  fetch 1 UID\r\n",
     [CommandReceived(b"a", b"UID FETCH", b" 1 UID")]),
    ("empty lines are nothing", b"\r\n\n\r\na CHECK\r\n", [CommandReceived(b"a", b"CHECK", b"")]),
    ("a tag with punctuation", b"A.1-_!#$&'/:;<=>?@[]^`|}~,9 CHECK\r\n",
     [CommandReceived(b"A.1-_!#$&'/:;<=>?@[]^`|}~,9", b"CHECK", b"")]),
    ("no tag", b" NOOP\r\n", [Malformed(b"*", "Not a command")]),
    ("a tag alone", b"abc\r\n", [Malformed(b"abc", "Not a command")]),
    ("a tag with a plus", b"a+ NOOP\r\n", [Malformed(b"*", "Not a command")]),
    ("8 bits in the tag", b"\xe9 NOOP\r\n", [Malformed(b"*", "Not a command")]),
    ("NUL in the name", b"a NO\0OP\r\n", [Malformed(b"a", "Not a command")]),
    ("NUL in the arguments is the grammar's to refuse", b"a LOGIN \0 p\r\n",
     [CommandReceived(b"a", b"LOGIN", b" \0 p")]),
    ("a synchronising literal", b"a LOGIN {1}\r\nu p\r\n",
     [ContinuationDue(), CommandReceived(b"a", b"LOGIN", b" {1}\r\nu p")]),
    ("a literal that does not wait", b"a LOGIN {1+}\r\nu {2+}\r\npp\r\n",
     [CommandReceived(b"a", b"LOGIN", b" {1+}\r\nu {2+}\r\npp")]),
    ("an empty literal", b"a LOGIN {0+}\r\n {0}\r\n\r\n",
     [ContinuationDue(), CommandReceived(b"a", b"LOGIN", b" {0+}\r\n {0}\r\n")]),
    ("a literal8", b"a X ~{3+}\r\n\0\0\0\r\n", [CommandReceived(b"a", b"X", b" ~{3+}\r\n\0\0\0")]),
    ("lines inside a literal are not commands", b"a X {12+}\r\nb LOGOUT\r\n\r\n\r\n",
     [CommandReceived(b"a", b"X", b" {12+}\r\nb LOGOUT\r\n\r\n")]),
    ("a negative literal is none", b"a LOGIN {-5}\r\n", [CommandReceived(b"a", b"LOGIN", b" {-5}")]),
    ("a literal of letters is none", b"a X {ab}\r\n", [CommandReceived(b"a", b"X", b" {ab}")]),
    ("a literal not at the end is none", b"a X {3} \r\n", [CommandReceived(b"a", b"X", b" {3} ")]),
    ("a quoted brace is none", b'a X "{3}"\r\n', [CommandReceived(b"a", b"X", b' "{3}"')]),
    ("a refused synchronising literal is forgotten", b"a X {31}\r\n",
     [Malformed(b"a", "The literal is too long", "TOOBIG")]),
    ("a huge literal is forgotten", b"a X {99999999999999999999}\r\n",
     [Malformed(b"a", "The literal is too long", "TOOBIG")]),
    ("a refused literal that did not wait is swallowed", b"a X {31+}\r\n" + b"b LOGOUT\r\n" * 3 + b"c\r\n",
     [Malformed(b"a", "The literal is too long", "TOOBIG")]),
    ("with all that its command still brings",
     b"a X {31+}\r\n" + b"x" * 31 + b" {12+}\r\nb LOGOUT\r\n\r\n {4+}\r\nabcd end\r\n",
     [Malformed(b"a", "The literal is too long", "TOOBIG")]),
    ("up to a literal that waits for leave in vain",
     b"a X {31+}\r\n" + b"x" * 31 + b" {12}\r\n", [Malformed(b"a", "The literal is too long", "TOOBIG")]),
    ("literals that are too much together",
     b"a X" + (b" {30+}\r\n" + b"x" * 30) * 6 + b" {30+}\r\n" + b"b LOGOUT\r\n" * 3 + b"\r\n",
     [Malformed(b"a", "The command is too long", "TOOBIG")]),
    ("the literal of what is no command is swallowed", b"a %% {12+}\r\nb LOGOUT\r\n\r\n\r\n",
     [Malformed(b"a", "Not a command")]),
    ("or forgotten", b"a %% {12}\r\n", [Malformed(b"a", "Not a command")]),
    ("the longest line there may be", b"a X " + b"x" * 126 + b"\r\n",
     [CommandReceived(b"a", b"X", b" " + b"x" * 126)]),
    ("a line that is too long", b"a X " + b"x" * 200 + b"\r\n",
     [Malformed(b"a", "The line is too long", "TOOBIG")]),
    ("a line that is too long, with a literal", b"a X " + b"x" * 200 + b" {12+}\r\nb LOGOUT\r\n\r\n\r\n",
     [Malformed(b"a", "The line is too long", "TOOBIG")]),
    ("a line that is too long after a literal", b"a X {3+}\r\nabc " + b"x" * 200 + b"\r\n",
     [Malformed(b"a", "The line is too long", "TOOBIG")]),
    ("a message", b"a APPEND box (\\Seen) {5}\r\nhello\r\n",
     [UploadStarted(b"a", b"APPEND", b" box (\\Seen) ", Literal(5, True)), Chunk(b"hello"),
      UploadLine(b"", None)]),
    ("a message that does not wait", b"a APPEND box {5+}\r\nhello\r\n",
     [UploadStarted(b"a", b"APPEND", b" box ", Literal(5, False)), Chunk(b"hello"),
      UploadLine(b"", None)]),
    ("a binary message", b"a APPEND box ~{2+}\r\n\0\0\r\n",
     [UploadStarted(b"a", b"APPEND", b" box ", Literal(2, False, True)), Chunk(b"\0\0"),
      UploadLine(b"", None)]),
    ("an empty message", b"a APPEND box {0+}\r\n\r\n",
     [UploadStarted(b"a", b"APPEND", b" box ", Literal(0, False)), UploadLine(b"", None)]),
    ("a message to a mailbox that is a literal", b"a APPEND {3+}\r\nbox {5+}\r\nhello\r\n",
     [UploadStarted(b"a", b"APPEND", b" {3+}\r\nbox ", Literal(5, False)), Chunk(b"hello"),
      UploadLine(b"", None)]),
    ("two messages", b"a APPEND box {1+}\r\nx (\\Seen) {2+}\r\nyy\r\n",
     [UploadStarted(b"a", b"APPEND", b" box ", Literal(1, False)), Chunk(b"x"),
      UploadLine(b" (\\Seen) {2+}", Literal(2, False)), Chunk(b"yy"), UploadLine(b"", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "events"), [c[1:] for c in _CASES], ids=[c[0] for c in _CASES])
def test_events(octets: bytes, events: list[Event]) -> None:
    """Octets give the same events however they are split, and the next command is seen."""
    _ways(octets + b"z NOOP\r\n", [*events, _NOOP])


@pytest.mark.parametrize(
    "octets",
    [
        b"a APPEND box {12+}\r\nb LOGOUT\r\n\r\n\r\n",
        b"a APPEND box {12}\r\n",
        b"a APPEND box {12+}\r\nb LOGOUT\r\n\r\n (\\Seen) {12+}\r\nb LOGOUT\r\n\r\n\r\n",
        b"a APPEND box {12+}\r\nb LOGOUT\r\n\r\n" + b"x" * 200 + b" {12+}\r\nb LOGOUT\r\n\r\n\r\n",
    ],
)
def test_refused_upload(octets: bytes) -> None:
    """A message that is refused is swallowed, or not awaited, and never runs as commands."""
    *_, start, last = _events([octets + b"z NOOP\r\n"], accept=False)
    assert isinstance(start, UploadStarted)
    assert last == _NOOP
    _ways(octets + b"z NOOP\r\n", [start, last], accept=False)


def test_upload_let_go_in_the_middle() -> None:
    """When a disk is full in the middle of a message, the rest of it is not taken for commands."""
    connection = _connection()
    connection.receive_data(b"a APPEND box {30+}\r\n123")
    assert isinstance(connection.next_event(), UploadStarted)
    connection.accept()
    assert connection.next_event() == Chunk(b"123")
    connection.abandon()
    connection.receive_data(b"456\r\nb LOGOUT\r\nc LOGOUT\r\n01")
    assert connection.next_event() is None
    connection.receive_data(b"2 {12+}\r\nb LOGOUT\r\n\r\n\r\nz NOOP\r\n")
    assert connection.next_event() == _NOOP
    assert connection.next_event() is None


def test_upload_line_too_long() -> None:
    """What follows a message has a bound too."""
    octets = b"a APPEND box {1+}\r\nx" + b"y" * 200 + b"\r\n"
    started = UploadStarted(b"a", b"APPEND", b" box ", Literal(1, False))
    _ways(octets, [started, Chunk(b"x"), TooLong("The line is too long")])


def test_expected_line() -> None:
    """In an exchange the next line is taken as it is, though it looks like a literal."""
    for step in (100, 1):
        connection = _connection()
        connection.expect_line()
        events = []
        octets = b"a NOOP {3}\r\n\r\nz NOOP\r\n"
        for at in range(0, len(octets), step):
            connection.receive_data(octets[at : at + step])
            while (event := connection.next_event()) is not None:
                events.append(event)
        assert events == [LineReceived(b"a NOOP {3}"), _NOOP]


def test_expected_line_too_long() -> None:
    """A response in an exchange that never ends is not kept for ever."""
    connection = _connection()
    connection.expect_line()
    connection.receive_data(b"x" * 23)
    assert connection.next_event() == TooLong("The line is too long")


def test_nothing_before_the_handshake_counts() -> None:
    """What came before TLS is forgotten, also the half of a command (RFC 9051, 6.2.1)."""
    connection = _connection()
    connection.receive_data(b"a X {10}\r\nabc")
    assert connection.next_event() == ContinuationDue()
    assert connection.next_event() is None
    connection.clear()
    connection.receive_data(b"z NOOP\r\n")
    assert connection.next_event() == _NOOP


def test_swallowing_keeps_nothing() -> None:
    """A megabyte of refused octets is not held in memory."""
    connection = _connection()
    connection.receive_data(b"a X {100000000+}\r\n")
    assert isinstance(connection.next_event(), Malformed)
    for _ in range(100):
        connection.receive_data(b"x" * 10_000)
        assert connection.next_event() is None
        assert connection.waiting == 0
    connection = _connection()
    for _ in range(100):
        connection.receive_data(b"y" * 10_000)
        connection.next_event()
        assert connection.next_event() is None
        assert connection.waiting < 100


#: Octets that make framers stumble, and any others.
_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"a ", b"NOOP", b"APPEND ", b"box ", b"{5}\r\n", b"{3+}\r\n", b"{40+}\r\n", b"~{2}\r\n",
             b"{99}\r\n", b"\r\n", b"\n", b"\r", b"}", b"{", b"{5}", b'"', b"x" * 60, b"x" * 124, b" ",
             b"abc", b"\0", b"\xff", b"+}\r\n", b"UID ", b"*", b"{0}\r\n", b"{000000000000000000005+}\r\n"]
        ),
        st.binary(max_size=5),
    ),
    max_size=25,
).map(b"".join)  # fmt: skip


@given(_PIECES, st.lists(st.integers(0, 200), max_size=8), st.booleans())
@example(b"a NOOP" + b" " * 124 + b"\r\n", [131], True)
def test_any_split(octets: bytes, cuts: list[int], accept: bool) -> None:
    """Any octets give the same events whole, in any pieces, and one by one."""
    whole = _events([octets], accept=accept)
    ends = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    pieces = [octets[start:stop] for start, stop in pairwise(ends)]
    assert _events(pieces, accept=accept) == whole
    singly = [octets[at : at + 1] for at in range(len(octets))]
    assert _events(singly, accept=accept) == whole


@given(_PIECES)
def test_bounded(octets: bytes) -> None:
    """What waits is never much more than one line and one literal."""
    connection = _connection()
    for at in range(0, len(octets), 3):
        connection.receive_data(octets[at : at + 3])
        while (event := connection.next_event()) is not None:
            if isinstance(event, UploadStarted):
                connection.accept()
            assert not isinstance(event, CommandReceived) or len(event.arguments) < 400
        assert connection.waiting <= 140


def test_a_client_that_is_always_ahead() -> None:
    """What has been taken is let go of, though there is always more."""
    connection = Connection(Limits(), {})
    line = b"a NOOP " + b"x" * 900 + b"\r\n"
    connection.receive_data(line)
    tracemalloc.start()
    try:
        for _ in range(2_000):
            connection.receive_data(line)
            assert isinstance(connection.next_event(), CommandReceived)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20 * len(line)
    assert connection.waiting == len(line)
