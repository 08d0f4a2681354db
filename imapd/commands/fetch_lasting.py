"""What never changes in the rows of a FETCH: written once for many messages, then at hand for some minutes.

Only where it pays: for rows with some fields of the header, which take longer to choose than to read,
and of many messages, for clients that ask so each time they open a mailbox.  To let the store keep
the texts costs more than to make them (docs/decisions/blocks.rst).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Final

from attrs import frozen

from imapd.commands.fetch_items import Fetched, Items, Rows, column
from imapd.model.message import BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE, Column
from imapd.model.numset import EMPTY
from imapd.session.block_pieces import Piece, number_of, pieces
from imapd.session.session import Session
from imapd.session.view import Span, View
from imapd.store.answers import each

__all__ = ["Lasting", "lasting"]

#: Messages of a FETCH, at least and at most, whose texts are had at hand; and how many there must be,
#: on average, in a span of UIDs that has a block of its own.
_LEAST: Final = 256
_MOST: Final = 16_384
_DENSE: Final = 64

_NEVER_CHANGE: Final = frozenset((BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE))
#: Octets of what the items are called, which are in each text.
_LONG: Final = 512
#: Octets of the texts of a block; more are not had at hand.
_LARGE: Final = 1 << 21
#: Octets that each text takes beside its own, and each block.
_OBJECT: Final = 48
_BLOCK: Final = 1_024
#: Messages written before others get their turn.
_CHUNK: Final = 128

#: The text of a row, as a column.
_TEXT: Final[Column] = "text of a row"

Made = Callable[[Sequence[Span]], AsyncIterator[Rows]]


@frozen
class _Texts:
    """Of the messages of one span of UIDs (`session.block_pieces`)."""

    uids: array[int]
    _texts: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Octets of memory, about."""
        return _BLOCK + sum(map(len, self._texts)) + _OBJECT * len(self._texts)

    def of(self, uids: array[int]) -> Sequence[bytes]:
        """Of those of `uids` that are not newer than all of these: of none, if one of them is not here."""
        if uids == self.uids:
            return self._texts
        text_of = dict(zip(self.uids, self._texts))
        known = uids[: bisect_right(uids, self.uids[-1])]
        found = [text_of[uid] for uid in known if uid in text_of]
        return found if len(found) == len(known) else ()


@frozen
class Lasting:
    """The items of a FETCH in two: those that never change, as one text, and the others."""

    _constant: Sequence[Fetched]
    #: The format of the text: the same for all that ask for the same.
    _format: bytes
    #: Writes the rows, which have their texts as a column.
    shown: Items

    async def rows(
        self, session: Session, view: View, spans: Sequence[Span], made: Made
    ) -> AsyncIterator[Rows]:
        """The messages at these places with their texts; what is not at hand is `made` of columns.

        Raises what that and `IMailbox.scan` do.
        """
        announce, at_hand = session.announce, session.policy.texts
        # Who may no longer read the mailbox, or finds it deleted, is told so by the store.
        async for _ in each(view.mailbox.scan(EMPTY, frozenset())):
            pass
        known = view.generation.uids[: view.count]
        for piece in pieces(known, view.uids(spans)):
            key = (view.mailbox.id, self._format, piece.number)
            places = _places(piece)
            uids = _at(known, places)
            block: _Texts | None = at_hand.get(key)
            texts = () if block is None else block.of(uids)
            count = len(texts)
            for at in range(0, count, _CHUNK):
                here = slice(at, min(at + _CHUNK, count))
                yield Rows(view, announce, places[here], uids[here], {_TEXT: texts[here]})
            found: list[bytes] | None = [*texts]
            if count < len(uids):
                first = places[count]
                rest = [(max(first, start), stop) for start, stop in piece.spans if stop > first]
                size = sum(map(len, texts))
                async for rows in made(rest):
                    for some in self._with_texts(rows):
                        more = some.columns.get(_TEXT, ())
                        size += sum(map(len, more))
                        if size > _LARGE:
                            found = None
                        elif found is not None:
                            found += more
                        yield some
            elif block is None or block.uids == uids:
                continue
            if piece.whole and found is not None and len(found) == len(uids):
                at_hand.put(key, _Texts(uids, tuple(found)))

    def _with_texts(self, rows: Rows) -> Iterator[Rows]:
        """Some at a time; of a vanished message, as it is."""
        if not rows.columns:
            yield rows
            return
        values = [item.values(rows) for item in self._constant if item.values is not None]
        for at in range(0, len(rows.uids), _CHUNK):
            here = slice(at, at + _CHUNK)
            texts = [self._format % row for row in zip(*[column[here] for column in values])]
            yield Rows(rows.view, rows.announce, rows.places[here], rows.uids[here], {_TEXT: texts})


def _places(piece: Piece) -> Sequence[int]:
    if len(piece.spans) == 1:
        return range(*piece.spans[0])
    return [place for span in piece.spans for place in range(*span)]


def _at(known: array[int], places: Sequence[int]) -> array[int]:
    if isinstance(places, range):
        return known[places.start : places.stop]
    return array("I", [known[place] for place in places])


def lasting(view: View, items: Items, spans: Sequence[Span]) -> Lasting | None:
    """How rows of these items, of the messages there, are divided; None if it is not worth it."""
    messages = sum(stop - start for start, stop in spans)
    if not _LEAST <= messages <= _MOST:
        return None
    uids = view.generation.uids
    first, last = uids[spans[0][0]], uids[spans[-1][1] - 1]
    if messages < _DENSE * (number_of(last) - number_of(first) + 1):
        return None
    constant = [item for item in items.each if item.columns]
    if (
        items.content
        or items.optional
        or not any(item.chosen for item in constant)
        or any(item.partial is not None or item.columns - _NEVER_CHANGE for item in constant)
    ):
        return None
    format = b" ".join([item.format for item in constant])
    if len(format) > _LONG:
        return None
    others = [item for item in items.each if not item.columns]
    text = Fetched(b"%b", frozenset((_TEXT,)), column(_TEXT))
    return Lasting(constant, format, Items((*others, text)))
