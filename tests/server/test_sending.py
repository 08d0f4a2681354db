"""Octets reach the socket at once, and in order, whatever it takes of them and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import ISSLTransport, IWriteDescriptor
from twisted.internet.testing import StringTransport
from zope.interface import directlyProvides

from imapd.server.sending import Sending


class _Reactor:
    """Knows who wants to write."""

    def __init__(self) -> None:
        self.writers: set[object] = set()
        self.asked = 0

    def addWriter(self, writer: object) -> None:
        self.asked += 1
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)

    def removeReader(self, reader: object) -> None:
        """Nothing is read here."""


class _Socket(FileDescriptor):
    """Takes as many octets as there is room for."""

    def __init__(self) -> None:
        self.clock = _Reactor()
        super().__init__(self.clock)  # type: ignore[arg-type]
        self.connected = 1
        self.room = 1 << 20
        self.taken = b""
        self.broken = False

    def writeSomeData(self, data: Any) -> Any:
        if self.broken:
            return ConnectionLost()
        some = bytes(data)[: self.room]
        self.room -= len(some)
        self.taken += some
        return len(some)

    def make_room(self, octets: int) -> None:
        """The client has read: the reactor has whoever wants to write do so."""
        self.room += octets
        for writer in tuple(self.clock.writers):
            writer.doWrite()  # type: ignore[attr-defined]


def test_at_once() -> None:
    """What the socket takes it has when `send` returns, the greeting before it."""
    socket = _Socket()
    socket.write(b"* OK ready\r\n")
    sending = Sending(socket)
    sending.send(b"a OK done\r\n")
    assert socket.taken == b"* OK ready\r\na OK done\r\n"
    asked = socket.clock.asked
    sending.send(b"b OK done\r\n")
    assert socket.taken.endswith(b"b OK done\r\n")
    assert not socket.clock.writers
    # The reactor had nothing to do with it.
    assert socket.clock.asked == asked


@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=9).map(lambda data: ("send", data)),
            st.integers(0, 12).map(lambda octets: ("room", octets)),
            st.just(("encrypt", b"")),
        ),
        max_size=40,
    ),
    st.integers(0, 20),
)
def test_in_order(steps: list[tuple[str, Any]], room: int) -> None:
    """Nothing is lost, nothing comes twice, and all comes in order."""
    socket = _Socket()
    socket.room = room
    sending, sent = Sending(socket), b""
    for what, argument in steps:
        if what == "send":
            sending.send(argument)
            sent += argument
        elif what == "room":
            socket.make_room(argument)
        else:
            sending.encrypted()
        assert sent.startswith(socket.taken)
        assert socket.taken == sent or socket.room == 0
    socket.make_room(1_000)
    assert socket.taken == sent


def test_a_broken_connection() -> None:
    """The reactor is left to find out."""
    socket = _Socket()
    sending = Sending(socket)
    sending.send(b"a")
    socket.broken = True
    sending.send(b"b")
    sending.send(b"c")
    assert socket.taken == b"a"
    assert socket in socket.clock.writers


def test_aborted() -> None:
    """When the transport writes no more, nothing overtakes what it has."""
    socket = _Socket()
    socket.doWrite = lambda: None  # type: ignore[method-assign]
    sending = Sending(socket)
    for data in (b"one", b"two"):
        sending.send(data)
    assert socket.taken == b""


def test_it_is_over() -> None:
    """What ends with the last octet is left to the reactor to end."""
    socket = _Socket()
    socket.room = 2
    sending = Sending(socket)
    sending.send(b"* BYE\r\n")
    socket.loseConnection()
    socket.room = 100
    sending.send(b"more")
    assert socket in socket.clock.writers


@pytest.mark.parametrize("begun", [b"", b"in the clear"])
def test_encrypted(begun: bytes) -> None:
    """Not an octet goes past a transport that encrypts, from the start or later."""
    socket = _Socket()
    if not begun:
        directlyProvides(socket, ISSLTransport, IWriteDescriptor)
    sending = Sending(socket)
    if begun:
        sending.send(begun)
        sending.encrypted()
    written: list[bytes] = []
    socket.write = written.append  # type: ignore[method-assign,assignment]
    for data in (b"one", b"two"):
        sending.send(data)
    assert written == [b"one", b"two"]
    assert socket.taken == begun


def test_any_transport() -> None:
    """What is no descriptor is written to, and no more."""
    transport = StringTransport()
    sending = Sending(transport)
    sending.send(b"one ")
    sending.send(b"two")
    assert transport.value() == b"one two"
