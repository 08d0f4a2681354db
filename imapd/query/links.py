"""What ties messages into threads, a column each: identifiers and base subjects, as numbers.

A number is a digest of 62 bits or more: of ten million texts, two share one with a chance of 1 in
90,000.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from imapd.mime.headers import finder, first
from imapd.mime.msgid import message_ids
from imapd.mime.words import decode
from imapd.model.limits import Limits
from imapd.query.collate import collate
from imapd.query.derived import Derived, Form
from imapd.query.subject import base_subject

__all__ = ["LINKS", "SUBJECT"]

_HEADER_MOST: Final = Limits().mime_header
#: References of one message that count: the first, and the nearest.
_MOST: Final = 50

_find: Final = finder((b"message-id", b"references", b"in-reply-to"))


def _number(octets: bytes) -> int:
    """A number that is not 0."""
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "little") or 1


def _links(block: bytes) -> tuple[int, ...]:
    fields: dict[bytes, bytes] = {}
    for name, value in _find(b"\n" + block[:_HEADER_MOST]):
        fields.setdefault(name.lower(), value)
    own = message_ids(fields.get(b"message-id", b""))[:1]
    above = message_ids(fields.get(b"references", b""))
    if not above:
        above = message_ids(fields.get(b"in-reply-to", b""))[:1]
    elif len(above) > _MOST:
        above = [above[0], *above[1 - _MOST :]]
    return (_number(own[0]) if own else 0, *map(_number, above))


def _subject(block: bytes) -> int | None:
    subject = first(block[:_HEADER_MOST], b"subject")
    text, replies = base_subject(decode(subject or b""))
    if not text:
        return None
    # 63 bits, and one that says whether it replies.
    return _number(collate(text).encode("utf-8")) >> 2 << 1 | replies


#: The message's own identifier, 0 if it has none, then those of its references in their order:
#: of References, or the first of In-Reply-To (RFC 5256, 3).
LINKS: Final = Derived("links 1", Form.NUMBERS, _links)
#: The base subject, the same number for texts that compare alike; None where it is empty.  Its
#: last bit says that the message is a reply or forward.
SUBJECT: Final = Derived("thread subject 1", Form.NUMBER, _subject)
