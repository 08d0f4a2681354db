"""The rows of one FETCH (RFC 9051, 7.5.2): in chunks, for one message or a million."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final

from imapd.commands.fetch_items import Fetched, Items, Rows
from imapd.commands.fetch_lasting import lasting
from imapd.model.flags import SEEN, FlagChange, interned
from imapd.model.numset import NumSet
from imapd.session.content import Content, scanned
from imapd.session.session import Session
from imapd.session.view import Span, View
from imapd.store.access import allowed
from imapd.store.answers import settled
from imapd.store.errors import MessageGone
from imapd.store.whole import IWholeMessages

__all__ = ["RowWriter"]

#: Messages written before others get their turn.
_CHUNK: Final = 500
#: Messages whose octets are asked for at once.
_TOGETHER: Final = 32
#: Octets that are written before others get theirs, where rows may be large.
_OCTETS: Final = 65_536
#: Rows, likewise, where they are not all made alike.
_ROWS: Final = 50


class RowWriter:
    """Writes them, and knows whether all messages were there."""

    def __init__(self, session: Session, view: View, items: Items) -> None:
        self.session = session
        self.view = view
        self.items = items
        #: What rows are written by: other items than those asked for, where `lasting` says so.
        self._shown = items
        #: The client asked for a message that is no more.
        self.gone = False
        self._done = self._goal = 0
        self._sets_seen = items.sets_seen and not view.read_only
        self._tells_flags = b"FLAGS" in items.names

    async def write(self, spans: Sequence[Span]) -> None:
        """Write those of the messages at these places.  Raises what the store does, and `Gone`."""
        session = self.session
        self._goal = sum(stop - start for start, stop in spans)
        async for rows in self._rows_or_texts(spans):
            seen = await self._see(rows) if self._sets_seen else frozenset()
            if self._tells_flags:
                session.write(self.view.unknown_keywords(rows.places))
            if self.items.content or seen:
                await self._one_by_one(rows, seen)
            else:
                if self.items.optional and rows.columns:
                    await self._what_there_is(rows)
                else:
                    self._all_at_once(rows)
                self._done += len(rows.uids)
                session.progress.reached(self._done, self._goal)
            await session.peer.turn()

    def _rows_or_texts(self, spans: Sequence[Span]) -> AsyncIterator[Rows]:
        divided = None if self._sets_seen else lasting(self.view, self.items, spans)
        if divided is None:
            return self._rows(spans)
        self._shown = divided.shown
        return divided.rows(self.session, self.view, spans, self._rows)

    async def _rows(self, spans: Sequence[Span]) -> AsyncIterator[Rows]:
        """The messages in runs of neighbours, each with the columns that are needed."""
        session, view = self.session, self.view
        if not self.items.columns:
            for places in view.chunks(spans, _CHUNK):
                yield Rows(view, session.announce, places, view.uids_of(places), {})
            return
        known = view.generation.uids
        for places in view.chunks(spans, max(1, view.count)):
            # Of neighbours, all between two ends: whatever holes there are.
            ends = [(places[0], places[-1] + 1)]
            wanted = (
                view.uids(ends)
                if isinstance(places, range)
                else NumSet.from_sorted(view.uids_of(places))
            )
            at, count = 0, len(places)
            async for batch in scanned(view.mailbox, wanted, self.items.columns, session.peer.turn):
                uids = batch.uids
                stop = at + len(uids)
                if (
                    stop <= count
                    and uids[0] == known[places[at]]
                    and uids[-1] == known[places[stop - 1]]
                ):
                    # As many, with the same ends, and all are known here: the same messages.
                    yield Rows(view, session.announce, places[at:stop], uids, dict(batch.columns))
                    at = stop
                    continue
                for row, uid in enumerate(uids):
                    while at < count and known[places[at]] < uid:
                        yield self._vanished(places[at])
                        at += 1
                    if at < count and known[places[at]] == uid:
                        columns = {
                            name: values[row : row + 1] for name, values in batch.columns.items()
                        }
                        yield Rows(view, session.announce, (places[at],), (uid,), columns)
                        at += 1
            while at < count:
                yield self._vanished(places[at])
                at += 1

    def _vanished(self, place: int) -> Rows:
        self.gone = True
        uids = self.view.generation.uids[place : place + 1]
        return Rows(self.view, self.session.announce, (place,), uids, {})

    async def _see(self, rows: Rows) -> frozenset[int]:
        r"""Set \Seen where it is missing; the UIDs whose flags that changed."""
        view = self.view
        flags = view.flags(rows.places)
        unseen = NumSet.from_sorted(uid for uid, each in zip(rows.uids, flags) if SEEN not in each)
        if not unseen:
            return frozenset()
        rights = await settled(allowed(view.mailbox))
        if rights is not None and "s" not in rights:
            # RFC 4314, 4: it MUST NOT be set.
            return frozenset()
        stored = await settled(view.mailbox.store_flags(unseen, FlagChange.ADD, interned((SEEN,))))
        view.made(stored.changes)
        if view.image.behind:
            await view.image.refresh(view.mailbox)
        return frozenset(stored.changes.uids)

    def _all_at_once(self, rows: Rows) -> None:
        if self.items.columns and not rows.columns:
            self._known_of(rows)
            return
        announce = self.session.announce
        numbers = announce.numbers(rows.places, rows.uids)
        values = [item.values(rows) for item in self._shown.each if item.values is not None]
        format = announce.row + self._shown.format
        self.session.write(b"".join([format % row for row in zip(numbers, *values)]))

    async def _what_there_is(self, rows: Rows) -> None:
        """Rows of which some items may have nothing to tell; these may be large."""
        session = self.session
        numbers = session.announce.numbers(rows.places, rows.uids)
        formats = [item.format for item in self.items.each if item.values is not None]
        values = [item.values(rows) for item in self.items.each if item.values is not None]
        waiting: list[bytes] = []
        octets = count = 0
        for number, *row in zip(numbers, *values):
            parts = [each % (value,) for each, value in zip(formats, row) if value is not None]
            if parts:
                waiting.append(session.announce.row % number + b" ".join(parts) + b")\r\n")
                octets += len(waiting[-1])
            count += 1
            if octets > _OCTETS or count >= _ROWS:
                session.write(b"".join(waiting))
                waiting, octets, count = [], 0, 0
                await session.peer.turn()
        session.write(b"".join(waiting))

    def _known_of(self, rows: Rows) -> None:
        """Of a vanished message: its UID and flags, NIL for its octets (RFC 2180, 4.1.3)."""
        parts = []
        for item in self.items.each:
            if not item.columns and item.values is not None:
                parts.append(item.format % (item.values(rows)[0],))
            elif item.may_be_nil:
                parts.append(item.format.replace(b" %b", b"").replace(b"%%", b"%") + b" NIL")
        announce = self.session.announce
        number = announce.numbers(rows.places, rows.uids)[0]
        if parts:
            self.session.write(announce.row % number + b" ".join(parts) + b")\r\n")

    async def _one_by_one(self, rows: Rows, seen: frozenset[int]) -> None:
        session, view = self.session, self.view
        announce = session.announce
        if self.items.columns and not rows.columns:
            self._known_of(rows)
            return
        values = [item.values(rows) if item.values is not None else () for item in self.items.each]
        numbers = announce.numbers(rows.places, rows.uids)
        small = IWholeMessages(view.mailbox, None) if self.items.content else None
        form = self.items.whole
        whole: Mapping[int, bytes] = {}
        row = announce.row
        waiting: list[bytes] = []
        size = 0
        for place, uid in enumerate(rows.uids):
            if small is not None and place % _TOGETHER == 0:
                session.peer.write_sequence(waiting)
                waiting, size = [], 0
                await session.peer.turn()
                whole = await settled(small.whole(rows.uids[place : place + _TOGETHER]))
                session.progress.reached(self._done, self._goal)
            octets = whole.get(uid)
            if octets is not None and form is not None and uid not in seen:
                at, before, behind = form
                octets = _without_nul(octets)
                told = [column[place] for column in values if column]
                waiting += (
                    (row + before) % (numbers[place], *told[:at], len(octets)),
                    octets,
                    behind % tuple(told[at:]),
                )
                self._done += 1
                size += len(octets)
                if size > _OCTETS:
                    session.peer.write_sequence(waiting)
                    waiting, size = [], 0
                continue
            session.peer.write_sequence(waiting)
            waiting, size = [], 0
            content = Content(view.mailbox, uid, octets)
            try:
                # Whatever can be refused is, before the row begins.
                found = [
                    None if item.content is None else await self._octets(item, content)
                    for item in self.items.each
                ]
                told = [column[place] if column else None for column in values]
                if uid in seen:
                    told = self._now(rows.places[place], uid, told)
                parts = [
                    _written(item, value) if octets is None else octets
                    for item, value, octets in zip(self.items.each, told, found)
                ]
                parts = [part for part in parts if part]
                if uid in seen:
                    parts += [[each] for each in self._told_of_seen(rows.places[place])]
                if parts:
                    session.write(announce.row % numbers[place])
                    await self._row(parts, content)
                    session.write(b")\r\n")
            finally:
                content.close()
            self._done += 1
            session.progress.reached(self._done, self._goal)
            await session.peer.turn()
        session.peer.write_sequence(waiting)

    def _now(self, place: int, uid: int, values: Sequence[Any]) -> list[Any]:
        """What the view says of a message, once more: flags and modseq of one row are of one moment."""
        session = self.session
        if self._tells_flags:
            session.write(self.view.unknown_keywords((place,)))
        row = Rows(self.view, session.announce, (place,), (uid,), {})
        return [
            value if item.values is None or item.columns else item.values(row)[0]
            for item, value in zip(self.items.each, values)
        ]

    def _told_of_seen(self, place: int) -> Iterator[bytes]:
        r"""What else is in the row of a message that has become \\Seen; by RFC 7162, 3.2.4 its modseq."""
        view, announce = self.view, self.session.announce
        if not self._tells_flags:
            self.session.write(view.unknown_keywords((place,)))
            yield b"FLAGS %b" % view.shown_flags((place,), announce)[0]
        if announce.tells_modseq:
            if not announce.by_uid and b"UID" not in self.items.names:
                yield b"UID %d" % view.generation.uids[place]
            if b"MODSEQ" not in self.items.names:
                yield b"MODSEQ (%d)" % view.modseqs((place,))[0]

    async def _octets(self, item: Fetched, content: Content) -> list[bytes | Span]:
        """An item that the message itself answers: octets, or which of its octets to send."""
        assert item.content is not None
        label = item.label
        try:
            value = await item.content(content)
        except MessageGone:
            self.gone = True
            value = None
        if value is None:
            return [label + b" NIL"] if item.may_be_nil else []
        if isinstance(value, tuple):
            return [b"%b {%d}\r\n" % (label, value[1] - value[0]), value]
        if item.plain:
            return [b"%b %b" % (label, value)]
        if b"\0" in value:
            if item.binary:
                return [b"%b ~{%d}\r\n" % (label, len(value)), value]
            value = _without_nul(value)
        return [b"%b {%d}\r\n" % (label, len(value)), value]

    async def _row(self, parts: Sequence[Sequence[bytes | Span]], content: Content) -> None:
        session = self.session
        between = b""
        for part in parts:
            session.write(between)
            between = b" "
            for piece in part:
                if isinstance(piece, bytes):
                    session.write(piece)
                    continue
                try:
                    async for data in content.pieces(*piece):
                        session.write(_without_nul(data))
                        if piece[1] - piece[0] > len(data):
                            await session.peer.turn()
                except Exception:
                    # The literal was announced and cannot be finished.
                    session.peer.abort()
                    raise


def _written(item: Fetched, value: Any) -> list[bytes | Span]:
    """An item that columns answer."""
    return [] if value is None and item.optional else [item.format % (value,)]


def _without_nul(octets: bytes) -> bytes:
    # A literal cannot hold NUL (RFC 9051, 9: CHAR8); 0x80 stands for it as in other servers.
    return octets.replace(b"\0", b"\x80") if b"\0" in octets else octets
