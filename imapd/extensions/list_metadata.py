"""LIST-METADATA: annotations of many mailboxes in one LIST (RFC 9590)."""

from __future__ import annotations

from imapd.dialect import Capability, Feature, ListReturn
from imapd.extensions.metadata import Wanted, entries, entry, of_mailbox, told
from imapd.model.mailbox import MailboxInfo
from imapd.session.session import Session
from imapd.store.interfaces import IMetadata
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]


def _entries(cursor: Cursor) -> Wanted:
    """``"METADATA" SP "(" entry *(SP entry) ")"``."""
    cursor.space()
    return Wanted({entry(octets): octets for octets in entries(cursor)})


async def _in_list(session: Session, info: MailboxInfo, wanted: Wanted) -> bytes:
    """Of mailboxes only (RFC 9590, 4)."""
    if not info.selectable:
        return b""
    return told(session, info.name, await of_mailbox(session, info.name), wanted)


FEATURE = Feature(
    name="LIST-METADATA",
    rfc=9590,
    summary="annotations of many mailboxes in one LIST",
    capabilities=(Capability("LIST-METADATA"),),
    needs=("METADATA", "LIST-EXTENDED"),
    requires=IMetadata,
    list_returns=(ListReturn("METADATA", _entries, responses=_in_list),),
)
