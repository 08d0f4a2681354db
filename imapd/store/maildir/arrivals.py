"""Files that others put into a mailbox, looked at before they get a UID."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from typing import Any, Final, TypeVar

from attrs import field, frozen

from imapd.mime.facts import facts
from imapd.model.dates import InternalDate, from_timestamp
from imapd.model.message import Facts
from imapd.store.maildir.filename import sizes
from imapd.store.maildir.reader import converted, wire_size

__all__ = ["Arrival", "Seen", "examined", "facts_in", "in_order", "seen", "unread"]

_T = TypeVar("_T", bound=tuple[Any, ...])

#: Octets of a file whose facts are computed here; of a larger one when they are asked for.
_WHOLE: Final = 1 << 26
#: Errors that are there again the next time, or that have become a change of the directory.
_NEVER: Final = frozenset((errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP))

#: Files after which the reactor's thread gets a moment for itself: both hold Python's lock.
_STRETCH: Final = 20
_PAUSE: Final = 0.0005
#: Files that are put in order in one go, which holds that lock.
_SORTED: Final = 2_000
_DAY: Final = 86_400

#: A file as its directory has it: when it came (mtime in nanoseconds), its name, its octets.
#: The first two are the order of UIDs.
Seen = tuple[int, str, int]


@frozen
class Arrival:
    """A file that is a message nobody entered yet."""

    name: str
    file_size: int
    #: As in the index: below 0 if it is not known.
    size: int
    internal_date: InternalDate
    arrived: int
    facts: Facts | None = field(repr=False)

    @property
    def wire_size(self) -> int | None:
        """The message's octets, if they are known."""
        return None if self.size < 0 else self.size


def seen(path: str, names: Iterable[str]) -> tuple[list[Seen], bool]:
    """The regular files among `names`, in order of arrival; and whether no other trouble was met."""
    found: list[Seen] = []
    whole = True
    for name in names:
        try:
            status = os.lstat(f"{path}/{name}")
        except OSError as error:
            whole &= error.errno in _NEVER
            continue
        if stat.S_ISREG(status.st_mode):
            found.append((status.st_mtime_ns, name, status.st_size))
    return in_order(found), whole


def in_order(found: list[_T]) -> list[_T]:
    """Sorted; others who need Python's lock get it meanwhile."""
    if len(found) <= _SORTED:
        return sorted(found)
    parts = [sorted(found[at : at + _SORTED]) for at in range(0, len(found), _SORTED)]
    return list(merge(*parts))


def examined(path: str, found: Sequence[Seen], with_facts: bool) -> tuple[list[Arrival], bool]:
    """What the files say, read through; and whether all that are there could be read.

    Those that never can be are passed over.
    """
    arrivals: list[Arrival] = []
    whole = True
    for place, each in enumerate(found):
        if place % _STRETCH == _STRETCH - 1:
            time.sleep(_PAUSE)
        try:
            arrivals.append(_examined(path, each, with_facts))
        except OSError as error:
            # It vanished, or cannot be read: perhaps the next time.
            whole &= error.errno in _NEVER
    return arrivals, whole


def unread(found: Iterable[Seen]) -> Iterator[Arrival]:
    """The same of files that are read later; sizes that names tell rightly are known."""
    for moment, name, file_size in found:
        size = _named(name, file_size) if "W=" in name else None
        seconds = moment // 1_000_000_000
        yield Arrival(
            name, file_size, ~file_size if size is None else size, _date(seconds), seconds, None
        )


def _named(name: str, file_size: int) -> int | None:
    of_file, of_message = sizes(name)
    return of_message if of_file == file_size else None


def _examined(path: str, found: Seen, with_facts: bool) -> Arrival:
    moment, name, _ = found
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(f"{path}/{name}", flags)
    try:
        file_size = os.fstat(descriptor).st_size
        size = _named(name, file_size)
        if size is None:
            size = wire_size(descriptor)
        known = facts_in(descriptor, file_size, size) if with_facts else None
    finally:
        os.close(descriptor)
    seconds = moment // 1_000_000_000
    return Arrival(name, file_size, size, _date(seconds), seconds, known)


def facts_in(descriptor: int, file_size: int, size: int) -> Facts | None:
    """The facts of a message in a file; None if it is too large to be read at once."""
    if file_size > _WHOLE:
        return None
    octets = os.pread(descriptor, file_size, 0)
    return facts(octets if file_size == size else converted(octets))


def _date(seconds: int) -> InternalDate:
    """As `from_timestamp`; of days that are no dates, the first."""
    day, second = divmod(seconds, _DAY)
    minute, second = divmod(second, 60)
    return b"%b %02d:%02d:%02d +0000" % (_day(day), *divmod(minute, 60), second)


@lru_cache(maxsize=4096)
def _day(day: int) -> bytes:
    try:
        return from_timestamp(day * _DAY)[:11]
    except (ValueError, OverflowError, OSError):
        return b" 1-Jan-1970"
