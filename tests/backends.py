"""The kinds of store that a client's view of things is tested on."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from imapd.store.maildir import MaildirStore, open_store
from tests.dialogue import Server

__all__ = ["BACKENDS", "Backend", "MaildirBackend"]


class Backend:
    """One place for mail; the memory store, unless a subclass says another."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders

    def server(self) -> Server:
        """A server over a fresh, empty store."""
        return Server()

    def close(self) -> None:
        """Let go of the place."""


@implementer(IReactorFromThreads)
class _Reactor(Clock):
    """A clock that takes calls from threads, and makes them when it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: A002
        """As `IReactorFromThreads`."""
        self.threads.put(lambda: callable(*args, **kwargs))


class MaildirBackend(Backend):
    """Maildirs in a directory of the test's."""

    def server(self) -> Server:
        """As `Backend`."""
        self.reactor = _Reactor()
        self.store: MaildirStore = open_store(self.reactor, str(self.folders.mktemp("mail") / "%u"))
        return Server(self.store, clock=self.reactor, pump=self._pump)

    def _pump(self) -> bool:
        """Make a call that a thread asked for; waits while threads work."""
        while True:
            team = self.store._pool._team.statistics()
            busy = team.busyWorkerCount or team.backloggedWorkCount or not self.store._beside.idle
            try:
                call = self.reactor.threads.get(timeout=0.05 if busy else 0.0)
            except queue.Empty:
                if busy:
                    continue
                return False
            call()
            return True

    def close(self) -> None:
        """As `Backend`."""
        outcome: list[object] = []
        Deferred.fromCoroutine(self.store.close()).addBoth(outcome.append)
        while not outcome:
            self._pump()
        assert not isinstance(outcome[0], Failure), outcome


BACKENDS: Mapping[str, Callable[[pytest.TempPathFactory], Backend]] = {
    "memory": Backend,
    "maildir": MaildirBackend,
}
