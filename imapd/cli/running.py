"""Running a service in the foreground until a signal ends it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.logger import (
    FilteringLogObserver,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python.failure import Failure

__all__ = ["run", "start_logging"]


def start_logging(level: str) -> None:
    """Log to standard error what is of that level or above."""
    predicate = LogLevelFilterPredicate(LogLevel.levelWithName(level))
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def run(
    reactor: Any,
    service: IService,
    *,
    before: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ready: Callable[[], None] | None = None,
) -> int:
    """Do what comes before, start, say `ready`, and serve; the exit status."""
    status = 0

    async def start() -> None:
        if before is not None:
            await before()
        service.privilegedStartService()  # type: ignore[no-untyped-call]
        service.startService()  # type: ignore[no-untyped-call]
        reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
        # What is there now stays: the collector need not go through it each time.
        gc.collect()
        gc.freeze()
        if ready is not None:
            ready()

    def failed(failure: Failure) -> None:
        nonlocal status
        status = 1
        if not isinstance(failure.value, CannotListenError):  # that one has been told
            Logger(namespace="imapd").failure("the server did not start", failure)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(start()).addErrback(failed))
    reactor.run()
    return status
