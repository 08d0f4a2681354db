"""Being told by the kernel that something happened in a directory (inotify), as far as it can.

An alarm goes off once, and has to be set again.  That costs next to nothing: the kernel goes on
watching, for to begin it goes through all it knows of the directory.  What it says is read now and
then, so that who changes a directory a thousand times, we ourselves above all, costs little more
than who changes it once.

Where there is no inotify, or no more of it, or the directory is on another machine, no alarm goes
off: whoever sets one looks by itself too, now and then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from struct import Struct
from typing import Any, Final

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet
from twisted.logger import Logger
from twisted.python.filepath import FilePath

try:
    from twisted.internet import inotify
except ImportError:  # not on this system
    inotify = None  # type: ignore[assignment]

__all__ = ["Alarms"]

#: Entries come, go, are renamed and, in files, written; or the directory itself is renamed.
_MASK: Final = 0x00000002 | 0x00000040 | 0x00000080 | 0x00000100 | 0x00000200 | 0x00000800
#: The path is a directory, no symbolic link to one.
_HOW: Final = 0x01000000 | 0x02000000
#: The directory is elsewhere, or nowhere, now: it was moved or removed, or is watched no more.
_LEFT: Final = 0x00000800 | 0x00000400 | 0x00008000
#: There was more than could be remembered.
_OVERFLOW: Final = 0x00004000

#: What is read: which directory, what happened, a number, and the octets of a name that follows.
_EVENT: Final = Struct("=iIII")
_OCTETS: Final = 1 << 16
#: Seconds without reading when something was read.
_PAUSE: Final = 0.04


@define(eq=False)
class _Alarm:
    place: FilePath[Any]
    #: The kernel's number of the directory.
    watch: int
    #: None when it has gone off.
    call: Callable[[], object] | None


class Alarms:
    """Of one process."""

    _log = Logger(namespace="imapd")

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._notify: Any = None
        self._failed = inotify is None or not IReactorFDSet.providedBy(reactor)
        self._alarms: dict[str, _Alarm] = {}
        self._paths: dict[int, str] = {}
        self._rest: IDelayedCall | None = None

    def set(self, path: str, call: Callable[[], object]) -> bool:
        """Call when something happens in a directory, once; whether that can be told."""
        alarm = self._alarms.get(path)
        if alarm is not None:
            alarm.call = call
            return True
        if self._failed or not self._started():
            return False
        place = FilePath(path)
        try:
            watch = self._notify.watch(place, _MASK | _HOW)
        except inotify.INotifyError:
            # There is no such directory, or the user has as many watches as they may.
            return False
        self._alarms[path] = _Alarm(place, watch, call)
        self._paths[watch] = path
        return True

    def unset(self, path: str) -> None:
        """Forget it, whether it has gone off or not."""
        alarm = self._alarms.pop(path, None)
        # A directory that was renamed may be known by another path already.
        if alarm is not None and self._paths.get(alarm.watch) == path:
            del self._paths[alarm.watch]
            with suppress(KeyError):
                self._notify.ignore(alarm.place)

    def close(self) -> None:
        """Forget all of them."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._notify is not None:
            self._notify.loseConnection()
            self._notify = None
        self._alarms.clear()
        self._paths.clear()
        self._failed = True

    def _started(self) -> bool:
        if self._notify is None:
            try:
                self._notify = _Notify(self._reactor, self._heard)
            except inotify.INotifyError as error:
                self._failed = True
                self._log.info("no inotify ({error}): directories are looked at", error=error)
                return False
            self._notify.startReading()
        return True

    def _heard(self, octets: bytes) -> None:
        """The kernel has spoken: go through it, and rest."""
        self._notify.stopReading()
        self._rest = self._reactor.callLater(_PAUSE, self._listen)
        happened: dict[int, int] = {}
        for watch, what in _events(octets):
            happened[watch] = happened.get(watch, 0) | what
        lost = happened.pop(-1, 0) & _OVERFLOW
        calls = []
        for path in list(self._alarms) if lost else filter(None, map(self._paths.get, happened)):
            alarm = self._alarms[path]
            if alarm.call is not None:
                calls.append(alarm.call)
                alarm.call = None
        for watch, what in happened.items():
            if what & _LEFT and watch in self._paths:
                self.unset(self._paths[watch])
        for call in calls:
            call()

    def _listen(self) -> None:
        self._rest = None
        self._notify.startReading()


if inotify is not None:

    class _Notify(inotify.INotify):
        """Has all that was read gone through at once, where Twisted's own goes from event to event."""

        def __init__(self, reactor: Any, heard: Callable[[bytes], object]) -> None:
            super().__init__(reactor)  # type: ignore[no-untyped-call]
            self._heard = heard

        def doRead(self) -> None:
            """As `IReadDescriptor`."""
            with suppress(BlockingIOError):
                self._heard(os.read(self.fileno(), _OCTETS))  # type: ignore[no-untyped-call]


def _events(octets: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(octets):
        watch, happened, _, name = _EVENT.unpack_from(octets, at)
        yield watch, happened
        at += _EVENT.size + name
