"""What stands before a message of APPEND: flags, a date, and what extensions add (RFC 4466, 2.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from imapd.dialect import AppendOption
from imapd.model.dates import InternalDate
from imapd.model.flags import Flags, interned
from imapd.session.incoming import Incoming
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["Options", "argument", "options"]

#: What parentheses are counted in: they mean nothing inside a string.
_TOKEN: Final = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|[^()"]+', re.DOTALL)
_NAME: Final = re.compile(rb"[A-Za-z]")


@frozen
class Options:
    """What stands before a message."""

    flags: Flags
    date: InternalDate | None
    #: What else was said, with what its grammar made of it.
    others: Sequence[tuple[AppendOption, Any]] = ()


async def options(incoming: Incoming) -> Options:
    """``append-opts = [SP flag-list] [SP date-time] *(SP append-ext)``, and the space behind."""
    cursor = incoming.cursor
    flags: Flags = interned(())
    date: InternalDate | None = None
    cursor.space()
    if cursor.peek() == b"(":
        flags = grammar.flag_list(cursor)
        cursor.space()
    if cursor.peek() == b'"':
        date = grammar.date_time(cursor)
        cursor.space()
    others: list[tuple[AppendOption, Any]] = []
    while (option := _option(cursor)) is not None:
        if any(option is other for other, _ in others):
            raise BadSyntax("An option is there twice")
        await _gather(incoming)
        cursor = incoming.cursor
        others.append((option, option.grammar(cursor)))
        cursor.space()
    return Options(flags, date, others)


def _option(cursor: Cursor) -> AppendOption | None:
    """The option whose name is next."""
    if _NAME.match(cursor.peek()) is None:
        return None
    at = cursor.at
    option: AppendOption | None = cursor.vocabulary.append_options.get(cursor.word())
    if option is None:
        # It is the message that is called so.
        cursor.at = at
    return option


async def _gather(incoming: Incoming) -> None:
    """Put the literals of the list that is next where they belong in the cursor's octets."""
    cursor = incoming.cursor
    start, depth = cursor.at, 0
    scanned = start
    data = bytearray(cursor.data)
    while True:
        while (token := _TOKEN.match(data, scanned)) is not None:
            scanned = token.end()
            depth += (token[0] == b"(") - (token[0] == b")")
            if depth <= 0 and token[0] == b")":
                break
        literal = incoming.literal
        if depth <= 0 or scanned < len(data) or literal is None:
            break
        octets = await argument(incoming)
        announced = b"~{%d}\r\n" if literal.binary else b"{%d}\r\n"
        data += announced % len(octets) + octets
        scanned = len(data)
        data += incoming.cursor.data
        if len(data) > cursor.limits.command:
            raise BadSyntax("The command is too long")
    incoming.cursor.data = bytes(data)
    incoming.cursor.at = start


async def argument(incoming: Incoming) -> bytes:
    """The literal that stands here; `incoming` is then at what follows it."""
    literal = incoming.literal
    assert literal is not None
    if literal.size > incoming.cursor.limits.literal:
        raise BadSyntax("the literal is too long")
    incoming.accept()
    octets = b"".join([data async for data in incoming.chunks()])
    await incoming.rest()
    return octets
