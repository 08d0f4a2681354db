"""Which messages a message belongs with: the message identifiers that its header names."""

from __future__ import annotations

import re
from typing import Final

from imapd.mime.headers import first

__all__ = ["relatives"]

#: RFC 5322, 3.6.4: msg-id, with what folding and careless programs put into it.
_ID: Final = re.compile(rb"<([^<>]+)>")
_SPACE: Final = re.compile(rb"\s+")
#: Identifiers of one header that are looked at: the nearest, and the first of the thread.
_MOST: Final = 50


def _ids(text: bytes | None) -> list[bytes]:
    found = (_SPACE.sub(b"", match) for match in _ID.findall(text or b""))
    return [identifier for identifier in found if identifier]


def relatives(header: bytes) -> tuple[bytes | None, list[bytes]]:
    """A message's own identifier, or None; and those it refers to, nearest first, each once."""
    own = _ids(first(header, b"message-id"))
    above = _ids(first(header, b"references"))
    if len(above) > _MOST:
        above = [above[0], *above[1 - _MOST :]]
    nearest = _ids(first(header, b"in-reply-to"))[:1]
    others = dict.fromkeys([*nearest, *reversed(above)])
    if own:
        others.pop(own[0], None)
    return own[0] if own else None, list(others)
