"""Who is told of changes, and what they were told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.store.interfaces import WatchCallback

__all__ = ["Watchers"]


@define(eq=False)
class Watchers:
    """The callbacks of one account."""

    #: Called whenever there is something to tell, whoever is told.
    _stir: Callable[[], object] = field(default=lambda: None, repr=False)
    _calls: list[WatchCallback] = field(factory=list, init=False, repr=False)
    _told: dict[str, int] = field(factory=dict, init=False, repr=False)

    _log = Logger()

    def __bool__(self) -> bool:
        return bool(self._calls)

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

    def publish(self, hints: Sequence[Hint]) -> None:
        """Tell everyone."""
        if hints:
            self._stir()
        for hint in hints:
            if hint.mailbox_id and not hint.entries:
                self._told[hint.mailbox_id] = max(hint.modseq, self._told.get(hint.mailbox_id, 0))
            self._tell(hint)

    def _tell(self, hint: Hint) -> None:
        for call in tuple(self._calls):
            if call in self._calls:
                try:
                    call(hint)
                except Exception:
                    self._log.failure("a watcher failed at {hint}", hint=hint)

    def heard(self, hint: Hint) -> None:
        """Another process has made a change, and does what is to be done behind it."""
        if hint.mailbox_id:
            if self._told.get(hint.mailbox_id, -1) >= hint.modseq:
                return
            self._told[hint.mailbox_id] = hint.modseq
        self._tell(hint)

    def known(self, id: str, modseq: int) -> None:
        """The modseq of a mailbox as it is when somebody begins to watch."""
        self._told[id] = max(modseq, self._told.get(id, 0))

    def found(self, id: str, modseq: int) -> None:
        """The modseq of a mailbox as it is: told if it is new."""
        if self._told.get(id, -1) < modseq:
            self.publish([Hint(id, modseq)])
