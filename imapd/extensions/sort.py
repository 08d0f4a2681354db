"""SORT and UID SORT (RFC 5256), SORT=DISPLAY (RFC 5957) and ESORT (RFC 5267, 3).

SORT is SEARCH whose result is in another order, and with RETURN it takes the same options:
MIN and MAX are the first and last of that order, ALL and PARTIAL tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from attrs import evolve

from imapd.commands.search import Search, find, in_charset, names_no_number
from imapd.commands.search_keys import search_keys
from imapd.commands.search_returns import return_options
from imapd.dialect import Capability, Command, Feature, SortKey
from imapd.model.states import State
from imapd.query.criteria import CRITERIA, Criterion
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["DISPLAY", "ESORT", "FEATURE"]

_DISPLAY: Final = ("DISPLAYFROM", "DISPLAYTO")


def _arguments(by_uid: bool) -> Callable[[Cursor], Search]:
    def arguments(cursor: Cursor) -> Search:
        """``"SORT" [search-return-opts] SP sort-criteria SP charset 1*(SP search-key)``."""
        cursor.space()
        options = return_options(cursor) if cursor.vocabulary.has("ESORT") else None
        asked = cursor.listed(_criterion)
        cursor.space()
        charset = in_charset(cursor)
        cursor.space()
        return Search(
            by_uid,
            options,
            charset,
            search_keys(cursor),
            b"SORT",
            frozenset(key.needs for key, _ in asked if key.needs),
            _telling(criterion for _, criterion in asked),
        )

    return arguments


def _criterion(cursor: Cursor) -> tuple[SortKey, Criterion]:
    """``["REVERSE" SP] sort-key``."""
    reverse = cursor.skip_word(b"REVERSE")
    if reverse:
        cursor.space()
    key: SortKey | None = cursor.vocabulary.sort_keys.get(cursor.word())
    if key is None:
        raise BadSyntax("SORT has no criterion of that name")
    criterion: Criterion = key.grammar(cursor)
    return key, evolve(criterion, reverse=criterion.reverse is not reverse)


def _telling(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    """Those that can tell messages apart: one that was there before cannot."""
    first: dict[Criterion, Criterion] = {}
    for criterion in criteria:
        first.setdefault(evolve(criterion, reverse=False), criterion)
    return tuple(first.values())


def _key(name: str) -> SortKey:
    def criterion(cursor: Cursor) -> Criterion:
        """Nothing follows the name."""
        return CRITERIA[name]

    return SortKey(name, criterion)


FEATURE = Feature(
    name="SORT",
    rfc=5256,
    summary="messages in the order of their dates, subjects, senders and others",
    capabilities=(Capability("SORT"),),
    commands=(
        Command("SORT", State.SELECTED, _arguments(False), find, expunges=False, by_number=True),
        Command("UID SORT", State.SELECTED, _arguments(True), find, expunges=names_no_number),
    ),
    sort_keys=tuple(_key(name) for name in CRITERIA if name not in _DISPLAY),
)

DISPLAY = Feature(
    name="SORT=DISPLAY",
    rfc=5957,
    summary="messages in the order of the names that clients show",
    capabilities=(Capability("SORT=DISPLAY"),),
    needs=("SORT",),
    sort_keys=tuple(map(_key, _DISPLAY)),
)

ESORT = Feature(
    name="ESORT",
    rfc=5267,
    summary="the first, the last or the number of the messages in an order",
    capabilities=(Capability("ESORT"),),
    needs=("SORT", "ESEARCH"),
)
