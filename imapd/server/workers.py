"""Several processes behind one: it listens, hands connections over, and keeps the others alive.

Rules of the parent:

* It opens no mail and speaks to no client: it accepts, and gives each connection to the worker
  that has the fewest.
* What one worker tells goes to the others as it is.
* A worker that ends is replaced: at once if it had served for a while, else later and later.  One
  that cannot even begin, when nothing has served yet, ends the parent, and its log says why.
* At the end the ports close first; then workers are asked to end, and ended if they do not.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from imapd.server.between import Between, Leaving, Load, Ready
from imapd.server.descriptors import raise_descriptors
from imapd.server.handover import Acceptor, give, pair
from imapd.server.hangup import Hangup
from imapd.server.listening import Listener
from imapd.server.port import Listening
from imapd.server.retelling import retell

__all__ = ["CHANNEL", "CONTROL", "Workers"]

_log = Logger(namespace="imapd")

#: Descriptors of a worker: what it says to the parent, and where connections come in.
CONTROL: Final = 3
CHANNEL: Final = 4

#: Seconds that a worker must have served for its successor to come at once.
_STEADY: Final = 10.0
#: Seconds until the successor of one that had not, the first time and at most.
_SOON: Final = 0.5
_LATE: Final = 30.0
#: Seconds that a worker has for its last words before it is killed: clients have ten for theirs.
_PATIENCE: Final = 20.0
#: Octets of one line of a worker's log.
_LINE: Final = 1 << 20


class Workers(MultiService):
    """Keeps `count` workers; `command` starts one, whose standard input is `said`, in JSON.

    A worker may find a key in it that all of them have, as ``secret``.
    """

    def __init__(
        self,
        reactor: Any,
        listeners: Sequence[Listener],
        count: int,
        command: Sequence[str],
        said: dict[str, Any],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._command = command
        self._said = json.dumps(said | {"secret": secrets.token_hex(32)}).encode()
        self._hangup = Hangup(reactor, self.reload)
        # Nobody is served here: what is accepted is handed over.
        nobody = Factory()
        nobody.noisy = False
        self._ports = [Listening(each, nobody) for each in listeners]
        for port in self._ports:
            self.addService(port)  # type: ignore[no-untyped-call]
        self._acceptors: list[Acceptor] = []
        self._workers = [_Worker(number + 1, self) for number in range(count)]
        self._stopping = False
        self._served = False
        #: A worker could not begin, and so nothing was served.
        self.failed = False

    def privilegedStartService(self) -> None:
        """As `IService`: the ports are opened, and nothing is accepted yet."""
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._accept()

    def _accept(self) -> None:
        for place, each in enumerate(self._ports):
            if not hasattr(each.port, "fileno") or not hasattr(each.port, "stopReading"):
                raise ValueError(
                    f"{each.listener.description!r} cannot be shared; write workers = 1"
                )
            self._acceptors.append(Acceptor(self._reactor, each.port, self._giver(place)))

    def startService(self) -> None:
        """As `IService`."""
        super().startService()  # type: ignore[no-untyped-call]
        if not self._acceptors:
            self._accept()
        raise_descriptors()
        self._hangup.install()
        # Children are only looked after once the reactor runs.
        self._reactor.callWhenRunning(self._start)

    def _start(self) -> None:
        if not self._stopping:
            for worker in self._workers:
                worker.start()

    def stopService(self) -> Deferred[None]:
        """As `IService`."""
        self._stopping = True
        self._hangup.remove()
        for acceptor in self._acceptors:
            acceptor.stop()
        self._acceptors.clear()
        closed: Deferred[Any] = super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop(closed))

    async def _stop(self, closed: Deferred[Any]) -> None:
        await closed
        await gatherResults([worker.stop() for worker in self._workers])

    def reload(self) -> None:
        """Let every worker read the certificates again."""
        for worker in self._workers:
            worker.hang_up()

    # What workers need.

    def spawn(self, worker: _Worker, control: socket.socket, channel: socket.socket) -> Any:
        """A process for a worker, with its ends of what connects it."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = self._reactor.spawnProcess(
            worker,
            self._command[0],
            self._command,
            env=environment,
            childFDs={0: "w", 1: "r", 2: "r", CONTROL: control.fileno(), CHANNEL: channel.fileno()},
        )
        process.write(self._said)
        process.closeStdin()
        return process

    def adopt(self, control: socket.socket, protocol: Between) -> None:
        """Speak a protocol on a socket."""
        control.setblocking(False)
        factory = Factory.forProtocol(lambda: protocol)
        factory.noisy = False
        self._reactor.adoptStreamConnection(control.fileno(), socket.AF_UNIX, factory)

    def later(self, seconds: float, call: Callable[[], object]) -> IDelayedCall:
        """As `IReactorTime.callLater`."""
        delayed: IDelayedCall = self._reactor.callLater(seconds, call)
        return delayed

    def seconds(self) -> float:
        """As `IReactorTime.seconds`."""
        return float(self._reactor.seconds())

    def pass_on(self, teller: _Worker, kind: bytes, what: bytes) -> None:
        """What one has told, to the others."""
        for worker in self._workers:
            if worker is not teller and worker.ready:
                worker.between.tell(kind, what)

    def changed(self) -> None:
        """A worker has begun to serve, or serves no more."""
        if any(worker.ready for worker in self._workers):
            self._served = True
            for acceptor in self._acceptors:
                acceptor.start()
        else:
            for acceptor in self._acceptors:
                acceptor.pause()

    def may_begin_again(self, worker: _Worker) -> bool:
        """Whether a worker that has ended is replaced."""
        if self._stopping:
            return False
        if not self._served:
            if not self.failed:
                self.failed = True
                _log.critical("worker {number} cannot begin; see above why", number=worker.number)
                self._reactor.stop()
            return False
        return True

    def _giver(self, place: int) -> Callable[[socket.socket], bool]:
        def taken(connection: socket.socket) -> bool:
            ready = [worker for worker in self._workers if worker.ready]
            ready.sort(key=lambda worker: worker.load)
            return any(worker.given(place, connection) for worker in ready)

        return taken


class _Worker(ProcessProtocol):
    """The place of one worker: the process that fills it now, or will soon."""

    def __init__(self, number: int, workers: Workers) -> None:
        self.number = number
        self._workers = workers
        self.ready = False
        self.between = Between(lambda kind, what: None)
        self._channel: socket.socket | None = None
        self._process: Any = None
        self._given = self._taken = self._open = 0
        self._began = 0.0
        self._pause = _SOON
        self._later: IDelayedCall | None = None
        self._ended: Deferred[None] | None = None
        self._stale = False
        self._lines = {1: b"", 2: b""}

    @property
    def load(self) -> int:
        """Connections that it has, or has been given and not yet taken."""
        return self._open + self._given - self._taken

    def start(self) -> None:
        """Begin, or begin again."""
        self._later = None
        self._given = self._taken = self._open = 0
        self._stale = False
        self._began = self._workers.seconds()
        self.between = _FromWorker(self, self._workers)
        self._channel, theirs = pair()
        self._channel.setblocking(False)
        control, its = socket.socketpair()
        with theirs, control, its:
            try:
                self._process = self._workers.spawn(self, its, theirs)
            except OSError as error:
                _log.error("no process can be started: {error}", error=str(error))
                self._gone(str(error))
                return
            self._workers.adopt(control, self.between)

    def began(self) -> None:
        """It serves."""
        self.ready = True
        _log.info(
            "worker {number} serves, process {pid}", number=self.number, pid=self._process.pid
        )
        if self._stale:
            self.hang_up()
        self._workers.changed()

    def leaves(self) -> None:
        """It wants no more connections."""
        self.ready = False
        self._workers.changed()

    def loaded(self, taken: int, open: int) -> None:  # noqa: A002
        """What it says of its connections."""
        self._taken, self._open = taken, open

    def given(self, place: int, connection: socket.socket) -> bool:
        """Give it a connection; false if it has no room."""
        if self._channel is None or not give(self._channel, place, connection):
            return False
        self._given += 1
        return True

    def hang_up(self) -> None:
        """Let it read certificates again, now or once it serves."""
        if self.ready:
            self._signal("HUP")
        else:
            self._stale = True

    def stop(self) -> Deferred[None]:
        """Ask it to end; fires when it has ended."""
        ended: Deferred[None] = Deferred()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._process is None:
            ended.callback(None)
            return ended
        self._ended = ended
        self._signal("TERM")
        self._later = self._workers.later(_PATIENCE, self._kill)
        return ended

    def _kill(self) -> None:
        self._later = None
        _log.warn("worker {number} does not end, and is ended", number=self.number)
        self._signal("KILL")

    def _signal(self, name: str) -> None:
        if self._process is not None:
            with suppress(ProcessExitedAlready):
                self._process.signalProcess(name)

    # What the reactor calls.

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """As `IProcessProtocol`: its log, or what it says besides."""
        *lines, rest = (self._lines[childFD] + data).split(b"\n")
        self._lines[childFD] = rest[-_LINE:]
        for line in lines:
            retell(self.number, line, LogLevel.info if childFD == 1 else LogLevel.error)

    def processEnded(self, reason: Failure) -> None:
        """As `IProcessProtocol`."""
        for descriptor in self._lines:
            self.childDataReceived(descriptor, b"\n" if self._lines[descriptor] else b"")
        self._process = None
        self._gone(reason.getErrorMessage())

    def _gone(self, why: str) -> None:
        """There is no process, or no more."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        served = self.ready
        self.ready = False
        self._workers.changed()
        if self._ended is not None:
            if self._later is not None:
                self._later.cancel()
                self._later = None
            ended, self._ended = self._ended, None
            ended.callback(None)
            return
        if not self._workers.may_begin_again(self):
            return
        steady = served and self._workers.seconds() - self._began >= _STEADY
        pause = 0.0 if steady else self._pause
        self._pause = _SOON if steady else min(_LATE, 2 * self._pause)
        _log.error(
            "worker {number} has ended ({why}); another begins in {pause} seconds",
            number=self.number,
            why=why,
            pause=pause,
        )
        self._later = self._workers.later(pause, self.start)


class _FromWorker(Between):
    """The parent's end of what connects it with one worker."""

    def __init__(self, worker: _Worker, workers: Workers) -> None:
        super().__init__(lambda kind, what: workers.pass_on(worker, kind, what))
        self._worker = worker

    @Ready.responder
    def _ready(self) -> dict[str, Any]:
        self._worker.began()
        return {}

    @Load.responder
    def _load(self, taken: int, open: int) -> dict[str, Any]:  # noqa: A002
        self._worker.loaded(taken, open)
        return {}

    @Leaving.responder
    def _leaving(self) -> dict[str, Any]:
        self._worker.leaves()
        return {}
