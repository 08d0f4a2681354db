"""Lines and messages of LMTP, in whatever pieces they come."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.delivery.framing import End, Event, Framer, Line, Octets, TooLong


def _events(framer: Framer, data: bytes, step: int) -> list[Event]:
    """What comes of octets fed in pieces; neighbouring octets as one."""
    found: list[Event] = []
    for at in range(0, len(data), step):
        framer.receive_data(data[at : at + step])
        while (event := framer.next_event()) is not None:
            if isinstance(event, Octets) and found and isinstance(found[-1], Octets):
                found[-1] = Octets(found[-1].data + event.data)
            else:
                found.append(event)
    return found


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(b"a\r\nb\r\n.\r\n", b"a\r\nb\r\n", id="plain"),
        pytest.param(b".\r\n", b"", id="nothing at all"),
        pytest.param(b"..\r\n..a\r\n.b\r\n.\r\n", b".\r\n.a\r\nb\r\n", id="dots before dots"),
        pytest.param(b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", id="LF before the dot"),
        pytest.param(b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n", id="LF behind the dot"),
        pytest.param(b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n", id="LF around the dot"),
        pytest.param(b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n", id="CR around the dot"),
        pytest.param(b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", id="CR behind the dot"),
        pytest.param(b"a\r\r\n.\r\n", b"a\r\r\n", id="two CR"),
        pytest.param(b"a\r.\r\n\r\n.\r\n", b"a\r.\r\n\r\n", id="CR before the dot"),
    ],
)
def test_only_crlf_dot_crlf_ends_a_message(sent: bytes, kept: bytes, step: int) -> None:
    """A lone CR or LF around the dot ends nothing: no second message can be smuggled in."""
    framer = Framer(100)
    framer.expect_message()
    told = _events(framer, sent + b"QUIT\r\n", step)
    assert told == [*([Octets(kept)] if kept else []), End(), Line(b"QUIT")]


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"a", b"\r\n", b"\r\n."])), st.integers(1, 9))
def test_any_message_comes_back(pieces: list[bytes], step: int) -> None:
    """What a client stuffs with dots as RFC 5321 says is kept as it was, however it is cut."""
    message = b"".join(pieces)
    if message and not message.endswith(b"\r\n"):
        message += b"\r\n"
    stuffed = re.sub(rb"(\A|\r\n)\.", rb"\1..", message)
    framer = Framer(100)
    framer.expect_message()
    told = _events(framer, stuffed + b".\r\nNOOP\r\n", step)
    assert told == [*([Octets(message)] if message else []), End(), Line(b"NOOP")]


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_chunks(step: int) -> None:
    """A chunk has the octets it says, whatever they are, and may have none."""
    framer = Framer(100)
    framer.expect_chunk(7)
    assert _events(framer, b"\r\n.\r\n\0.NOOP\r\n", step) == [
        Octets(b"\r\n.\r\n\0."),
        End(),
        Line(b"NOOP"),
    ]
    framer.expect_chunk(0)
    assert framer.next_event() == End()


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_long_lines(step: int) -> None:
    """A line beyond the bound is dropped whole, and the next one is read."""
    assert _events(Framer(5), b"12345\r\n123456\r\n\r\n1234567890\rX\nY\r\nNOOP\r\n", step) == [
        Line(b"12345"),
        TooLong(),
        Line(b""),
        TooLong(),
        Line(b"NOOP"),
    ]


def test_a_line_without_end_costs_no_memory() -> None:
    """What is dropped is not kept."""
    framer = Framer(10)
    for _ in range(100):
        framer.receive_data(b"x" * 1000)
        assert framer.next_event() is None
        assert framer.waiting <= 11
