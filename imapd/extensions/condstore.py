"""CONDSTORE: what changed since a moment, and changes only if nothing did (RFC 7162, 3.1).

Every message of every store has a modification sequence, and SELECT tells the highest
to everybody.  Here is what a client can do with them; telling MODSEQ with every change
of flags is the policy that any of it switches on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve

from imapd.commands.fetch import Fetch
from imapd.commands.fetch_items import Fetched, Rows
from imapd.commands.store import Store
from imapd.dialect import (
    Capability,
    Enable,
    Feature,
    FetchItem,
    FetchModifier,
    SearchKey,
    SearchReturn,
    SelectParameter,
    StatusItem,
    StoreModifier,
)  # fmt: skip
from imapd.model.mailbox import Status
from imapd.model.message import MODSEQ
from imapd.model.numset import NumSet
from imapd.model.search import Cost, Key
from imapd.query.results import Found
from imapd.session.session import Session
from imapd.session.view import Span, View, vanished
from imapd.store.answers import settled
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "NAME", "changed_spans", "fetched_modseq", "modification_sequence"]

NAME: Final = "CONDSTORE"


def modification_sequence(cursor: Cursor) -> int:
    """``mod-sequence-value``: 63 bits, above 0."""
    number = cursor.number(63)
    if number == 0:
        raise BadSyntax("a modification sequence is above 0")
    return number


def _or_zero(cursor: Cursor) -> int:
    """``mod-sequence-valzer``, behind a space; iOS Mail sends CHANGEDSINCE 0, too."""
    cursor.space()
    return cursor.number(63)


def _installs(session: Session) -> None:
    """From now on MODSEQ is told; of a mailbox selected already, HIGHESTMODSEQ (RFC 7162, 3.1)."""
    session.announce = evolve(session.announce, modseq=True)
    if session.announce.lacks:
        session.write(session.status(b"OK", b"NOMODSEQ", "None is kept"))
    elif session.view is not None:
        session.write(session.status(b"OK", b"HIGHESTMODSEQ %d" % session.view.told, "Highest"))


# FETCH


def _modseqs(rows: Rows) -> Sequence[int]:
    return rows.view.modseqs(rows.places)


_MODSEQ: Final = Fetched(b"MODSEQ (%d)", values=_modseqs, enables=frozenset((NAME,)))


def fetched_modseq(cursor: Cursor) -> Fetched:
    """``fetch-att =/ "MODSEQ"``; RFC 4466 permits parentheses behind it, here there are none."""
    return _MODSEQ


async def _narrow(session: Session, fetch: Fetch, modseq: int) -> None:
    """Only messages that changed after `modseq`, each with its own (RFC 7162, 3.1.4.1)."""
    session.needs(frozenset((NAME,)))
    session.enable(NAME)
    fetch.add(_MODSEQ)
    fetch.spans = await changed_spans(session.selected, fetch.spans, modseq)


async def changed_spans(view: View, spans: Sequence[Span], modseq: int) -> Sequence[Span]:
    """Those places whose messages changed after `modseq`; the work is that of the changes."""
    if modseq == 0:
        return spans
    found: Iterable[int] | None = view.image.changed_since(modseq)
    vanishing: NumSet | None = None
    if found is None:
        # The store may know of more than the image.
        changes = await settled(view.mailbox.changes_since(modseq))
        found, vanishing = changes.uids, changes.vanished
    now, then = view.image.generation, view.generation
    changed: list[int] = []
    for uid in sorted(found):
        place = now.position(uid)
        if place >= 0 and now.modseqs[place] > modseq:
            place = place if then is now else then.position(uid)
            if 0 <= place < view.count:
                changed.append(place + 1)
    shown = NumSet.from_sorted(changed)
    if vanishing is not None or then is not now:
        # Those that are gone are still there for who was not told of it.
        spans_gone: Iterable[Span] = (
            vanished(then.uids, view.count, now.uids)[0]
            if vanishing is None
            else then.spans(vanishing, view.count)
        )
        gone = (place for span in spans_gone for place in range(*span))
        shown |= NumSet.from_sorted(place + 1 for place in gone if then.modseqs[place] > modseq)
    if spans != [(0, view.count)]:
        shown &= NumSet((start + 1, stop) for start, stop in spans)
    return [(low - 1, high) for low, high in shown.ranges]


# STORE


def _guard(session: Session, store: Store, modseq: int) -> None:
    session.needs(frozenset((NAME,)))
    session.enable(NAME)
    store.unchanged_since = modseq


# SEARCH


_ENTRY: Final = re.compile(rb'"/flags/(?:[^"\\]|\\["\\])+" +(?:priv|shared|all) +', re.IGNORECASE)


def _search_key(cursor: Cursor) -> Key:
    """``search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer``.

    Modification sequences are not kept for single flags, so an entry says nothing
    (RFC 7162, 3.1.5).
    """
    cursor.space()
    entry = _ENTRY.match(cursor.data, cursor.at)
    if entry is not None:
        cursor.at = entry.end()
    least = cursor.number(63)
    return Key(
        "MODSEQ", Cost.VIEW, (MODSEQ,), lambda modseq: modseq >= least, (least,),
        lambda modseqs: bytes([modseq >= least for modseq in modseqs]),
    )  # fmt: skip


def _highest_found(found: Found, _: None) -> bytes | None:
    """The highest of the messages found; of MIN and MAX alone, theirs (RFC 7162, 3.1.5 and 3.1.10)."""
    if not found.places:
        return None
    places = found.places
    if found.asked and found.asked <= {"MIN", "MAX", "SAVE"}:
        places = [
            places[0 if name == "MIN" else -1] for name in found.asked if name != "SAVE"
        ] or places
    return b"%d" % max(found.known(MODSEQ, place, place + 1)[0] for place in places)


def _highest(status: Status) -> int:
    """0 where modification sequences are not kept (RFC 7162, 3.1.7)."""
    return status.highest_modseq if status.modseqs_kept else 0


def _nothing(cursor: Cursor) -> None:
    """Nothing follows the name."""


FEATURE = Feature(
    name=NAME,
    rfc=7162,
    summary="what changed since a moment, and changes only if nothing did",
    capabilities=(Capability(NAME),),
    enables=(Enable(NAME, installs=_installs),),
    fetch_items=(FetchItem("MODSEQ", fetched_modseq),),
    fetch_modifiers=(FetchModifier("CHANGEDSINCE", _or_zero, _narrow),),
    store_modifiers=(StoreModifier("UNCHANGEDSINCE", _or_zero, _guard),),
    select_parameters=(
        SelectParameter(NAME, _nothing, prepare=lambda session, _: session.enable(NAME)),
    ),
    search_keys=(SearchKey("MODSEQ", _search_key, enables=NAME),),
    search_returns=(SearchReturn("MODSEQ", _nothing, _highest_found, implied_by="MODSEQ"),),
    status_items=(StatusItem("HIGHESTMODSEQ", _highest, enables=NAME),),
)
