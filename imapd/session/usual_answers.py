"""The orders and threads of a whole mailbox that clients ask for as a rule, made before they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from attrs import evolve, frozen

from imapd.model.limits import Limits
from imapd.model.message import Batch, Column
from imapd.model.numset import NumSet
from imapd.query.criteria import CRITERIA
from imapd.query.references import TooManyReferences
from imapd.query.thread import ALGORITHMS
from imapd.session.blocks import Blocks, Turn
from imapd.session.orders import ordered
from imapd.session.threads import leave, threads
from imapd.session.view import View

__all__ = ["usual_answers"]

#: Webmail turns a list round by itself; other clients ask for the newest first.
_ORDERS: Final = (
    CRITERIA["ARRIVAL"],
    CRITERIA["DATE"],
    CRITERIA["SUBJECT"],
    evolve(CRITERIA["ARRIVAL"], reverse=True),
    evolve(CRITERIA["DATE"], reverse=True),
)
_ALGORITHM: Final = ALGORITHMS["REFERENCES"]


@frozen
class _All:
    """All messages of a view; `Columns`."""

    _view: View
    _blocks: Blocks
    _turn: Turn
    uids: Sequence[int]

    def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Columns`."""
        mailbox = self._view.mailbox
        return self._blocks.scan(mailbox, self.uids, uids, columns, self._turn, asked=False)

    async def turn(self) -> None:
        """As `Columns`."""
        await self._turn()


async def usual_answers(
    view: View, blocks: Blocks, turn: Turn, limits: Limits
) -> AsyncIterator[None]:
    """Leave them with the image of the view and with the store, one after the other."""
    source = _All(view, blocks, turn, view.generation.uids[: view.count])
    every = range(view.count)
    for criterion in _ORDERS:
        await ordered(view, source, every, (criterion,))
        yield
    if not limits.messages or view.count <= limits.messages:
        with suppress(TooManyReferences):
            await leave(view, source, await threads(view, source, every, _ALGORITHM, limits))
        yield
