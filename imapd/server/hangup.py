"""SIGHUP: what the service does on it, and what was done on it before."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from attrs import define

__all__ = ["Hangup"]


@define(eq=False)
class Hangup:
    """What SIGHUP does while the service runs; what it did before is done too."""

    _reactor: Any
    _act: Callable[[], None]
    _before: Any = None
    _mine: Any = None

    def install(self) -> None:
        """Begin to listen for the signal, where there is one."""
        if not hasattr(signal, "SIGHUP"):
            return
        try:
            self._mine = self._got
            self._before = signal.signal(signal.SIGHUP, self._mine)
        except ValueError:
            # Not the main thread: the application owns the signals.
            self._mine = None

    def remove(self) -> None:
        """Leave the signal to whoever had it before."""
        if self._mine is not None and signal.getsignal(signal.SIGHUP) == self._mine:
            signal.signal(signal.SIGHUP, self._before or signal.SIG_DFL)
        self._mine = None

    def _got(self, number: int, frame: Any) -> None:
        self._reactor.callFromThread(self._act)
        if callable(self._before):
            self._before(number, frame)
