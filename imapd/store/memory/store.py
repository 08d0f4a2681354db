"""All accounts of one process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from imapd.model.limits import Limits
from imapd.model.quota import Allowance
from imapd.store.errors import BadMailboxName
from imapd.store.interfaces import IMailStore, IOtherAccounts, IQuotas
from imapd.store.maker import UnknownStore
from imapd.store.memory.account import MemoryAccount

__all__ = ["MemoryStore", "open_store"]


@implementer(IMailStore, IOtherAccounts, IQuotas)
@define(eq=False)
class MemoryStore:
    """Accounts by user name, made when they are first opened.

    `clock` gives the seconds from which the first UIDVALIDITY and the save dates are taken.
    """

    _clock: Callable[[], float] = field(default=time.time, repr=False)
    _limits: Limits = field(default=Limits(), repr=False)
    _accounts: dict[str, MemoryAccount] = field(factory=dict, init=False, repr=False)
    _uidvalidity: int = field(default=0, init=False, repr=False)
    _allowance: Allowance = field(default=Allowance(), init=False, repr=False)

    def open_account(self, user: str) -> MemoryAccount:
        """As `IMailStore`; any name but the empty one can have an account."""
        if not user:
            raise BadMailboxName("the user name is empty")
        account = self._accounts.get(user)
        if account is None:
            account = self._accounts[user] = MemoryAccount(
                self._new_uidvalidity,
                self._limits,
                lambda: self._clock(),
                lambda: self._allowance,
            )
        return account

    def open_existing(self, user: str) -> MemoryAccount | None:
        """As `IOtherAccounts`."""
        return self._accounts.get(user)

    def allow_each(self, allowance: Allowance) -> None:
        """As `IQuotas`."""
        self._allowance = allowance

    def close(self) -> None:
        """As `IMailStore`: the mail is gone."""
        self._accounts.clear()

    def _new_uidvalidity(self) -> int:
        """Larger than every one before, so that no name ever sees one twice; 32 bits."""
        self._uidvalidity = max(self._uidvalidity + 1, int(self._clock()) & 0xFFFF_FFFF)
        return self._uidvalidity


def open_store(reactor: object, argument: str) -> MemoryStore:
    """The factory of ``memory:``; nothing may follow the colon."""
    if argument:
        raise UnknownStore(f"write 'memory:' with nothing behind it, not {argument!r}")
    return MemoryStore(IReactorTime(reactor).seconds)
