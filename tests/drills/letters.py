"""Messages whose octets follow from their name: ``client/number``."""

from __future__ import annotations

import random
import re
from functools import lru_cache

__all__ = ["named", "octets", "owner"]

_NAME = re.compile(rb"^Message-ID: <([a-z0-9]+/[0-9]+)@drill\.example>\r$", re.MULTILINE)
#: What a delivery agent puts before a message.
_TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):[^\r]*\r\n(?:[ \t][^\r]*\r\n)*)+")


@lru_cache(maxsize=20_000)
def octets(name: str) -> bytes:
    """The message of that name; one in fifty is large."""
    chance = random.Random(name)
    lines = chance.choice((0, 3, 40)) if chance.randrange(50) else 6_000
    body = b"".join(b"%064x\r\n" % chance.getrandbits(256) for _ in range(lines))
    return (
        b"From: Drill <drill@example.org>\r\nSubject: %b\r\nMessage-ID: <%b@drill.example>\r\n"
        b"\r\n%b" % (name.encode(), name.encode(), body)
    )


def named(data: bytes) -> str | None:
    """The name of the message that these octets are, every one of them; None if they are none."""
    match = _NAME.search(data)
    if match is None:
        return None
    name = match[1].decode()
    if owner(name).startswith("mta"):
        data = _TRACE.sub(b"", data, count=1)
    return name if data == octets(name) else None


def owner(name: str) -> str:
    """The client whose message it is."""
    return name.partition("/")[0]
