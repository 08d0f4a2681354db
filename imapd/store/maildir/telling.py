"""An account's index of texts as others use it: to look something up, to see how far it is."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from imapd.model.text import Indexed, Sought, Told
from imapd.store.interfaces import ITextIndexing
from imapd.store.maildir.building import Builder, progress
from imapd.store.maildir.index import Index, closed
from imapd.store.maildir.indexing import Indexing
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.texts import Texts
from imapd.store.maildir.tree import Tree

__all__ = ["MaildirTexts"]

#: Seconds after which what was read for searches is no longer kept in memory.
_REST: Final = 60.0


@implementer(ITextIndexing)
@define(eq=False)
class MaildirTexts:
    """Of one account; on the reactor's thread."""

    _reactor: Any
    _tree: Tree
    _in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    _check: Callable[[int], Deferred[None] | None] = field(repr=False)
    _turn: DeferredLock = field(repr=False)
    #: Called with what says that the mail's index has wrong octets.
    _damaged: Callable[[Exception], object] = field(repr=False)
    _texts: Texts = field(init=False, repr=False)
    _indexing: Indexing = field(init=False, repr=False)
    _resting: IDelayedCall | None = field(default=None, init=False, repr=False)
    _used: bool = field(default=False, init=False)
    #: How often the file was thrown away, as far as we know.
    _lost: int = field(default=0, init=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._texts = Texts(self._tree.texts)
        self._indexing = Indexing(
            self._reactor,
            self._tree,
            Builder(self._tree, self._texts),
            self._in_thread,
            self._check,
            self._turn,
            self._damaged,
        )

    def stir(self) -> None:
        """Something came in, or went."""
        self._indexing.stir()

    async def told(self, mailbox: str, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """As `ITextIndex`."""
        while low <= high and self._texts.exists:
            self._use()
            found = await self._in_thread(partial(self._texts.tell, mailbox, low, high, sought))
            if self._lost != self._texts.lost:
                self._lost = self._texts.lost
                self.stir()
            if found is None:
                return
            last, told = found
            low = last + 1
            if told is not None:
                yield told

    async def text_progress(self) -> Indexed:
        """As `ITextIndexing`."""

        def look() -> Indexed:
            index = Index(self._tree.index, wait=30.0, checkpoints=False)
            try:
                return Indexed(progress(index, self._texts), self._texts.size())
            finally:
                index.close()

        self._use()
        try:
            looked: Indexed = await self._in_thread(look)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._damaged(error)
            raise closed() from error
        return looked

    async def index_texts(self, again: bool) -> None:
        """As `ITextIndexing`."""
        self._use()
        if again:
            await self._in_thread(self._texts.discard)
        await self._indexing.finish()

    async def stop(self) -> None:
        """The account is closed."""
        await self._indexing.stop()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        await self._in_thread(self._texts.close)

    def _use(self) -> None:
        self._used = True
        if self._resting is None:
            self._resting = self._reactor.callLater(_REST, self._rest)

    def _rest(self) -> None:
        self._resting = None
        if self._used:
            self._use()
            self._used = False
        else:
            closing = self._in_thread(self._texts.close)
            closing.addErrback(lambda failure: self._log.failure("cannot close", failure))
