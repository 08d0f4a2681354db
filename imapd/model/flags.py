r"""Message flags: the five of RFC 9051, 2.3.2, \Recent of RFC 3501, and keywords."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

__all__ = [
    "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "RECENT", "SEEN", "SYSTEM",
    "FlagChange", "Flags", "canonical", "changed", "interned", "wire",
]  # fmt: skip

#: The flags of a message: an interned set of names, system flags in their RFC spelling.
Flags = frozenset[str]

ANSWERED: Final = "\\Answered"
FLAGGED: Final = "\\Flagged"
DELETED: Final = "\\Deleted"
SEEN: Final = "\\Seen"
DRAFT: Final = "\\Draft"
RECENT: Final = "\\Recent"  #: belongs to a session, never to a store.

#: In the order in which they are written.
SYSTEM: Final = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)
_SPELLING: Final = {name.lower(): name for name in (*SYSTEM, RECENT)}
_ORDER: Final = {name: place for place, name in enumerate((*SYSTEM, RECENT))}

_interned: dict[Flags, Flags] = {}
_INTERNED_MOST: Final = 65_536


class FlagChange(Enum):
    """How STORE applies its list (RFC 9051, 6.4.6)."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


def canonical(name: str) -> str:
    """A flag as it is kept: system flags in the RFC's spelling whatever the client's."""
    return _SPELLING.get(name.lower(), name)


def interned(names: Iterable[str]) -> Flags:
    """The one set of these names in this process, so that a million messages share a few."""
    flags = frozenset(names)
    known = _interned.get(flags)
    if known is None:
        if len(_interned) >= _INTERNED_MOST:
            _interned.clear()
        known = _interned[flags] = flags
    return known


def changed(flags: Flags, change: FlagChange, names: Flags) -> Flags:
    """What `change` of `names` makes of `flags`; keywords compare without case (RFC 9051, 9)."""
    if change is FlagChange.ADD:
        if names <= flags:
            return flags
        folded = {flag.lower() for flag in flags}
        return interned(flags | {name for name in names if name.lower() not in folded})
    if change is FlagChange.REMOVE:
        folded = {name.lower() for name in names}
        return interned(flag for flag in flags if flag.lower() not in folded)
    return interned(names)


def wire(flags: Iterable[str]) -> bytes:
    """The parenthesised list, system flags first."""
    names = sorted(flags, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    return ("(" + " ".join(names) + ")").encode("ascii")
