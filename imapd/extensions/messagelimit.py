"""MESSAGELIMIT and SAVELIMIT: how many messages one command may work on (RFC 9738).

Both are off unless configured (`Limits.messages`, `Limits.saved_messages`): clients that do
not know of them find large mailboxes cut.  The commands keep them by `imapd.session.allotment`;
here they are told, and the keys that help to go on.
"""

from __future__ import annotations

from typing import Final

from imapd.dialect import Capability, Feature, SearchKey
from imapd.model.numset import SequenceSet
from imapd.model.search import Or, Program, UIDs
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

_LAST: Final = (1 << 32) - 1


def _above(cursor: Cursor) -> Program:
    """``UIDAFTER uid``: a larger UID; unlike ``uid+1:*`` never the last message for want of one."""
    cursor.space()
    uid = cursor.nz_number()
    return UIDs(SequenceSet(((uid + 1, _LAST),))) if uid < _LAST else Or(())


def _below(cursor: Cursor) -> Program:
    """``UIDBEFORE uid``: a smaller UID."""
    cursor.space()
    uid = cursor.nz_number()
    return UIDs(SequenceSet(((1, uid - 1),))) if uid > 1 else Or(())


FEATURE = Feature(
    name="MESSAGELIMIT",
    rfc=9738,
    summary="how many messages one command may work on, by configuration",
    capabilities=(
        Capability(
            "MESSAGELIMIT",
            available=lambda session: session.policy.limits.messages > 0,
            value=lambda session: session.policy.limits.messages,
        ),
        Capability(
            "SAVELIMIT",
            available=lambda session: (
                session.policy.limits.saved_messages > session.policy.limits.messages == 0
            ),
            value=lambda session: session.policy.limits.saved_messages,
        ),
    ),
    search_keys=(SearchKey("UIDAFTER", _above), SearchKey("UIDBEFORE", _below)),
)
