"""NOTIFY: the server speaks first, of the mailboxes and events that the client names (RFC 5465).

Here are the grammar and the command.  What it changes is the policy that it installs,
`imapd.extensions.notify_notices.Wanted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from imapd.commands.fetch_att import fetch_atts
from imapd.commands.fetch_items import Fetched
from imapd.dialect import Capability, Command, Feature
from imapd.extensions.notify_filters import EVENTS, Event, Filters, Selected
from imapd.extensions.notify_notices import watch
from imapd.model.states import LOGGED_IN
from imapd.session.capabilities import capabilities
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]

_SELECTED: Final = (b"SELECTED", b"SELECTED-DELAYED")
_ATOM: Final = re.compile(rb"[A-Za-z][A-Za-z0-9\-_.]*")


@define
class _Events:
    """What one group wants."""

    events: Event = Event.NEVER
    new: bool = False
    expunge: bool = False
    items: list[Fetched] = field(factory=list)
    #: Events that nobody here knows.
    unknown: bool = False


@frozen
class _Set:
    """NOTIFY SET."""

    status: bool
    filters: Filters
    unknown: bool


# The grammar (RFC 5465, 8).


def _arguments(cursor: Cursor) -> _Set | None:
    """``notify = "NOTIFY" SP (notify-set / notify-none)``; None is NONE."""
    cursor.space()
    if cursor.skip_word(b"NONE"):
        return None
    if not cursor.skip_word(b"SET"):
        raise cursor.bad("SET or NONE")
    cursor.space()
    status = cursor.skip_word(b"STATUS")
    if status:
        cursor.space()
    filters = Filters(any=True)
    seen_selected = unknown = False
    while True:
        cursor.enter()
        word = cursor.word()
        if word in _SELECTED:
            if seen_selected:
                raise BadSyntax("SELECTED or SELECTED-DELAYED can be said once")
            seen_selected = True
            wanted = _events(cursor)
            _check(wanted, selected=True)
            filters.selected = Selected(
                wanted.events & ~Event.NONE, word == b"SELECTED-DELAYED", wanted.items
            )
        else:
            names = _names(cursor, word)
            wanted = _events(cursor)
            _check(wanted, selected=False)
            _add(filters, word, names, wanted.events)
        unknown = unknown or wanted.unknown
        cursor.leave()
        if cursor.at_end() or cursor.data[cursor.at :].isspace():
            return _Set(status, filters, unknown)
        cursor.space()


def _names(cursor: Cursor, word: bytes) -> Iterable[str]:
    """``filter-mailboxes-other``: the names behind its word."""
    if word in (b"INBOXES", b"PERSONAL", b"SUBSCRIBED"):
        return ()
    if word not in (b"SUBTREE", b"MAILBOXES"):
        raise BadSyntax("NOTIFY knows no mailboxes of that word")
    cursor.space()
    return grammar.one_or_more_mailbox(cursor)


def _add(filters: Filters, word: bytes, names: Iterable[str], events: Event) -> None:
    if word == b"SUBSCRIBED":
        filters.subscribed |= events
    elif word in (b"INBOXES", b"PERSONAL"):
        filters.personal |= events
    else:
        table = filters.subtrees if word == b"SUBTREE" else filters.mailboxes
        for name in names:
            table[name] = table.get(name, Event.NEVER) | events


def _events(cursor: Cursor) -> _Events:
    """``events = ( "(" event *(SP event) ")" ) / "NONE"``."""
    cursor.space()
    wanted = _Events()
    if cursor.skip_word(b"NONE"):
        wanted.events = Event.NONE
    else:
        # MessageNew may have a list behind it, with a space before: no plain list of atoms.
        cursor.enter()
        _event(cursor, wanted)
        while cursor.peek() == b" ":
            cursor.space()
            _event(cursor, wanted)
        cursor.leave()
    return wanted


def _event(cursor: Cursor, wanted: _Events) -> None:
    name = cursor.take(_ATOM, "an event").decode("ascii").lower()
    known = EVENTS.get(name)
    if known is None:
        wanted.unknown = True
        return
    wanted.events |= known[1]
    if name == "messageexpunge":
        wanted.expunge = True
    elif name == "messagenew":
        wanted.new = True
        if cursor.data.startswith(b" (", cursor.at):
            cursor.space()
            wanted.items = fetch_atts(cursor)


def _check(wanted: _Events, selected: bool) -> None:
    """What the grammar says in words (5, 6.1, 8).

    A group with an event that is not known is refused by NO, so that it need not fit.
    """
    if wanted.items and not selected:
        raise BadSyntax("Only of the selected mailbox can FETCH be told")
    if selected and wanted.events & ~(Event.MESSAGES | Event.CHANGES | Event.NONE):
        raise BadSyntax("Of the selected mailbox only messages can be told")
    if wanted.unknown:
        return
    if wanted.new != wanted.expunge:
        raise BadSyntax("MessageNew and MessageExpunge go together")
    if wanted.events & Event.CHANGES and not wanted.new:
        raise BadSyntax("FlagChange and AnnotationChange need MessageNew and MessageExpunge")


# What is done.


def _known(session: Session) -> Event:
    """All events that there are for this user (RFC 5465, 5.1, 5.6 and 5.7)."""
    known = ~Event.NONE
    names = capabilities(session).split()
    if b"ANNOTATE-EXPERIMENT-1" not in names:
        known &= ~Event.ANNOTATIONS
    if b"METADATA" not in names:
        known &= ~Event.METADATA
        if b"METADATA-SERVER" not in names:
            known &= ~Event.SERVER
    return known


async def _notify(session: Session, asked: _Set | None) -> None:
    if asked is None:
        await watch(session, Filters(), status=False)
        return
    known = _known(session)
    filters = asked.filters
    if asked.unknown or (filters.others | filters.selected.events) & ~known:
        names = " ".join(name for name, event in EVENTS.values() if event & known)
        raise Refused(f"BADEVENT ({names})", "There is no such event here")
    await watch(session, filters, asked.status)


FEATURE = Feature(
    name="NOTIFY",
    rfc=5465,
    summary="the server speaks first, of any mailbox that the client names",
    capabilities=(Capability("NOTIFY"),),
    commands=(Command("NOTIFY", LOGGED_IN, _arguments, _notify),),
)
