"""A message's file, opened to be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMessageReader
from imapd.store.maildir.index import Index, base_of
from imapd.store.maildir.reader import (
    ConvertingReader,
    FileReader,
    InThread,
    Untold,
    all_of,
    wire_size,
)
from imapd.store.maildir.tree import Tree, unavailable

__all__ = ["at_hand", "opened"]

_log = Logger()

#: Octets of a file that are counted on the reactor's thread: less than a millisecond.
_QUICK: Final = 1 << 18

_FOUND_MANY: Final = (
    "SELECT m.id, m.size, f.name, f.home, f.size, b.directory"
    " FROM mailboxes b, messages m JOIN files f ON f.id = m.id WHERE b.number = ? AND m.id IN"
)
_FOUND: Final = (
    "SELECT b.directory, m.size, f.name, f.home, f.size"
    " FROM messages m JOIN files f ON f.id = m.id JOIN mailboxes b ON b.number = ?2"
    " WHERE m.id = ?1"
)


#: Octets of a message that is read with others, and of all that are.
_SMALL: Final = 1 << 16
_TOGETHER: Final = 1 << 19


def at_hand(index: Index, tree: Tree, number: int, uids: Sequence[int]) -> dict[int, bytes]:
    """Messages by UID: small ones whose files are where the index has them, as they are, and in memory.

    Raises `NoSuchMailbox`, `StoreUnavailable`.
    """
    base = base_of(number)
    found = index.sql(
        f"{_FOUND_MANY} ({', '.join('?' * len(uids))})", [number, *[base + uid for uid in uids]]
    ).fetchall()
    if not found:
        index.directory(number)
    octets = 0
    waits = False
    parts: dict[str, str] = {}
    whole: dict[int, bytes] = {}
    for id, size, name, home, known, directory in found:
        if size != known or size > _SMALL or octets + size > _TOGETHER:
            continue
        place = directory if home is None else index.directory(home)
        part = parts.get(place)
        if part is None:
            tree.own(place)
            part = parts[place] = tree.part(place)
        path = f"{part}/{name}"
        try:
            message = all_of(path, size, waits)
        except Untold:
            # Of the others it will not be told either.
            waits = True
            message = all_of(path, size, waits)
        if message is not None:
            whole[id - base] = message
            octets += size
    return whole


def opened(
    index: Index, tree: Tree, number: int, uid: int, in_thread: InThread
) -> IMessageReader | Deferred[IMessageReader] | None:
    """A reader; None if the file is not where the index has it.

    Raises `MessageGone` if there is no such message, `NoSuchMailbox`, `StoreUnavailable`.
    """
    row = index.sql(_FOUND, (base_of(number) + uid, number)).fetchone()
    if row is None:
        index.directory(number)
        raise MessageGone(f"there is no message {uid}")
    directory, size, name, home, known = row
    place = directory if home is None else index.directory(home)
    tree.own(place)
    path = tree.file(place, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.failure("{path}: cannot be read", path=path)
        raise unavailable(error) from error
    try:
        file_size = os.fstat(descriptor).st_size
    except BaseException:
        os.close(descriptor)
        raise
    if file_size == known == size:
        return FileReader(descriptor, size, in_thread)
    if size < 0 and file_size <= _QUICK:
        size = _measured(descriptor)
        if size == file_size:
            return FileReader(descriptor, size, in_thread)
        return ConvertingReader(descriptor, size, in_thread)
    reader = ConvertingReader(descriptor, size, in_thread)
    if file_size == known and size >= 0:
        return reader

    def measured(actual: int) -> IMessageReader:
        # The file is not what was entered: what is told is what will be read.
        reader.size = actual
        return reader

    duplicate = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def measure() -> int:
        try:
            return wire_size(duplicate)
        finally:
            os.close(duplicate)

    return in_thread(measure).addCallback(measured)


def _measured(descriptor: int) -> int:
    try:
        size = wire_size(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return size
    except OSError as error:
        os.close(descriptor)
        raise unavailable(error) from error
