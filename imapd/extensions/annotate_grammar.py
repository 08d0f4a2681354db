"""The names of entries and attributes of ANNOTATE, and what is said of them (RFC 5257, 3.2 and 5).

Where the RFC leaves a choice:

* Any entry may be used that is well-formed, also one that no RFC and no vendor has registered yet;
  but for /flags and what is below it, which nobody may use (3.5).
* Wildcards stand for what they stand for in LIST, also for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from imapd.commands.list_patterns import Patterns
from imapd.mime.partnumbers import has_part
from imapd.model.annotation import PRIVATE, SHARED, Annotation
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = [
    "ENTRY_MOST", "Attribute", "att_annotate", "attributes", "check_parts", "entry", "entry_match",
    "part_of", "patterns",
]  # fmt: skip

#: Octets of a name.
ENTRY_MOST: Final = 1_000

#: ``value`` or ``size``, and whose.
Attribute = tuple[str, str]

_SUFFIXES: Final = (PRIVATE, SHARED)
#: Without a suffix, an attribute means both (3.2.2).
_ATTRIBUTES: Final[Mapping[bytes, Sequence[Attribute]]] = {
    **{
        f"{name}.{whose}".encode("ascii"): [(name, whose)]
        for name in ("value", "size")
        for whose in _SUFFIXES
    },
    **{name.encode("ascii"): [(name, whose) for whose in _SUFFIXES] for name in ("value", "size")},
}

#: No "*", no "%", no NUL, nothing above ASCII, nothing between slashes.
_ENTRY: Final = re.compile(rb"(?:/[^/*%\x00\x80-\xff]+)+")
_MATCH: Final = re.compile(rb"[^\x00\x80-\xff]+")
_LIST_CHARS: Final = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]+')
#: ``section-part`` (RFC 3501, 9).
_PART: Final = re.compile(r"[1-9]\d*(?:\.[1-9]\d*)*")
#: The values of flags of parts (3.2.1).
_FLAG: Final = re.compile(r"/[^/]+/flags/(?:seen|answered|flagged|forwarded)")
_FLAG_VALUES: Final = (b"0", b"1", None)


def _bad() -> BadSyntax:
    return BadSyntax("That is no name of an entry")


def entry(cursor: Cursor) -> str:
    """``entry = astring``."""
    return _entry(cursor.astring())


def _entry(octets: bytes) -> str:
    if _ENTRY.fullmatch(octets) is None or len(octets) > ENTRY_MOST:
        raise _bad()
    name = octets.decode("ascii")
    levels = name.split("/")[1:]
    if _check_level(levels[0]):
        levels = levels[1:]
    elif levels[0] == "flags":
        raise BadSyntax("/flags is reserved")
    if not levels or levels == ["flags"] or levels == ["vendor"]:
        # It only holds others: a part, the flags of one, the tokens of vendors.
        raise _bad()
    return name


def _check_level(first: str) -> bool:
    """Whether the first level means a part; raises BadSyntax for one that seems to and does not."""
    if not first[:1].isdigit():
        return False
    if _PART.fullmatch(first) is None:
        raise BadSyntax("That is no part")
    return True


def entry_match(cursor: Cursor) -> str:
    """``entry-match = list-mailbox``: an entry, or a pattern of entries."""
    octets = cursor.string() if cursor.peek() in (b'"', b"{", b"~") else cursor.take(
        _LIST_CHARS, "an entry"
    )  # fmt: skip
    if b"*" not in octets and b"%" not in octets:
        return _entry(octets)
    if _MATCH.fullmatch(octets) is None or b"//" in octets or octets.endswith(b"/"):
        raise _bad()
    if octets[:1] not in (b"/", b"*", b"%") or len(octets) > ENTRY_MOST:
        raise _bad()
    pattern = octets.decode("ascii")
    first, slash, _ = pattern[1:].partition("/")
    if slash and "*" not in first and "%" not in first:
        _check_level(first)
    return pattern


def patterns(matches: Sequence[str]) -> Patterns:
    """Several of them as one question."""
    return Patterns(matches, ENTRY_MOST)


def attributes(cursor: Cursor) -> Sequence[Attribute]:
    """``attribs = attrib / "(" attrib *(SP attrib) ")"``: those that are meant, each once."""
    names = cursor.listed(Cursor.astring) if cursor.peek() == b"(" else [cursor.astring()]
    found: dict[Attribute, None] = {}
    for name in names:
        if name not in _ATTRIBUTES:
            raise BadSyntax("There is no attribute of that name")
        found.update(dict.fromkeys(_ATTRIBUTES[name]))
    return tuple(found)


def att_annotate(cursor: Cursor) -> Mapping[Annotation, bytes | None]:
    """``SP "(" entry-att *(SP entry-att) ")"``, what follows ``ANNOTATION``."""
    cursor.space()
    values: dict[Annotation, bytes | None] = {}
    for each in cursor.listed(_entry_att):
        values.update(each)
    return values


def _entry_att(cursor: Cursor) -> Mapping[Annotation, bytes | None]:
    """``entry-att = entry SP "(" att-value *(SP att-value) ")"``."""
    name = entry(cursor)
    cursor.space()
    values = {Annotation(name, whose): value for whose, value in cursor.listed(_att_value)}
    if _FLAG.fullmatch(name) and not all(value in _FLAG_VALUES for value in values.values()):
        raise BadSyntax("A flag is 1, 0 or NIL")
    return values


def _att_value(cursor: Cursor) -> tuple[str, bytes | None]:
    """``att-value = attrib SP value``; its suffix must be said (3.3), and the size is the server's."""
    said = _ATTRIBUTES.get(cursor.astring(), ())
    if len(said) != 1 or said[0][0] != "value":
        raise BadSyntax("What is stored is value.priv or value.shared")
    cursor.space()
    return said[0][1], cursor.nstring()


def part_of(name: str) -> tuple[int, ...]:
    """The numbers of the part that an entry is of; none for one of the whole message."""
    first = name.split("/", 2)[1]
    return tuple(map(int, first.split("."))) if first[0].isdigit() else ()


def check_parts(bodystructure: bytes, parts: Sequence[tuple[int, ...]]) -> None:
    """Raises BadSyntax for a part that a message has not got (3.2.1)."""
    if not all(has_part(bodystructure, numbers) for numbers in parts):
        raise BadSyntax("There is no such part")
