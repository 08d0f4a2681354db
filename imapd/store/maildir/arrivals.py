"""Files that others put into a mailbox, looked at before they get a UID."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from attrs import field, frozen

from imapd.mime.facts import facts
from imapd.model.dates import InternalDate, from_datetime
from imapd.model.message import Facts
from imapd.store.maildir.filename import FileName
from imapd.store.maildir.reader import converted, wire_size

__all__ = ["Arrival", "examined", "facts_in"]

#: Octets of a file whose facts are computed here; of a larger one when they are asked for.
_WHOLE = 1 << 26
#: Errors that are there again the next time, or that have become a change of the directory.
_NEVER = frozenset((errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP))

#: Files after which the reactor's thread gets a moment for itself: both hold Python's lock.
_STRETCH = 20
_PAUSE = 0.0005
#: Files between two words of how far it is: a multiple of `_STRETCH`.
_TOLD = 10_000


@frozen
class Arrival:
    """A file that is a message nobody entered yet."""

    name: str
    file_size: int
    size: int
    internal_date: InternalDate
    arrived: int
    #: When it came, and its name: the order of UIDs.
    order: tuple[int, str]
    facts: Facts | None = field(repr=False)


def examined(
    path: str,
    names: Iterable[str],
    with_facts: int,
    reached: Callable[[int, int], object] = lambda done, of: None,
) -> tuple[list[Arrival], bool]:
    """The regular files among `names`, in order of arrival; facts of no more than so many.

    And whether all that are there could be read, but for those that never can.
    `reached` is told now and then how many have been looked at, and of how many.
    """
    found = []
    whole = True
    for name in names:
        try:
            status = os.lstat(f"{path}/{name}")
        except OSError as error:
            whole &= error.errno in _NEVER
            continue
        if stat.S_ISREG(status.st_mode):
            found.append((status.st_mtime_ns, name, status.st_size))
    found.sort()
    arrivals: list[Arrival] = []
    for place, (moment, name, file_size) in enumerate(found):
        if place % _STRETCH == _STRETCH - 1:
            time.sleep(_PAUSE)
            if (place + 1) % _TOLD == 0:
                reached(place + 1, len(found))
        few = len(arrivals) < with_facts
        try:
            arrival = None if few else _named(name, moment, file_size)
            arrivals.append(arrival or _examined(path, name, moment, few))
        except OSError as error:
            # It vanished, or cannot be read: perhaps the next time.
            whole &= error.errno in _NEVER
    return arrivals, whole


def _named(name: str, moment: int, file_size: int) -> Arrival | None:
    """A file whose name has its sizes, and rightly so, need not be opened."""
    parsed = FileName.parse(name)
    if parsed.size != file_size or parsed.wire_size is None:
        return None
    seconds = moment // 1_000_000_000
    return Arrival(name, file_size, parsed.wire_size, _date(seconds), seconds, (moment, name), None)


def _examined(path: str, name: str, moment: int, with_facts: bool) -> Arrival:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(f"{path}/{name}", flags)
    try:
        file_size = os.fstat(descriptor).st_size
        parsed = FileName.parse(name)
        if parsed.size == file_size and parsed.wire_size is not None:
            size = parsed.wire_size
        else:
            size = wire_size(descriptor)
        known = facts_in(descriptor, file_size, size) if with_facts else None
    finally:
        os.close(descriptor)
    seconds = moment // 1_000_000_000
    return Arrival(name, file_size, size, _date(seconds), seconds, (moment, name), known)


def facts_in(descriptor: int, file_size: int, size: int) -> Facts | None:
    """The facts of a message in a file; None if it is too large to be read at once."""
    if file_size > _WHOLE:
        return None
    octets = os.pread(descriptor, file_size, 0)
    return facts(octets if file_size == size else converted(octets))


def _date(seconds: int) -> InternalDate:
    try:
        return from_datetime(datetime.fromtimestamp(seconds, timezone.utc))
    except (ValueError, OverflowError, OSError):
        return b" 1-Jan-1970 00:00:00 +0000"
