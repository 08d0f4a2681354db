"""A worker: the process that `imapd.server.workers` starts, and gives connections to.

It is told on its standard input what to do, serves what is handed over, and ends when it is asked
to or when its parent has ended.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from typing import Any, Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.reflect import namedAny

from imapd.cli.running import run
from imapd.config import BadConfig, Config, configured
from imapd.server.between import (
    FAILURE,
    HINTS,
    Between,
    Hints,
    Leaving,
    Load,
    Ready,
    failure_from,
    failure_of,
    hints_from,
)
from imapd.server.handover import HandedOver
from imapd.server.retelling import tell_in_json
from imapd.server.serving import MailService
from imapd.server.workers import CHANNEL, CONTROL
from imapd.store.interfaces import IManyProcesses

__all__ = ["main"]

#: Seconds between two words of how many connections there are.
_COUNTED: Final = 0.25
#: Seconds to live without a parent: enough for a BYE to all clients.
_ORPHANED: Final = 30

_log = Logger(namespace="imapd")


def main() -> None:
    """Serve until the end."""
    # What a terminal sends goes to the parent too, which passes on what is meant for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    said = json.load(sys.stdin)
    namedAny(f"{said['reactor']}.install")()  # type: ignore[no-untyped-call]
    config = evolve(configured(None, said["values"]), origins=said["origins"])
    assert sys.__stdout__ is not None
    tell_in_json(sys.__stdout__, "debug" if config.log_level == "debug" else "info")
    raise SystemExit(_serve(config, bytes.fromhex(said["secret"])))


def _serve(config: Config, secret: bytes) -> int:
    from twisted.internet import reactor

    from imapd.preparing import prepare

    coming = HandedOver(reactor, socket.socket(fileno=CHANNEL))
    try:
        prepared = prepare(config, reactor, listening=coming, secret=secret)
    except BadConfig as error:
        _log.critical("{error}", error=str(error))
        return 1
    service = MailService(prepared)
    worker = _Worker(reactor, service, coming)
    return run(reactor, service, before=worker.join, ready=worker.begin)


@define(eq=False)
class _Worker:
    """What connects a service with its parent."""

    _reactor: Any
    _service: MailService
    _coming: HandedOver
    _between: Between = field(init=False)
    _hints: Hints = field(init=False)
    _count: Any = field(init=False)
    _counted: tuple[int, int] = field(default=(0, 0), init=False)
    _ending: bool = field(default=False, init=False)

    async def join(self) -> None:
        """Be heard by the others, and hear them."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._ends)
        between = self._between = Between(self._told, self._orphaned)
        factory = Factory.forProtocol(lambda: between)
        factory.noisy = False
        with socket.socket(fileno=CONTROL) as control:
            control.setblocking(False)
            self._reactor.adoptStreamConnection(control.fileno(), socket.AF_UNIX, factory)
        self._hints = Hints(self._reactor, lambda what: between.tell(HINTS, what))
        prepared = self._service.prepared
        IManyProcesses(prepared.store).tell_others(self._hints.add)
        if prepared.throttle is not None:
            prepared.throttle.tell_others = self._failed

    def begin(self) -> None:
        """The service has started: take connections."""
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._leave))
        self._count = LoopingCall(self._say_load)
        self._count.start(_COUNTED, now=False)
        self._coming.start()
        self._reactor.addSystemEventTrigger("after", "shutdown", self._hints.stop)
        self._between.say(Ready)

    def _say_load(self) -> None:
        counted = self._coming.taken, self._service.connections
        if counted != self._counted:
            self._counted = counted
            self._between.say(Load, taken=counted[0], open=counted[1])

    def _leave(self) -> None:
        """End in order: no connection is on its way here when this service stops."""
        if not self._ending:
            self._ending = True
            asked: Deferred[Any] = self._between.ask(Leaving)
            asked.addErrback(lambda failure: None)
            asked.addCallback(lambda _: self._reactor.stop())

    def _ends(self) -> None:
        self._ending = True

    def _orphaned(self) -> None:
        if not self._ending:
            self._ending = True
            # Nobody else would end this process if it hung.
            signal.alarm(_ORPHANED)
            self._reactor.stop()

    def _failed(self, key: str, mark: bytes) -> None:
        self._between.tell(FAILURE, failure_of(key, mark))

    def _told(self, kind: bytes, what: bytes) -> None:
        prepared = self._service.prepared
        if kind == HINTS:
            store = IManyProcesses(prepared.store)
            for account, hints in hints_from(what).items():
                store.told(account, hints)
        elif kind == FAILURE and prepared.throttle is not None:
            prepared.throttle.told(*failure_from(what))
