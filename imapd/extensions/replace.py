"""REPLACE: a message in the place of another, in one step (RFC 8508).

Which message is meant is settled before the new one comes.  A store that cannot replace is
asked to mark the old one, to add, and to remove; what cannot be finished is taken back.
"""

from __future__ import annotations

import re
from typing import Final

from imapd.commands.append import Letters, destination
from imapd.commands.append_options import options
from imapd.dialect import Capability, Feature, Upload
from imapd.model.flags import DELETED, FlagChange, interned
from imapd.model.mailbox import Changes, Copied
from imapd.model.numset import EMPTY, NumSet
from imapd.model.states import State
from imapd.session.incoming import Incoming
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.store.access import require
from imapd.store.answers import settled
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMailbox, IServerReplace, NewMessage
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]

#: The mailbox can be an ordinary literal: only the number stands before it.
_ARGUMENT: Final = re.compile(rb" *(?:[0-9*]+ +)?")
_DELETED: Final = interned((DELETED,))


def _message(session: Session, cursor: Cursor, by_uid: bool) -> int:
    """``seq-number`` or ``uniqueid``: the UID of the message; 0 if there is none."""
    numbers = grammar.sequence_set(cursor)
    if numbers.saved or len(numbers.ranges) != 1 or len(set(numbers.ranges[0])) != 1:
        raise BadSyntax("one message is replaced at a time")
    view = session.selected
    return next(iter(view.uids(view.spans(numbers, by_uid, EMPTY))), 0)


async def _replace(session: Session, incoming: Incoming) -> Outcome | None:
    """``replace = "REPLACE" SP seq-number SP mailbox append-message``."""
    view, cursor = session.selected, incoming.cursor
    cursor.space()
    uid = _message(session, cursor, incoming.name.startswith(b"UID "))
    cursor.space()
    name = grammar.mailbox(cursor)
    before = await options(incoming)
    if incoming.cursor.at_end() and incoming.literal is None:
        raise incoming.cursor.bad("a message")
    session.writable()
    # RFC 8508, 4.1.
    await require(view.mailbox, "te")
    if not uid:
        raise Refused("NONEXISTENT", "There is no such message")
    target = await destination(session, name)
    letters = Letters(session, incoming, target)
    try:
        await letters.take(before)
        if letters.more():
            raise BadSyntax("one message is replaced by one")
        replaced = await _replaced(view.mailbox, uid, letters.messages[0], target)
    finally:
        letters.close()
    session.policy.images.note(target.id, replaced.changes, replaced.uids)
    removed = replaced.removed or Changes(0, 0)
    session.policy.images.note(view.mailbox.id, removed)
    # RFC 8508, 4.3: before the old one is told to be gone.
    session.write(
        b"* OK [APPENDUID %d %d] The replacement is there\r\n"
        % (replaced.uidvalidity, replaced.uids[0])
    )
    # RFC 8508, 4.5.
    code = session.announce.highest(removed.modseq) if removed.vanished else None
    return None if code is None else Outcome(code=code)


async def _replaced(mailbox: IMailbox, uid: int, message: NewMessage, target: IMailbox) -> Copied:
    server = IServerReplace(mailbox, None)
    if server is not None and type(mailbox) is type(target):
        return await settled(server.replace(uid, message, target))
    gone = NumSet.of(uid)
    if not (await settled(mailbox.uids())) & gone:
        raise MessageGone
    marked = await _marked(mailbox, gone)
    try:
        appended = await settled(target.append([message]))
        try:
            removed = await settled(mailbox.expunge(gone))
        except Exception:
            new = NumSet.of(*appended.uids)
            await _marked(target, new)
            await settled(target.expunge(new))
            raise
    except Exception:
        await settled(mailbox.store_flags(marked, FlagChange.REMOVE, _DELETED))
        raise
    return Copied(appended.uidvalidity, [uid], appended.uids, appended.changes, removed)


async def _marked(mailbox: IMailbox, uids: NumSet) -> NumSet:
    r"""Set \\Deleted; those that had not got it."""
    stored = await settled(mailbox.store_flags(uids, FlagChange.ADD, _DELETED))
    return NumSet.of(*stored.changes.uids)


FEATURE: Final = Feature(
    name="REPLACE",
    rfc=8508,
    summary="a message in the place of another, in one step",
    capabilities=(Capability("REPLACE"),),
    uploads=(
        Upload("REPLACE", State.SELECTED, _ARGUMENT, _replace, by_number=True),
        Upload("UID REPLACE", State.SELECTED, _ARGUMENT, _replace),
    ),
)
