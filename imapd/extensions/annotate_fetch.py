"""FETCH ANNOTATION (RFC 5257, 4.3 and 4.4).

* An entry that is asked for by its name is told, be it there or not; of a pattern, those that
  have a value of somebody whose was asked for.
* What is asked twice, in one item or in two, is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen

from imapd.commands.fetch_items import Fetched, Rows
from imapd.commands.list_patterns import Patterns
from imapd.extensions.annotate_grammar import (
    Attribute,
    attributes,
    check_parts,
    entry_match,
    part_of,
    patterns,
)
from imapd.model.annotation import Annotation, Annotations
from imapd.model.message import ANNOTATIONS, BODYSTRUCTURE
from imapd.wire import encode
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["annotation"]

#: Entries, and patterns of entries, of one command: all are looked for in each message.
_ENTRIES_MOST: Final = 1_000
_PATTERNS_MOST: Final = 50
#: Entries of which is remembered what was asked of them.
_KNOWN_MOST: Final = 10_000


@frozen
class _Wanted:
    """One ``ANNOTATION (entries attribs)``."""

    entries: Sequence[str]
    patterns: Patterns
    attributes: Sequence[Attribute]
    #: Whose these are.
    whose: frozenset[str]


class _Values:
    """What is told of messages, each when it is written."""

    def __init__(self, wanted: Sequence[_Wanted]) -> None:
        self._wanted = wanted
        names = [name for each in wanted for name in each.entries]
        #: The parts of which there must be one; a first one there always is.
        self.parts = {name: part_of(name) for name in names if part_of(name) not in ((), (1,))}
        #: Which entries patterns mean, as far as that was found out.
        self._known: dict[tuple[int, str], bool] = {}
        #: What is told of most messages: those without any.
        self._of_none = self._written({})

    def __call__(self, rows: Rows) -> Sequence[bytes | None]:
        annotations: Sequence[Annotations | None] = rows.columns[ANNOTATIONS]
        structures = rows.columns.get(BODYSTRUCTURE, ())
        return _Told(len(rows.uids), lambda place: self._told(
            annotations[place] or {}, structures[place] if self.parts else b""
        ))  # fmt: skip

    def _told(self, annotations: Annotations, structure: bytes) -> bytes | None:
        """``"(" entry-att *(SP entry-att) ")"``, or None where there would be no entry."""
        if self.parts:
            there = {each.entry for each in annotations}
            check_parts(structure, [part for name, part in self.parts.items() if name not in there])
        return self._written(annotations) if annotations else self._of_none

    def _written(self, annotations: Annotations) -> bytes | None:
        asked: dict[str, dict[Attribute, None]] = {}
        for place, wanted in enumerate(self._wanted):
            for name in wanted.entries:
                asked.setdefault(name, {}).update(dict.fromkeys(wanted.attributes))
            if wanted.patterns.cost:
                names = {each.entry for each in annotations if each.whose in wanted.whose}
                for name in sorted(names):
                    if self._is_meant(place, name):
                        asked.setdefault(name, {}).update(dict.fromkeys(wanted.attributes))
        if not asked:
            return None
        entries = [
            b"%b (%b)" % (
                encode.astring(name.encode("ascii")),
                b" ".join(_said(annotations, name, *attribute) for attribute in attributes),
            )
            for name, attributes in asked.items()
        ]  # fmt: skip
        return b"(%b)" % b" ".join(entries)

    def _is_meant(self, place: int, name: str) -> bool:
        meant = self._known.get((place, name))
        if meant is None:
            if len(self._known) >= _KNOWN_MOST:
                self._known.clear()
            meant = self._known[place, name] = self._wanted[place].patterns.match(name)
        return meant


def _said(annotations: Annotations, name: str, attribute: str, whose: str) -> bytes:
    """``att-value``."""
    value = annotations.get(Annotation(name, whose))
    label = f"{attribute}.{whose} ".encode("ascii")
    if attribute == "size":
        return label + b'"%d"' % len(value or b"")
    return label + encode.value(value)


class _Told(Sequence[bytes | None]):
    """Made when it is asked for: all together may be large."""

    def __init__(self, count: int, make: Callable[[int], bytes | None]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if place >= self._count:
            raise IndexError
        return self._make(place)


@frozen
class _Annotation(Fetched):
    """All that one FETCH asks of annotations."""

    wanted: Sequence[_Wanted] = ()

    def joined(self, other: Fetched) -> Fetched:
        """As `Fetched`."""
        assert isinstance(other, _Annotation)
        return _item((*other.wanted, *self.wanted))


def annotation(cursor: Cursor) -> Fetched:
    """``fetch-att =/ "ANNOTATION" SP "(" entries SP attribs ")"``."""
    cursor.space()
    cursor.enter()
    matches = cursor.listed(entry_match) if cursor.peek() == b"(" else [entry_match(cursor)]
    cursor.space()
    asked = attributes(cursor)
    cursor.leave()
    wild = [each for each in matches if "*" in each or "%" in each]
    names = [each for each in matches if each not in wild]
    whose = frozenset(each for _, each in asked)
    return _item((_Wanted(tuple(dict.fromkeys(names)), patterns(wild), asked, whose),))


def _item(wanted: Sequence[_Wanted]) -> Fetched:
    if sum(each.patterns.cost for each in wanted) > _PATTERNS_MOST:
        raise BadSyntax("too many patterns of entries")
    names = [name for each in wanted for name in each.entries]
    if len(names) > _ENTRIES_MOST:
        raise BadSyntax("too many entries")
    values = _Values(wanted)
    columns = frozenset((ANNOTATIONS, BODYSTRUCTURE) if values.parts else (ANNOTATIONS,))
    return _Annotation(b"ANNOTATION %b", columns, values, optional=True, wanted=wanted)
