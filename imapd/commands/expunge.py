r"""EXPUNGE and UID EXPUNGE: messages with \Deleted go (RFC 9051, 6.4.3 and 6.4.9; RFC 4315)."""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, nothing
from imapd.model.numset import NumSet, SequenceSet
from imapd.model.states import State
from imapd.session.allotment import cut, reported
from imapd.session.outcome import Outcome
from imapd.session.session import Session
from imapd.store.access import require
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "UIDPLUS"]


def _set(cursor: Cursor) -> SequenceSet:
    cursor.space()
    return grammar.sequence_set(cursor)


async def _expunge(session: Session, _: None) -> Outcome | None:
    return await _remove(session, None)


async def _uid_expunge(session: Session, numbers: SequenceSet) -> Outcome | None:
    view = session.selected
    return await _remove(session, view.uids(view.spans(numbers, True, session.saved)))


async def _remove(session: Session, among: NumSet | None) -> Outcome | None:
    view = session.writable()
    await require(view.mailbox, "e")
    if view.image.behind:
        await view.image.refresh(view.mailbox)
    deleted = view.image.deleted()
    if among is not None:
        deleted &= among
    lowest = None
    if among is not None:
        # EXPUNGE and CLOSE have no limit (RFC 9738, 3.1).
        spans = list(view.generation.spans(deleted, view.count))
        spans_left, lowest = cut(session, spans)
        if lowest is not None:
            deleted = view.uids(spans_left)
    if not deleted:
        return None
    changes = await session.progress.patiently(view.mailbox.expunge(deleted))
    view.image.apply(changes)
    code = session.announce.highest(changes.modseq) if changes.vanished else None
    return reported(session, None if code is None else Outcome(code=code), lowest)


FEATURE = Feature(
    name="EXPUNGE",
    rfc=9051,
    summary="deleted messages go",
    commands=(Command("EXPUNGE", State.SELECTED, nothing, _expunge),),
)

UIDPLUS = Feature(
    name="UIDPLUS",
    rfc=4315,
    summary="the UIDs of what was appended and copied; UID EXPUNGE",
    capabilities=(Capability("UIDPLUS"),),
    commands=(Command("UID EXPUNGE", State.SELECTED, _set, _uid_expunge),),
)
