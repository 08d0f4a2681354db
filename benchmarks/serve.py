"""The server under measurement, in its own process, with a port that tells its cost.

Each line sent to the control port is answered by: CPU seconds used so far, the longest
reactor turn since the last question in seconds, resident octets.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver

from imapd.auth.static import StaticPassword
from imapd.server.factory import imap_factory
from imapd.store.maker import open_store

reactor: Any = _reactor

#: Seconds between two beats of the heart; a beat that is late shows a long turn.
_BEAT = 0.002


class Heart:
    """Notes the longest turn: between beats, the time in which this thread had the processor."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._loop: Any = LoopingCall(self.beat)

    def start(self) -> None:
        """Begin to beat."""
        self._last, self._used = time.perf_counter(), time.thread_time()
        self.longest = 0.0
        if not self._loop.running:
            self._loop.start(_BEAT, now=False)

    def stop(self) -> None:
        """Rest: beating costs CPU, which is not to be charged to the rows."""
        if self._loop.running:
            self._loop.stop()

    def beat(self) -> None:
        """Now."""
        now, used = time.perf_counter(), time.thread_time()
        # What else runs on the machine makes a turn last, and does not make it long.
        turn = min(now - self._last - _BEAT, used - self._used)
        self.longest = max(self.longest, turn)
        self._last, self._used = now, used


class Control(LineOnlyReceiver):
    """Answers each line with the cost so far.

    ``beat`` starts the heart, ``memory`` looks at the memory too; each line stops the heart.
    """

    def lineReceived(self, line: bytes) -> None:
        """As `LineOnlyReceiver`."""
        heart: Heart = self.factory.heart  # type: ignore[union-attr]
        longest = heart.longest
        heart.stop()
        memory = _resident() if line == b"memory" else 0
        self.sendLine(b"%.6f %.6f %d" % (time.process_time(), longest, memory))
        if line == b"beat":
            heart.start()


def _resident() -> int:
    """The process's own octets, its share of what others map too included."""
    gc.collect()
    for each in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if each.startswith("Pss:"):
            return int(each.split()[1]) * 1024
    raise OSError("this system does not tell")


def serve(factory: Factory) -> None:
    """Serve until the process is ended; print the port, and that of the control."""
    control = Factory.forProtocol(Control)
    control.heart = Heart()  # type: ignore[attr-defined]

    async def listen() -> None:
        ports = []
        for each in (factory, control):
            endpoint = TCP4ServerEndpoint(reactor, 0, backlog=2000, interface="127.0.0.1")
            ports.append(await endpoint.listen(each))
        print(*(port.getHost().port for port in ports), flush=True)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(listen()))
    reactor.run()


if __name__ == "__main__":
    serve(imap_factory(open_store(reactor, sys.argv[1]), checkers=[StaticPassword(b"testpass")]))
