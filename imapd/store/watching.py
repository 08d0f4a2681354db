"""Who watches an account, and how they are told: the same for every store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from attrs import define, field
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.store.interfaces import WatchCallback

__all__ = ["Watching"]


@define(eq=False)
class Watching:
    """The callbacks of `IAccount.watch`.  One that fails is logged, and the others are called."""

    #: Called when nobody watches any more.
    _left: Callable[[], object] = field(default=lambda: None, kw_only=True, repr=False)
    #: By a number of each: one callback may be given twice.
    _calls: dict[int, WatchCallback] = field(factory=dict, init=False, repr=False)
    _given: int = field(default=0, init=False, repr=False)

    _log = Logger()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount.watch`."""
        self._given += 1
        self._calls[self._given] = callback
        return partial(self._end, self._given)

    def _end(self, number: int) -> None:
        if self._calls.pop(number, None) is not None and not self._calls:
            self._left()

    def tell(self, hint: Hint) -> None:
        """Call everyone who watches, but for those who end it meanwhile."""
        for number in tuple(self._calls):
            call = self._calls.get(number)
            if call is not None:
                try:
                    call(hint)
                except Exception:
                    self._log.failure("a watcher failed at {hint}", hint=hint)
