"""Which part numbers a message has, read from its BODYSTRUCTURE (RFC 9051, 6.4.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["has_part"]

_TOKEN: Final = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|\{(\d+)\}\r\n|[^()"{\s]+', re.DOTALL)
#: Where a message/rfc822 has its envelope, which no other part has there, and its body.
_ENVELOPE: Final = 7
_BODY: Final = 8

#: A parenthesised list, or something else.
_Node = Sequence[Any]


def has_part(bodystructure: bytes, numbers: Sequence[int]) -> bool:
    """Whether there is a part of these numbers; as `imapd.mime.section.find` finds them."""
    node = _read(bodystructure)
    message = True
    for number in numbers:
        if not message and _is_message(node):
            node, message = node[_BODY], True
        if node and isinstance(node[0], list):
            parts = _leading_lists(node)
            if not 0 < number <= len(parts):
                return False
            node, message = parts[number - 1], False
        elif message and number == 1:
            message = False
        else:
            return False
    return True


def _is_message(node: _Node) -> bool:
    return len(node) > _BODY and isinstance(node[_ENVELOPE], list)


def _leading_lists(node: _Node) -> list[_Node]:
    """The parts of a multipart, which stand before its subtype."""
    stop = next((at for at, each in enumerate(node) if not isinstance(each, list)), len(node))
    return list(node[:stop])


def _read(octets: bytes) -> _Node:
    """Lists as lists; strings, numbers and NIL as nothing."""
    levels: list[list[Any]] = [[]]
    at = 0
    while True:
        token = _TOKEN.search(octets, at)
        if token is None:
            break
        at = token.end()
        if token[0] == b"(":
            levels.append([])
        elif token[0] == b")":
            done = levels.pop()
            levels[-1].append(done)
        else:
            at += int(token[1] or 0)
            levels[-1].append(None)
    node: _Node = levels[0][0]
    return node
