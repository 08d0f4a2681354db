"""The keys of RFC 9051, 6.4.4 as values: what each tests, and what it needs for that.

Rules, where the RFC leaves a choice:

* A string matches where it is a substring of the decoded text, both folded (`query.fold`).
* A key for a header field looks at every field of that name, and never matches a message
  without one, also when the string is empty.
* An address matches as it was written, decoded; and as ``name <box@host>``, each of it
  without quoting, comments as names, groups by their names.
* A message without a Date that names a day matches none of the SENT keys.
* TEXT sees the header, the headers of the parts, and what BODY sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from imapd.mime.headers import finder
from imapd.model.flags import Flags
from imapd.model.limits import Limits
from imapd.model.message import FLAGS, HEADER, SENT, SIZE, Column
from imapd.model.search import And, Cost, Key, Or, Program
from imapd.model.text import Place, Sought
from imapd.query.arrived import ARRIVED_DAY
from imapd.query.blocks import LEAST, MOST, between, holding
from imapd.query.derived import Derived
from imapd.query.fold import fold, fold_line
from imapd.query.folded import ADDRESSES, FIELDS, text_of
from imapd.query.text import HEADER_TEXT, MessageText

__all__ = ["ALL", "Relation", "address", "body", "flag", "header", "internal_date", "keyword",
           "larger", "number", "sent", "smaller", "text"]  # fmt: skip

#: Every message.
ALL: Final = And(())

_HEADER_MOST: Final = Limits().mime_header
_FIELD_NAME: Final = re.compile(rb"[!-9;-~\x80-\xff]+").fullmatch


class Relation(Enum):
    """How a day lies to the day that was asked for."""

    BEFORE = 1
    ON = 2
    SINCE = 3

    def days(self, day: int) -> tuple[int, int]:
        """The first and the last day that lies so."""
        first = LEAST if self is Relation.BEFORE else day
        last = {Relation.BEFORE: day - 1, Relation.ON: day, Relation.SINCE: MOST}[self]
        return first, last


class _Verdicts(dict[Any, bool]):
    """A test of a value that few messages differ in, made once for each."""

    __slots__ = ("_test",)

    def __init__(self, test: Callable[[Any], bool]) -> None:
        self._test = test

    def __missing__(self, value: Any) -> bool:
        verdict = self[value] = self._test(value)
        return verdict


def flag(name: str) -> Key:
    """A system flag, in the spelling of `model.flags`."""

    def test(flags: Flags) -> bool:
        return name in flags

    return Key("FLAG", Cost.VIEW, (FLAGS,), _Verdicts(test).__getitem__, (name,))


def keyword(name: str) -> Key:
    """``KEYWORD``; keywords compare without case (RFC 9051, 2.3.2)."""
    lower = name.lower()

    def test(flags: Flags) -> bool:
        return any(lower == flag.lower() for flag in flags)

    return Key("KEYWORD", Cost.VIEW, (FLAGS,), _Verdicts(test).__getitem__, (lower,))


def internal_date(relation: Relation, day: int) -> Key:
    """``BEFORE``, ``ON``, ``SINCE``: the INTERNALDATE's own day."""
    return number(relation.name, ARRIVED_DAY.name, *relation.days(day))


def sent(relation: Relation, day: int) -> Key:
    """``SENTBEFORE``, ``SENTON``, ``SENTSINCE``: the Date field's own day."""
    return number("SENT" + relation.name, SENT, *relation.days(day))


def larger(size: int) -> Key:
    """``LARGER``."""
    return number("LARGER", SIZE, size + 1, MOST)


def smaller(size: int) -> Key:
    """``SMALLER``."""
    return number("SMALLER", SIZE, LEAST, size - 1)


def number(name: str, column: Column, least: int, most: int) -> Key:
    """Whose number in a column, if it has one, is from `least` to `most`."""

    def test(value: int | None) -> bool:
        return value is not None and least <= value <= most

    def tests(values: Sequence[int | None]) -> bytes:
        return between(values, least, most)

    return Key(name, Cost.COLUMN, (column,), test, (least, most), tests)


def header(name: bytes, string: str) -> Program:
    """``HEADER``, ``SUBJECT``."""
    lower, wanted = name.lower(), fold_line(string)
    if lower in FIELDS:
        return _derived("HEADER", FIELDS[lower], wanted)
    if _FIELD_NAME(name) is None:
        return Or(())
    find = finder((lower,))

    def test(block: bytes) -> bool:
        # As a rule it is not there at all.
        return lower in block.lower() and any(
            wanted in text_of(value) for _, value in find(b"\n" + block[:_HEADER_MOST])
        )

    # A line of `header_text` begins so.
    field = f"\n{fold(name.decode('latin-1'))}:"
    sought = Sought((Place.HEADER,), (field, wanted), enough=False)
    return Key("HEADER", Cost.HEADER, (HEADER,), test, (lower, wanted), sought=sought)


def address(name: bytes, string: str) -> Key:
    """``FROM``, ``TO``, ``CC``, ``BCC``."""
    return _derived("ADDRESS", ADDRESSES[name], fold_line(string))


def _derived(name: str, column: Derived, wanted: str) -> Key:
    def test(text: str | None) -> bool:
        return text is not None and wanted in text

    def tests(texts: Sequence[str | None]) -> bytes:
        return holding(texts, wanted)

    return Key(name, Cost.DERIVED, (column.name,), test, (wanted,), tests)


def body(string: str) -> Program:
    """``BODY``."""
    wanted = fold(string)
    if not wanted:
        return ALL

    def test(message: MessageText) -> bool:
        return any(wanted in text for text in message.bodies())

    sought = Sought((Place.BODY,), (wanted,))
    return Key("BODY", Cost.CONTENT, (), test, (wanted,), sought=sought)


def text(string: str) -> Program:
    """``TEXT``: a message whose header matches need not be opened."""
    wanted = fold(string)
    if not wanted:
        return ALL
    in_line = fold_line(string)

    def in_header(text: str) -> bool:
        return in_line in text

    def in_message(message: MessageText) -> bool:
        return any(wanted in text for text in message.bodies()) or any(
            in_line in text for text in message.part_headers()
        )

    return Or(
        (
            Key(
                "TEXT in header",
                Cost.HEADER,
                (HEADER_TEXT.name,),
                in_header,
                (in_line,),
                sought=Sought((Place.HEADER,), (in_line,)),
            ),
            Key(
                "TEXT",
                Cost.CONTENT,
                (),
                in_message,
                (wanted,),
                sought=Sought((Place.PARTS, Place.BODY), (wanted,)),
            ),
        )
    )
