"""Indexing an account's texts, a little at a time, in a thread.

Rules of this file:

* What is to be done is seen from the two files: messages that no segment is about.  So whatever
  is interrupted is done again.
* One process does it at a time; it holds a lock that ends with it.
* It rests after each millisecond of work, so that the reactor hardly waits for it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from attrs import define, field

from imapd.model.numset import NumSet
from imapd.model.text import IndexedMailbox
from imapd.query.indexed import words_in
from imapd.query.segment import Draft, Words
from imapd.query.tiers import FULL, Size, joinable
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.maildir.index import UID_MASK, Index, base_of, held
from imapd.store.maildir.reader import converted, mapped
from imapd.store.maildir.texts import Row, Texts
from imapd.store.maildir.tree import Tree

__all__ = ["Builder", "progress", "reconcile"]

#: Messages of a segment when it is written, entries, and seconds after which what there is, is written.
#: A full one is not joined to others, which is a third of the work.
_MESSAGES: Final = FULL
_ENTRIES: Final = 2_000_000
_SECONDS: Final = 60.0
#: Messages looked up in the index of the mail at once.
_LOOKED_UP: Final = 64
#: Seconds of work after which other threads are left to themselves, and for how long.
_STRETCH: Final = 0.001
_PAUSE: Final = 0.0003


@define(eq=False)
class Builder:
    """Of one account; used by one thread at a time."""

    _tree: Tree
    _texts: Texts
    _index: Index = field(init=False, repr=False)
    _lock: int = field(default=-1, init=False)
    _work: Iterator[None] | None = field(default=None, init=False, repr=False)
    #: Messages and octets that were indexed since the work began.
    messages: int = field(default=0, init=False)
    octets: int = field(default=0, init=False)
    #: By mailbox: its UIDNEXT and how many messages it had when nothing was left to do.
    _done: dict[int, tuple[int, int]] = field(factory=dict, init=False, repr=False)
    #: The file to which that applies.
    _lost: int = field(default=0, init=False)
    #: Another process does it.
    elsewhere: bool = field(default=False, init=False)
    #: Set when it is to stop before it has finished.
    stopping: bool = field(default=False, init=False)
    #: Mailboxes of which files were not where the index has them, and those messages.
    stale: set[int] = field(factory=set, init=False)
    _rested: float = field(default=0.0, init=False)
    _missing: set[tuple[int, int]] = field(factory=set, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._index = Index(self._tree.index, wait=30.0, checkpoints=False)

    def work(self, seconds: float) -> bool:
        """Do a part of what is to be done; whether all is done, or another process does it."""
        self.elsewhere = not self._locked()
        if self.elsewhere:
            return True
        end = time.perf_counter() + seconds
        if self._work is None:
            self.messages = self.octets = 0
            self.stale.clear()
            self._work = self._all()
        for _ in self._work:
            if time.perf_counter() >= end and not self.stopping:
                return False
        self.rest()
        return True

    def rest(self) -> None:
        """Let go of everything; the work begins anew when it is asked for."""
        self._work = None
        self._index.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def outdated(self) -> bool:
        """What was indexed when it began has been thrown away since."""
        return self._lost != self._texts.lost

    def _pause(self) -> None:
        if time.perf_counter() - self._rested >= _STRETCH:
            # Who waits for the interpreter would have to wait for five milliseconds each time.
            time.sleep(_PAUSE)
            self._rested = time.perf_counter()

    def _locked(self) -> bool:
        if self._lock < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._texts.path + "-lock", flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                return False
            self._lock = descriptor
        return True

    def _all(self) -> Iterator[None]:
        rows = self._index.mailboxes()
        self._forget({row.id for row in rows})
        if self.outdated or not self._texts.exists:
            self._lost = self._texts.lost
            self._done.clear()
        for row in rows:
            now = row.uidnext, row.messages
            if self._done.get(row.number) == now:
                continue
            with suppress(NoSuchMailbox):
                yield from self._mailbox(row.number, row.id, row.uidnext)
                if not self.stopping and row.number not in self.stale:
                    self._done[row.number] = now
        if self.messages:
            self._texts.tidy()

    def _forget(self, ids: Collection[str]) -> None:
        """Drop what is about mailboxes that are no more."""
        for mailbox, _ in self._texts.mailboxes():
            if mailbox not in ids:
                self._texts.forget(self._texts.rows(mailbox))

    def _mailbox(self, number: int, id: str, uidnext: int) -> Iterator[None]:
        while (gap := self._gap(number, id, uidnext)) is not None and not self.stopping:
            yield from self._segment(number, id, *gap)
            if number in self.stale:
                return
        yield from self._join(number, id)

    # -- new segments

    def _gap(self, number: int, id: str, uidnext: int) -> tuple[int, int] | None:
        """The first UIDs before `uidnext` that no segment is about, if there are messages there."""
        given = NumSet([(1, uidnext - 1)] if uidnext > 1 else [])
        known = NumSet((row.low, row.high) for row in self._texts.rows(id))
        for low, high in (given - known).ranges:
            if self._found(number, low, high, 1):
                return low, high
        return None

    def _found(self, number: int, low: int, high: int, most: int) -> Sequence[Any]:
        base = base_of(number)
        return self._index.sql(
            "SELECT m.id, m.size, f.name, f.home, f.size FROM messages m JOIN files f ON f.id = m.id"
            " WHERE m.id BETWEEN ? AND ? ORDER BY m.id LIMIT ?",
            (base + low, base + high, most),
        ).fetchall()

    def _segment(self, number: int, id: str, low: int, high: int) -> Iterator[None]:
        """Index what lies between, or the first part of it."""
        draft = Draft()
        base = base_of(number)
        began = time.monotonic()
        at, full = low, False
        while not full and at <= high and not self.stopping:
            found = self._found(number, at, high, _LOOKED_UP)
            for message, size, name, home, known in found:
                uid = message - base
                try:
                    words = self._words(number, size, name, home, known)
                except FileNotFoundError:
                    words = None
                    if (number, uid) not in self._missing:
                        # Somebody renamed or removed it: its directory is to be read first.
                        self._missing.add((number, uid))
                        self.stale.add(number)
                        full = True
                        break
                draft.add(uid, words)
                self.messages += 1
                self.octets += held(size)
                at = uid + 1
                full = (
                    len(draft.uids) >= _MESSAGES
                    or draft.entries >= _ENTRIES
                    or time.monotonic() - began > _SECONDS
                )
                yield
                if full or self.stopping:
                    break
            else:
                if len(found) < _LOOKED_UP:
                    at = high + 1
        if draft.uids:
            head, body = draft.octets(self._pause)
            self._pause()
            lost = self._texts.lost
            if not self._texts.put(id, low, at - 1, head, body) and (
                # It was damaged, and is thrown away: there is a new one now.
                self._texts.lost == lost or not self._texts.put(id, low, at - 1, head, body)
            ):
                raise sqlite3.OperationalError("the index of texts cannot be written")
            yield from self._join(number, id)

    def _words(
        self, number: int, size: int, name: str, home: int | None, known: int
    ) -> Words | None:
        place = self._index.directory(number if home is None else home)
        path = self._tree.file(place, name)
        try:
            self._tree.own(place)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except (OSError, StoreUnavailable):
            # It cannot be read: who wants to know is told so when it is opened.
            return None
        try:
            octets = mapped(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
        if len(octets) != known or known != size:
            octets = converted(octets[:])
        self._pause()
        return words_in(octets, self._pause)

    # -- old segments

    def _join(self, number: int, id: str) -> Iterator[None]:
        while not self.stopping:
            rows = self._texts.rows(id)
            chosen = joinable([self._size(number, row) for row in rows])
            if chosen is None:
                return
            if not self._joined(number, id, rows[slice(*chosen)]):
                return
            yield

    def _size(self, number: int, row: Row) -> Size:
        base = base_of(number)
        (live,) = self._index.sql(
            "SELECT count(*) FROM messages WHERE id BETWEEN ? AND ?",
            (base + row.low, base + row.high),
        ).fetchone()
        return Size(row.messages, live, row.octets)

    def _joined(self, number: int, id: str, rows: Sequence[Row]) -> bool:
        low, high, base = rows[0].low, rows[-1].high, base_of(number)
        live = {
            found[0] - base
            for found in self._index.sql(
                "SELECT id FROM messages WHERE id BETWEEN ? AND ?", (base + low, base + high)
            )
        }
        if not live:
            self._texts.forget(rows)
            return True
        draft = Draft()
        for row in rows:
            segment = self._texts.whole(row)
            if segment is None:
                return False
            draft.join(segment, live, self._pause)
        head, body = draft.octets(self._pause)
        self._pause()
        return self._texts.put(id, low, high, head, body, rows)


def progress(index: Index, texts: Texts) -> Sequence[IndexedMailbox]:
    """How far each mailbox is indexed."""
    told = []
    for row in index.mailboxes():
        base, indexed = base_of(row.number), 0
        for low, high in NumSet((each.low, each.high) for each in texts.rows(row.id)).ranges:
            (count,) = index.sql(
                "SELECT count(*) FROM messages WHERE id BETWEEN ? AND ?", (base + low, base + high)
            ).fetchone()
            indexed += count
        told.append(IndexedMailbox(row.name, row.messages, indexed))
    return told


def reconcile(index: Index, texts: Texts) -> None:
    """Forget what is about UIDs that were not given yet: the mail's index is older than this one."""
    if not texts.exists:
        return
    given = {row.id: row.uidnext for row in index.mailboxes()}
    for mailbox, last in texts.mailboxes():
        if not isinstance(last, int) or last >= given.get(mailbox, UID_MASK + 2):
            texts.forget(texts.rows(mailbox))
