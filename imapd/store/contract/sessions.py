"""A session and a mailbox as tests speak of them: every answer waited for, plain values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pytest
from attrs import define, field, frozen

from imapd.model.flags import FlagChange, Flags, interned
from imapd.model.mailbox import Appended, Changes, Copied, Hint, MailboxInfo, Status, Stored
from imapd.model.message import FLAGS, MODSEQ, Batch, Column
from imapd.model.numset import NumSet
from imapd.store.answers import each, settled
from imapd.store.contract.letters import Letter, letter
from imapd.store.interfaces import (
    IAccount,
    IMailbox,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
)

__all__ = ["ALL", "Box", "Session", "Snapshot", "applied", "numbers", "provided"]

_I = TypeVar("_I")

#: Every UID that can be.
ALL = NumSet([(1, (1 << 32) - 1)])

#: Flags and modseq by UID: what a client that is up to date knows.
Snapshot = dict[int, tuple[Flags, int]]


def numbers(uids: NumSet | Iterable[int]) -> NumSet:
    """The set of some UIDs."""
    return uids if isinstance(uids, NumSet) else NumSet.of(*uids)


def provided(interface: Callable[[object, None], _I | None], provider: object) -> _I:
    """The optional interface; skips the test for a store that does not have it."""
    found = interface(provider, None)
    if found is None:
        pytest.skip(f"the store does not provide {interface!r}")
    return found


@frozen(eq=False)
class Box:
    """A mailbox in a session."""

    mailbox: IMailbox

    @property
    def id(self) -> str:
        """As `IMailbox`."""
        return self.mailbox.id

    @property
    def uidvalidity(self) -> int:
        """As `IMailbox`."""
        return self.mailbox.uidvalidity

    async def status(self) -> Status:
        """As `IMailbox`."""
        return await settled(self.mailbox.status())

    async def modseq(self) -> int:
        """HIGHESTMODSEQ."""
        return (await self.status()).highest_modseq

    async def uids(self) -> list[int]:
        """As `IMailbox`, in a list."""
        return list(await settled(self.mailbox.uids()))

    async def batches(self, uids: NumSet | Iterable[int], *columns: Column) -> list[Batch]:
        """All batches of a scan."""
        answer = self.mailbox.scan(numbers(uids), frozenset(columns))
        return [batch async for batch in each(answer)]

    async def column(self, name: Column, uids: NumSet | Iterable[int] = ALL) -> dict[int, Any]:
        """One column by UID."""
        found: dict[int, Any] = {}
        for batch in await self.batches(uids, name):
            found.update(zip(batch.uids, batch.columns[name]))
        return found

    async def flags(self) -> dict[int, Flags]:
        """The flags of all messages by UID."""
        return await self.column(FLAGS)

    async def snapshot(self) -> Snapshot:
        """Flags and modseq of all messages."""
        found: Snapshot = {}
        for batch in await self.batches(ALL, FLAGS, MODSEQ):
            found.update(zip(batch.uids, zip(batch.columns[FLAGS], batch.columns[MODSEQ])))
        return found

    async def octets(self, uid: int) -> bytes:
        """A whole message."""
        reader = await settled(self.mailbox.read(uid))
        try:
            return await settled(reader.read(0, reader.size))
        finally:
            reader.close()

    async def append(self, *letters: Letter) -> Appended:
        """As `IMailbox`."""
        return await settled(self.mailbox.append([letter.new() for letter in letters]))

    async def add(self, count: int = 1, *flags: str) -> list[int]:
        """Append that many messages at once; their UIDs."""
        return list((await self.append(*[letter(f"n{n}", flags) for n in range(count)])).uids)

    async def store(
        self,
        change: FlagChange,
        uids: NumSet | Iterable[int],
        *flags: str,
        unchanged_since: int | None = None,
    ) -> Stored:
        """As `IMailbox`."""
        return await settled(
            self.mailbox.store_flags(numbers(uids), change, interned(flags), unchanged_since)
        )

    async def flag(self, uids: NumSet | Iterable[int], *flags: str) -> Stored:
        """Add flags."""
        return await self.store(FlagChange.ADD, uids, *flags)

    async def expunge(self, uids: NumSet | Iterable[int] = ALL) -> Changes:
        """As `IMailbox`."""
        return await settled(self.mailbox.expunge(numbers(uids)))

    async def remove(self, *uids: int) -> Changes:
        r"""Flag with \Deleted and expunge."""
        await self.flag(uids, "\\Deleted")
        return await self.expunge(uids)

    async def changes(self, modseq: int) -> Changes:
        """As `IMailbox.changes_since`."""
        return await settled(self.mailbox.changes_since(modseq))

    async def copy(self, uids: NumSet | Iterable[int], destination: Box) -> Copied:
        """As `IServerCopy`, or skip."""
        able: IServerCopy = provided(IServerCopy, self.mailbox)
        return await settled(able.copy(numbers(uids), destination.mailbox))

    async def move(self, uids: NumSet | Iterable[int], destination: Box) -> Copied:
        """As `IServerMove`, or skip."""
        able: IServerMove = provided(IServerMove, self.mailbox)
        return await settled(able.move(numbers(uids), destination.mailbox))

    async def replace(self, uid: int, letter: Letter, destination: Box) -> Copied:
        """As `IServerReplace`, or skip."""
        able: IServerReplace = provided(IServerReplace, self.mailbox)
        return await settled(able.replace(uid, letter.new(), destination.mailbox))

    async def claim_recent(self) -> int:
        """As `IRecent`, or skip: the first UID; the other is UIDNEXT."""
        able: IRecent = provided(IRecent, self.mailbox)
        first, after = await settled(able.claim_recent())
        assert after == (await settled(self.mailbox.status())).uidnext
        return first


@define(eq=False)
class Session:
    """An account in a session."""

    user: str
    account: IAccount
    _closed: bool = field(default=False, init=False)

    async def mailboxes(self) -> dict[str, MailboxInfo]:
        """Every name; none may come twice."""
        found = await settled(self.account.mailboxes())
        assert len({info.name for info in found}) == len(found), "a name is listed twice"
        return {info.name: info for info in found}

    async def names(self) -> set[str]:
        """The names of mailboxes that can be opened."""
        return {
            name
            for name, info in (await self.mailboxes()).items()
            if info.exists and info.selectable
        }

    async def create(self, name: str, *special_use: str) -> MailboxInfo:
        """As `IAccount`."""
        if special_use:
            return await settled(self.account.create(name, frozenset(special_use)))
        return await settled(self.account.create(name))

    async def make(self, name: str) -> Box:
        """Create and open."""
        await self.create(name)
        return await self.open(name)

    async def open(self, name: str) -> Box:
        """As `IAccount`."""
        return Box(await settled(self.account.open(name)))

    async def delete(self, name: str) -> None:
        """As `IAccount`."""
        await settled(self.account.delete(name))

    async def rename(self, old: str, new: str) -> None:
        """As `IAccount`."""
        await settled(self.account.rename(old, new))

    async def subscribe(self, name: str, subscribed: bool = True) -> None:
        """As `IAccount`."""
        await settled(self.account.subscribe(name, subscribed))

    def watch(self) -> tuple[list[Hint], Callable[[], None]]:
        """A list that hints are added to, and what ends that."""
        hints: list[Hint] = []
        return hints, self.account.watch(hints.append)

    async def close(self) -> None:
        """As `IAccount`, once."""
        if not self._closed:
            self._closed = True
            await settled(self.account.close())


def applied(before: Snapshot, changes: Changes, present: Sequence[int]) -> Snapshot:
    """What a client that knew `before` knows when it was told `changes`."""
    vanished = changes.vanished
    if vanished is None:
        vanished = numbers(before) - numbers(present)
    after = {uid: known for uid, known in before.items() if uid not in vanished}
    after.update(zip(changes.uids, zip(changes.flags, changes.modseqs)))
    return dict(sorted(after.items()))
