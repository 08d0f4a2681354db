"""FETCH of a message's octets: BODY[...] and RFC822... (RFC 9051, 6.4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from imapd.commands.fetch_items import Fetched, Rows, Value
from imapd.dialect import Feature, FetchItem
from imapd.mime.bodystructure import body
from imapd.mime.headers import select, selector
from imapd.mime.section import span
from imapd.model.message import HEADER
from imapd.model.structure import Partial, Section
from imapd.session.content import Content
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "cut", "label", "octets"]


def cut(value: Value, partial: Partial | None) -> Value:
    """What ``<offset.length>`` leaves of it."""
    if partial is None or value is None:
        return value
    if isinstance(value, bytes):
        return value[partial.offset : partial.offset + partial.length]
    start = min(value[0] + partial.offset, value[1])
    return start, min(start + partial.length, value[1])


def _literal(octets: bytes) -> bytes:
    # A literal cannot hold NUL (RFC 9051, 9: CHAR8); 0x80 stands for it as in other servers.
    if b"\0" in octets:
        octets = octets.replace(b"\0", b"\x80")
    return b"{%d}\r\n%b" % (len(octets), octets)


def _header_values(
    choose: Callable[[bytes], bytes], partial: Partial | None
) -> Callable[[Rows], Sequence[bytes]]:
    def values(rows: Rows) -> Sequence[bytes]:
        headers = map(choose, rows.columns[HEADER])
        if partial is None:
            return [_literal(header) for header in headers]
        end = partial.offset + partial.length
        return [_literal(header[partial.offset : end]) for header in headers]

    return values


def label(name: bytes, section: Section, partial: Partial | None) -> bytes:
    """An item's name in the answer, as a format."""
    label = b"%b[%b]" % (name, section.echo)
    if partial is not None:
        label += b"<%d>" % partial.offset
    return label.replace(b"%", b"%%")


async def octets(message: Content, section: Section) -> Value:
    """What BODY[section] means of a message; None if there is no such part."""
    numbers, text, fields = section.numbers, section.text, section.fields
    if not numbers and not text:
        return 0, await message.size()
    part = await message.part()
    wanted = "HEADER" if text.startswith("HEADER") else text or None
    found = span(part, numbers, wanted)  # type: ignore[arg-type]  # one of its literals
    if found is None or not fields:
        return found
    header = await message.read(*found)
    return select(header, fields, text == "HEADER.FIELDS.NOT")


def _section(label: bytes, section: Section, partial: Partial | None, seen: bool) -> Fetched:
    """The octets of a section, by the cheapest way there is."""
    numbers, text, fields = section.numbers, section.text, section.fields
    if not numbers and text.startswith("HEADER"):
        exclude = text == "HEADER.FIELDS.NOT"
        return Fetched(
            label + b" %b",
            frozenset((HEADER,)),
            _header_values(selector(fields, exclude) if fields else bytes, partial),
            partial=partial,
            sets_seen=seen,
            chosen=bool(fields),
        )

    async def content(message: Content) -> Value:
        return cut(await octets(message, section), partial)

    whole = not numbers and not text and partial is None
    return Fetched(label, content=content, whole=whole, partial=partial, sets_seen=seen)


def _body(cursor: Cursor) -> Fetched:
    """``BODY`` alone is BODYSTRUCTURE without extension data."""
    if cursor.peek() != b"[":
        return Fetched(b"BODY", content=_structure, plain=True)
    section = grammar.section(cursor)
    partial = grammar.partial(cursor)
    return _section(label(b"BODY", section, partial), section, partial, seen=True)


async def _structure(message: Content) -> Value:
    return body(await message.buffer(), await message.part())


def _peek(cursor: Cursor) -> Fetched:
    section = grammar.section(cursor)
    partial = grammar.partial(cursor)
    return _section(label(b"BODY", section, partial), section, partial, seen=False)


def _rfc822(name: bytes, text: str, seen: bool) -> Callable[[Cursor], Fetched]:
    return lambda cursor: _section(name, Section(text=text), grammar.partial(cursor), seen)


FEATURE: Final = Feature(
    name="FETCH of octets",
    rfc=9051,
    summary="BODY, BODY[...], RFC822 and their parts",
    fetch_items=(
        FetchItem("BODY", _body),
        FetchItem("BODY.PEEK", _peek),
        FetchItem("RFC822", _rfc822(b"RFC822", "", seen=True)),
        FetchItem("RFC822.HEADER", _rfc822(b"RFC822.HEADER", "HEADER", seen=False)),
        FetchItem("RFC822.TEXT", _rfc822(b"RFC822.TEXT", "TEXT", seen=True)),
    ),
)
