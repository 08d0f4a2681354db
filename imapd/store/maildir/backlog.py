"""Sizes and facts of messages that came without, found out behind the answers: of many that were taken over.

They are found out a few at a time between the changes of the account, which never wait for long.
What is asked for before is found out by who asks.
"""

from __future__ import annotations

import os
import stat
import time
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.model.message import Facts
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.maildir.arrivals import facts_in
from imapd.store.maildir.facts import KEY, learn
from imapd.store.maildir.index import UID_MASK, Index, base_of
from imapd.store.maildir.measuring import measure
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.turn import transaction
from imapd.store.maildir.writer import Busy, Writer

__all__ = ["Backlog", "caught_up"]

#: Before a mailbox's number: in `meta`, the UID up to which all that can have facts have them.
_DONE: Final = "facts/"
#: Messages at a time: some ten milliseconds of the writer's thread.
_AT_ONCE: Final = 40
#: Seconds until the next ones.
_PAUSE: Final = 0.02
#: The same before the first: who opens a mailbox asks for something at once.
_FIRST: Final = 0.5
#: The same, while another process writes.
_BUSY: Final = 1.0
#: Seconds after each that the reactor's thread has for itself: both hold Python's lock.
_MOMENT: Final = 0.0002
#: Messages between two words of how far it is.
_TOLD: Final = 10_000


#: None: of all there are.
_Reached = tuple[int | None, int]


@define(eq=False)
class Backlog:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    _writer: Writer
    #: Mailboxes that have been looked through, or wait for it.
    _seen: set[int] = field(factory=set, init=False)
    #: Those that wait, with the UIDs up to which sizes, and facts, have been found out.
    _waiting: dict[int, _Reached] = field(factory=dict, init=False)
    _next: IDelayedCall | None = field(default=None, init=False, repr=False)
    _busy: bool = field(default=False, init=False)
    _ended: bool = field(default=False, init=False)

    _log = Logger(namespace="imapd")

    @property
    def idle(self) -> bool:
        """Nothing is left to be found out."""
        return not (self._waiting or self._busy)

    def want(self, number: int, again: bool = False) -> None:
        """A mailbox is open: its messages are to have facts; with `again`, some came that have none."""
        if (again or number not in self._seen) and not self._ended:
            self._seen.add(number)
            self._waiting[number] = 0, 0
            self._soon(_FIRST)

    def end(self) -> None:
        """No more."""
        self._ended = True
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _soon(self, pause: float = _PAUSE) -> None:
        if self._next is None and self._waiting and not (self._busy or self._ended):
            self._next = self._reactor.callLater(pause, self._go_on)

    def _go_on(self) -> None:
        self._next, self._busy = None, True
        number, reached = next(iter(self._waiting.items()))
        # Who wants it from here on wants it again.
        del self._waiting[number]
        measured, known = reached
        working: Any
        if measured is not None:
            # All sizes first: some answers wait for them.
            working = self._writer.behind(partial(measure, number=number, after=measured))
            working.addCallback(lambda uid: (uid, known))
        else:
            working = self._writer.behind(partial(caught_up, number=number, after=known))
            working.addCallback(lambda uid: None if uid is None else (None, uid))
        working.addCallback(self._reached, number, known)
        working.addErrback(self._failed, number, reached)
        working.addCallback(self._paused)

    def _reached(self, reached: _Reached | None, number: int, before: int) -> float:
        if reached is not None and not self._ended:
            self._waiting.setdefault(number, reached)
            uid = reached[1]
            if uid // _TOLD != before // _TOLD:
                self._log.info("what messages say has been found out up to UID {uid}", uid=uid)
        return _PAUSE

    def _failed(self, failure: Any, number: int, reached: _Reached) -> float:
        if failure.check(Busy):
            self._reached(reached, number, reached[1])
            return _BUSY
        if not failure.check(NoSuchMailbox, StoreUnavailable):
            self._log.failure("what messages say could not be found out", failure)
        return _PAUSE

    def _paused(self, seconds: float) -> None:
        self._busy = False
        self._soon(seconds)


def caught_up(index: Index, tree: Tree, hints: list[Hint], number: int, after: int) -> int | None:
    """Find out about a few messages above a UID; the last one's, or None if there are no more.

    Up to where that was done once, it need not be looked at again.
    """
    base = base_of(number)
    done = f"{_DONE}{number}"
    before = index.meta(done) or 0
    after = max(after, before)
    found = index.sql(
        "SELECT m.id, m.size, f.name, f.size, f.home FROM messages m"  # noqa: S608
        f" JOIN files f ON f.id = m.id LEFT JOIN facts k ON k.id = {KEY}"
        " WHERE m.id > ? AND m.id <= ? AND k.id IS NULL ORDER BY m.id LIMIT ?",
        (base + after, base + UID_MASK, _AT_ONCE),
    ).fetchall()
    if not found:
        last = index.mailbox(number).uidnext - 1
        if last > before:
            with transaction(index, tree, False):
                index.set_meta(done, last)
        return None
    directory = index.directory(number)
    known: list[tuple[int, Facts]] = []
    for id, size, name, file_size, home in found:
        place = directory if home is None else index.directory(home)
        tree.own(place)
        facts = _facts(tree.file(place, name), file_size, size)
        if facts is not None:
            known.append((id - base, facts))
        time.sleep(_MOMENT)
    with transaction(index, tree, False):
        index.mailbox(number)
        learn(index, base, known)
    return int(found[-1][0]) - base


def _facts(path: str, file_size: int, size: int) -> Facts | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return facts_in(descriptor, file_size, size)
    finally:
        os.close(descriptor)
