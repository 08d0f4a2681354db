"""Connections handed over: accepted in one process, served in another.

A descriptor goes with one octet: the place of its listener in the order of the configuration.

* `Acceptor` accepts what comes to a port and gives it away.
* `HandedOver` is where it comes in, and a reactor for endpoints besides: whatever they listen on,
  nothing is opened, and their factory gets the connections that are handed over.  So TLS, proxies
  and what plug-ins put around a factory are where the connection is served.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IListeningPort, IReadDescriptor
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer, providedBy

__all__ = ["Acceptor", "HandedOver", "give", "pair"]

_log = Logger(namespace="imapd")

#: Connections accepted, and taken over, in one turn of the reactor.
_AT_ONCE: Final = 16
#: Seconds until it is tried again, when there was no room: for a descriptor, or with a worker.
_AGAIN: Final = 0.05
#: Errors of accept() that say nothing about the next one: the client has gone (accept(2)).
_GONE: Final = frozenset(
    (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.ENOPROTOOPT,
     errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EOPNOTSUPP, errno.ENETUNREACH)
)  # fmt: skip
#: An endpoint that is there before the process is.
_OPENED: Final = re.compile(r"^(haproxy:)?systemd:.*", re.DOTALL)
#: What a descriptor that another process gets must not be passed on to.
_CLOSED_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends: connections go in at the first, and come out at the second."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def give(channel: socket.socket, place: int, connection: socket.socket) -> bool:
    """Hand a connection of the listener at `place` over; false if there is no room, or nobody."""
    try:
        socket.send_fds(channel, [bytes((place,))], [connection.fileno()])
    except OSError:
        return False
    return True


@implementer(IReadDescriptor)
@define(eq=False)
class Acceptor:
    """Accepts what comes to a port; `give` takes it, or says that there is no room for it now."""

    _reactor: Any
    _port: Any
    _give: Callable[[socket.socket], bool]
    _socket: socket.socket = field(init=False)
    _held: socket.socket | None = field(default=None, init=False)
    _running: bool = field(default=False, init=False)
    _again: Any = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        # The port is there to be opened and closed in order; it is this that reads.
        self._port.stopReading()
        self._socket = socket.socket(fileno=os.dup(self._port.fileno()))
        self._socket.setblocking(False)

    def start(self) -> None:
        """There is somebody to give connections to."""
        if not self._running:
            self._running = True
            self._resume()

    def pause(self) -> None:
        """There is nobody: who comes waits where the kernel lets them."""
        self._running = False
        self._reactor.removeReader(self)
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def stop(self) -> None:
        """Let go of the port."""
        self.pause()
        if self._held is not None:
            self._held.close()
            self._held = None
        self._socket.close()

    def fileno(self) -> int:
        """As `IFileDescriptor`."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """As `ILoggingContext`."""
        return "imapd"

    def connectionLost(self, reason: Failure) -> None:
        """As `IFileDescriptor`: the reactor ends."""

    def doRead(self) -> None:
        """As `IReadDescriptor`."""
        for _ in range(_AT_ONCE):
            try:
                connection = self._held or self._socket.accept()[0]
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _GONE:
                    continue
                _log.warn("cannot accept connections now: {why}", why=str(error))
                self._wait()
                return
            self._held = None
            connection.setblocking(False)
            if not self._give(connection):
                self._held = connection
                self._wait()
                return
            connection.close()

    def _wait(self) -> None:
        self._reactor.removeReader(self)
        self._again = self._reactor.callLater(_AGAIN, self._resume)

    def _resume(self) -> None:
        self._again = None
        if self._running:
            self._reactor.addReader(self)
            if self._held is not None:
                self.doRead()


@implementer(IReadDescriptor)
class HandedOver:
    """A reactor whose ports are `channel`: the first to listen is place 0."""

    def __init__(self, reactor: Any, channel: socket.socket) -> None:
        self._reactor = reactor
        self._channel = channel
        channel.setblocking(False)
        self._ports: list[_Port] = []
        #: Connections that were handed over.
        self.taken = 0
        directlyProvides(self, IReadDescriptor, *providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    @staticmethod
    def stand_in(description: str) -> str:
        """What to write for an endpoint here, where nothing was opened for the process to find."""
        return _OPENED.sub(r"\1tcp:0", description)

    # What endpoints call.

    def listenTCP(self, port: int, factory: Factory, *how: Any, **more: Any) -> IListeningPort:
        """As `IReactorTCP`."""
        return self._listening(factory)

    def listenUNIX(self, address: str, factory: Factory, *how: Any, **more: Any) -> IListeningPort:
        """As `IReactorUNIX`."""
        return self._listening(factory)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Factory) -> Any:
        """As `IReactorSocket`."""
        return self._listening(factory)

    def _listening(self, factory: Factory) -> IListeningPort:
        port = _Port(factory, self.drain)
        self._ports.append(port)
        port.startListening()
        return port

    # What comes in.

    @property
    def listening(self) -> int:
        """How many ports have been opened."""
        return len(self._ports)

    def start(self) -> None:
        """Take what is handed over."""
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Take no more."""
        self._reactor.removeReader(self)
        self._channel.close()

    def drain(self) -> None:
        """Take all that has been handed over."""
        while self._channel.fileno() >= 0 and self._take():
            pass

    def fileno(self) -> int:
        """As `IFileDescriptor`."""
        return self._channel.fileno()

    def logPrefix(self) -> str:
        """As `ILoggingContext`."""
        return "imapd"

    def connectionLost(self, reason: Failure) -> None:
        """As `IFileDescriptor`: the reactor ends."""

    def doRead(self) -> None:
        """As `IReadDescriptor`."""
        for _ in range(_AT_ONCE):
            if not self._take():
                return

    def _take(self) -> bool:
        """One; false if there is none."""
        try:
            place, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1, _CLOSED_ON_EXEC)
        except BlockingIOError:
            return False
        self.taken += 1
        if not descriptors:
            _log.warn("a connection was lost: this process may have no more descriptors")
            return True
        with socket.socket(fileno=descriptors[0]) as connection:
            port = self._ports[place[0]]
            # It fails when the client has gone again.
            with suppress(OSError):
                self._reactor.adoptStreamConnection(
                    connection.fileno(), connection.family, port.factory
                )
        return True


@implementer(IListeningPort)
@define(eq=False)
class _Port:
    """Where connections are handed over to one factory."""

    factory: Factory
    _drain: Callable[[], object]

    def startListening(self) -> None:
        """As `IListeningPort`."""
        self.factory.doStart()  # type: ignore[no-untyped-call]

    def stopListening(self) -> None:
        """As `IListeningPort`."""
        self._drain()
        self.factory.doStop()  # type: ignore[no-untyped-call]

    def getHost(self) -> IPv4Address:
        """As `IListeningPort`: of this process there is nothing to connect to."""
        return IPv4Address("TCP", "", 0)
