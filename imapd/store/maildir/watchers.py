"""What those who watch an account were told of its mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from imapd.model.mailbox import Hint
from imapd.store.watching import Watching

__all__ = ["Watchers"]


@define(eq=False)
class Watchers(Watching):
    """The callbacks of one account, none of which is told the same twice."""

    #: Called with whatever there is to tell, whoever is told.
    _stir: Callable[[Sequence[Hint]], object] = field(default=lambda hints: None, repr=False)
    _told: dict[str, int] = field(factory=dict, init=False, repr=False)

    def publish(self, hints: Sequence[Hint]) -> None:
        """Tell everyone."""
        if hints:
            self._stir(hints)
        for hint in hints:
            if hint.mailbox_id and not hint.entries:
                self._told[hint.mailbox_id] = max(hint.modseq, self._told.get(hint.mailbox_id, 0))
            self.tell(hint)

    def heard(self, hint: Hint) -> None:
        """Another process has made a change, and does what is to be done behind it."""
        if hint.mailbox_id:
            if self._told.get(hint.mailbox_id, -1) >= hint.modseq:
                return
            self._told[hint.mailbox_id] = hint.modseq
        self.tell(hint)

    def known(self, id: str, modseq: int) -> None:
        """The modseq of a mailbox as it is when somebody begins to watch."""
        self._told[id] = max(modseq, self._told.get(id, 0))

    def found(self, id: str, modseq: int) -> None:
        """The modseq of a mailbox as it is: told if it is new."""
        if self._told.get(id, -1) < modseq:
            self.publish([Hint(id, modseq)])
