"""Being told by the kernel that something happened in a directory (inotify), as far as it can.

An alarm goes off once, and has to be set again: who changes a directory a thousand times, we
ourselves above all, costs no more than who changes it once.  Where there is no inotify, or no
more of it, or the directory is on another machine, no alarm goes off: whoever sets one looks by
itself too, now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger
from twisted.python.filepath import FilePath

try:
    from twisted.internet import inotify
except ImportError:  # not on this system
    inotify = None  # type: ignore[assignment]

__all__ = ["Alarms"]

#: Entries come, go, are renamed and, in files, written.
_MASK: Final = 0x00000002 | 0x00000040 | 0x00000080 | 0x00000100 | 0x00000200
#: The path is a directory, no symbolic link to one; one event is enough.
_HOW: Final = 0x01000000 | 0x02000000 | 0x80000000


class Alarms:
    """Of one process."""

    _log = Logger(namespace="imapd")

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._notify: Any = None
        self._failed = inotify is None or not IReactorFDSet.providedBy(reactor)

    def set(self, path: str, call: Callable[[], object]) -> bool:
        """Call when something happens in a directory, once; whether that can be told."""
        if self._failed or not self._started():
            return False
        place = FilePath(path)
        try:
            self._unset(place)
            self._notify.watch(place, _MASK | _HOW, callbacks=[self._gone_off(place, call)])
        except inotify.INotifyError:
            # There is no such directory, or the user has as many watches as they may.
            return False
        return True

    def unset(self, path: str) -> None:
        """Forget it."""
        if self._notify is not None:
            self._unset(FilePath(path))

    def close(self) -> None:
        """Forget all of them."""
        if self._notify is not None:
            self._notify.end()
            self._notify = None
        self._failed = True

    def _started(self) -> bool:
        if self._notify is None:
            try:
                self._notify = _Notify(self._reactor)  # type: ignore[no-untyped-call]
            except inotify.INotifyError as error:
                self._failed = True
                self._log.info("no inotify ({error}): directories are looked at", error=error)
                return False
            self._notify.startReading()
        return True

    def _gone_off(self, place: FilePath[Any], call: Callable[[], object]) -> Callable[..., None]:
        heard = False

        def gone_off(*event: object) -> None:
            nonlocal heard
            if not heard:
                heard = True
                # When all that was read has been gone through.
                self._reactor.callLater(0, answer)

        def answer() -> None:
            if self._notify is not None:
                self._unset(place)
                call()

        return gone_off

    def _unset(self, place: FilePath[Any]) -> None:
        with suppress(KeyError):
            self._notify.ignore(place)


if inotify is not None:

    class _Notify(inotify.INotify):
        """Goes on when a directory that is watched is removed, where Twisted's own ends."""

        def loseConnection(self, *arguments: object) -> None:
            """As `INotify` calls it for a watch that is gone: nothing more is to be done."""

        def end(self) -> None:
            """Let go of it."""
            super().loseConnection()  # type: ignore[no-untyped-call]
