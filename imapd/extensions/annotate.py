"""ANNOTATE-EXPERIMENT-1: annotations of messages and of their parts (RFC 5257).

Where the RFC leaves a choice:

* Under EXAMINE nothing is changed, neither what is shared nor what is the user's own.
* A message whose annotations change has a new modification sequence, so everybody who has the
  mailbox selected is told that it changed.
* SEARCH finds text in any case, and NIL where there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from imapd.dialect import (
    AppendOption,
    Capability,
    Feature,
    FetchItem,
    SearchKey,
    SelectParameter,
    SortKey,
    StoreItem,
)
from imapd.extensions import annotate_news
from imapd.extensions.annotate_fetch import annotation
from imapd.extensions.annotate_grammar import (
    att_annotate,
    attributes,
    check_parts,
    entry,
    entry_match,
    part_of,
    patterns,
)
from imapd.model.annotation import PRIVATE, SHARED, Annotation, Annotations
from imapd.model.mailbox import Stored
from imapd.model.message import ANNOTATIONS, BODYSTRUCTURE
from imapd.model.numset import NumSet
from imapd.model.search import Cost, Key
from imapd.query import charset
from imapd.query.collate import collate
from imapd.query.criteria import Criterion
from imapd.query.fold import fold
from imapd.session.content import scanned
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.access import allowed, annotatable
from imapd.store.answers import settled
from imapd.store.errors import TooManyEntries
from imapd.store.interfaces import IAnnotated, IAnnotations, IMailbox, NewMessage
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]

NAME: Final = "ANNOTATE-EXPERIMENT-1"

#: Messages whose parts are looked at before others get their turn.
_CHUNK: Final = 50

_Values = Mapping[Annotation, bytes | None]


# What may be set.


def _check_bounds(session: Session, values: _Values) -> None:
    limits = session.policy.limits
    longest = max((len(value) for value in values.values() if value is not None), default=0)
    if longest > limits.metadata_value:
        raise Refused("ANNOTATE TOOBIG", "The value is too long")
    for whose in (PRIVATE, SHARED):
        if sum(each.whose == whose for each in values) > limits.metadata_entries:
            raise Refused("ANNOTATE TOOMANY", "Too many annotations")


async def _check_permitted(mailbox: IMailbox, values: _Values) -> None:
    """RFC 5257, 3.4 and 4.1."""
    if IAnnotations(mailbox, None) is None:
        raise Refused("CANNOT", "Messages have no annotations there")
    if not {each.whose for each in values} <= annotatable(mailbox, await settled(allowed(mailbox))):
        raise Refused("NOPERM", "Such annotations cannot be changed there")


def _parts(values: _Values) -> Sequence[tuple[int, ...]]:
    return list(filter(None, {part_of(each.entry) for each in values}))


# STORE


@frozen
class _Annotate:
    """As `imapd.commands.store.Change`."""

    values: _Values
    #: RFC 5257, 4.5.
    silent: bool = True

    def check(self, session: Session) -> None:
        """As `Change`."""
        if session.selected.examined:
            raise Refused("NOPERM", "The mailbox is selected read-only")
        _check_bounds(session, self.values)

    async def make(self, session: Session, uids: NumSet, unchanged_since: int | None) -> Stored:
        """As `Change`."""
        view, limits = session.selected, session.policy.limits
        await _check_permitted(view.mailbox, self.values)
        parts = _parts(self.values)
        if parts:
            columns = frozenset((BODYSTRUCTURE,))
            async for batch in scanned(view.mailbox, uids, columns, session.peer.turn):
                for count, structure in enumerate(batch.columns[BODYSTRUCTURE], 1):
                    check_parts(structure, parts)
                    if count % _CHUNK == 0:
                        await session.peer.turn()
        able = IAnnotations(view.mailbox)
        try:
            stored = await settled(
                able.annotate(
                    uids, self.values, limits.metadata_entries, limits.metadata, unchanged_since
                )
            )
        except TooManyEntries as error:
            raise Refused("ANNOTATE TOOMANY", "Too many annotations") from error
        annotate_news.made(view, stored)
        return stored


# APPEND


async def _check_append(session: Session, mailbox: IMailbox, values: _Values) -> None:
    _check_bounds(session, values)
    await _check_permitted(mailbox, values)


def _annotated(message: NewMessage, values: _Values) -> NewMessage:
    check_parts(message.facts.bodystructure, _parts(values))
    annotations = {each: value for each, value in values.items() if value is not None}
    return evolve(message, annotations=annotations)


# SEARCH


def _search_key(cursor: Cursor) -> Key:
    """``search-key =/ "ANNOTATION" SP entry-match SP att-search SP value``."""
    cursor.space()
    match = entry_match(cursor)
    cursor.space()
    asked = attributes(cursor) if cursor.peek() != b"(" else ()
    if {name for name, _ in asked} != {"value"}:
        raise BadSyntax("Only value, value.priv and value.shared can be searched")
    cursor.space()
    sought = cursor.nstring()
    whose = frozenset(each for _, each in asked)
    wanted = None if sought is None else fold(charset.decode(sought, cursor.charset))
    is_meant = patterns([match]).match

    def test(annotations: Annotations | None) -> bool:
        values = (
            value
            for each, value in (annotations or {}).items()
            if each.whose in whose and is_meant(each.entry)
        )
        if wanted is None:
            return not any(True for _ in values)
        return any(wanted in fold(charset.decode(value, "utf-8")) for value in values)

    return Key("ANNOTATION", Cost.COLUMN, (ANNOTATIONS,), test, (match, whose, wanted))


# SORT


@frozen
class _ValueOf:
    """The text of one annotation, collated; the empty one where there is none (RFC 5256, 3)."""

    name: Annotation

    def __call__(self, annotations: Annotations | None) -> str:
        value = (annotations or {}).get(self.name, b"")
        return collate(charset.decode(value, "utf-8"))


def _sort_key(cursor: Cursor) -> Criterion:
    """``sort-key =/ "ANNOTATION" SP entry SP att-sort``."""
    cursor.space()
    name = entry(cursor)
    cursor.space()
    asked = attributes(cursor) if cursor.peek() != b"(" else ()
    if len(asked) != 1 or asked[0][0] != "value":
        raise BadSyntax("What is sorted by is value.priv or value.shared")
    return Criterion(ANNOTATIONS, lasting=False, of=_ValueOf(Annotation(name, asked[0][1])))


# SELECT


def _opens(session: Session) -> bytes:
    """``"ANNOTATIONS" SP ann-size`` (RFC 5257, 4.1)."""
    view = session.selected
    able = IAnnotations(view.mailbox, None)
    if able is None:
        size = b"NONE"
    else:
        changeable = not view.examined and annotatable(view.mailbox, view.rights)
        size = b"%d" % session.policy.limits.metadata_value if changeable else b"READ-ONLY"
        if not able.private_annotations:
            size += b" NOPRIVATE"
    return session.status(b"OK", b"ANNOTATIONS " + size, "Annotations of messages")


def _nothing(cursor: Cursor) -> None:
    """Nothing follows the name."""


async def _begin(session: Session, _: Any) -> None:
    annotate_news.begin(session.selected, selected=True)


FEATURE = Feature(
    name=NAME,
    rfc=5257,
    summary="annotations of messages and of their parts",
    capabilities=(Capability(NAME),),
    requires=IAnnotated,
    append_options=(AppendOption("ANNOTATION", att_annotate, _check_append, _annotated),),
    fetch_items=(FetchItem("ANNOTATION", annotation),),
    store_items=(StoreItem("ANNOTATION", lambda cursor: _Annotate(att_annotate(cursor))),),
    search_keys=(SearchKey("ANNOTATION", _search_key),),
    sort_keys=(SortKey("ANNOTATION", _sort_key),),
    select_parameters=(SelectParameter("ANNOTATE", _nothing, opened=_begin),),
    opens=_opens,
    tells=annotate_news.tell,
)
