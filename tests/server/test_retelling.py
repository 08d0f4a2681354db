"""The log of a worker, told by its parent, says what the worker said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from twisted.logger import LogEvent, LogLevel, formatEventAsClassicLogText, globalLogPublisher

from imapd.server.retelling import retell

_PROGRAM = """
import sys
from twisted.logger import Logger
from imapd.server.retelling import tell_in_json
tell_in_json(sys.__stdout__, "info")
log = Logger(namespace="imapd")
log.debug("not told")
log.info("login: {user}", user="j\\u00fcrgen", odd=object())
try:
    raise OSError(2, "none such", "/mail")
except OSError:
    log.failure("{what} failed", what="it")
print("printed")
"""


@pytest.fixture
def told() -> Iterator[list[LogEvent]]:
    """What is logged here."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_retold(told: list[LogEvent]) -> None:
    """Levels, namespaces and fields are kept, an error has its traceback, and print() is seen."""
    output = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    for line in output.stdout.split(b"\n"):
        retell(3, line, LogLevel.info)
    assert [event["log_level"] for event in told] == [
        LogLevel.info,
        LogLevel.critical,
        LogLevel.info,
    ]
    assert told[0]["user"] == "j\u00fcrgen"
    texts = [formatEventAsClassicLogText(event) or "" for event in told]
    assert texts[0].endswith("[worker 3, imapd#info] login: j\u00fcrgen\n")
    assert "[worker 3, imapd#critical] it failed\n" in texts[1]
    assert "FileNotFoundError: [Errno 2] none such: '/mail'" in texts[1]
    assert texts[2].endswith("printed\n")


@pytest.mark.parametrize("line", [b"{not json", b'{"a": 1}', b"Fatal: \xff"])
def test_anything(told: list[LogEvent], line: bytes) -> None:
    """What is no event is told as it is."""
    retell(1, line, LogLevel.error)
    assert [event["log_level"] for event in told] == [LogLevel.error]
    assert "worker 1 says: " in (formatEventAsClassicLogText(told[0]) or "")


def test_nothing(told: list[LogEvent]) -> None:
    """Empty lines are not told."""
    retell(1, b"  ", LogLevel.error)
    assert told == []
