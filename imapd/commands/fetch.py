"""FETCH and UID FETCH (RFC 9051, 6.4.5): which messages, which items, and what modifies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define

from imapd.commands.fetch_att import fetch_att, fetch_atts, named, once
from imapd.commands.fetch_items import UID, Fetched, Items
from imapd.commands.fetch_rows import RowWriter
from imapd.commands.modifiers import modifiers
from imapd.dialect import Command, Feature, FetchModifier
from imapd.model.numset import SequenceSet
from imapd.model.states import State
from imapd.session.allotment import cut, reported
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.session.view import Span
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "Fetch"]


@define
class Fetch:
    """One FETCH, as its modifiers may change it before the first row is written."""

    numbers: SequenceSet
    by_uid: bool
    items: Items
    modifiers: Sequence[tuple[FetchModifier, Any]] = ()
    #: The places that are meant; of those no row is written that a modifier leaves out.
    spans: Sequence[Span] = ()

    def add(self, item: Fetched, *, first: bool = False) -> None:
        """Write this item too, unless it is asked for already."""
        self.items = self.items.including(item, first=first)


def _arguments(by_uid: bool) -> Any:
    def arguments(cursor: Cursor) -> Fetch:
        """``fetch = "FETCH" SP sequence-set SP (macro / fetch-att / "(" ... ")") [fetch-modifiers]``."""
        cursor.space()
        numbers = grammar.sequence_set(cursor)
        cursor.space()
        fetch = Fetch(numbers, by_uid, cursor.remembered(_items))
        if cursor.peek() == b" " and not cursor.data[cursor.at :].isspace():
            cursor.space()
            fetch.modifiers = modifiers(cursor, cursor.vocabulary.fetch_modifiers)
        return fetch

    return arguments


def _items(cursor: Cursor) -> Items:
    if cursor.peek() == b"(":
        return Items(fetch_atts(cursor))
    return Items(once(_macro(cursor) or [fetch_att(cursor)]))


def _macro(cursor: Cursor) -> list[Fetched] | None:
    at = cursor.at
    names = cursor.vocabulary.fetch_macros.get(cursor.word())
    if names is None:
        cursor.at = at
        return None
    return [named(cursor, name.encode("ascii")) for name in names]


async def _modified(session: Session, fetch: Fetch) -> None:
    for modifier, argument in fetch.modifiers:
        if modifier.check is not None:
            modifier.check(session, fetch, argument)
    for modifier, argument in sorted(fetch.modifiers, key=lambda each: not each[0].early):
        waiting = modifier.apply(session, fetch, argument)
        if waiting is not None:
            await waiting


async def _fetch(session: Session, fetch: Fetch) -> Outcome | None:
    view = session.selected
    fetch.spans = view.spans(fetch.numbers, fetch.by_uid, session.saved)
    if fetch.modifiers:
        await _modified(session, fetch)
    if fetch.by_uid and not session.announce.by_uid:
        fetch.add(UID, first=True)
    enabled = fetch.items.enables
    if enabled:
        session.needs(enabled)
        if not enabled <= session.enabled:
            session.enable(*sorted(enabled))
    fetch.spans, lowest = cut(session, fetch.spans)
    if lowest is not None and any(modifier.name == "PARTIAL" for modifier, _ in fetch.modifiers):
        # RFC 9738, 3.1: what asks for a page of so many is refused.
        raise Refused(f"MESSAGELIMIT {session.policy.limits.messages}", "The page is too large")
    writer = RowWriter(session, view, fetch.items)
    await writer.write(fetch.spans)
    outcome = (
        Outcome("Some of the messages no longer exist", b"EXPUNGEISSUED") if writer.gone else None
    )
    return reported(session, outcome, lowest)


FEATURE = Feature(
    name="FETCH",
    rfc=9051,
    summary="what messages are, by number or UID",
    commands=(
        Command(
            "FETCH",
            State.SELECTED,
            _arguments(by_uid=False),
            _fetch,
            expunges=False,
            by_number=True,
        ),
        Command("UID FETCH", State.SELECTED, _arguments(by_uid=True), _fetch),
    ),
)
