"""STORE and UID STORE: flags change (RFC 9051, 6.4.6)."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import frozen

from imapd.dialect import Command, Feature
from imapd.model.flags import FlagChange, Flags, interned
from imapd.model.numset import SequenceSet
from imapd.model.states import State
from imapd.session.outcome import Outcome
from imapd.session.session import Session
from imapd.session.view import Span
from imapd.store.answers import settled
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

#: Messages whose flags are told before others get their turn.
_CHUNK: Final = 1_000
_ITEM: Final = re.compile(rb"[+-]?FLAGS(?:\.SILENT)?(?= )", re.IGNORECASE)


@frozen
class _Store:
    numbers: SequenceSet
    change: FlagChange
    flags: Flags
    silent: bool
    by_uid: bool


def _arguments(by_uid: bool) -> Any:
    def arguments(cursor: Cursor) -> _Store:
        """``store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))``."""
        cursor.space()
        numbers = grammar.sequence_set(cursor)
        cursor.space()
        word = cursor.take(_ITEM, "FLAGS, +FLAGS or -FLAGS").upper()
        silent = word.endswith(b".SILENT")
        cursor.space()
        if cursor.peek() == b"(":
            flags = grammar.flag_list(cursor)
        else:
            names = [grammar.flag(cursor)]
            while not cursor.at_end():
                cursor.space()
                names.append(grammar.flag(cursor))
            flags = interned(names)
        change = FlagChange(word.removesuffix(b".SILENT").decode("ascii"))
        return _Store(numbers, change, flags, silent, by_uid)

    return arguments


async def _store(session: Session, store: _Store) -> Outcome | None:
    view = session.writable()
    spans = view.spans(store.numbers, store.by_uid, session.saved)
    if not spans:
        return None
    uids = view.uids(spans)
    stored = await settled(view.mailbox.store_flags(uids, store.change, store.flags))
    image = view.image
    view.made(stored.changes)
    if image.behind:
        await image.refresh(view.mailbox)
    if store.change is not FlagChange.REMOVE and store.flags - view.keywords:
        view.keywords |= store.flags
        session.write(view.flags_line())
    gone = view.generation is not image.generation and any(
        image.generation.position(view.generation.uids[place]) < 0
        for start, stop in spans
        for place in range(start, stop)
    )
    if not store.silent:
        await _tell(session, spans, store.by_uid)
    return Outcome("Some of the messages no longer exist", b"EXPUNGEISSUED") if gone else None


async def _tell(session: Session, spans: list[Span], by_uid: bool) -> None:
    """The flags of all that were named, as they are now."""
    view, announce = session.selected, session.announce
    for start, stop in view.chunks(spans, _CHUNK):
        uids = view.generation.uids[start:stop]
        session.write(view.unknown_keywords(start, stop))
        flags = view.shown_flags(start, stop, announce)
        numbers = announce.numbers(start + 1, uids)
        if by_uid:
            row = announce.row + b"UID %d FLAGS %b)\r\n"
            session.write(b"".join([row % each for each in zip(numbers, uids, flags)]))
        else:
            row = announce.row + b"FLAGS %b)\r\n"
            session.write(b"".join([row % each for each in zip(numbers, flags)]))
        await session.peer.turn()


FEATURE = Feature(
    name="STORE",
    rfc=9051,
    summary="flags change, by number or UID",
    commands=(
        Command("STORE", State.SELECTED, _arguments(by_uid=False), _store, expunges=False),
        Command("UID STORE", State.SELECTED, _arguments(by_uid=True), _store),
    ),
)
