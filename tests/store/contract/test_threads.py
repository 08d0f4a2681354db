"""The kit runs stores that answer later, from threads, and stores that are opened again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from attrs import define, frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.model.flags import FlagChange, Flags
from imapd.model.mailbox import Appended, Changes, Copied, Hint, MailboxInfo, Status, Stored
from imapd.model.message import Batch, Column
from imapd.model.numset import NumSet
from imapd.store.answers import settled
from imapd.store.contract import Pump, StoreContract
from imapd.store.interfaces import (
    Answer,
    IAccount,
    IMailbox,
    IMailStore,
    IMessageReader,
    IRecent,
    IServerCopy,
    IServerMove,
    ISpool,
    ISpools,
    NewMessage,
    WatchCallback,
)
from imapd.store.memory import MemoryAccount, MemoryMailbox, MemoryStore
from imapd.store.readers import TemporarySpool

_T = TypeVar("_T")


@frozen
class Elsewhere:
    """Answers that come through a thread."""

    pump: Pump
    pool: ThreadPoolExecutor

    async def __call__(self, ask: Callable[..., Answer[_T]], *args: object) -> _T:
        """Ask on the reactor's thread, after a thread has called back."""
        there: Deferred[None] = Deferred()
        self.pool.submit(self.pump.callFromThread, there.callback, None)
        await there
        return await settled(ask(*args))


@implementer(IMailbox, IRecent, IServerCopy, IServerMove)
@define(eq=False)
class LateMailbox:
    """A `MemoryMailbox` whose answers are late."""

    late: Elsewhere
    now: MemoryMailbox

    @property
    def id(self) -> str:
        """As `IMailbox`."""
        return self.now.id

    @property
    def uidvalidity(self) -> int:
        """As `IMailbox`."""
        return self.now.uidvalidity

    read_only = False
    new_keywords = True

    def status(self) -> Answer[Status]:
        """As `IMailbox`."""
        return self.late(self.now.status)

    def uids(self) -> Answer[NumSet]:
        """As `IMailbox`."""
        return self.late(self.now.uids)

    async def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `IMailbox`."""
        batches = await self.late(self.now.scan, uids, columns)
        while (batch := await self.late(next, batches, None)) is not None:
            yield batch

    def read(self, uid: int) -> Answer[IMessageReader]:
        """As `IMailbox`."""
        return self.late(self.now.read, uid)

    def append(self, messages: Sequence[NewMessage]) -> Answer[Appended]:
        """As `IMailbox`; a Deferred, for a change."""
        return Deferred.fromCoroutine(self.late(self.now.append, messages))

    def store_flags(
        self, uids: NumSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Answer[Stored]:
        """As `IMailbox`."""
        return self.late(self.now.store_flags, uids, change, flags, unchanged_since)

    def expunge(self, uids: NumSet) -> Answer[Changes]:
        """As `IMailbox`."""
        return self.late(self.now.expunge, uids)

    def changes_since(self, modseq: int) -> Answer[Changes]:
        """As `IMailbox`."""
        return self.late(self.now.changes_since, modseq)

    def claim_recent(self) -> Answer[tuple[int, int]]:
        """As `IRecent`."""
        return self.late(self.now.claim_recent)

    def copy(self, uids: NumSet, destination: IMailbox) -> Answer[Copied]:
        """As `IServerCopy`."""
        assert isinstance(destination, LateMailbox)
        return self.late(self.now.copy, uids, destination.now)

    def move(self, uids: NumSet, destination: IMailbox) -> Answer[Copied]:
        """As `IServerMove`."""
        assert isinstance(destination, LateMailbox)
        return self.late(self.now.move, uids, destination.now)


@implementer(IAccount, ISpools)
@define(eq=False)
class LateAccount:
    """A `MemoryAccount` whose answers and hints are late."""

    late: Elsewhere
    now: MemoryAccount

    def mailboxes(self) -> Answer[Sequence[MailboxInfo]]:
        """As `IAccount`."""
        return self.late(self.now.mailboxes)

    def create(self, name: str, special_use: frozenset[str] = frozenset()) -> Answer[MailboxInfo]:
        """As `IAccount`."""
        return self.late(self.now.create, name, special_use)

    def delete(self, name: str) -> Answer[None]:
        """As `IAccount`."""
        return self.late(self.now.delete, name)

    def rename(self, old: str, new: str) -> Answer[None]:
        """As `IAccount`."""
        return self.late(self.now.rename, old, new)

    def subscribe(self, name: str, subscribed: bool) -> Answer[None]:
        """As `IAccount`."""
        return self.late(self.now.subscribe, name, subscribed)

    async def open(self, name: str) -> IMailbox:
        """As `IAccount`."""
        return LateMailbox(self.late, await self.late(self.now.open, name))

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`; hints come after the method that made the change has returned."""
        watching = [True]

        def deliver(hint: Hint) -> None:
            if watching:
                callback(hint)

        def end() -> None:
            watching.clear()
            stop()

        stop = self.now.watch(lambda hint: self.late.pump.callFromThread(deliver, hint))
        return end

    async def spool(self) -> ISpool:
        """As `ISpools`."""
        return TemporarySpool()

    def close(self) -> Answer[None]:
        """As `IAccount`."""
        return self.late(self.now.close)


@implementer(IMailStore)
@define(eq=False)
class LateStore:
    """A `MemoryStore` whose answers are late, and whose mail outlives `close`."""

    late: Elsewhere
    now: MemoryStore

    async def open_account(self, user: str) -> IAccount:
        """As `IMailStore`."""
        return LateAccount(self.late, await self.late(self.now.open_account, user))

    def close(self) -> None:
        """As `IMailStore`."""


class TestLateStore(StoreContract):
    """Every test of the kit, the persistent ones too."""

    histories = 2
    history_length = 10

    @pytest.fixture(autouse=True)
    def threads(self) -> Iterator[None]:
        """One thread, and a pump that waits for it."""
        self.pump = Pump()
        with ThreadPoolExecutor(1) as pool:
            self.late = Elsewhere(self.pump, pool)
            yield

    def make_store(self) -> LateStore:
        """A store with nothing in it."""
        return LateStore(self.late, MemoryStore())

    def run(self, coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T:
        """Wait for the thread."""
        return self.pump.run(coroutine)

    def reopen(self, store: IMailStore) -> IMailStore:
        """The same mail in another store."""
        assert isinstance(store, LateStore)
        return LateStore(self.late, store.now)

    def settle(self) -> Answer[None]:
        """Hints have come when a call made later has: calls keep their order."""
        over: Deferred[None] = Deferred()
        self.pump.callFromThread(over.callback, None)
        return over


def test_a_store_that_hangs_is_told_so() -> None:
    """`Pump.run` does not wait for ever."""

    async def never() -> None:
        await Deferred()

    with pytest.raises(AssertionError, match="does not answer"):
        Pump(patience=0.02).run(never())


def test_time_passes() -> None:
    """`callLater` is in real seconds."""
    pump = Pump()
    before = pump.seconds()
    pump.run(pump.pause(0.02))
    assert pump.seconds() - before >= 0.02
    assert list(pump.getDelayedCalls()) == []
