"""CONTEXT=SEARCH and CONTEXT=SORT: results that are kept up to date at the client (RFC 5267, 4).

Here are the grammar and the commands; what is told, and when, is in
`imapd.extensions.context_updates`.  CONTEXT is a hint, and every order is kept without it;
PARTIAL is `imapd.extensions.partial`.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from imapd.commands.fetch_att import fetch_atts
from imapd.commands.fetch_items import Fetched
from imapd.commands.search import Search
from imapd.commands.search_source import Selected
from imapd.dialect import Capability, Command, Feature, SearchReturn
from imapd.extensions.context_updates import Context, Contexts, frozen
from imapd.model.search import Program
from imapd.model.states import State
from imapd.query.results import Found
from imapd.session.outcome import BadCommand, Refused
from imapd.session.session import Session
from imapd.wire import encode
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["SEARCH", "SORT"]

#: Tags of one CANCELUPDATE.
_TAGS: Final = 1_000

Items = Sequence[Fetched]


# The grammar.


def _nothing(cursor: Cursor) -> None:
    """Nothing follows the name."""


def _items(cursor: Cursor) -> Items:
    """``"UPDATE" [SP "(" fetch-att *(SP fetch-att) ")"]``, the latter where there is NOTIFY (RFC 5465, 7)."""
    if not cursor.data.startswith(b" (", cursor.at) or not cursor.vocabulary.has("NOTIFY"):
        return ()
    cursor.space()
    return fetch_atts(cursor)


def _tags(cursor: Cursor) -> Sequence[bytes]:
    """``"CANCELUPDATE" 1*(SP quoted)``."""
    tags: list[bytes] = []
    while not tags or cursor.peek() == b" ":
        cursor.space()
        if tags and cursor.at_end():
            break
        if len(tags) >= _TAGS:
            raise BadSyntax("Those are too many tags")
        tags.append(cursor.string())
    return tags


# What is done.


def _contexts(session: Session) -> Contexts | None:
    follower = session.selected.follower
    return follower if isinstance(follower, Contexts) else None


def _nothing_told(found: Found, said: object) -> None:
    """No item of the first ESEARCH is of this option."""


def _check(session: Session, asked: Search) -> None:
    contexts = _contexts(session)
    if contexts is not None and session.tag in contexts.contexts:
        raise BadCommand("That tag has updates already")
    if asked.criteria and not session.policy.dialect.has("CONTEXT=SORT"):
        raise BadCommand("There are no updates for SORT")
    for option, items in asked.options or ():
        if option.name == "UPDATE":
            for item in items:
                session.needs(item.enables)


def _begin(session: Session, asked: Search, program: Program, found: Found, items: Items) -> None:
    """Keep the result that was told, or refuse to (4.3.1)."""
    view, limits = session.selected, session.policy.limits
    contexts = _contexts(session) or Contexts(session, view)
    if (
        len(contexts.contexts) >= limits.contexts
        or contexts.results() + len(found.places) > limits.context_messages
        or not all(criterion.lasting for criterion in asked.criteria)
    ):
        code = b"NOUPDATE %b" % encode.quoted(session.tag)
        session.write(session.status(b"NO", code, "That result is not kept up to date"))
        return
    result = members = array("I", map(found.uids.__getitem__, found.places))
    if asked.criteria:
        members = array("I", sorted(result))
    program = frozen(program, Selected(session), view.is_recent)
    contexts.add(
        Context(
            session.tag,
            asked.by_uid,
            asked.by_mailbox,
            program,
            asked.criteria,
            items,
            result,
            members,
        )
    )
    view.follower = contexts


def _cancel(session: Session, tags: Sequence[bytes]) -> None:
    contexts = _contexts(session)
    known = {} if contexts is None else contexts.contexts
    if not known.keys() >= set(tags):
        raise Refused("", "No updates have that tag")
    for tag in set(tags):
        del known[tag]
    if not known:
        session.selected.follower = None


SEARCH = Feature(
    name="CONTEXT=SEARCH",
    rfc=5267,
    summary="results of SEARCH that are kept up to date",
    capabilities=(Capability("CONTEXT=SEARCH"),),
    needs=("ESEARCH", "PARTIAL"),
    commands=(Command("CANCELUPDATE", State.SELECTED, _tags, _cancel),),
    search_returns=(
        SearchReturn("CONTEXT", _nothing, _nothing_told, most=lambda _: 0),
        SearchReturn("UPDATE", _items, _nothing_told, check=_check, follows=_begin),
    ),
)

SORT = Feature(
    name="CONTEXT=SORT",
    rfc=5267,
    summary="results of SORT that are kept up to date, with every position",
    capabilities=(Capability("CONTEXT=SORT"),),
    needs=("ESORT", "CONTEXT=SEARCH"),
)
