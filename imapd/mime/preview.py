"""The first words of a message (RFC 8970)."""

from __future__ import annotations

import re
from typing import Final

from imapd.mime.octets import Octets
from imapd.mime.parameters import disposition
from imapd.mime.parse import Part
from imapd.mime.text import leaves, part_text

__all__ = ["preview"]

#: Octets of the body that are looked at: markup and style sheets come before the words.
_LOOKED_AT: Final = 65_536
#: What a preview cannot show: controls, and marks of no width.
_UNSHOWN: Final = re.compile(
    "[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff\u034f\xad]+"
)
_QUOTED: Final = re.compile(r"^>.*$", re.MULTILINE)


def preview(data: Octets, part: Part, length: int = 200) -> str:
    """At most so many characters of the first text that has words, on one line; "" if none has.

    Quoted lines of plain text are left out, unless there is nothing else.
    """
    for leaf in leaves(part):
        if not leaf.is_text or _is_attachment(leaf):
            continue
        text = part_text(data, leaf, _LOOKED_AT)
        if leaf.subtype.lower() != b"html":
            text = _QUOTED.sub("", text) if _QUOTED.sub("", text).strip() else text
        text = _UNSHOWN.sub(" ", text).strip()
        if text:
            return text[:length].rstrip()
    return ""


def _is_attachment(part: Part) -> bool:
    found = disposition(part.fields.get(b"disposition", b""))
    return found is not None and found[0].lower() == b"attachment"
