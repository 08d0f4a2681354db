"""What is known of a message: the columns a store answers with, and the facts computed at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from imapd.model.flags import Flags

__all__ = [
    "ANNOTATIONS",
    "BODYSTRUCTURE",
    "EMAIL_ID",
    "ENVELOPE",
    "FLAGS",
    "HEADER",
    "HEADER_SIZE",
    "INTERNAL_DATE",
    "MODSEQ",
    "PREVIEW",
    "PREVIEW_AT_HAND",
    "RELEVANCY",
    "SAVED",
    "SENT",
    "SIZE",
    "THREAD_ID",
    "UID",
    "Batch",
    "Column",
    "Facts",
]

#: The name of a column.  Extensions add their own.
Column = str

FLAGS: Final = "flags"  #: `Flags` of each message.
UID: Final = "uid"  #: int.  Every batch has it; a column it is where it is asked for by name.
MODSEQ: Final = "modseq"  #: int, RFC 7162.
INTERNAL_DATE: Final = "internal_date"  #: 26 octets, `model.dates`.
SIZE: Final = "size"  #: int, RFC822.SIZE.
ENVELOPE: Final = "envelope"  #: wire form, parenthesised.
BODYSTRUCTURE: Final = "bodystructure"  #: wire form with extension data.
HEADER: Final = "header"  #: the header block, its blank line included.
HEADER_SIZE: Final = "header_size"  #: int, where the body begins.
SENT: Final = "sent"  #: int or None: proleptic ordinal of the Date field's own day.
PREVIEW: Final = "preview"  #: str, the first words, of one line; "" if it has none (RFC 8970).
PREVIEW_AT_HAND: Final = "preview at hand"  #: the same; None where nobody has made it yet.
RELEVANCY: Final = (
    "relevancy"  #: int, 1 to 100, of what a search found; no store has it (RFC 6203).
)
SAVED: Final = "saved"  #: int, when it came into this mailbox, in seconds since 1970 (RFC 8514).
EMAIL_ID: Final = "email_id"  #: octets that copies of a message share, and no other has (RFC 8474).
ANNOTATIONS: Final = "annotations"  #: `model.annotation.Annotations` (RFC 5257).
THREAD_ID: Final = "thread_id"  #: octets that related messages share; None: nobody has asked yet.


@frozen
class Facts:
    """What a message's octets say, computed once when it enters (DESIGN: facts at the door)."""

    size: int
    header_size: int
    envelope: bytes
    bodystructure: bytes
    header: bytes = field(repr=False)
    sent: int | None
    preview: str = field(repr=False)


@frozen
class Batch:
    """Some messages in ascending UID order; every column has one entry a message.

    A column that the store does not keep is absent; an entry it does not know is None.
    """

    uids: Sequence[int]
    columns: Mapping[Column, Sequence[Any]]

    def flags(self) -> Sequence[Flags]:
        """The FLAGS column."""
        return self.columns[FLAGS]
