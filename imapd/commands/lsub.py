r"""LSUB: the names a user is subscribed to, for clients of RFC 3501 (RFC 3501, 6.3.9).

Its one attribute is \Noselect, and says that the name is not subscribed but above one
that is; whether a name exists is not told here.
"""

from __future__ import annotations

from imapd.commands.list import names, patterns
from imapd.commands.list_names import rows
from imapd.dialect import Command, Feature
from imapd.model.states import LOGGED_IN
from imapd.session.session import Session
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "tell"]


def _arguments(cursor: Cursor) -> tuple[str, str]:
    """``lsub = "LSUB" SP mailbox SP list-mailbox``."""
    cursor.space()
    reference = grammar.mailbox(cursor)
    cursor.space()
    return reference, grammar.list_mailbox(cursor)


async def tell(session: Session, arguments: tuple[str, str], remote: bool = False) -> None:
    """As LSUB, with or without mailboxes of other servers."""
    reference, name = arguments
    asked = patterns(session, reference, [name])
    infos = await names(session, remote)
    for row in rows(
        infos,
        chosen=lambda info: info.subscribed,
        matches=asked.match,
        holds=asked.match_level,
    ):
        await session.peer.turn()
        if row is not None:
            attributes = b"" if row.chosen else b"\\Noselect"
            name_shown = session.mailbox_name(row.info.name)
            session.write(b'* LSUB (%b) "/" %b\r\n' % (attributes, name_shown))


FEATURE = Feature(
    name="LSUB",
    rfc=3501,
    summary="the names a user is subscribed to",
    commands=(Command("LSUB", LOGGED_IN, _arguments, tell),),
)
