"""The store that tests make slow is a store."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from imapd.store.contract import StoreContract
from tests.distant import DistantStore


class TestDistantStore(StoreContract):
    """Every test of the kit."""

    histories = 5

    def make_store(self) -> DistantStore:
        """A store with nothing in it."""
        self.clock = Clock()
        return DistantStore(self.clock, 1.0)

    def run(self, coroutine: Coroutine[Deferred[Any], Any, Any]) -> Any:
        """Wait as long as it takes."""
        outcome: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
        while not outcome:
            assert self.clock.getDelayedCalls(), "nothing is going to happen any more"
            self.clock.advance(0.5)
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]
