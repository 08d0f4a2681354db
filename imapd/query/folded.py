"""Header fields as searches compare them, a column each: every field of a name, decoded and folded.

A value is the texts that a string may be found in, a line each; None where there is no such field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from imapd.mime import words
from imapd.mime.address import addresses
from imapd.mime.headers import finder, unfold
from imapd.model.limits import Limits
from imapd.query.derived import Derived, Form
from imapd.query.fold import fold_line

__all__ = ["ADDRESSES", "FIELDS", "SUBJECT", "text_of"]

_HEADER_MOST: Final = Limits().mime_header
#: An address with none of these reads as it is written, but for quotation marks.
_REWRITTEN: Final = re.compile(rb"[\\(\t]|[ <@.][ @.>]").search


def text_of(value: bytes) -> str:
    """A field as `HEADER` compares it."""
    return fold_line(words.decode(value))


def _address_texts(value: bytes) -> str:
    """As written; without quotation marks; and as ``name <box@host>``: lines, each where it differs."""
    written = text_of(value)
    texts = [written]
    if '"' in written:
        texts.append(written.replace('"', ""))
    if _REWRITTEN(value):
        for each in addresses(unfold(value)):
            spec = b"@".join(part for part in (each.mailbox, each.host) if part is not None)
            texts.append(text_of(b"%b <%b>" % (each.name, spec) if each.name else spec))
    return "\n".join(texts)


def _column(name: bytes, texts: Callable[[bytes], str], kind: str = "folded") -> Derived:
    find = finder((name,))

    def of(block: bytes) -> str | None:
        found = find(b"\n" + block[:_HEADER_MOST])
        return "\n".join([texts(value) for _, value in found]) if found else None

    return Derived(f"{kind} {name.decode('ascii')} 1", Form.TEXT, of)


SUBJECT: Final = _column(b"subject", text_of)
#: By the field's name.
ADDRESSES: Final = {name: _column(name, _address_texts) for name in (b"from", b"to", b"cc", b"bcc")}

#: Fields that clients look for by HEADER, as they are: by the field's name.
FIELDS: Final = {
    b"subject": SUBJECT,
    **{
        name: _column(name, text_of, "field")
        for name in (
            b"from", b"to", b"cc", b"bcc", b"sender", b"reply-to", b"delivered-to",
            b"message-id", b"in-reply-to", b"references", b"list-id",
        )
    },
}  # fmt: skip
