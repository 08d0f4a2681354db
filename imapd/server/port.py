"""A listener as a service: its port is open while the service runs."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from imapd.server.listening import Listener
from imapd.store.answers import settled

__all__ = ["Listening"]

_log = Logger(namespace="imapd")


class Listening(Service):
    """One listener: open while the service runs.  What fails at once is raised."""

    def __init__(self, listener: Listener, factory: IProtocolFactory) -> None:
        self.listener = listener
        self.factory = factory
        #: Where it listens, once it does; "" if that is no place to connect to.
        self.address = ""
        self.port: IListeningPort | None = None
        self._port: Deferred[IListeningPort | None] | None = None

    def privilegedStartService(self) -> None:
        """As `IService`: before the process gives up its rights."""
        failures: list[Failure] = []
        waiting: list[bool] = []

        def opened(port: IListeningPort) -> IListeningPort:
            self.port = port
            self.address = _address(port)
            if self.address:
                _log.info("listening on {address}", address=self.address)
            return port

        def failed(failure: Failure) -> None:
            if isinstance(failure.value, CancelledError):
                return
            _log.critical(
                "cannot listen on {where}: {why}; is another server running?",
                where=self.listener.description,
                why=failure.getErrorMessage(),
            )
            if not waiting:
                failures.append(failure)

        self._port = self.listener.endpoint.listen(self.factory).addCallbacks(opened, failed)
        waiting.append(True)
        if failures:
            failures[0].raiseException()

    def startService(self) -> None:
        """As `IService`."""
        super().startService()  # type: ignore[no-untyped-call]
        if self._port is None:
            self.privilegedStartService()

    def stopService(self) -> Deferred[None]:
        """As `IService`."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        waiting, self._port, self.port = self._port, None, None
        if waiting is not None:
            waiting.cancel()
            port = await waiting
            if port is not None:
                await settled(port.stopListening())


def _address(port: IListeningPort) -> str:
    where: Any = port.getHost()
    host = getattr(where, "host", None)
    if host == "":
        return ""
    if host is None:
        name = getattr(where, "name", where)
        return os.fsdecode(name) if isinstance(name, bytes) else str(name)
    return f"[{host}]:{where.port}" if ":" in host else f"{host}:{where.port}"
