"""SEARCH=FUZZY: strings that are only nearly so, and how well messages match (RFC 6203).

Rules of this file:

* What is alike is said in `imapd.query.fuzzy`.  Strings of FROM, TO, CC, BCC, SUBJECT, HEADER,
  BODY and TEXT are looked for so; whatever matches exactly matches.  All other keys mean what
  they say, in FUZZY too (5): flags, dates and sizes are seldom guessed.
* TEXT has every word somewhere in the message, one in the subject perhaps and one in the text.
* RELEVANCY is told of all that was found, or, where PARTIAL is asked for, of that page.
* FUZZY needs the messages' words themselves: an index of them does not make it faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from attrs import evolve

from imapd.commands.search_keys import search_key, string
from imapd.dialect import Capability, Dialect, Feature, SearchKey, SearchReturn, SortKey
from imapd.extensions.partial import Page
from imapd.mime.headers import finder
from imapd.model.limits import Limits
from imapd.model.message import FLAGS, HEADER, RELEVANCY, Column
from imapd.model.search import And, Cost, Key, Or, Program
from imapd.query import keys
from imapd.query.criteria import Criterion
from imapd.query.fold import fold, fold_line
from imapd.query.folded import ADDRESSES, SUBJECT, text_of
from imapd.query.fuzzy import Query, bare
from imapd.query.results import Found
from imapd.query.text import HEADER_TEXT, MessageText, header_text
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "SEARCH=FUZZY"

_HEADER_MOST: Final = Limits().mime_header

#: What it is worth that a word is in a field, in another field, in the text, and in a part's header.
_FIELDS: Final = {"subject": 1.0, "from": 0.9, "to": 0.9, "cc": 0.9}
_FIELD: Final = 0.6
_TEXT: Final = 0.8
_PART: Final = 0.5

#: That there is FUZZY is told by a key, which every message passes.
_FUZZY: Final = Key(
    "FUZZY", Cost.VIEW, (FLAGS,), lambda flags: True, (), lambda column: b"\1" * len(column)
)


def _fuzzy(cursor: Cursor) -> Program:
    """``"FUZZY" SP search-key``: one that is read with other keys for strings."""
    cursor.space()
    cursor.deepen()
    exact: Dialect = cursor.vocabulary
    cursor.vocabulary = _tolerant(exact)
    try:
        program = search_key(cursor)
    finally:
        cursor.vocabulary = exact
    cursor.depth -= 1
    return And((_FUZZY, program))


@lru_cache(maxsize=8)
def _tolerant(dialect: Dialect) -> Dialect:
    return evolve(dialect, search_keys={**dialect.search_keys, **_KEYS})


# Keys for strings, each with what it is worth that a message passes it.


def _in_column(name: str, column: Column, wanted: str) -> Key:
    query = Query(wanted)

    def test(text: str | None) -> bool:
        return text is not None and query.found_in((bare(text),))

    def score(text: str | None) -> float:
        return 0.0 if text is None else query.worth([(1.0, bare(text))])

    return Key(f"FUZZY {name}", Cost.HEADER, (column,), test, (wanted,), score=score)


def _subject(cursor: Cursor) -> Program:
    return _in_column("HEADER", SUBJECT.name, fold_line(string(cursor)))


def _address(name: bytes) -> Callable[[Cursor], Program]:
    def address(cursor: Cursor) -> Program:
        return _in_column("ADDRESS", ADDRESSES[name].name, fold_line(string(cursor)))

    return address


def _header(cursor: Cursor) -> Program:
    """``SP header-fld-name SP astring``."""
    cursor.space()
    name = cursor.astring().lower()
    wanted = fold_line(string(cursor))
    exact = keys.header(name, wanted)
    if not isinstance(exact, Key):
        return exact
    if name == b"subject":
        return _in_column("HEADER", SUBJECT.name, wanted)
    query, find = Query(wanted), finder((name,))

    def texts(block: bytes) -> list[str]:
        return [bare(text_of(value)) for _, value in find(b"\n" + block[:_HEADER_MOST])]

    def test(block: bytes) -> bool:
        found = texts(block)
        return bool(found) and query.found_in(found)

    def score(block: bytes) -> float:
        return query.worth([(1.0, text) for text in texts(block)])

    return Key("FUZZY HEADER", Cost.HEADER, (HEADER,), test, (name, wanted), score=score)


def _body(cursor: Cursor) -> Program:
    wanted = fold(string(cursor))
    if not wanted:
        return keys.ALL
    query = Query(wanted)

    def test(message: MessageText) -> bool:
        return query.found_in(map(bare, message.bodies()))

    def score(message: MessageText) -> float:
        return query.worth([(1.0, bare(text)) for text in message.bodies()])

    return Key("FUZZY BODY", Cost.CONTENT, (), test, (wanted,), score=score)


def _text(cursor: Cursor) -> Program:
    """A message whose header has all the words need not be opened."""
    wanted = fold(string(cursor))
    if not wanted:
        return keys.ALL
    query = Query(wanted)

    def in_header(text: str) -> bool:
        return query.found_in((bare(text),))

    def in_message(message: MessageText) -> bool:
        return query.found_in(text for _, text in _places(message))

    return Or(
        (
            Key(
                "FUZZY TEXT in header",
                Cost.HEADER,
                (HEADER_TEXT.name,),
                in_header,
                (wanted,),
                score=lambda text: query.worth(_fields(text)),
            ),
            Key(
                "FUZZY TEXT",
                Cost.CONTENT,
                (),
                in_message,
                (wanted,),
                score=lambda message: query.worth(list(_places(message))),
            ),
        )
    )


def _fields(text: str) -> list[tuple[float, str]]:
    """The fields of a header's text."""
    return [(_FIELDS.get(line.partition(":")[0], _FIELD), line) for line in bare(text).split("\n")]


def _places(message: MessageText) -> Iterator[tuple[float, str]]:
    """All the texts of a message."""
    yield from _fields(header_text(message.octets[: message.part.body_start]))
    for text in message.bodies():
        yield _TEXT, bare(text)
    for text in message.part_headers():
        yield _PART, bare(text)


_KEYS: Final[Mapping[bytes, SearchKey]] = {
    key.name.encode("ascii"): key
    for key in (
        SearchKey("BCC", _address(b"bcc")),
        SearchKey("BODY", _body),
        SearchKey("CC", _address(b"cc")),
        SearchKey("FROM", _address(b"from")),
        SearchKey("HEADER", _header),
        SearchKey("SUBJECT", _subject),
        SearchKey("TEXT", _text),
        SearchKey("TO", _address(b"to")),
    )
}


# How well they match.


def _nothing(cursor: Cursor) -> None:
    """Nothing follows the name."""


def _relevancy(found: Found, _: None) -> bytes | None:
    """``"RELEVANCY" SP score-list``."""
    scores, places = found.values[RELEVANCY], found.places
    page = found.said.get("PARTIAL")
    if isinstance(page, Page):
        places = places[slice(*page.span(len(places)))]
    return b"(%b)" % b" ".join(b"%d" % scores.get(place, 1) for place in places)


def _best_first(cursor: Cursor) -> Criterion:
    """``sort-key =/ "RELEVANCY"``: the highest score comes first (6)."""
    return Criterion(RELEVANCY, reverse=True, lasting=False)


FEATURE = Feature(
    name=NAME,
    rfc=6203,
    summary="words that are only nearly so, and how well messages match",
    capabilities=(Capability(NAME),),
    search_keys=(SearchKey("FUZZY", _fuzzy),),
    search_returns=(
        SearchReturn("RELEVANCY", _nothing, _relevancy, needs="FUZZY", column=RELEVANCY),
    ),
    sort_keys=(SortKey("RELEVANCY", _best_first, needs="FUZZY"),),
)
