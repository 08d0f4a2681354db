"""A store far away: the memory store behind a door that answers later, or with an error.

`DistantStore` passes the contract of stores itself (``tests/server/test_distant.py``),
so that whatever goes wrong over it is the engine's fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, ClassVar, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from zope.interface import directlyProvides, implementer, providedBy

from imapd.model.message import FLAGS, INTERNAL_DATE, MODSEQ, SIZE, Batch
from imapd.store.answers import each, settled
from imapd.store.interfaces import IAccount, IMailbox, IMailStore, IMessageReader
from imapd.store.memory import MemoryStore

__all__ = ["DistantStore"]

_T = TypeVar("_T")

#: Columns that every store knows.
_ALWAYS: Final = frozenset((FLAGS, MODSEQ, INTERNAL_DATE, SIZE))


@implementer(IMailStore)
class DistantStore:
    """Every answer is a Deferred that fires when `delay` has passed, by halves around the act.

    With no delay (None) answers are there at once.  `faults` names methods and what they
    raise in place of acting; `calls` are the methods that were called.  When it is `deaf`,
    hints are lost.
    """

    def __init__(self, clock: Clock, delay: float | None = 0.1, store: Any = None) -> None:
        self.clock = clock
        self.delay = delay
        self.store = MemoryStore(lambda: 1_700_000_000) if store is None else store
        self.faults: dict[str, Exception] = {}
        self.deaf = False
        #: Only what every store must have is there: no server copy, no recent, no facts.
        self.plain = False
        self.calls: list[str] = []

    def answer(self, name: str, act: Callable[[], Any]) -> Any:
        """What `act` returns, in due time."""
        self.calls.append(name)
        fault = self.faults.get(name)
        if self.delay is None:
            if fault is not None:
                raise fault
            return act()
        return Deferred.fromCoroutine(self._later(act, fault, self.delay / 2))

    async def _later(self, act: Callable[[], _T], fault: Exception | None, half: float) -> _T:
        await deferLater(self.clock, half)
        if fault is not None:
            raise fault
        answer = await settled(act())
        await deferLater(self.clock, half)
        return answer

    def open_account(self, user: str) -> Any:
        """As `IMailStore`."""
        return self.answer("open_account", lambda: _Account(self, self.store.open_account(user)))

    def close(self) -> Any:
        """As `IMailStore`."""
        return self.answer("close", self.store.close)


class _Far:
    """Something of the store's, behind the door."""

    required: ClassVar[list[Any]] = []

    def __init__(self, store: DistantStore, near: Any) -> None:
        self._store = store
        self._near = near
        directlyProvides(self, *(self.required if store.plain else [providedBy(near)]))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # What it provides by another object is not to be had from here.
            raise AttributeError(name)
        found = getattr(self._near, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._store.answer(name, lambda: found(*args, **kwargs))


class _Account(_Far):
    required: ClassVar[list[Any]] = [IAccount]

    def open(self, name: str) -> Any:
        return self._store.answer("open", lambda: _Mailbox(self._store, self._near.open(name)))

    def watch(self, callback: Callable[..., None]) -> Callable[[], None]:
        return self._near.watch(lambda hint: None if self._store.deaf else callback(hint))


class _Mailbox(_Far):
    required: ClassVar[list[Any]] = [IMailbox]

    async def scan(self, uids: Any, columns: Any) -> AsyncIterator[Any]:
        batches = await settled(self._store.answer("scan", lambda: self._near.scan(uids, columns)))
        async for batch in each(batches):
            if self._store.plain:
                known = {name: batch.columns[name] for name in _ALWAYS & batch.columns.keys()}
                batch = Batch(batch.uids, known)
            yield batch
            await settled(self._store.answer("batch", lambda: None))

    def read(self, uid: int) -> Any:
        return self._store.answer("read", lambda: _Reader(self._store, self._near.read(uid)))

    def append(self, messages: Sequence[Any]) -> Any:
        return self._store.answer("append", lambda: self._near.append(messages))

    def copy(self, uids: Any, destination: Any) -> Any:
        return self._store.answer("copy", lambda: self._near.copy(uids, destination._near))

    def move(self, uids: Any, destination: Any) -> Any:
        return self._store.answer("move", lambda: self._near.move(uids, destination._near))

    def replace(self, uid: int, message: Any, destination: Any) -> Any:
        return self._store.answer(
            "replace", lambda: self._near.replace(uid, message, destination._near)
        )


@implementer(IMessageReader)
class _Reader:
    """The octets have to be fetched: they are not mapped."""

    def __init__(self, store: DistantStore, near: Any) -> None:
        self._store = store
        self._near = near
        self.size = near.size

    def read(self, offset: int, length: int) -> Any:
        return self._store.answer("read octets", lambda: self._near.read(offset, length))

    def close(self) -> None:
        self._near.close()
