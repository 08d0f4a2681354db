"""URLAUTH=BINARY: URLs' octets without transfer encoding, and what they are (RFC 5524)."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from imapd.commands.fetch_body import cut, octets
from imapd.commands.fetch_items import Value
from imapd.dialect import Capability, Feature, URLParameter
from imapd.extensions.binary import decoded
from imapd.extensions.urlauth import string
from imapd.mime.bodystructure import body
from imapd.mime.parse import Part
from imapd.mime.section import find
from imapd.mime.transfer import UnknownEncoding
from imapd.session.content import Content
from imapd.wire.url import BadURL, MessageURL

__all__ = ["FEATURE"]


async def _value(message: Content, url: MessageURL) -> Value:
    """The octets as they are in the message."""
    value = await octets(message, url.section)
    if value is None:
        raise BadURL("The message has no such part")
    return cut(value, url.partial)


async def _body(message: Content, url: MessageURL, asked: frozenset[bytes]) -> list[Any]:
    """``url-meta-body = "BODY" SP nstring``."""
    return [b"BODY ", *string(await _value(message, url))]


async def _decoded(message: Content, url: MessageURL) -> bytes | None:
    """The octets without transfer encoding; None if it is not known.  Headers have none."""
    section = url.section
    if section.text:
        value = await octets(message, section)
        return await message.read(*value) if isinstance(value, tuple) else value
    try:
        return await decoded(message, section.numbers)
    except UnknownEncoding:
        return None


async def _binary(message: Content, url: MessageURL, asked: frozenset[bytes]) -> list[Any]:
    """``url-meta-binary = "BINARY" SP (nstring / literal8)``."""
    value = cut(await _decoded(message, url), url.partial)
    if isinstance(value, bytes) and b"\0" in value:
        return [b"BINARY ~{%d}\r\n" % len(value), value]
    return [b"BINARY ", *string(value)]


async def _structure(message: Content, url: MessageURL, asked: frozenset[bytes]) -> list[Any]:
    """``url-meta-bodystruct = "BODYPARTSTRUCTURE" SP body``, of the data that is returned."""
    return [b"BODYPARTSTRUCTURE " + await _described(message, url, b"BINARY" in asked)]


async def _described(message: Content, url: MessageURL, binary: bool) -> bytes:
    root = await message.part()
    section = url.section
    part: Part | None = find(root, section.numbers) if section.numbers else root
    if section.text == "TEXT" and section.numbers and part is not None:
        part = part.children[0]
    elif section.text and section.text != "TEXT":
        value = await octets(message, section)
        header = await message.read(*value) if isinstance(value, tuple) else value or b""
        return b'("TEXT" "RFC822-HEADERS" NIL NIL NIL "8BIT" %d %d)' % (
            len(header),
            header.count(b"\n"),
        )
    if part is None:
        raise BadURL("The message has no such part")
    if binary and section.numbers and not (part.is_multipart or part.is_message):
        data = await _decoded(message, url)
        if data is not None:
            lines = data.count(b"\n") if part.is_text else part.lines
            part = evolve(
                part, encoding=_identity(data), end=part.body_start + len(data), lines=lines
            )
    return body(await message.buffer(), part)


def _identity(data: bytes) -> bytes:
    """The transfer encoding of what has none (RFC 2045, 6.2)."""
    if b"\0" in data:
        return b"BINARY"
    return b"7BIT" if data.isascii() else b"8BIT"


FEATURE: Final = Feature(
    name="URLAUTH=BINARY",
    rfc=5524,
    summary="what an authorized URL names, decoded and described",
    capabilities=(Capability("URLAUTH=BINARY"),),
    needs=("URLAUTH", "BINARY"),
    url_parameters=(
        URLParameter("BODYPARTSTRUCTURE", _structure),
        URLParameter("BINARY", _binary, excludes=("BODY",)),
        URLParameter("BODY", _body, excludes=("BINARY",)),
    ),
)
