"""What a store author tells the kit, and how a test gets at the store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imapd.store.answers import settled
from imapd.store.contract.audit import audit
from imapd.store.contract.sessions import Box, Session
from imapd.store.interfaces import Answer, IMailStore

__all__ = ["Subject", "promise"]

_T = TypeVar("_T")
_P = ParamSpec("_P")
_S = TypeVar("_S", bound="Subject")


class Subject:
    """The store under test.  `make_store` must be given; the rest may be."""

    #: Two user names that may have accounts.
    user = "alice"
    other_user = "bob"
    #: Messages that are more than one batch.
    many = 1_100
    #: Random histories that are tried, and the changes in each.
    histories = 20
    history_length = 20

    _store: IMailStore
    _sessions: list[Session]

    # -- told by the store author

    def make_store(self) -> Answer[IMailStore]:
        """A fresh, empty store.  A test closes it once, when all accounts are closed."""
        raise NotImplementedError("say how to make a store")

    def run(self, coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T:
        """What the coroutine returns or raises.

        As it stands for stores that answer at once; one with threads overrides it,
        perhaps by `imapd.store.contract.Pump.run`.
        """
        outcome: list[_T | Failure] = []
        Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
        assert outcome, "the store waits for something: override `run`"
        answer = outcome[0]
        if isinstance(answer, Failure):
            answer.raiseException()
        return answer

    def reopen(self, store: IMailStore) -> Answer[IMailStore]:
        """Close the store and open it again on the same place.

        Given only for stores that keep mail longer than the process lives.
        """
        raise NotImplementedError

    def settle(self) -> Answer[None]:
        """Wait until hints of what has been done so far have come; at once if it is not given."""

    # -- used by the tests

    async def open(self) -> None:
        """Make the store."""
        self._sessions = []
        self._store = await settled(self.make_store())

    async def close(self) -> None:
        """Close what is open."""
        for session in self._sessions:
            await session.close()
        await settled(self._store.close())

    async def audit(self) -> None:
        """Check every mailbox of every user that the test had to do with."""
        for user in {session.user for session in self._sessions}:
            await audit(await self.session(user))

    async def restart(self) -> None:
        """Close all and open the store again; skips the test for a store that cannot."""
        if not self.persistent:
            pytest.skip("the store is not persistent")
        for session in self._sessions:
            await session.close()
        self._sessions = []
        self._store = await settled(self.reopen(self._store))

    @property
    def persistent(self) -> bool:
        """Whether `reopen` was given."""
        return type(self).reopen is not Subject.reopen

    @property
    def store(self) -> IMailStore:
        """The store of this test."""
        return self._store

    async def session(self, user: str | None = None) -> Session:
        """One more session of the user."""
        name = user or self.user
        session = Session(name, await settled(self._store.open_account(name)))
        self._sessions.append(session)
        return session

    async def inbox(self, user: str | None = None) -> Box:
        """INBOX in one more session of the user."""
        return await (await self.session(user)).open("INBOX")


def promise(
    test: Callable[Concatenate[_S, _P], Coroutine[Deferred[Any], Any, None]],
) -> Callable[Concatenate[_S, _P], None]:
    """A test that is a coroutine, given a fresh store that is audited and closed after it."""

    @functools.wraps(test)
    def tested(self: _S, *args: _P.args, **kwargs: _P.kwargs) -> None:
        self.run(self.open())
        try:
            self.run(test(self, *args, **kwargs))
            self.run(self.audit())
        finally:
            self.run(self.close())

    return cast(Callable[Concatenate[_S, _P], None], tested)
