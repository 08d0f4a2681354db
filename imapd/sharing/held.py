"""The accounts of others that one session has open, and what is heard of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from imapd.model.mailbox import Hint
from imapd.sharing.mailbox import shared_id
from imapd.sharing.metadata import shared_entries
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount, WatchCallback
from imapd.store.watching import Watching

if TYPE_CHECKING:
    from imapd.sharing.policy import Sharing

__all__ = ["Held"]


@define(eq=False)
class Held:
    """Those with a mailbox that was opened, or all: as many as `followed`."""

    _sharing: Sharing = field(repr=False)
    _user: str
    #: As many are held though no mailbox of theirs was opened.
    followed: int = field(default=0, init=False)
    #: By owner; and what ends watching them.
    _accounts: dict[str, tuple[IAccount, Callable[[], None]]] = field(
        factory=dict, init=False, repr=False
    )
    _watching: Watching = field(factory=Watching, init=False, repr=False)

    async def hold(self, owner: str) -> IAccount:
        """The account, open and heard of until the session ends."""
        if owner not in self._accounts:
            account = await self._sharing.opened(owner)
            if owner in self._accounts:
                await settled(account.close())
            else:
                self._accounts[owner] = account, account.watch(self._hint)
        return self._accounts[owner][0]

    @asynccontextmanager
    async def account(self, owner: str) -> AsyncIterator[IAccount]:
        """The account, for a moment.  Raises `NoSuchMailbox` if it has nothing for this user."""
        if owner in self._accounts or len(self._accounts) < self.followed:
            yield await self.hold(owner)
            return
        account = await self._sharing.opened(owner)
        try:
            yield account
        finally:
            await settled(account.close())

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount.watch`."""
        return self._watching.add(callback)

    def _hint(self, hint: Hint) -> None:
        """Said of the mailbox as this user knows it, and of no annotation that is the owner's own."""
        if hint.entries:
            entries = shared_entries(hint.entries)
            if not entries or not hint.mailbox_id:
                return
            hint = Hint(shared_id(hint.mailbox_id, self._user), entries=entries)
        elif hint.mailbox_id:
            ledger = self._sharing.ledger(hint.mailbox_id, self._user)
            hint = Hint(shared_id(hint.mailbox_id, self._user), ledger.highest(hint.modseq))
        self._watching.tell(hint)

    async def close(self) -> None:
        """The session is over."""
        accounts, self._accounts = self._accounts, {}
        for account, stop in accounts.values():
            stop()
            await settled(account.close())
