"""Who watches an account, and how they are told: the same for every store."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.store.interfaces import WatchCallback

__all__ = ["Watching"]


@define(eq=False)
class Watching:
    """The callbacks of `IAccount.watch`.  One that fails is logged, and the others are called."""

    _calls: list[WatchCallback] = field(factory=list, init=False, repr=False)

    _log = Logger()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount.watch`."""

        # A wrapper of its own: one callback may be given twice.
        def call(hint: Hint) -> None:
            callback(hint)

        def end() -> None:
            if call in self._calls:
                self._calls.remove(call)

        self._calls.append(call)
        return end

    def tell(self, hint: Hint) -> None:
        """Call everyone who watches, but for those who end it meanwhile."""
        for call in tuple(self._calls):
            if call in self._calls:
                try:
                    call(hint)
                except Exception:
                    self._log.failure("a watcher failed at {hint}", hint=hint)
