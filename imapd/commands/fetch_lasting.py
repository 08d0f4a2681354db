"""What never changes in the rows of a FETCH: written once for many messages, then at hand for some minutes.

Only where it pays: for rows with some fields of the header, which take longer to choose than to read,
and of many messages, for clients that ask so each time they open a mailbox.  To let the store keep
the texts costs more than to make them (docs/decisions/blocks.rst).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from attrs import frozen

from imapd.commands.fetch_items import Fetched, Items, Rows, column
from imapd.model.message import BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE, Column
from imapd.model.numset import EMPTY
from imapd.session.announce import Announce
from imapd.session.at_hand import AtHand
from imapd.session.block_pieces import Piece, pieces
from imapd.session.view import Span, View
from imapd.store.answers import each

__all__ = ["Lasting", "lasting"]

#: Messages of a FETCH, at least and at most, whose texts are had at hand.
_LEAST: Final = 256
_MOST: Final = 32_768

_NEVER_CHANGE: Final = frozenset((BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE))
#: Octets of what a client asks for; who asks for more has thought of it to see what happens.
_LONG: Final = 2_048
#: Octets of the texts of a block; more are not had at hand.
_LARGE: Final = 1 << 21
#: Octets of what a text and its UID are in.
_OBJECT: Final = 48
#: Messages written before others get their turn.
_CHUNK: Final = 128

#: The text of a row, as a column.
_TEXT: Final[Column] = "text of a row"

Made = Callable[[Sequence[Span]], AsyncIterator[Rows]]


@frozen
class _Texts:
    """Of the messages of one span of UIDs (`session.block_pieces`)."""

    _uids: array[int]
    _texts: tuple[bytes, ...]
    #: Octets of memory, about.
    size: int

    def of(self, uids: array[int]) -> Sequence[bytes]:
        """Those of the first of some messages: of all it knows, or none if one among them is not known."""
        if uids == self._uids:
            return self._texts
        text_of = dict(zip(self._uids, self._texts))
        known = uids[: bisect_right(uids, self._uids[-1])]
        found = [text_of[uid] for uid in known if uid in text_of]
        return found if len(found) == len(known) else []


@frozen
class Lasting:
    """The items of a FETCH in two: those that never change, as one text, and the others."""

    _items: Sequence[Fetched]
    #: By what it is called: the same for all that ask for the same.
    _asked: bytes
    #: Writes the rows, which have their texts as a column.
    shown: Items

    async def rows(
        self, view: View, announce: Announce, spans: Sequence[Span], at_hand: AtHand, made: Made
    ) -> AsyncIterator[Rows]:
        """The messages at these places with their texts; what is not at hand is `made` of columns.

        Raises what that and `IMailbox.scan` do.
        """
        # Who may no longer read the mailbox, or finds it deleted, is told so by the store.
        async for _ in each(view.mailbox.scan(EMPTY, frozenset())):
            pass
        known = view.generation.uids[: view.count]
        for piece in pieces(known, view.uids(spans)):
            key = (view.mailbox.id, self._asked, piece.number)
            places = _places(piece)
            uids = _at(known, places)
            block: _Texts | None = at_hand.get(key)
            texts: Sequence[bytes] = () if block is None else block.of(uids)
            count = len(texts)
            for at in range(0, count, _CHUNK):
                here = slice(at, min(at + _CHUNK, count))
                yield Rows(view, announce, places[here], uids[here], {_TEXT: texts[here]})
            if count == len(uids):
                continue
            first = places[count]
            rest = [(max(first, start), stop) for start, stop in piece.spans if stop > first]
            found = [*texts]
            size = sum(map(len, found))
            async for rows in made(rest):
                if rows.columns:
                    rows = self._with_texts(rows)
                    size += sum(map(len, rows.columns[_TEXT]))
                    if size <= _LARGE:
                        found += rows.columns[_TEXT]
                yield rows
            if piece.whole and len(found) == len(uids):
                at_hand.put(key, _Texts(uids, tuple(found), size + _OBJECT * len(uids)))

    def _with_texts(self, rows: Rows) -> Rows:
        values = [item.values(rows) for item in self._items if item.values is not None]
        format = self._asked
        texts = [format % row for row in zip(*values)]
        return Rows(rows.view, rows.announce, rows.places, rows.uids, {_TEXT: texts})


def _places(piece: Piece) -> Sequence[int]:
    if len(piece.spans) == 1:
        return range(*piece.spans[0])
    return [place for span in piece.spans for place in range(*span)]


def _at(known: array[int], places: Sequence[int]) -> array[int]:
    if isinstance(places, range):
        return known[places.start : places.stop]
    return array("I", [known[place] for place in places])


def lasting(items: Items, messages: int) -> Lasting | None:
    """How rows of these items, of so many messages, are divided; None if it is not worth it."""
    if not _LEAST <= messages <= _MOST:
        return None
    constant = [item for item in items.each if item.columns]
    if (
        items.content
        or items.optional
        or not any(item.chosen for item in constant)
        or any(item.partial is not None or item.columns - _NEVER_CHANGE for item in constant)
    ):
        return None
    asked = b" ".join([item.format for item in constant])
    if len(asked) > _LONG:
        return None
    others = [item for item in items.each if not item.columns]
    text = Fetched(b"%b", frozenset((_TEXT,)), column(_TEXT))
    return Lasting(constant, asked, Items((*others, text)))
