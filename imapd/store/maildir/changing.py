"""How an account is changed, and what follows: files get the names that the rows say.

A small change is made here and now, on the reactor's thread, if no one else is writing and nothing
waits; everything else goes through the writer's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from imapd.model.mailbox import Hint
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir import namespace
from imapd.store.maildir.index import Index
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.tree import Tree, unavailable
from imapd.store.maildir.writer import Work, Writer, attempt

__all__ = ["Changing"]

_T = TypeVar("_T")

#: Seconds after which files are given the names that the answer promised; and those that moved,
#: which go with the directory of the other mailbox as long as they are in it.
_TIDY: Final = 0.3
_SOON: Final = 0.02
#: Small changes made on the reactor's thread between two checkpoints in the writer's.
_CHECKPOINT: Final = 500


@define(eq=False)
class Changing:
    """Of one account; on the reactor's thread."""

    _reactor: IReactorTime
    _tree: Tree
    _index: Index = field(repr=False)
    _writer: Writer = field(repr=False)
    _publish: Callable[[Sequence[Hint]], object] = field(repr=False)
    #: Changes of flags, too, are on the disk before they are answered.
    synced_flags: bool
    _tidying: IDelayedCall | None = field(default=None, init=False, repr=False)
    _small: int = field(default=0, init=False)
    #: The tree may be behind by much.
    _much: bool = field(default=False, init=False)

    _log = Logger()

    def do(
        self,
        work: Work[_T],
        durable: bool,
        prepare: Callable[[], object] | None = None,
        done: Callable[[], object] | None = None,
        patient: bool = True,
        brief: bool = False,
        soon: bool = False,
    ) -> Deferred[_T]:
        """Make a change, as `Writer.do`; its files follow in a moment, or `soon`."""
        self._tidy_soon(not brief, _SOON if soon else _TIDY)
        return self._writer.do(work, durable, prepare, done, patient, brief)

    def now(self, work: Work[_T], patient: bool = True) -> _T | Deferred[_T]:
        """Make a small change, here if it need not wait; it survives the process, not the machine."""
        if self.synced_flags or not self._writer.idle:
            return self.do(work, self.synced_flags, patient=patient, brief=True)
        try:
            done = attempt(self._index, self._tree, work)
        except (OSError, sqlite3.Error) as error:
            if is_damage(error):
                raise
            self._log.failure("{root}: the store failed", root=self._tree.root)
            raise unavailable(error) from error
        if done is None:
            return self.do(work, False, patient=patient, brief=True)
        self._tidy_soon(much=False, after=_TIDY)
        self._small += 1
        if self._small >= _CHECKPOINT:
            self._small = 0
            self._writer.behind(lambda index, tree, hints: index.checkpoint()).addErrback(
                self._failed
            )
        answer, hints = done
        if hints:
            self._publish(hints)
        return answer

    def tidy_soon(self) -> None:
        """Let the tree follow the index in a moment."""
        self._tidy_soon(much=True, after=_TIDY)

    def _tidy_soon(self, much: bool, after: float) -> None:
        self._much |= much
        if self._tidying is None:
            self._tidying = self._reactor.callLater(after, self.tidy)
        elif self._tidying.active() and self._tidying.getTime() > self._reactor.seconds() + after:
            self._tidying.reset(after)

    def tidy(self) -> Deferred[None]:
        """Let the tree follow the index now."""
        if self._tidying is not None:
            if self._tidying.active():
                self._tidying.cancel()
            self._tidying = None
        much, self._much = self._much, False
        following: Deferred[Any] = (
            self._writer.behind(namespace.follow)
            if much
            else self._writer.behind(namespace.follow_briefly, brief=True).addCallback(self._rest)
        )
        return following.addErrback(self._failed)

    def _rest(self, done: bool) -> Deferred[None] | None:
        return None if done else self._writer.behind(namespace.follow)

    def _failed(self, failure: Any) -> None:
        self._much = True
        if failure.check(StoreUnavailable):
            # The log has why; the next change has it done, or who opens the account next.
            return
        self._log.failure("{root}: work behind the answers failed", failure, root=self._tree.root)

    async def stop(self, tidy: bool) -> None:
        """Leave nothing for later: what is due is done now, unless it is not to be."""
        if self._tidying is not None:
            if tidy:
                await self.tidy()
            else:
                self._tidying.cancel()
