"""One user's Maildir: its mailboxes, its writer, and who is told of changes.

* Reads are made here and now by a connection of our own, which waits for no one.
* A small change is made here and now too, if no one else is writing and nothing waits;
  everything else goes through the writer's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from imapd.model.mailbox import DELIMITER, Hint, MailboxInfo
from imapd.store.errors import NoSuchMailbox, NotSelectable
from imapd.store.interfaces import IAccount, ISpools, WatchCallback
from imapd.store.maildir import namespace
from imapd.store.maildir.index import Index, MailboxRow
from imapd.store.maildir.mailbox import MaildirMailbox
from imapd.store.maildir.names import check, sought, superiors
from imapd.store.maildir.outside import reconcile
from imapd.store.maildir.spool import Draft, Spool
from imapd.store.maildir.threads import call_in_thread
from imapd.store.maildir.tidy import tidy_all
from imapd.store.maildir.tree import Tree, modified, unavailable
from imapd.store.maildir.turn import Turn
from imapd.store.maildir.writer import Work, Writer, attempt

__all__ = ["MaildirAccount"]

_T = TypeVar("_T")

#: Seconds between two looks at the directories of open mailboxes, while someone watches.
_POLL: Final = 1.0
#: Seconds between two readings of a directory whose mtime may hide a change.
_AGAIN: Final = 0.05
#: Seconds after which a directory that only we changed is read again: a change of another's
#: in the instant of ours has its mtime.
_VERIFY: Final = 60.0
#: Seconds between two closings of the connections to the index.
_REST: Final = 10.0
#: Seconds after which files are given the names that the answer promised.
_TIDY: Final = 0.3
#: Small changes made on the reactor's thread between two checkpoints in the writer's.
_CHECKPOINT: Final = 500


@implementer(IAccount, ISpools)
@define(eq=False)
class MaildirAccount:
    """Shared by all sessions of the user; `_left` is called when each has closed."""

    _reactor: Any
    _pool: ThreadPool
    tree: Tree
    #: Reads, and writes what is small: of the reactor's thread.
    index: Index = field(repr=False)
    synced_flags: bool
    _left: Callable[[MaildirAccount], object] = field(repr=False)
    sessions: int = field(default=0, init=False)
    writer: Writer = field(init=False, repr=False)
    _open: WeakValueDictionary[int, MaildirMailbox] = field(
        factory=WeakValueDictionary, init=False, repr=False
    )
    _watchers: list[WatchCallback] = field(factory=list, init=False, repr=False)
    _poll: LoopingCall = field(init=False, repr=False)
    _tidying: IDelayedCall | None = field(default=None, init=False, repr=False)
    _small: int = field(default=0, init=False)
    #: When the index was last written, and when its connections were last closed.
    _written: tuple[int, int] = field(default=(0, 0), init=False)
    _rested: float = field(init=False)
    #: Directories and mtimes of mailboxes that were up to date.
    _seen: dict[int, tuple[str, int, int]] = field(factory=dict, init=False, repr=False)
    _root: int = field(default=0, init=False)
    _told: dict[str, int] = field(factory=dict, init=False, repr=False)
    #: Readings of directories that are under way, and when each mailbox was last read.
    _readings: dict[int, Deferred[None]] = field(factory=dict, init=False, repr=False)
    _read: dict[int, float] = field(factory=dict, init=False, repr=False)
    #: Stamps of cur as they were when it was last read for doubt, and when that was.
    _verified: dict[int, tuple[int, float]] = field(factory=dict, init=False, repr=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self.writer = Writer(self._reactor, self._pool, self.tree, self._publish)
        self._rested = self._reactor.seconds()
        self._poll = LoopingCall(self._look)
        self._poll.clock = self._reactor

    # -- names

    def mailboxes(self) -> Sequence[MailboxInfo] | Deferred[Sequence[MailboxInfo]]:
        """As `IAccount`; by name."""
        return self._after(self._discovered(), self._mailboxes)

    def _mailboxes(self) -> Sequence[MailboxInfo]:
        subscribed = {name for (name,) in self.index.sql("SELECT name FROM subscriptions")}
        found = {
            row.name: self._info(row, row.name in subscribed) for row in self.index.mailboxes()
        }
        for name in list(found):
            for above in superiors(name):
                if above not in found:
                    found[above] = MailboxInfo(
                        above, selectable=False, subscribed=above in subscribed
                    )
        for name in subscribed - found.keys():
            found[name] = MailboxInfo(name, exists=False, selectable=False, subscribed=True)
        return [found[name] for name in sorted(found)]

    @staticmethod
    def _info(row: MailboxRow, subscribed: bool) -> MailboxInfo:
        uses = frozenset(row.special_use.split())
        return MailboxInfo(row.name, row.id, subscribed=subscribed, special_use=uses)

    async def create(self, name: str, special_use: frozenset[str] = frozenset()) -> MailboxInfo:
        """As `IAccount`."""
        row = await self.writer.alone(
            lambda index, tree, hints: namespace.create(index, tree, hints, name, special_use)
        )
        return self._info(row, self._is_subscribed(name))

    def delete(self, name: str) -> Deferred[None]:
        """As `IAccount`."""
        return self.writer.alone(
            lambda index, tree, hints: namespace.delete(index, tree, hints, name)
        )

    def rename(self, old: str, new: str) -> Deferred[None]:
        """As `IAccount`."""
        self._tidy_soon()
        return self.writer.alone(
            lambda index, tree, hints: namespace.rename(index, tree, hints, old, new)
        )

    def subscribe(self, name: str, subscribed: bool) -> Deferred[None] | None:
        """As `IAccount`.  Raises `BadMailboxName` for a name that no mailbox can have."""
        if subscribed == self._is_subscribed(name):
            return None
        if subscribed:
            check(name)
            sql = "INSERT OR IGNORE INTO subscriptions (name) VALUES (?)"
        else:
            sql = "DELETE FROM subscriptions WHERE name = ?"

        def work(turn: Turn) -> None:
            turn.index.sql(sql, (name,))
            turn.hints.append(Hint(""))

        return self.writer.do(work, durable=True)

    def _is_subscribed(self, name: str) -> bool:
        try:
            found = self.index.sql("SELECT 1 FROM subscriptions WHERE name = ?", (name,))
        except UnicodeEncodeError:
            return False
        return found.fetchone() is not None

    async def open(self, name: str) -> MaildirMailbox:
        """As `IAccount`."""
        sought(name)
        row = self.index.named(name)
        if row is None:
            waiting = self._discovered()
            if waiting is not None:
                await waiting
                row = self.index.named(name)
        if row is None:
            below = name + DELIMITER
            if any(each.name.startswith(below) for each in self.index.mailboxes()):
                raise NotSelectable(f"{name} holds only other mailboxes")
            raise NoSuchMailbox(f"there is no mailbox {name}")
        mailbox = self._open.get(row.number)
        if mailbox is None:
            mailbox = MaildirMailbox(self, row.number, row.id, row.uidvalidity)
            self._open[row.number] = mailbox
        reading = self.check(row.number)
        if reading is not None:
            await reading
        return mailbox

    def spool(self) -> Spool:
        """As `ISpools`."""
        return Spool(Draft.made(self.tree), self.in_thread)

    # -- changing

    def change(
        self,
        work: Work[_T],
        durable: bool,
        prepare: Callable[[], object] | None = None,
        done: Callable[[], object] | None = None,
    ) -> Deferred[_T]:
        """Make a change in the writer's thread."""
        self._tidy_soon()
        return self.writer.do(work, durable, prepare, done)

    def change_now(self, work: Work[_T]) -> _T | Deferred[_T]:
        """Make a small change, here if it need not wait; it survives the process, not the machine."""
        if self.synced_flags or not self.writer.idle:
            return self.change(work, self.synced_flags)
        try:
            done = attempt(self.index, self.tree, work)
        except (OSError, sqlite3.Error) as error:
            self._log.failure("{root}: the store failed", root=self.tree.root)
            raise unavailable(error) from error
        if done is None:
            return self.change(work, False)
        self._tidy_soon()
        self._small += 1
        if self._small >= _CHECKPOINT:
            self._small = 0
            self.writer.alone(lambda index, tree, hints: index.checkpoint()).addErrback(
                self._failed
            )
        answer, hints = done
        self._publish(hints)
        return answer

    def in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        """Run a call that may wait for the disk."""
        return call_in_thread(self._reactor, self._pool, call)

    def _tidy_soon(self) -> None:
        if self._tidying is None:
            self._tidying = self._reactor.callLater(_TIDY, self.tidy)

    def tidy(self) -> Deferred[None]:
        """Let the tree follow the index now."""
        if self._tidying is not None:
            if self._tidying.active():
                self._tidying.cancel()
            self._tidying = None
        return self.writer.alone(tidy_all).addErrback(self._failed)

    def _failed(self, failure: Any) -> None:
        self._log.failure("{root}: work behind the answers failed", failure, root=self.tree.root)

    # -- changes by others

    def check(self, number: int, force: bool = False) -> Deferred[None] | None:
        """Something to wait for if the mailbox's directories have changed.  Raises `NoSuchMailbox`."""
        directory, _, new_stamp, cur_stamp = self.index.marks(number)
        if not force:
            new = modified(self.tree.part(directory, "new"))
            cur = modified(self.tree.part(directory))
            if new == new_stamp and cur == cur_stamp:
                self._seen[number] = directory, new, cur
                return None
            if (
                new == abs(new_stamp)
                and cur == abs(cur_stamp)
                and self._reactor.seconds() - self._read.get(number, 0.0) < _AGAIN
            ):
                return None
        reading = self._readings.get(number)
        if reading is None:
            self._read[number] = self._reactor.seconds()
            reading = self.writer.alone(
                lambda index, tree, hints: reconcile(index, tree, number, force, hints)
            )
            self._readings[number] = reading
            reading.addBoth(self._was_read, number)
        return _forked(reading)

    def _was_read(self, outcome: _T, number: int) -> _T:
        del self._readings[number]
        self._read[number] = self._reactor.seconds()
        return outcome

    def _discovered(self) -> Deferred[None] | None:
        root = modified(self.tree.root)
        if root == self._root:
            return None
        stamp = self.index.meta(namespace.ROOT_STAMP) or 0
        if root == stamp:
            self._root = root
            return None
        if root == abs(stamp) and self._reactor.seconds() - self._read.get(0, 0.0) < _AGAIN:
            return None
        self._read[0] = self._reactor.seconds()
        return self.writer.alone(namespace.discover)

    def _look(self) -> None:
        """Once a second, while someone watches; the index is asked only if something moved."""
        try:
            for number in list(self._open.keys()):
                self._look_at(number)
            waiting = self._discovered()
            if waiting is not None:
                waiting.addErrback(self._failed)
            written = self.tree.written()
            if written != self._written:
                self._written = written
                for _, id, modseq in self.index.modseqs():
                    if self._told.get(id, modseq) < modseq:
                        self._publish([Hint(id, modseq)])
                    self._told[id] = modseq
            self._rest()
        except Exception:
            self._log.failure("{root}: cannot look for changes", root=self.tree.root)

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
            elif new == modified(self.tree.part(directory, "new")) and cur == modified(
                self.tree.part(directory)
            ):
                return
        try:
            waiting = self.check(number, doubtful)
        except NoSuchMailbox:
            self._open.pop(number, None)
            return
        if waiting is not None:
            waiting.addErrback(self._failed)

    def _rest(self) -> None:
        """Let go of connections now and then: an account nobody uses costs little memory."""
        now = self._reactor.seconds()
        if now - self._rested < _REST:
            return
        self._rested = now
        if self.writer.idle and (self.index.opened or self.writer.index.opened):
            # The last to let go brings the log home: that is for the writer's thread.
            waiting = self.writer.alone(lambda index, tree, hints: index.open())
            waiting.addCallback(lambda _: self.index.close())
            waiting.addCallback(lambda _: self.writer.alone(_close))
            waiting.addCallback(lambda _: self._note_written())
            waiting.addErrback(self._failed)

    def _note_written(self) -> None:
        self._written = self.tree.written()

    # -- telling

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`."""

        # A wrapper of its own: one callback may be given twice.
        def call(hint: Hint) -> None:
            callback(hint)

        def end() -> None:
            if call in self._watchers:
                self._watchers.remove(call)
            if not self._watchers and self._poll.running:
                self._poll.stop()

        self._watchers.append(call)
        if not self._poll.running:
            self._poll.start(_POLL, now=False)
        return end

    def _publish(self, hints: Sequence[Hint]) -> None:
        for hint in hints:
            if hint.mailbox_id:
                self._told[hint.mailbox_id] = max(hint.modseq, self._told.get(hint.mailbox_id, 0))
            for callback in tuple(self._watchers):
                if callback in self._watchers:
                    try:
                        callback(hint)
                    except Exception:
                        self._log.failure("a watcher failed at {hint}", hint=hint)

    # -- the end

    def close(self) -> Deferred[None] | None:
        """As `IAccount`; what is behind the answers is done when the last session has closed."""
        self.sessions -= 1
        if self.sessions > 0:
            return None
        answer = self._left(self)
        return answer if isinstance(answer, Deferred) else None

    async def shut(self) -> None:
        """Let go of everything, when no session has it open."""
        if self._poll.running:
            self._poll.stop()
        if self._tidying is not None:
            await self.tidy()
        await self.writer.when_idle()
        await self.in_thread(self.index.close)
        await self.in_thread(self.writer.index.close)

    @staticmethod
    def _after(waiting: Deferred[None] | None, call: Callable[[], _T]) -> _T | Deferred[_T]:
        return call() if waiting is None else waiting.addCallback(lambda _: call())


def _close(index: Index, tree: Tree, hints: list[Hint]) -> None:
    index.close()


def _forked(source: Deferred[None]) -> Deferred[None]:
    """One more to wait for the same."""
    one: Deferred[None] = Deferred()

    def tell(outcome: Any) -> Any:
        one.callback(outcome)
        return None

    source.addBoth(tell)
    return one
