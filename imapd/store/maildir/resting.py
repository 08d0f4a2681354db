"""Connections to the index are let go of when nobody uses them: an account that waits costs little memory."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred

from imapd.model.mailbox import Hint
from imapd.store.maildir.index import Index
from imapd.store.maildir.tree import Tree
from imapd.store.maildir.writer import Writer

__all__ = ["Resting"]

#: Seconds between two closings.
_REST: Final = 10.0


@define(eq=False)
class Resting:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    _index: Index = field(repr=False)
    _writer: Writer = field(repr=False)
    #: When they were last closed, or opened again.
    _since: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.stir()

    def stir(self) -> None:
        """They are in use: they are to be closed later."""
        self._since = self._reactor.seconds()

    @property
    def due(self) -> float | None:
        """Seconds until there is something to close; None: there is nothing."""
        if not (self._index.opened or self._writer.index.opened):
            return None
        left: float = self._since + _REST - self._reactor.seconds()
        return max(0.0, left)

    def rest(self) -> Deferred[None] | None:
        """Let go of them if it is time; what is to be awaited until that is done."""
        if self._reactor.seconds() - self._since < _REST:
            return None
        self.stir()
        if not self._writer.idle or self.due is None:
            return None
        # The log is brought home in the writer's thread, while the file is held here: the last
        # to let go shuts everybody out meanwhile, and so must find nothing to do.
        self._index.open()
        return self._writer.behind(_bring_home).addCallback(self._let_go)

    def _let_go(self, _: None) -> None:
        if self._writer.idle:
            self._index.close()


def _bring_home(index: Index, tree: Tree, hints: list[Hint]) -> None:
    index.checkpoint()
    index.close()
