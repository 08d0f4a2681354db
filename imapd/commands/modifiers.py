"""Parameters in parentheses that features add to a command (RFC 4466, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["modifiers"]


class _Modifier(Protocol):
    @property
    def name(self) -> str: ...

    def grammar(self, cursor: Cursor) -> Any: ...


_M = TypeVar("_M", bound=_Modifier)


def modifiers(cursor: Cursor, known: Mapping[bytes, _M]) -> tuple[tuple[_M, Any], ...]:
    """``"(" modifier *(SP modifier) ")"``: each of `known` at most once, with what its grammar made."""

    def one(cursor: Cursor) -> tuple[_M, Any]:
        modifier = known.get(cursor.word())
        if modifier is None:
            raise BadSyntax("The command has no parameter of that name")
        return modifier, modifier.grammar(cursor)

    found = cursor.listed(one)
    if len({modifier.name for modifier, _ in found}) < len(found):
        raise BadSyntax("A parameter is there twice")
    return tuple(found)
