"""Connections go from one process to another, and wait where there is no room for them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock

from imapd.server import handover
from imapd.server.handover import Acceptor, HandedOver, give, pair


class _Port:
    """A port that listens, as Twisted has it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.fileno = self.socket.fileno
        self.reading = True

    def stopReading(self) -> None:
        """As `tcp.Port`."""
        self.reading = False


@pytest.fixture
def port() -> Iterator[_Port]:
    """A port that is closed at the end."""
    made = _Port()
    yield made
    made.socket.close()


def _client(port: _Port) -> socket.socket:
    client = socket.create_connection(port.socket.getsockname())
    client.settimeout(10)
    return client


def test_there_is_no_room(port: _Port) -> None:
    """Who was accepted when nobody could take them is kept until somebody can; the rest waits."""
    reactor = MemoryReactorClock()
    given: list[socket.socket] = []
    room = False

    def give(connection: socket.socket) -> bool:
        if room:
            given.append(connection.dup())
        return room

    acceptor = Acceptor(reactor, port, give)
    assert not port.reading
    assert acceptor not in reactor.getReaders()
    acceptor.start()
    assert acceptor in reactor.getReaders()
    with _client(port) as one, _client(port) as two:
        acceptor.doRead()
        assert acceptor not in reactor.getReaders()
        reactor.advance(1)
        room = True
        reactor.advance(1)
        assert acceptor in reactor.getReaders()
        assert {each.getpeername() for each in given} == {one.getsockname(), two.getsockname()}
        given[0].sendall(b"here")
        assert one.recv(10) == b"here"
    acceptor.stop()
    for each in given:
        each.close()
    assert reactor.getReaders() == []
    assert reactor.getDelayedCalls() == []


def test_stopped_with_one_in_hand(port: _Port) -> None:
    """Who was accepted and could not be given away is let go at the end."""
    acceptor = Acceptor(MemoryReactorClock(), port, lambda connection: False)
    acceptor.start()
    with _client(port) as client:
        acceptor.doRead()
        acceptor.stop()
        assert client.recv(10) == b""


def test_no_descriptors(port: _Port) -> None:
    """When the process may have no more descriptors, it tries again in a moment."""
    reactor = MemoryReactorClock()
    given: list[int] = []
    acceptor = Acceptor(reactor, port, lambda connection: not given.append(1))
    acceptor.start()

    class _Full:
        def accept(self) -> Any:
            raise OSError(24, "Too many open files")

    listening, acceptor._socket = acceptor._socket, _Full()  # type: ignore[assignment]
    acceptor.doRead()
    assert acceptor not in reactor.getReaders()
    acceptor._socket = listening
    with _client(port):
        reactor.advance(1)
        acceptor.doRead()
        assert given == [1]
    acceptor.stop()


class _Reactor(MemoryReactorClock):
    """Notes whose connections it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[tuple[int, Factory[Any]]] = []

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        """As `IReactorSocket`."""
        with socket.socket(fileno=os.dup(fileDescriptor)) as mine:
            if mine.recv(1, socket.MSG_PEEK) == b"x":
                raise OSError(107, "Transport endpoint is not connected")
        self.adopted.append((addressFamily, factory))


def _sent(inward: socket.socket, place: int, octet: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(octet)
        assert give(inward, place, theirs)


def test_endpoints() -> None:
    """Whatever endpoints listen on here, their factories get what is handed over, and no port is opened."""
    reactor = _Reactor()
    inward, outward = pair()
    coming = HandedOver(reactor, outward)
    factories = [Factory.forProtocol(Protocol) for _ in range(3)]
    places = ["tcp:143", "unix:/run/imap", "systemd:domain=INET:index=0"]
    ports = []
    for place, factory in zip(places, factories):
        endpoint = serverFromString(coming, coming.stand_in(place))
        endpoint.listen(factory).addCallback(ports.append)
    assert (reactor.tcpServers, reactor.unixServers) == ([], [])
    assert [factory.numPorts for factory in factories] == [1, 1, 1]
    coming.start()
    assert reactor.getReaders() == [coming]
    for place in (2, 0):
        _sent(inward, place, b".")
    # One whose client has gone does no harm.
    _sent(inward, 1, b"x")
    coming.doRead()
    assert [factory for _, factory in reactor.adopted] == [factories[2], factories[0]]
    _sent(inward, 1, b".")
    ports[0].stopListening()
    assert reactor.adopted[-1] == (socket.AF_UNIX, factories[1])
    assert coming.taken == 4
    assert [factory.numPorts for factory in factories] == [0, 1, 1]
    coming.stop()
    inward.close()
    assert reactor.getReaders() == []


def test_stand_in() -> None:
    """What systemd has opened is not there in a worker; all else is written as it is."""
    assert HandedOver.stand_in("systemd:domain=INET:index=0") == "tcp:0"
    assert HandedOver.stand_in("haproxy:systemd:domain=INET:name=imap") == "haproxy:tcp:0"
    assert HandedOver.stand_in("tcp:143") == "tcp:143"


def test_nobody_takes_it() -> None:
    """To a process that has gone, or reads nothing, nothing is given."""
    inward, outward = pair()
    inward.setblocking(False)
    ours, theirs = socket.socketpair()
    with ours, theirs, inward:
        count = 0
        while give(inward, 0, theirs) and count < 10_000:
            count += 1
        assert 0 < count < 10_000
        outward.close()
        assert not give(inward, 0, theirs)


def test_too_many() -> None:
    """A connection for which there was no descriptor is lost, and no other."""
    reactor = _Reactor()
    inward, outward = pair()
    coming = HandedOver(reactor, outward)
    factory = Factory.forProtocol(Protocol)
    coming.listenTCP(143, factory)
    inward.send(b"\0")
    _sent(inward, 0, b".")
    coming.doRead()
    assert reactor.adopted == [(socket.AF_UNIX, factory)]
    assert coming.taken == 2
    coming.stop()
    inward.close()


def test_at_once_is_bounded() -> None:
    """In one turn only some are taken over: others want theirs."""
    reactor = _Reactor()
    inward, outward = pair()
    coming = HandedOver(reactor, outward)
    coming.listenTCP(143, Factory.forProtocol(Protocol))
    for _ in range(handover._AT_ONCE + 1):
        _sent(inward, 0, b".")
    coming.doRead()
    assert coming.taken == handover._AT_ONCE
    coming.drain()
    assert coming.taken == handover._AT_ONCE + 1
    coming.stop()
    inward.close()
