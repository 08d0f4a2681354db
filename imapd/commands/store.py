"""STORE and UID STORE: flags change (RFC 9051, 6.4.6), and what extensions add."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Protocol

from attrs import define, frozen

from imapd.commands.modifiers import modifiers
from imapd.dialect import Command, Feature, StoreItem, StoreModifier
from imapd.model.flags import FlagChange, Flags, interned
from imapd.model.mailbox import Stored
from imapd.model.numset import NumSet, SequenceSet
from imapd.model.states import State
from imapd.session.allotment import cut, reported
from imapd.session.outcome import Outcome
from imapd.session.session import Session
from imapd.session.view import Span, View
from imapd.store.answers import settled
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "Change", "Store"]

#: Messages whose flags are told before others get their turn.
_CHUNK: Final = 1_000


class Change(Protocol):
    """What a STORE does to messages."""

    @property
    def silent(self) -> bool:
        """The client is not told what the messages have then."""

    def check(self, session: Session) -> None:
        """Refuse what can be refused before the messages are looked at."""

    async def make(self, session: Session, uids: NumSet, unchanged_since: int | None) -> Stored:
        """Change these messages of the selected mailbox."""


@frozen
class _Flagging:
    """Flags change."""

    change: FlagChange
    flags: Flags
    silent: bool

    def check(self, session: Session) -> None:
        """As `Change`."""
        session.writable()

    async def make(self, session: Session, uids: NumSet, unchanged_since: int | None) -> Stored:
        """As `Change`."""
        view, flags = session.selected, self.flags
        adds = self.change is not FlagChange.REMOVE
        if adds and not flags <= view.keywords:
            session.check_keywords(flags | view.keywords)
        stored = await settled(view.mailbox.store_flags(uids, self.change, flags, unchanged_since))
        if adds and flags - view.keywords:
            view.keywords |= flags
            session.write(view.flags_line())
        return stored


@define
class Store:
    """One STORE, as its modifiers may change it before messages are changed."""

    numbers: SequenceSet
    by_uid: bool
    change: Change
    modifiers: Sequence[tuple[StoreModifier, Any]] = ()
    #: Messages with a larger modification sequence are left alone (RFC 7162, 3.1.3).
    unchanged_since: int | None = None


def _arguments(by_uid: bool) -> Any:
    def arguments(cursor: Cursor) -> Store:
        """``store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags``."""
        cursor.space()
        numbers = grammar.sequence_set(cursor)
        cursor.space()
        asked: Sequence[tuple[StoreModifier, Any]] = ()
        if cursor.peek() == b"(":
            asked = modifiers(cursor, cursor.vocabulary.store_modifiers)
            cursor.space()
        return Store(numbers, by_uid, cursor.remembered(_change), asked)

    return arguments


def _change(cursor: Cursor) -> Change:
    item = cursor.vocabulary.store_items.get(cursor.word())
    if item is None:
        raise BadSyntax("STORE has no item of that name")
    change: Change = item.grammar(cursor)
    return change


def _flags(change: FlagChange, silent: bool) -> Callable[[Cursor], Change]:
    def flags(cursor: Cursor) -> Change:
        """``SP (flag-list / (flag *(SP flag)))``."""
        cursor.space()
        if cursor.peek() == b"(":
            return _Flagging(change, grammar.flag_list(cursor), silent)
        names = [grammar.flag(cursor)]
        while not cursor.at_end():
            cursor.space()
            names.append(grammar.flag(cursor))
        return _Flagging(change, interned(names), silent)

    return flags


async def _store(session: Session, store: Store) -> Outcome | None:
    view = session.selected
    store.change.check(session)
    for modifier, argument in store.modifiers:
        modifier.apply(session, store, argument)
    spans, lowest = cut(session, view.spans(store.numbers, store.by_uid, session.saved))
    if not spans:
        return None
    stored = await store.change.make(session, view.uids(spans), store.unchanged_since)
    image = view.image
    view.made(stored.changes)
    if image.behind:
        await image.refresh(view.mailbox)
    gone = view.generation is not image.generation and any(
        image.generation.position(view.generation.uids[place]) < 0
        for start, stop in spans
        for place in range(start, stop)
    )
    await _tell(session, store, spans)
    outcome: Outcome | None
    if stored.modified:
        failed = _as_named(view, store, stored.modified)
        outcome = Outcome("Some messages were changed meanwhile", b"MODIFIED " + failed.wire())
    elif gone:
        outcome = Outcome("Some of the messages no longer exist", b"EXPUNGEISSUED")
    else:
        outcome = None
    return reported(session, outcome, lowest)


def _as_named(view: View, store: Store, uids: NumSet) -> NumSet:
    """The messages as the client called them (RFC 7162, 3.1.3)."""
    if store.by_uid:
        return uids
    return NumSet((start + 1, stop) for start, stop in view.generation.spans(uids, view.count))


async def _tell(session: Session, store: Store, spans: Sequence[Span]) -> None:
    """The flags of all that were named, as they are now; to who hears of them, their modseqs.

    With .SILENT, modseqs are told alone (RFC 7162, 3.1.3), unless others changed flags too and the client
    cannot be told so behind: it would take the modseq for that of the flags it knows.
    """
    view, announce = session.selected, session.announce
    silent = store.change.silent
    if silent and not announce.tells_modseq:
        return
    # RFC 7162, 3.2.4: the UID goes with the modseq.
    uid = store.by_uid or announce.tells_modseq
    by_others: Collection[int] | None = ()
    asked = 0
    for places in view.chunks(spans, _CHUNK):
        if silent and view.generation is not view.image.generation:
            if asked != view.image.modseq:
                asked = view.image.modseq
                by_others = view.image.changed_since(view.told, view.own, more=False)
            for place, known in zip(places, _known(view, places, by_others)):
                session.write(b"".join(view.flag_rows((place,), announce, uid, not known)))
        else:
            session.write(b"".join(view.flag_rows(places, announce, uid, not silent)))
        await session.peer.turn()


def _known(view: View, places: Sequence[int], by_others: Collection[int] | None) -> list[bool]:
    """Whether the client knows the flags there, or set them; None: by the modseqs."""
    if by_others is None:
        return [modseq <= view.told for modseq in view.modseqs(places)]
    return [uid not in by_others for uid in view.uids_of(places)]


FEATURE = Feature(
    name="STORE",
    rfc=9051,
    summary="flags change, by number or UID",
    store_items=tuple(
        StoreItem(change.value + suffix, _flags(change, bool(suffix)))
        for change in FlagChange
        for suffix in ("", ".SILENT")
    ),
    commands=(
        Command(
            "STORE",
            State.SELECTED,
            _arguments(by_uid=False),
            _store,
            expunges=False,
            by_number=True,
        ),
        Command("UID STORE", State.SELECTED, _arguments(by_uid=True), _store),
    ),
)
