"""The text of a message, decoded, for search."""

from __future__ import annotations

from collections.abc import Iterator

from imapd.mime import charsets, words
from imapd.mime.headers import fields
from imapd.mime.markup import plain
from imapd.mime.octets import Octets
from imapd.mime.parameters import get
from imapd.mime.parse import Part
from imapd.mime.transfer import UnknownEncoding, decode

__all__ = ["decoded_text", "leaves", "part_text"]


def leaves(part: Part) -> Iterator[Part]:
    """A part and all below it, in the order of the message, without the multiparts."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if not part.is_multipart:
            yield part
        waiting.extend(reversed(part.children))


def decoded_text(data: Octets, part: Part) -> Iterator[str]:
    """The text of every text part, and the headers of the messages inside, one at a time.

    HTML comes without its markup.
    """
    for leaf in leaves(part):
        if leaf.is_text:
            yield part_text(data, leaf)
        elif leaf.is_message:
            (inner,) = leaf.children
            yield _header_text(data[inner.header_start : inner.body_start])


def part_text(data: Octets, part: Part, longest: int | None = None) -> str:
    """The text of one text part, or of about its first octets; "" in an unknown encoding."""
    stop = part.end if longest is None else min(part.end, part.body_start + longest)
    try:
        octets = decode(data[part.body_start : stop], part.encoding)
    except UnknownEncoding:
        return ""
    text = charsets.decode(octets, get(part.params, b"charset"), stop == part.end)
    return plain(text) if part.subtype.lower() == b"html" else text


def _header_text(header: bytes) -> str:
    return "".join(
        f"{field.name.decode('latin-1')}: {words.decode(field.value)}\n" for field in fields(header)
    )
