"""Failures of Deferreds that nobody handled: Twisted logs them when they are collected."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.logger import LogEvent, formatEvent, globalLogPublisher

__all__ = ["unhandled"]


@contextmanager
def unhandled() -> Iterator[list[str]]:
    """The list has, when this has ended, each failure that was left by what was done meanwhile."""
    left: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "twisted.internet.defer":
            left.append(f"{formatEvent(event)} {event.get('log_failure', '')}".strip())

    # Not what was left before.
    gc.collect()
    globalLogPublisher.addObserver(observe)
    try:
        yield left
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)
