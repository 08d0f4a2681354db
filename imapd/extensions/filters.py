"""FILTERS: searches that have a name (RFC 5466), kept as annotations of the server.

Rules of this file:

* ``FILTER name`` is the program that ``/private/filters/values/name`` holds, or else
  ``/shared/filters/values/name``, which the owner of the server configures; in parentheses, as it
  were, whatever stands beside it.  Names, as all entries, are the same in any case.
* A filter may name others, up to `_DEEPEST` deep.  One that comes to name itself is as good as none.
* A program is looked at when it is set, and again when it is used: what it means may depend on
  other filters, and on what this server, or a later one, can search for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from attrs import define, field

from imapd.commands.search_keys import resolved, search_keys
from imapd.dialect import Capability, Dialect, Feature, SearchKey
from imapd.extensions.metadata import of_mailbox
from imapd.model.limits import Limits
from imapd.model.search import And, Not, Or, Program, Unresolved
from imapd.query.search import leaves_of, with_leaves
from imapd.session.outcome import BadCommand, Refused
from imapd.session.session import Session
from imapd.store.interfaces import IMetadata
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "SHARED", "check", "feature"]

NAME: Final = "FILTERS"

_PRIVATE: Final = "/private/filters/values/"
#: What the entries of those filters begin with that all users have.
SHARED: Final = "/shared/filters/values/"
#: Filters in filters; RFC 5466, 3.1 asks for 3.
_DEEPEST: Final = 10
#: RFC 5466, 4: filter-name, ATOM-CHARs without "/".
_NAME: Final = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]/]+')


def _program_of(value: bytes, limits: Limits, dialect: Dialect) -> Program:
    """``search-criteria``, in UTF-8.  Raises `BadSyntax`."""
    try:
        value.decode("utf-8")
    except ValueError:
        raise BadSyntax("A filter is in UTF-8") from None
    cursor = Cursor(value, limits, True, dialect)
    program = search_keys(cursor)
    cursor.end()
    return program


class _Undefined(Refused):
    """There is no filter of that name."""


class _Endless(Refused):
    """There is none that ends."""


@define
class _Meaning:
    """The filters of one user, and what those that were asked for come to."""

    there: Mapping[str, bytes]
    limits: Limits
    dialect: Dialect
    #: Each once, with the number of its keys.
    _known: dict[str, tuple[Program, int]] = field(factory=dict, init=False)

    def of(self, name: str, within: tuple[str, ...] = ()) -> tuple[Program, int]:
        """A program that names no filter any more, and the number of its keys."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._expanded(name, within)
        return known

    def _expanded(self, name: str, within: tuple[str, ...]) -> tuple[Program, int]:
        value = self.there.get(_PRIVATE + name, self.there.get(SHARED + name))
        if name in within or len(within) >= _DEEPEST:
            raise _Endless(f"UNDEFINED-FILTER {name}", "The filter comes to name itself")
        if value is None:
            raise _Undefined(f"UNDEFINED-FILTER {name}", "There is no such filter")
        try:
            program = _program_of(value, self.limits, self.dialect)
        except BadSyntax as error:
            raise Refused("CANNOT", "The filter is no search") from error
        count = 0
        meant: dict[Unresolved, Program] = {}
        for leaf in leaves_of(program):
            more = 1
            if isinstance(leaf, Unresolved) and leaf.name == "FILTER":
                meant[leaf], more = self.of(leaf.arguments[0], (*within, name))
            count += more
            if count > self.limits.search_keys:
                raise Refused("LIMIT", "The search has too many keys")
        program = with_leaves(
            program, lambda leaf: meant.get(leaf, leaf) if isinstance(leaf, Unresolved) else leaf
        )
        if _depth(program) > 2 * self.limits.nesting:
            raise Refused("LIMIT", "The search is nested too deeply")
        return program, count


def _depth(program: Program) -> int:
    """Combinations in combinations: at most two for each parenthesis of one filter."""
    if isinstance(program, Not):
        return 1 + _depth(program.program)
    if isinstance(program, (And, Or)):
        return 1 + max(map(_depth, program.programs), default=0)
    return 0


def check(shared: Mapping[str, str], limits: Limits, dialect: Dialect) -> None:
    """ValueError if one of these is no search, or names one that all users do not have."""
    meaning = _Meaning(
        {SHARED + name.lower(): value.encode("utf-8") for name, value in shared.items()},
        limits,
        dialect,
    )
    for name in shared:
        try:
            meaning.of(name.lower())
        except Refused as error:
            raise ValueError(f"{name} = {shared[name]!r}: {error.text}") from error


def feature(shared: Mapping[str, str] = MappingProxyType({})) -> Feature:
    """With the filters that all users can name: programs by name."""
    of_server = {SHARED + name.lower(): value.encode("utf-8") for name, value in shared.items()}

    def grammar(cursor: Cursor) -> Unresolved:
        """``"FILTER" SP filter-name``; its strings are in UTF-8, and so are all others (3.1)."""
        cursor.space()
        name = cursor.take(_NAME, "the name of a filter").decode("ascii").lower()
        if cursor.charset not in ("utf-8", "ascii"):
            raise BadCommand("A filter is in UTF-8", "BADCHARSET (UTF-8 US-ASCII)")
        dialect: Dialect = cursor.vocabulary

        async def resolve(session: Session) -> Program:
            there = {**await of_mailbox(session, ""), **of_server}
            program, _ = _Meaning(there, session.policy.limits, dialect).of(name)
            return await resolved(session, program)

        return Unresolved("FILTER", resolve, (name, dialect), may_number=True)

    async def check_set(session: Session, mailbox: str, values: Mapping[str, bytes | None]) -> None:
        """RFC 5466, 3.2: what is set is a search, and does not come to name itself."""
        ours = [
            name
            for name, value in values.items()
            if value is not None and name.startswith(_PRIVATE)
        ]
        if mailbox or not ours:
            return
        there = {**await of_mailbox(session, ""), **of_server, **values}
        meaning = _Meaning(
            {name: value for name, value in there.items() if value is not None},
            session.policy.limits,
            session.policy.dialect,
        )
        for name in ours:
            if _NAME.fullmatch(name.removeprefix(_PRIVATE).encode("ascii")) is None:
                raise Refused("CANNOT", "No filter can have that name")
            # What it names may come to be there later.
            with suppress(_Undefined):
                meaning.of(name.removeprefix(_PRIVATE))

    return Feature(
        name=NAME,
        rfc=5466,
        summary="searches that have a name",
        capabilities=(Capability(NAME),),
        needs=("METADATA",),
        requires=IMetadata,
        search_keys=(SearchKey("FILTER", grammar),),
        annotates=check_set,
    )


FEATURE: Final = feature()
