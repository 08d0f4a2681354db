"""What SEARCH RETURN can ask (RFC 4466, 2.6.1): ESEARCH (RFC 4731) and SEARCHRES (RFC 5182)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from imapd.dialect import Capability, Feature, SearchReturn
from imapd.query.results import Found
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["ALL", "ESEARCH", "SEARCHRES", "Option", "return_options"]

#: A return option and what its grammar made.
Option = tuple[SearchReturn, Any]


def return_options(cursor: Cursor) -> tuple[Option, ...] | None:
    """``["RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" SP]``.

    None at all are ALL, and one twice is there once.
    """
    if not cursor.skip_word(b"RETURN"):
        return None
    cursor.space()
    found = cursor.listed(_option, empty=True)
    options = {option.name: (option, said) for option, said in found}
    for option, _ in options.values():
        for name in option.excludes:
            if sum(other.name == name for other, _ in found) > (name == option.name):
                raise BadSyntax(f"{option.name} is there with {name}")
    if not options:
        if b"ALL" not in cursor.vocabulary.search_returns:
            raise BadSyntax("SEARCH has no RETURN here")
        options = {"ALL": (ALL, None)}
    cursor.space()
    return tuple(options.values())


def _option(cursor: Cursor) -> Option:
    option = cursor.vocabulary.search_returns.get(cursor.word())
    if option is None:
        raise BadSyntax("SEARCH has no return option of that name")
    return option, option.grammar(cursor)


def _no_parameter(cursor: Cursor) -> None:
    """Nothing follows the name."""


def _min(found: Found, _: None) -> bytes | None:
    return b"%d" % found.number(found.places[0]) if found.places else None


def _max(found: Found, _: None) -> bytes | None:
    return b"%d" % found.number(found.places[-1]) if found.places else None


def _all(found: Found, _: None) -> bytes | None:
    return found.sequence(found.places) if found.places else None


def _count(found: Found, _: None) -> bytes:
    return b"%d" % len(found.places)


def _save_option(found: Found, _: None) -> None:
    """SAVE is told by the tagged OK alone."""


def _saves_all(found: Found, _: None) -> Sequence[int]:
    return found.places


def _saves_min(found: Found, _: None) -> Sequence[int]:
    return found.places[:1]


def _saves_max(found: Found, _: None) -> Sequence[int]:
    return found.places[-1:]


#: What is asked for where there is no RETURN.
ALL: Final = SearchReturn("ALL", _no_parameter, _all, _saves_all)

ESEARCH = Feature(
    name="ESEARCH",
    rfc=4731,
    summary="the first, the last or the number of the messages found",
    capabilities=(Capability("ESEARCH"),),
    # In the order in which RFC 9051 writes them in its examples.
    search_returns=(
        SearchReturn("MIN", _no_parameter, _min, _saves_min, most=lambda _: 1),
        SearchReturn("MAX", _no_parameter, _max, _saves_max, most=lambda _: -1),
        ALL,
        SearchReturn("COUNT", _no_parameter, _count, _saves_all),
    ),
)

SEARCHRES = Feature(
    name="SEARCHRES",
    rfc=5182,
    summary="the last result, named by $",
    capabilities=(Capability("SEARCHRES"),),
    needs=("ESEARCH",),
    search_returns=(SearchReturn("SAVE", _no_parameter, _save_option, most=lambda _: 0),),
)
