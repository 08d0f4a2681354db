"""The log of one process told by another: events as lines of JSON, and whatever else it prints."""

from __future__ import annotations

import json
from io import BytesIO
from typing import IO, Any

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    eventsFromJSONLogFile,
    formatEvent,
    globalLogBeginner,
    globalLogPublisher,
    jsonFileLogObserver,
)
from zope.interface import implementer

__all__ = ["retell", "tell_in_json"]

_log = Logger(namespace="imapd")


def tell_in_json(file: IO[Any], level: str) -> None:
    """Log to a file what is of that level or above, for `retell` to read."""
    predicate = LogLevelFilterPredicate(LogLevel.levelWithName(level))
    write = jsonFileLogObserver(file, recordSeparator="")

    @implementer(ILogObserver)
    def observer(event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            # JSON has no words for what was raised.
            text = f"{formatEvent(event)}\n{failure.getTraceback()}"
            event = {**event, "log_format": "{log_text}", "log_text": text}
            del event["log_failure"]
        write(event)

    globalLogBeginner.beginLoggingTo(
        [FilteringLogObserver(observer, [predicate])], redirectStandardIO=True
    )


def retell(number: int, line: bytes, level: Any) -> None:
    """Log here a line of what worker `number` logged or, at `level`, printed."""
    if not line.strip():
        return
    if line.startswith(b"{") and _is_event(line):
        for event in eventsFromJSONLogFile(BytesIO(line + b"\n"), recordSeparator=""):
            name = getattr(event["log_level"], "name", "info")
            namespace = event.get("log_namespace", "-")
            event["log_system"] = f"worker {number}, {namespace}#{name}"
            globalLogPublisher(event)
    else:
        _log.emit(
            level,
            "worker {number} says: {text}",
            number=number,
            text=line.decode("utf-8", "backslashreplace"),
        )


def _is_event(line: bytes) -> bool:
    try:
        return "log_level" in json.loads(line)
    except ValueError:
        return False
