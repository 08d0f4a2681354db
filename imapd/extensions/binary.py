"""BINARY: parts without their transfer encoding, and messages with NUL in them (RFC 3516).

A part with the transfer encoding ``binary`` that holds NUL cannot be told to clients that
know nothing of this extension (RFC 3516, 6), so it is stored as base64: BINARY[...] gives
the octets that came, BODY[...] what BODYSTRUCTURE describes.  Everything else is stored as
it came.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterator
from mmap import mmap
from typing import Final

from imapd.commands.append import Letter
from imapd.commands.fetch_body import cut, label
from imapd.commands.fetch_items import Fetched, Value
from imapd.dialect import AppendPart, Capability, Feature, FetchItem
from imapd.mime.headers import fields
from imapd.mime.parse import Part
from imapd.mime.section import find
from imapd.mime.transfer import UnknownEncoding, decode
from imapd.session.content import Content, buffer_of, part_of
from imapd.session.outcome import Refused
from imapd.store.written import Written
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "decoded"]

#: Octets that make one line of 76 digits, and those that are encoded at once.
_LINE: Final = 57
_PIECE: Final = _LINE * 1_024
_FIELD: Final = b"Content-Transfer-Encoding: base64\r\n"


async def decoded(message: Content, numbers: tuple[int, ...]) -> bytes | None:
    """The octets of a part without their transfer encoding (RFC 3516, 4.2); None: no such part.

    Raises `UnknownEncoding`.
    """
    root = await message.part()
    if not numbers:
        return await message.read(0, root.end)
    part = find(root, numbers)
    if part is None:
        return None
    octets = await message.read(part.body_start, part.end)
    return octets if part.is_multipart or part.is_message else decode(octets, part.encoding)


async def _value(message: Content, numbers: tuple[int, ...]) -> bytes | None:
    try:
        return await decoded(message, numbers)
    except UnknownEncoding:
        raise Refused("UNKNOWN-CTE", "The transfer encoding of that part is not known") from None


def _octets(seen: bool) -> Callable[[Cursor], Fetched]:
    def grammar_of(cursor: Cursor) -> Fetched:
        """``"BINARY" [".PEEK"] section-binary [partial]``."""
        section = grammar.section_binary(cursor)
        partial = grammar.partial(cursor)

        async def content(message: Content) -> Value:
            return cut(await _value(message, section.numbers), partial)

        name = label(b"BINARY", section, partial)
        return Fetched(name, content=content, partial=partial, sets_seen=seen, binary=True)

    return grammar_of


def _size(cursor: Cursor) -> Fetched:
    """``"BINARY.SIZE" section-binary``."""
    section = grammar.section_binary(cursor)

    async def content(message: Content) -> Value:
        octets = await _value(message, section.numbers)
        return b"%d" % (len(octets) if octets is not None else 0)

    return Fetched(label(b"BINARY.SIZE", section, None), content=content, plain=True)


# APPEND.


async def _receive(letter: Letter) -> None:
    """``literal8``: what cannot be served as it is, is encoded (RFC 3516, 4.4 and 6)."""
    await letter.literal()
    await encode(letter)


async def encode(letter: Letter) -> None:
    """Parts that say they are binary and hold NUL become base64; their octets stay the same."""
    buffer = await buffer_of(await letter.written.reader())
    if buffer.find(b"\0") < 0:
        return
    parts = [part for part in _leaves(await part_of(buffer)) if _must_be_encoded(buffer, part)]
    if not parts:
        return
    came = letter.written
    letter.written = Written(came.spools, came.room)
    try:
        for piece in _encoded(buffer, parts):
            letter.expect(len(piece))
            await letter.write(piece)
    finally:
        del buffer
        came.close()


def _leaves(part: Part) -> Iterator[Part]:
    """The parts that have no parts, in their order."""
    if part.children:
        for child in part.children:
            yield from _leaves(child)
    else:
        yield part


def _must_be_encoded(buffer: bytes | mmap, part: Part) -> bool:
    if buffer.find(b"\0", part.body_start, part.end) < 0:
        return False
    try:
        decode(b"", part.encoding)
    except UnknownEncoding:
        raise Refused(
            "UNKNOWN-CTE", "The transfer encoding of a binary part is not known"
        ) from None
    return part.encoding.lower() == b"binary"


def _encoded(buffer: bytes | mmap, parts: list[Part]) -> Iterator[bytes]:
    """The message with these parts, which are in their order, as base64."""
    at = 0
    for part in parts:
        yield from _plain(buffer, at, part.header_start)
        header = buffer[part.header_start : part.body_start]
        said = 0
        for field in fields(header):
            if field.name.lower() == b"content-transfer-encoding":
                yield header[said : field.start]
                yield b"" if said else _FIELD
                said = field.stop
        yield header[said:]
        yield from _base64(buffer, part.body_start, part.end)
        at = part.end
    if at == len(buffer):
        yield b"\r\n"
    yield from _plain(buffer, at, len(buffer))


def _plain(buffer: bytes | mmap, start: int, stop: int) -> Iterator[bytes]:
    for at in range(start, stop, _PIECE):
        yield buffer[at : min(at + _PIECE, stop)]


def _base64(buffer: bytes | mmap, start: int, stop: int) -> Iterator[bytes]:
    """Lines of 76 digits, without an end of the last."""
    for at in range(start, stop, _PIECE):
        octets = buffer[at : min(at + _PIECE, stop)]
        yield b"\r\n" if at > start else b""
        yield b"\r\n".join(
            b2a_base64(octets[line : line + _LINE], newline=False)
            for line in range(0, len(octets), _LINE)
        )


FEATURE: Final = Feature(
    name="BINARY",
    rfc=3516,
    summary="parts without their transfer encoding, and messages with binary parts",
    capabilities=(Capability("BINARY"),),
    append_parts=(AppendPart("~", _receive),),
    fetch_items=(
        FetchItem("BINARY", _octets(seen=True)),
        FetchItem("BINARY.PEEK", _octets(seen=False)),
        FetchItem("BINARY.SIZE", _size),
    ),
)
