"""All accounts below one directory: ``maildir:/var/mail/%u``."""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.defer import TimeoutError as TookLong
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from imapd.model.mailbox import Hint
from imapd.model.quota import Allowance
from imapd.store.arrivals import IArrivals
from imapd.store.errors import BadMailboxName, StoreUnavailable
from imapd.store.interfaces import (
    IMailbox,
    IMailStore,
    IManyProcesses,
    IOtherAccounts,
    IQuotas,
)
from imapd.store.maildir.account import MaildirAccount
from imapd.store.maildir.alarms import Alarms
from imapd.store.maildir.founding import opened
from imapd.store.maildir.place import Template
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.threads import BesideThreads, call_in_thread
from imapd.store.maildir.tree import Tree, unavailable
from imapd.store.maildir.writer import Busy
from imapd.store.maker import UnknownStore

__all__ = ["MaildirStore", "open_store"]

#: Threads that wait for disks; each account uses one at a time for writing.
_THREADS: Final = 16
#: Seconds for which an account waits for another one that is being opened.  That is mostly work, and
#: threads that work side by side do less, for they take Python's lock from each other.
_TURN: Final = 0.25
#: Seconds an account stays open after its last session: some clients come again at once.
_LINGER: Final = 30.0
#: Seconds after which it is looked whether another process wants such an account to be let go of.
_LOOK: Final = 1.0


@implementer(IMailStore, IManyProcesses, IOtherAccounts, IQuotas, IArrivals)
@define(eq=False)
class MaildirStore:
    """Accounts by user; those whose sessions have ended stay open for a moment.

    With `synced_flags`, changes of flags are on the disk before they are answered, too.
    `reactor` is an IReactorTime and IReactorFromThreads.
    """

    _reactor: Any
    _template: Template
    synced_flags: bool = False
    #: New accounts are in Dovecot's layout ``fs``; those that are there are in the one they have.
    fs: bool = False
    _pool: ThreadPool = field(init=False, repr=False)
    #: For what waits for the disk and does little else.
    _beside: BesideThreads = field(init=False, repr=False)
    _alarms: Alarms = field(init=False, repr=False)
    _accounts: dict[str, MaildirAccount] = field(factory=dict, init=False, repr=False)
    _opening: dict[str, list[Deferred[MaildirAccount]]] = field(
        factory=dict, init=False, repr=False
    )
    _lingering: dict[str, IDelayedCall] = field(factory=dict, init=False, repr=False)
    _shutting: set[Deferred[None]] = field(factory=set, init=False, repr=False)
    #: Accounts index their texts one after the other.
    _indexing: DeferredLock = field(factory=DeferredLock, init=False, repr=False)
    #: They are opened one after the other, if none takes long.
    _making: DeferredLock = field(factory=DeferredLock, init=False, repr=False)
    _allowance: Allowance = field(default=Allowance(), init=False, repr=False)
    _prepare: Callable[[IMailbox], Deferred[Any]] | None = field(
        default=None, init=False, repr=False
    )
    _tell: Callable[[str, Sequence[Hint]], object] | None = field(
        default=None, init=False, repr=False
    )

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._alarms = Alarms(self._reactor)
        self._pool = ThreadPool(0, _THREADS, "maildir")
        self._beside = BesideThreads(_THREADS, "maildir-beside")
        # A process that forgets to close the store can still end.
        self._pool.threadFactory = functools.partial(threading.Thread, daemon=True)  # type: ignore[assignment]

    async def open_account(self, user: str) -> MaildirAccount:
        """As `IMailStore`."""
        root = self._template.place(user)
        account = self._accounts.get(root)
        if account is not None and account.lost:
            # Nobody watched.
            account.damaged()
            account = None
        if account is None:
            account = await self._opened(root)
        lingering = self._lingering.pop(root, None)
        if lingering is not None:
            lingering.cancel()
        account.sessions += 1
        return account

    async def open_existing(self, user: str) -> MaildirAccount | None:
        """As `IOtherAccounts`."""
        try:
            root = self._template.place(user)
        except BadMailboxName:
            return None
        tree = Tree(root)
        if root not in self._accounts and not (
            os.path.exists(tree.index) or os.path.isdir(tree.part(""))
        ):
            return None
        return await self.open_account(user)

    def allow_each(self, allowance: Allowance) -> None:
        """As `IQuotas`."""
        self._allowance = allowance

    def prepare(self, call: Callable[[IMailbox], Deferred[Any]]) -> None:
        """As `IArrivals`."""
        self._prepare = call

    def tell_others(self, call: Callable[[str, Sequence[Hint]], object]) -> None:
        """As `IManyProcesses`; an account is called as its directory."""
        self._tell = call

    def told(self, account: str, hints: Sequence[Hint]) -> None:
        """As `IManyProcesses`."""
        known = self._accounts.get(account)
        if known is not None:
            known.told(hints)

    def _tell_others(self, account: MaildirAccount, hints: Sequence[Hint]) -> None:
        if self._tell is not None:
            self._tell(account.tree.root, hints)

    async def close(self) -> None:
        """As `IMailStore`."""
        for lingering in self._lingering.values():
            lingering.cancel()
        self._lingering.clear()
        for root in list(self._accounts):
            self._shut(root)
        for shutting in list(self._shutting):
            await shutting
        self._alarms.close()
        if self._pool.started:
            self._pool.stop()
        self._beside.stop()

    async def _opened(self, root: str) -> MaildirAccount:
        others = self._opening.get(root)
        if others is not None:
            waiting: Deferred[MaildirAccount] = Deferred()
            others.append(waiting)
            return await waiting
        others = self._opening[root] = []
        try:
            account = await self._made(root)
        except BaseException as error:
            del self._opening[root]
            for one in others:
                one.errback(error)
            raise
        self._accounts[root] = account
        del self._opening[root]
        for one in others:
            one.callback(account)
        return account

    async def _made(self, root: str) -> MaildirAccount:
        if not self._pool.started:
            self._pool.start()
        self._beside.start()
        in_turn = await self._in_turn()
        try:
            try:
                return await self._made_once(root)
            except StoreUnavailable:
                if not os.path.exists(Tree(root).damaged):
                    raise
            return await self._made_once(root)
        finally:
            if in_turn:
                self._making.release()

    async def _in_turn(self) -> bool:
        """Wait while another account is made; but not for one that takes long."""
        try:
            await self._making.acquire().addTimeout(_TURN, self._reactor)
        except TookLong:
            return False
        return True

    async def _made_once(self, root: str) -> MaildirAccount:
        try:
            ready = await call_in_thread(self._reactor, self._pool, lambda: opened(root, self.fs))
        except (OSError, sqlite3.Error) as error:
            self._log.failure("{root}: cannot be made", root=root)
            if is_damage(error):
                Tree(root).mark_damaged()
            raise unavailable(error) from error
        except Busy:
            self._log.warn("{root}: another process writes all the time", root=root)
            raise
        account = MaildirAccount(
            self._reactor,
            self._pool,
            self._beside,
            ready.tree,
            ready.index,
            ready.presence,
            ready.said,
            self._alarms,
            self.synced_flags,
            self._left,
            lambda: self._allowance,
            self._indexing,
            self._tell_others,
            lambda: self._prepare,
            self._ended,
        )
        if ready.hints:
            self._tell_others(account, ready.hints)
        if account.has_texts():
            account.texts.stir()
        return account

    def _left(self, account: MaildirAccount) -> None:
        root = account.tree.root
        if self._accounts.get(root) is account and root not in self._lingering:
            self._linger(account, self._reactor.seconds() + _LINGER)

    def _linger(self, account: MaildirAccount, until: float) -> None:
        root = account.tree.root
        if account.lost:
            # Another process waits for us to let go.
            account.damaged()
        elif self._reactor.seconds() >= until:
            self._shut(root)
        else:
            self._lingering[root] = self._reactor.callLater(_LOOK, self._linger, account, until)

    def _ended(self, account: MaildirAccount) -> None:
        root = account.tree.root
        if self._accounts.get(root) is account:
            lingering = self._lingering.get(root)
            if lingering is not None and lingering.active():
                lingering.cancel()
            self._shut(root)

    def _shut(self, root: str) -> None:
        self._lingering.pop(root, None)
        account = self._accounts.pop(root)
        shutting = Deferred.fromCoroutine(account.shut())
        self._shutting.add(shutting)

        def done(outcome: object) -> None:
            self._shutting.discard(shutting)

        shutting.addErrback(lambda failure: self._log.failure("cannot close", failure))
        shutting.addBoth(done)


#: What may follow the directory, each behind a colon.
_OPTIONS: Final = {"layout": ("maildir++", "fs"), "flags": ("kept", "synced")}


def open_store(reactor: object, argument: str) -> MaildirStore:
    """The factory of ``maildir:``.

    What follows the colon is a `Template`, then perhaps ``:layout=fs`` (new accounts are so)
    and ``:flags=synced`` (changes of flags, too, are on the disk before they are answered).
    """
    pattern, *options = argument.split(":")
    said: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        if value.lower() not in _OPTIONS.get(name.lower(), ()):
            raise UnknownStore(
                f"{option!r} cannot follow the directory; write :layout=fs, :flags=synced or nothing"
            )
        said[name.lower()] = value.lower()
    return MaildirStore(
        reactor,
        Template.parse(pattern),
        synced_flags=said.get("flags") == "synced",
        fs=said.get("layout") == "fs",
    )
