"""Octets to events, inflated where the client compresses."""

from __future__ import annotations

import zlib

import pytest

from imapd.model.limits import Limits
from imapd.server.intake import Intake
from imapd.wire.connection import Connection
from imapd.wire.deflate import BadStream
from imapd.wire.events import CommandReceived


def _intake(most: int = 1000) -> Intake:
    return Intake(Connection(Limits(), {}), most)


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def test_as_it_comes() -> None:
    """Before anything is compressed, octets become events as they are."""
    intake = _intake()
    intake.receive_data(b"a NOOP\r\nb")
    assert intake.next_event() == CommandReceived(b"a", b"NOOP", b"")
    assert intake.next_event() is None
    assert intake.waiting == 1
    assert not intake.pending


def test_what_came_behind_the_command_is_compressed() -> None:
    """A client that compresses at once loses nothing (RFC 4978, 3)."""
    intake = _intake()
    intake.receive_data(b"a COMPRESS DEFLATE\r\n" + _deflated(b"b NOOP\r\n"))
    assert intake.next_event() == CommandReceived(b"a", b"COMPRESS", b" DEFLATE")
    intake.inflate()
    assert intake.pending
    assert intake.next_event() == CommandReceived(b"b", b"NOOP", b"")


def test_a_bomb_is_inflated_in_pieces() -> None:
    """Few octets that mean many are not unpacked at once."""
    intake = _intake(most=1000)
    intake.inflate()
    intake.receive_data(_deflated(b"x" * 1_000_000))
    assert intake.next_event() is None
    assert intake.waiting < 3_000
    assert intake.pending


def test_no_deflate() -> None:
    """What is not compressed after all is told."""
    intake = _intake()
    intake.inflate()
    intake.receive_data(b"\xff\xff\xff\xff")
    with pytest.raises(BadStream):
        intake.next_event()


def test_the_end() -> None:
    """Behind the last compressed command, octets are as they are again (RFC 8437, 4.1)."""
    intake = _intake()
    intake.inflate()
    intake.receive_data(_deflated(b"a NOOP\r\n") + b"b NOOP\r\n")
    assert intake.next_event() == CommandReceived(b"a", b"NOOP", b"")
    intake.end_inflating()
    assert not intake.inflates
    assert intake.next_event() == CommandReceived(b"b", b"NOOP", b"")
