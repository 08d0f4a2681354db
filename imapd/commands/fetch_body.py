"""FETCH of a message's octets: BODY[...], RFC822..., BINARY[...] (RFC 9051, 6.4.5; RFC 3516)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from imapd.commands.fetch_items import Fetched, Rows, Value
from imapd.dialect import Capability, Feature, FetchItem
from imapd.mime.bodystructure import body
from imapd.mime.headers import select
from imapd.mime.section import find, span
from imapd.mime.transfer import UnknownEncoding, decode
from imapd.model.message import HEADER
from imapd.model.structure import Partial, Section
from imapd.session.content import Content
from imapd.session.outcome import Refused
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["BINARY", "FEATURE"]


def _cut(value: Value, partial: Partial | None) -> Value:
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


def _label(name: bytes, section: Section, partial: Partial | None) -> bytes:
    label = b"%b[%b]" % (name, section.echo)
    if partial is not None:
        label += b"<%d>" % partial.offset
    return label.replace(b"%", b"%%")


def _section(label: bytes, section: Section, partial: Partial | None, seen: bool) -> Fetched:
    """The octets of a section, by the cheapest way there is."""
    numbers, text, fields = section.numbers, section.text, section.fields
    if not numbers and text.startswith("HEADER"):
        exclude = text == "HEADER.FIELDS.NOT"
        return Fetched(
            label + b" %b",
            frozenset((HEADER,)),
            _header_values(
                (lambda header: select(header, fields, exclude)) if fields else bytes, partial
            ),
            sets_seen=seen,
        )

    async def content(message: Content) -> Value:
        if not numbers and not text:
            return _cut((0, await message.size()), partial)
        part = await message.part()
        wanted = "HEADER" if text.startswith("HEADER") else text or None
        found = span(part, numbers, wanted)  # type: ignore[arg-type]  # one of its literals
        if found is None or not fields:
            return _cut(found, partial)
        header = await message.read(*found)
        return _cut(select(header, fields, text == "HEADER.FIELDS.NOT"), partial)

    return Fetched(label, content=content, sets_seen=seen)


def _body(cursor: Cursor) -> Fetched:
    """``BODY`` alone is BODYSTRUCTURE without extension data."""
    if cursor.peek() != b"[":
        return Fetched(b"BODY", content=_structure, plain=True)
    section = grammar.section(cursor)
    partial = grammar.partial(cursor)
    return _section(_label(b"BODY", section, partial), section, partial, seen=True)


async def _structure(message: Content) -> Value:
    return body(await message.buffer(), await message.part())


def _peek(cursor: Cursor) -> Fetched:
    section = grammar.section(cursor)
    partial = grammar.partial(cursor)
    return _section(_label(b"BODY", section, partial), section, partial, seen=False)


def _rfc822(name: bytes, text: str, seen: bool) -> Callable[[Cursor], Fetched]:
    return lambda cursor: _section(name, Section(text=text), grammar.partial(cursor), seen)


def _binary_octets(seen: bool) -> Callable[[Cursor], Fetched]:
    def grammar_of(cursor: Cursor) -> Fetched:
        section = grammar.section_binary(cursor)
        partial = grammar.partial(cursor)

        async def content(message: Content) -> Value:
            return _cut(await _decoded(message, section), partial)

        label = _label(b"BINARY", section, partial)
        return Fetched(label, content=content, sets_seen=seen, binary=True)

    return grammar_of


def _binary_size(cursor: Cursor) -> Fetched:
    section = grammar.section_binary(cursor)

    async def content(message: Content) -> Value:
        decoded = await _decoded(message, section)
        return b"%d" % (len(decoded) if decoded is not None else 0)

    return Fetched(_label(b"BINARY.SIZE", section, None), content=content, plain=True)


async def _decoded(message: Content, section: Section) -> bytes | None:
    """The octets of a part without their transfer encoding (RFC 3516, 4.2)."""
    root = await message.part()
    if not section.numbers:
        return await message.read(0, root.end)
    part = find(root, section.numbers)
    if part is None:
        return None
    octets = await message.read(part.body_start, part.end)
    if part.is_multipart or part.is_message:
        return octets
    try:
        return decode(octets, part.encoding)
    except UnknownEncoding:
        raise Refused("UNKNOWN-CTE", "The transfer encoding of that part is not known") from None


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

#: Its APPEND side (literal8) comes with RFC 3516 whole.
BINARY: Final = Feature(
    name="BINARY",
    rfc=3516,
    summary="parts without their transfer encoding",
    capabilities=(Capability("BINARY"),),
    fetch_items=(
        FetchItem("BINARY", _binary_octets(seen=True)),
        FetchItem("BINARY.PEEK", _binary_octets(seen=False)),
        FetchItem("BINARY.SIZE", _binary_size),
    ),
)
