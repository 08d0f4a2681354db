"""Looking for what others did: to the directories, and through other processes to the index.

* A mailbox's directories are looked at whenever it is asked about and, while someone watches and
  it is open, once a second and as soon as an alarm says so; and again behind each reading.
* What is read in a thread is read once for all who wait for it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, MutableMapping
from functools import partial
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from imapd.store.errors import AccountClosed, NoSuchMailbox, StoreUnavailable
from imapd.store.maildir import metadata
from imapd.store.maildir.alarms import Alarms
from imapd.store.maildir.discovery import discover
from imapd.store.maildir.index import Index, MailboxRow
from imapd.store.maildir.mounts import is_local
from imapd.store.maildir.namespace import ROOT_STAMP, stamp_of
from imapd.store.maildir.outside import reconcile
from imapd.store.maildir.resting import Resting
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.tree import Tree, modified
from imapd.store.maildir.watchers import Watchers
from imapd.store.maildir.writer import Writer

__all__ = ["Lookout"]

_T = TypeVar("_T")

#: Seconds between two looks at the directories of open mailboxes, while someone watches; and where
#: alarms tell of every change, and nothing is left to be done.
_POLL: Final = 1.0
_SELDOM: Final = 600.0
#: Seconds from an alarm to a look: what happens together is looked at together.
_SOON: Final = 0.05
#: The same from a reading to the next look: then it is known whether its mtime hides a change.
_BEHIND: Final = 0.12
#: Seconds between two readings of a directory whose mtime may hide a change.
_AGAIN: Final = 0.05
#: Seconds after which a directory that only we changed is read again: a change of another's
#: in the instant of ours has its mtime.
_VERIFY: Final = 60.0


@define(eq=False)
class Lookout:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    _tree: Tree
    _index: Index
    _writer: Writer
    _watchers: Watchers
    #: Mailboxes that are open, by number.
    _open: MutableMapping[int, Any]
    _alarms: Alarms = field(repr=False)
    #: Called with what says that the index has wrong octets; with None when another process says so.
    _damaged: Callable[[Exception | None], object] = field(repr=False)
    #: Directories with an alarm.
    _armed: set[str] = field(factory=set, init=False, repr=False)
    _soon: IDelayedCall | None = field(default=None, init=False, repr=False)
    #: Seconds from a reading to a look at what may have come meanwhile: more each time.
    _patience: float = field(default=_BEHIND, init=False)
    #: Somebody watches.
    _watching: bool = field(default=False, init=False)
    _next: IDelayedCall | None = field(default=None, init=False, repr=False)
    #: Directories of which alarms have gone off since the last look, or that were read.
    _rung: set[str] = field(factory=set, init=False, repr=False)
    #: Changes that others make are told by alarms: of all that there is an alarm for.
    _told: bool = field(default=False, init=False)
    #: The index that was opened.
    _identity: tuple[int, int] | None = field(init=False, repr=False)
    #: When the index was last written.
    _written: tuple[int, int] = field(default=(0, 0), init=False)
    _resting: Resting = field(init=False, repr=False)
    #: Directories and mtimes of mailboxes that were up to date, and the root's.
    _seen: dict[int, tuple[str, int, int]] = field(factory=dict, init=False, repr=False)
    _root: int = field(default=0, init=False)
    #: Directories of mailboxes as they were last known, up to date or not.
    _places: dict[int, str] = field(factory=dict, init=False, repr=False)
    #: The last change of annotations that was told.
    _annotated: int = field(default=0, init=False)
    #: Readings of directories that are under way, and when each mailbox was last read.
    _readings: dict[int, Deferred[None]] = field(factory=dict, init=False, repr=False)
    _read: dict[int, float] = field(factory=dict, init=False, repr=False)
    #: Stamps of cur as they were when it was last read for doubt, and when that was.
    _verified: dict[int, tuple[int, float]] = field(factory=dict, init=False, repr=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._resting = Resting(self._reactor, self._index, self._writer)
        self._identity = self._tree.identity()
        self._index.when_opened = self._stir

    @property
    def lost(self) -> bool:
        """The index that was opened is there no more, or is to be made again: so says another process."""
        return self._tree.identity() != self._identity or os.path.lexists(self._tree.damaged)

    def start(self) -> None:
        """Look at once, then once a second, or where alarms tell of every change, when they do."""
        if not self._watching:
            self._watching = True
            self._annotated = metadata.last_change(self._index)
            written = self._tree.written()
            if written != self._written:
                self._written = written
                for _, id, modseq in self._index.modseqs():
                    self._watchers.known(id, modseq)
            # Who comes and goes again need not wait for alarms to be set, and to be taken away.
            self._soon = self._reactor.callLater(_SOON, self._look_soon)

    def stop(self) -> None:
        """Look only when asked."""
        self._watching = False
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        for path in self._armed:
            self._alarms.unset(path)
        self._armed.clear()

    def _arm(self) -> None:
        """Set the alarms, again if they have gone off: of the index, and of the mailboxes that are open."""
        paths = [os.path.dirname(self._tree.index)]
        if not self._tree.fs:
            paths.append(self._tree.root)
        for number in self._open:
            directory = self._places.get(number)
            if directory is not None:
                paths += [self._tree.part(directory, "new"), self._tree.part(directory)]
        for path in self._armed.difference(paths):
            self._alarms.unset(path)
        self._armed = {path for path in paths if self._alarms.set(path, partial(self._off, path))}
        self._told = (
            len(self._armed) == len(paths) and not self._tree.fs and is_local(self._tree.root)
        )

    def _off(self, path: str) -> None:
        self._patience = _BEHIND
        self._look_in(_SOON, path)

    def _again(self, path: str) -> None:
        """What came into that directory while it was read may be nobody's to tell."""
        self._look_in(self._patience, path)
        self._patience = min(_POLL, 2 * self._patience)

    def _look_in(self, seconds: float, path: str) -> None:
        if self._watching:
            self._rung.add(path)
            if self._soon is not None:
                if self._soon.getTime() <= self._reactor.seconds() + seconds:
                    return
                self._soon.cancel()
            self._soon = self._reactor.callLater(seconds, self._look_soon)

    def _look_soon(self) -> None:
        self._soon = None
        rung, self._rung = self._rung, set()
        told = self._told
        self._arm()
        self._look(rung if told and self._told else None)
        self._look_later()

    def _look_later(self) -> None:
        """Have the next look taken when it is due."""
        if not self._watching:
            return
        now = self._reactor.seconds()
        due = now + self._pause(now)
        if self._next is not None:
            if self._next.getTime() <= due:
                return
            self._next.cancel()
        self._next = self._reactor.callLater(due - now, self._look_now_and_then)

    def _pause(self, now: float) -> float:
        """Seconds for which nothing need be looked at, if no alarm goes off."""
        if not self._told:
            return _POLL
        pause = _SELDOM
        due = self._resting.due
        if due is not None:
            pause = max(due, _POLL)
        for number in self._open:
            _, _, cur = self._seen.get(number, ("", 0, 0))
            verified, moment = self._verified.get(number, (0, now))
            if cur != verified:
                pause = min(pause, max(moment + _VERIFY - now, _POLL))
        return pause

    def _stir(self) -> None:
        """The index is in use again: its connections are to be closed later."""
        if self._next is not None:
            self._resting.stir()
            self._look_later()

    def check(
        self, number: int, force: bool = False, row: MailboxRow | None = None
    ) -> Deferred[None] | None:
        """Something to wait for if the mailbox's directories have changed.  Raises `NoSuchMailbox`.

        `row` is what the index has said just now.
        """
        if row is None:
            row = self._index.mailbox(number)
        directory, new_stamp, cur_stamp = row.directory, row.new_stamp, row.cur_stamp
        self._places[number] = directory
        if not force:
            new = modified(self._tree.part(directory, "new"))
            cur = modified(self._tree.part(directory))
            if new == new_stamp and cur == cur_stamp:
                self._seen[number] = directory, new, cur
                self._patience = _BEHIND
                return None
            if (
                new == abs(new_stamp)
                and cur == abs(cur_stamp)
                and self._reactor.seconds() - self._read.get(number, 0.0) < _AGAIN
            ):
                self._again(self._tree.part(directory))
                return None
            if self._writer.stuck:
                return None
        reading = self._readings.get(number)
        if reading is None:
            self._read[number] = self._reactor.seconds()
            reading = self._writer.behind(
                lambda index, tree, hints: reconcile(index, tree, number, force, hints)
            )
            self._readings[number] = reading
            reading.addBoth(self._was_read, number)
        one = _forked(reading)
        # What was known before is what is served meanwhile.
        return one if force else one.addErrback(_passed_over)

    def _was_read(self, outcome: _T, number: int) -> _T:
        del self._readings[number]
        self._read[number] = self._reactor.seconds()
        if not isinstance(outcome, Failure):
            # What came while it was read may have set off the alarm before.
            self._again(self._tree.part(self._places[number]))
        return outcome

    def discovered(self) -> Deferred[None] | None:
        """Something to wait for if there may be other mailboxes."""
        root = stamp_of(self._index, self._tree)
        if root == self._root:
            return None
        stamp = self._index.meta(ROOT_STAMP) or 0
        if root == stamp:
            self._root = root
            return None
        if self._writer.stuck:
            return None
        if root == abs(stamp) and self._reactor.seconds() - self._read.get(0, 0.0) < _AGAIN:
            self._again(self._tree.root)
            return None
        self._read[0] = self._reactor.seconds()
        looking = self._writer.behind(discover)
        return looking.addCallback(self._discovered).addErrback(_passed_over)

    def _discovered(self, stamp: int) -> None:
        if stamp > 0:
            self._root = stamp
        else:
            self._again(self._tree.root)

    def annotated(self) -> None:
        """Tell which annotations have changed, in this process or another."""
        if not self._watching:
            return
        try:
            self._annotated, hints = metadata.changes(self._index, self._annotated)
        except sqlite3.Error as error:
            if is_damage(error):
                self._damaged(error)
                return
            # What changed is changed all the same; it is told at the next look.
            self._log.failure("{root}: cannot look for changes", root=self._tree.root)
            return
        self._watchers.publish(hints)

    def _look_now_and_then(self) -> None:
        self._next = None
        self._look()
        if self._watching:
            self._arm()
            self._look_later()

    def _look(self, rung: Collection[str] | None = None) -> None:
        """While someone watches; at all directories, or those that have `rung`.

        The index is asked only if something moved.
        """
        try:
            if self.lost:
                self._damaged(None)
                return
            for number in list(self._open.keys()):
                if rung is None or self._has_rung(number, rung):
                    self._look_at(number)
            if rung is None or self._tree.root in rung:
                waiting = self.discovered()
                if waiting is not None:
                    waiting.addErrback(self._failed)
            written = self._tree.written()
            if written != self._written:
                self._written = written
                for _, id, modseq in self._index.modseqs():
                    self._watchers.found(id, modseq)
                self.annotated()
            waiting = self._resting.rest()
            if waiting is not None:
                waiting.addCallback(self._rested).addErrback(self._failed)
        except AccountClosed:
            pass
        except Exception as error:
            if is_damage(error):
                self._damaged(error)
                return
            self._log.failure("{root}: cannot look for changes", root=self._tree.root)

    def _has_rung(self, number: int, rung: Collection[str]) -> bool:
        directory = self._places.get(number)
        return directory is None or any(
            self._tree.part(directory, part) in rung for part in ("new", "cur")
        )

    def _look_at(self, number: int) -> None:
        doubtful = False
        seen = self._seen.get(number)
        if seen is not None:
            directory, new, cur = seen
            now = self._reactor.seconds()
            verified, moment = self._verified.setdefault(number, (cur, now))
            if cur != verified and now - moment >= _VERIFY:
                # The mtime is ours: a change of another's in that instant would not show.
                self._verified[number] = cur, now
                doubtful = True
            elif new == modified(self._tree.part(directory, "new")) and cur == modified(
                self._tree.part(directory)
            ):
                return
        try:
            waiting = self.check(number, doubtful)
        except NoSuchMailbox:
            self._open.pop(number, None)
            return
        if waiting is not None:
            waiting.addErrback(self._unread, number)

    def _unread(self, failure: Any, number: int) -> None:
        if failure.check(NoSuchMailbox):
            # It was deleted meanwhile.
            self._open.pop(number, None)
        else:
            self._failed(failure)

    def _rested(self, _: None) -> None:
        self._written = self._tree.written()

    def _failed(self, failure: Any) -> None:
        if failure.check(StoreUnavailable):
            # The log has why.
            return
        self._log.failure("{root}: cannot read what changed", failure, root=self._tree.root)


def _passed_over(failure: Failure) -> None:
    # The log has it; it is looked at again.
    failure.trap(StoreUnavailable)  # type: ignore[no-untyped-call]  # Twisted has no types for it


def _forked(source: Deferred[None]) -> Deferred[None]:
    """One more to wait for the same."""
    one: Deferred[None] = Deferred()

    def tell(outcome: Any) -> Any:
        one.callback(outcome)
        return None

    source.addBoth(tell)
    return one
