"""APPEND: a message comes in (RFC 9051, 6.3.12)."""

from __future__ import annotations

import re
from typing import Final

from imapd.dialect import Feature, Upload
from imapd.model.dates import InternalDate, from_datetime
from imapd.model.flags import Flags, interned
from imapd.model.numset import NumSet
from imapd.model.states import LOGGED_IN
from imapd.session.content import facts_of
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Incoming, Session
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox, NotSelectable
from imapd.store.interfaces import IMailbox, IMessageReader, ISpool, ISpools, NewMessage
from imapd.store.readers import BytesReader, TemporarySpool
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "destination"]

#: Only the mailbox can be an ordinary literal: nothing stands before it.
_ARGUMENT: Final = re.compile(rb" *")


async def destination(session: Session, name: str) -> IMailbox:
    """The mailbox to put messages into; its absence is said as RFC 9051, 7.1 wants: TRYCREATE."""
    try:
        mailbox = await settled(session.account.open(name))
    except (NoSuchMailbox, NotSelectable):
        raise Refused("TRYCREATE", "There is no such mailbox; create it first") from None
    if mailbox.read_only:
        raise Refused("NOPERM", "Nothing can be put into that mailbox")
    return mailbox


def _options(cursor: Cursor) -> tuple[Flags, InternalDate | None]:
    """``[SP flag-list] [SP date-time] SP``, up to the literal."""
    flags: Flags = interned(())
    date: InternalDate | None = None
    cursor.space()
    if cursor.peek() == b"(":
        flags = grammar.flag_list(cursor)
        cursor.space()
    if cursor.peek() == b'"':
        date = grammar.date_time(cursor)
        cursor.space()
    cursor.end()
    return flags, date


async def _append(session: Session, incoming: Incoming) -> Outcome:
    cursor = incoming.cursor
    cursor.space()
    name = grammar.mailbox(cursor)
    flags, date = _options(cursor)
    mailbox = await destination(session, name)
    spool, content = await receive(session, incoming)
    try:
        if await incoming.rest() is not None:
            raise BadSyntax("APPEND takes one message")
        incoming.cursor.end()
        message = NewMessage(
            content=content,
            flags=flags,
            internal_date=date or from_datetime(session.policy.now()),
            facts=await facts_of(content),
        )
        appended = await settled(mailbox.append([message]))
    finally:
        content.close()
        if spool is not None:
            spool.close()
    session.policy.images.note(mailbox.id, appended.changes)
    uids = NumSet.from_sorted(appended.uids)
    return Outcome(code=b"APPENDUID %d %b" % (appended.uidvalidity, uids.wire()))


async def receive(session: Session, incoming: Incoming) -> tuple[ISpool | None, IMessageReader]:
    """Take the offered message in: into memory if it is small, else by way of a spool."""
    literal = incoming.literal
    assert literal is not None
    if literal.size > session.policy.limits.message:
        raise Refused("TOOBIG", "The message is too large")
    if literal.size <= session.policy.limits.spool:
        incoming.accept()
        return None, BytesReader(b"".join([data async for data in incoming.chunks()]))
    spools = ISpools(session.account, None)
    spool: ISpool = TemporarySpool() if spools is None else await settled(spools.spool())
    try:
        incoming.accept()
        async for data in incoming.chunks():
            await settled(spool.write(data))
            await session.peer.turn()
        return spool, await settled(spool.reader())
    except BaseException:
        spool.close()
        raise


FEATURE = Feature(
    name="APPEND",
    rfc=9051,
    summary="a message comes in",
    uploads=(Upload("APPEND", LOGGED_IN, _ARGUMENT, _append),),
)
