"""Of tests with blocks of a few messages: what is made of them, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import pytest
from twisted.internet.defer import Deferred

from imapd.model.numset import NumSet
from imapd.session import blocks
from imapd.store.answers import settled
from imapd.store.interfaces import IBlocksKept
from tests.dialogue import Server

__all__ = ["EVERY", "SPAN", "scans", "with_keeper"]

_T = TypeVar("_T")

SPAN: Final = 8
EVERY: Final = NumSet([(1, 1 << 32)])


def with_keeper(server: Server, work: Callable[[IBlocksKept], Coroutine[Any, Any, _T]]) -> _T:
    """Do something with what the store keeps of alice's INBOX."""

    async def done() -> _T:
        account = await settled(server.store.open_account("alice"))
        try:
            return await work(IBlocksKept(await settled(account.open("INBOX"))))
        finally:
            await settled(account.close())

    outcome: list[_T] = []
    Deferred.fromCoroutine(done()).addCallback(outcome.append)
    server.rest()
    return outcome[0]


def scans(monkeypatch: pytest.MonkeyPatch, module: Any = blocks) -> list[NumSet]:
    """The UIDs of which values are made from here on, by blocks or by another module."""
    made: list[NumSet] = []
    scanned = module.scanned

    def noted(mailbox: Any, uids: NumSet, *others: Any) -> Any:
        made.append(uids)
        return scanned(mailbox, uids, *others)

    monkeypatch.setattr(module, "scanned", noted)
    return made
