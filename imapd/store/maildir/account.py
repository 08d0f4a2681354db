"""One user's Maildir: its mailboxes, its writer, and who is told of changes.

* Reads are made here and now by a connection of our own, which waits for no one.
* What is changed is changed by `changing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from imapd.model.mailbox import DELIMITER, Hint, MailboxInfo, Status
from imapd.model.quota import Allowance, Quota
from imapd.store.access import IShareable
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox, NotSelectable
from imapd.store.interfaces import (
    IAccount,
    IAnnotated,
    IExamined,
    IMailbox,
    IMetadata,
    IObjectIDs,
    IQuota,
    ISpools,
    ITextIndexing,
    IURLKeys,
    WatchCallback,
)
from imapd.store.maildir import metadata, namespace, quota
from imapd.store.maildir.alarms import Alarms
from imapd.store.maildir.backlog import Backlog
from imapd.store.maildir.changing import Changing
from imapd.store.maildir.checking import examine
from imapd.store.maildir.index import Index, MailboxRow
from imapd.store.maildir.listing import listed
from imapd.store.maildir.lookout import Lookout
from imapd.store.maildir.mailbox import MaildirMailbox
from imapd.store.maildir.measuring import Sizes
from imapd.store.maildir.names import check, sought
from imapd.store.maildir.presence import Presence
from imapd.store.maildir.quiet import Quiet
from imapd.store.maildir.sharing import MaildirSharing
from imapd.store.maildir.spool import Draft, Spool
from imapd.store.maildir.telling import MaildirTexts
from imapd.store.maildir.threads import BesideThreads, call_in_thread
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.troubles import reporting
from imapd.store.maildir.turn import Turn
from imapd.store.maildir.urlkeys import MaildirURLKeys
from imapd.store.maildir.watchers import Watchers
from imapd.store.maildir.writer import Work, Writer
from imapd.store.statuses import IStatuses

__all__ = ["MaildirAccount"]

_T = TypeVar("_T")


#: What an account provides by an object of its own.
_PARTS: Final[dict[object, Callable[[MaildirAccount], object]]] = {
    IShareable: lambda account: MaildirSharing(account),
    IURLKeys: lambda account: MaildirURLKeys(account),
}


@reporting
@implementer(IAccount, IExamined, ISpools, IQuota, IObjectIDs, IMetadata, IAnnotated, IStatuses)
@define(eq=False)
class MaildirAccount:
    """Shared by all sessions of the user; `_left` is called when each has closed."""

    _reactor: Any
    _pool: ThreadPool
    _beside: BesideThreads
    tree: Tree
    #: Reads, and writes what is small: of the reactor's thread.
    index: Index = field(repr=False)
    _presence: Presence
    #: What was wrong with the index when it was opened, and was mended.
    _said: str
    _alarms: Alarms = field(repr=False)
    _synced_flags: bool
    _left: Callable[[MaildirAccount], object] = field(repr=False)
    _allowed_each: Callable[[], Allowance] = field(repr=False)
    #: Accounts index their texts one after the other.
    _turn: DeferredLock = field(repr=False)
    #: Tells other processes what was changed here.
    _tell_others: Callable[[MaildirAccount, Sequence[Hint]], object] = field(repr=False)
    #: What is to be made of messages that have come.
    _prepare: Callable[[], Callable[[IMailbox], Deferred[Any]] | None] = field(repr=False)
    #: The index is damaged: nothing is done any more.
    _ended: Callable[[MaildirAccount], object] = field(repr=False)
    sessions: int = field(default=0, init=False)
    _is_damaged: bool = field(default=False, init=False)
    writer: Writer = field(init=False, repr=False)
    changing: Changing = field(init=False, repr=False)
    _open: WeakValueDictionary[int, MaildirMailbox] = field(
        factory=WeakValueDictionary, init=False, repr=False
    )
    texts: MaildirTexts = field(init=False, repr=False)
    _watchers: Watchers = field(init=False, repr=False)
    _lookout: Lookout = field(init=False, repr=False)
    sizes: Sizes = field(init=False, repr=False)
    _backlog: Backlog = field(init=False, repr=False)
    _quiet: Quiet = field(init=False, repr=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self.texts = MaildirTexts(
            self._reactor,
            self.tree,
            self.in_thread,
            lambda number: self.check(number, True),
            self._turn,
            self.damaged,
        )
        self._watchers = Watchers(self._stirred, left=lambda: self._lookout.stop())
        self.writer = Writer(
            self._reactor, self._pool, self._beside, self.tree, self._publish, self.damaged
        )
        self.changing = Changing(
            self._reactor, self.tree, self.index, self.writer, self._publish, self._synced_flags
        )
        self.sizes = Sizes(self.index, self.tree, self.writer, self.in_thread, self.check)
        self._backlog = Backlog(self._reactor, self.writer)
        self._quiet = Quiet(
            self._reactor,
            lambda id: self._opened(self.index.identified(id)),
            lambda: self._backlog.idle,
            self._prepare,
        )
        self._lookout = Lookout(
            self._reactor,
            self.tree,
            self.index,
            self.writer,
            self._watchers,
            self._open,
            self._alarms,
            self.damaged,
        )

    def __conform__(self, interface: object) -> object:
        """What it provides by another object."""
        if interface is ITextIndexing:
            return self.texts
        part = _PARTS.get(interface)
        return None if part is None else part(self)

    # -- names

    def mailboxes(self) -> Sequence[MailboxInfo] | Deferred[Sequence[MailboxInfo]]:
        """As `IAccount`; by name."""
        return self._after(self._lookout.discovered(), self._listed)

    def _listed(self) -> Sequence[MailboxInfo]:
        return self.index.unwritten("mailboxes", lambda: listed(self.index))

    @staticmethod
    def _info(row: MailboxRow, subscribed: bool) -> MailboxInfo:
        uses = frozenset(row.special_use.split())
        return MailboxInfo(row.name, row.id, subscribed=subscribed, special_use=uses)

    async def create(self, name: str, special_use: frozenset[str] = frozenset()) -> MailboxInfo:
        """As `IAccount`."""
        each = self._allowed_each()
        subscribed = self._is_subscribed(name)
        row = await self.writer.alone(
            lambda index, tree, hints: namespace.create(index, tree, hints, name, special_use, each)
        )
        return self._info(row, subscribed)

    def delete(self, name: str) -> Deferred[None]:
        """As `IAccount`."""
        self.changing.tidy_soon()
        return self.writer.alone(
            lambda index, tree, hints: namespace.delete(index, tree, hints, name)
        )

    def rename(self, old: str, new: str) -> Deferred[None]:
        """As `IAccount`."""
        self.changing.tidy_soon()
        each = self._allowed_each()
        return self.writer.alone(
            lambda index, tree, hints: namespace.rename(index, tree, hints, old, new, each)
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

    def open(self, name: str) -> MaildirMailbox | Deferred[MaildirMailbox]:
        """As `IAccount`."""
        sought(name)
        row = self.index.named(name)
        if row is None:
            return Deferred.fromCoroutine(self._discovered(name))
        mailbox = self._opened(row)
        reading = self._lookout.check(row.number, row=row)
        if reading is None:
            return self._looked_at(mailbox, row, read=False)
        return reading.addCallback(
            lambda _: self._looked_at(mailbox, self.index.mailbox(row.number), read=True)
        )

    async def _discovered(self, name: str) -> MaildirMailbox:
        waiting = self._lookout.discovered()
        if waiting is not None:
            await waiting
            if self.index.named(name) is not None:
                return await settled(self.open(name))
        below = name + DELIMITER
        if any(each.name.startswith(below) for each in self.index.mailboxes()):
            raise NotSelectable(f"{name} holds only other mailboxes")
        raise NoSuchMailbox(f"there is no mailbox {name}")

    def _looked_at(self, mailbox: MaildirMailbox, row: MailboxRow, read: bool) -> MaildirMailbox:
        if row.messages:
            self._backlog.want(row.number, again=read)
            self._quiet.opened(row.id)
        mailbox.opened_row = row
        return mailbox

    def _opened(self, row: MailboxRow) -> MaildirMailbox:
        mailbox = self._open.get(row.number)
        if mailbox is None:
            mailbox = MaildirMailbox(self, row.number, row.id, row.uidvalidity)
            self._open[row.number] = mailbox
        return mailbox

    def statuses(
        self, names: Sequence[str]
    ) -> Mapping[str, Status] | Deferred[Mapping[str, Status]]:
        """As `IStatuses`; what others changed is in it."""
        index = self.index
        rows = index.named_all(names)
        late = []
        for row in rows:
            reading = self._lookout.check(row.number, row=row)
            if reading is not None:
                late.append(reading)
                self._backlog.want(row.number, again=True)
        if late:
            return Deferred.fromCoroutine(self._statuses_read(names, late))
        return {row.name: index.status(row) for row in rows}

    async def _statuses_read(
        self, names: Sequence[str], readings: Sequence[Deferred[None]]
    ) -> Mapping[str, Status]:
        for reading in readings:
            with suppress(NoSuchMailbox):
                await reading
        return {row.name: self.index.status(row) for row in self.index.named_all(names)}

    def has_texts(self) -> bool:
        """Whether there is, or was, anything that is to be indexed."""
        return os.path.lexists(self.tree.texts) or bool(
            self.index.sql("SELECT 1 FROM mailboxes WHERE messages > 0 LIMIT 1").fetchone()
        )

    def spool(self) -> Spool:
        """As `ISpools`."""
        return Spool(Draft.made(self.tree), self.in_thread)

    # -- annotations

    async def annotations(self, mailbox: str) -> Mapping[str, bytes]:
        """As `IMetadata`."""
        waiting = self._lookout.discovered()
        if waiting is not None:
            await waiting
        return metadata.read(self.index, mailbox)

    async def annotate(
        self, mailbox: str, values: Mapping[str, bytes | None], entries: int, octets: int
    ) -> Sequence[str]:
        """As `IMetadata`."""

        def work(turn: Turn) -> Sequence[str]:
            return metadata.annotate(turn.index, mailbox, values, entries, octets)

        changed = await self.writer.do(self.allowed(work), durable=True)
        self._lookout.annotated()
        if changed:
            self._tell_others(self, [Hint("", entries=tuple(changed))])
        return changed

    # -- quota

    def quota(self) -> Quota | Deferred[Quota]:
        """As `IQuota`; mailboxes keep counts of their own."""
        if self.index.unsized():
            return Deferred.fromCoroutine(self._measured_quota())
        return quota.quota(self.index, self._allowed_each())

    async def _measured_quota(self) -> Quota:
        await self.sizes.all()
        return quota.quota(self.index, self._allowed_each())

    def allow(self, allowance: Allowance) -> Deferred[None]:
        """As `IQuota`."""
        return self.writer.do(lambda turn: quota.allow(turn.index, allowance), durable=True)

    def allowed(self, work: Work[_T]) -> Work[_T]:
        """What does `work`, unless there is no room for it: then it raises `OverQuota`."""
        each = self._allowed_each()

        def allowed(turn: Turn) -> _T:
            with quota.allowed(turn.index, each):
                return work(turn)

        return allowed

    def in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        """Run a call that may wait for the disk."""
        return call_in_thread(self._reactor, self._pool, call)

    # -- checking

    def examine(self) -> Deferred[Sequence[str]]:
        """As `IExamined`; an index that is damaged is made again when the account is next opened."""
        said, self._said = self._said, ""

        def look(index: Index, tree: Tree, hints: list[Hint]) -> Sequence[str]:
            return [*filter(None, [said]), *examine(index, tree, hints)]

        return self.writer.alone(look)

    # -- changes

    def check(
        self, number: int, force: bool = False, row: MailboxRow | None = None
    ) -> Deferred[None] | None:
        """As `Lookout.check`."""
        return self._lookout.check(number, force, row)

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`."""
        stop = self._watchers.add(callback)
        self._lookout.start()
        return stop

    def _stirred(self, hints: Sequence[Hint]) -> None:
        self.texts.stir()
        for hint in hints:
            if hint.mailbox_id and not hint.entries:
                self._quiet.changed(hint.mailbox_id)

    def _publish(self, hints: Sequence[Hint]) -> None:
        self._watchers.publish(hints)
        self._tell_others(self, hints)

    def told(self, hints: Sequence[Hint]) -> None:
        """As `IManyProcesses`."""
        if not self._watchers:
            return
        for hint in hints:
            if hint.entries:
                # The index tells which, so that each is told once.
                self._lookout.annotated()
            else:
                self._watchers.heard(hint)

    # -- the end

    @property
    def lost(self) -> bool:
        """As `Lookout.lost`."""
        return self._lookout.lost

    def damaged(self, error: Exception | None = None) -> None:
        """The index has wrong octets, as `error` says, or is `lost`.

        No session uses it any more; it is made again by who opens the account next.
        """
        if self._is_damaged:
            return
        self._is_damaged = True
        if error is not None:
            self._log.error(
                "{index}: damaged: {error}; sessions end here", index=self.tree.index, error=error
            )
            try:
                self.tree.mark_damaged()
            except OSError:
                self._log.failure("{root}: cannot be marked", root=self.tree.root)
        self.index.end()
        self.writer.end()
        self._ended(self)
        # Whoever looks finds out.
        self._watchers.tell(Hint(""))

    def close(self) -> Deferred[None] | None:
        """As `IAccount`; what is behind the answers is done when the last session has closed."""
        self.sessions -= 1
        if self.sessions > 0:
            return None
        answer = self._left(self)
        return answer if isinstance(answer, Deferred) else None

    async def shut(self) -> None:
        """Let go of everything, when no session has it open."""
        self._lookout.stop()
        self._backlog.end()
        await self._quiet.stop()
        await self.texts.stop()
        await self.changing.stop(tidy=not self._is_damaged)
        await self.writer.when_idle()
        await self.in_thread(self.index.close)
        await self.in_thread(self.writer.index.close)
        self._presence.end()

    @staticmethod
    def _after(waiting: Deferred[None] | None, call: Callable[[], _T]) -> _T | Deferred[_T]:
        return call() if waiting is None else waiting.addCallback(lambda _: call())
