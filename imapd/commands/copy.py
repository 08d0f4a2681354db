"""COPY, MOVE and their UID forms (RFC 9051, 6.4.7 and 6.4.8; RFC 6851)."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from imapd.commands.append import destination, to_be_created
from imapd.dialect import Capability, Command, Feature
from imapd.model.flags import DELETED, FlagChange, interned
from imapd.model.mailbox import Changes, Copied
from imapd.model.message import ANNOTATIONS, EMAIL_ID, FLAGS, INTERNAL_DATE, THREAD_ID
from imapd.model.numset import NumSet, SequenceSet
from imapd.model.states import State
from imapd.session.allotment import cut, refuse_more, reported
from imapd.session.content import Content, facts_of, scanned
from imapd.session.outcome import Outcome
from imapd.session.session import Session
from imapd.store.access import allowed, annotatable, require
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IMailbox, IServerCopy, IServerMove, NewMessage
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "MOVE"]


@frozen
class _Copy:
    numbers: SequenceSet
    name: str
    by_uid: bool


def _arguments(by_uid: bool) -> Any:
    def arguments(cursor: Cursor) -> _Copy:
        """``copy = "COPY" SP sequence-set SP mailbox``."""
        cursor.space()
        numbers = grammar.sequence_set(cursor)
        cursor.space()
        return _Copy(numbers, grammar.mailbox(cursor), by_uid)

    return arguments


async def _copy(session: Session, copy: _Copy) -> Outcome | None:
    view = session.selected
    spans = view.spans(copy.numbers, copy.by_uid, session.saved)
    refuse_more(session, sum(stop - start for start, stop in spans), spans)
    uids = view.uids(spans)
    target = await destination(session, copy.name)
    if not uids:
        return None
    try:
        copied = await _copied(session, uids, target)
    except NoSuchMailbox:
        raise await _gone(view.mailbox) from None
    session.policy.images.note(target.id, copied.changes, copied.uids)
    if not copied.uids:
        return Outcome("None of the messages exists any more", b"EXPUNGEISSUED")
    return Outcome(code=_copyuid(copied))


async def _move(session: Session, move: _Copy) -> Outcome | None:
    """Copies are told of before the originals go (RFC 6851, 4.3)."""
    view = session.writable()
    # RFC 6851, 4.2.
    await require(view.mailbox, "te")
    spans, lowest = cut(session, view.spans(move.numbers, move.by_uid, session.saved))
    uids = view.uids(spans)
    target = await destination(session, move.name)
    if not uids:
        return None
    server = IServerMove(view.mailbox, None)
    if server is not None and _one_store(view.mailbox, target):
        try:
            moved = await session.progress.patiently(server.move(uids, target))
        except NoSuchMailbox:
            raise await _gone(view.mailbox) from None
    else:
        moved = await _copied(session, uids, target)
        gone = NumSet.of(*moved.sources)
        await settled(view.mailbox.store_flags(gone, FlagChange.ADD, interned((DELETED,))))
        moved = evolve(moved, removed=await settled(view.mailbox.expunge(gone)))
    session.policy.images.note(target.id, moved.changes, moved.uids)
    assert moved.removed is not None
    session.policy.images.note(view.mailbox.id, moved.removed)
    if not moved.uids:
        gone_all = Outcome("None of the messages exists any more", b"EXPUNGEISSUED")
        return reported(session, gone_all, lowest)
    session.write(session.status(b"OK", _copyuid(moved), "Moved"))
    # RFC 6851, 4.4.
    code = session.announce.highest(moved.removed.modseq)
    return reported(session, None if code is None else Outcome(code=code), lowest)


async def _gone(source: IMailbox) -> Exception:
    """The destination was deleted meanwhile.  Raises `NoSuchMailbox` if it was the source."""
    await settled(source.status())
    return to_be_created()


def _one_store(source: IMailbox, target: IMailbox) -> bool:
    return type(source) is type(target)


async def _copied(session: Session, uids: NumSet, target: IMailbox) -> Copied:
    mailbox = session.selected.mailbox
    server = IServerCopy(mailbox, None)
    if server is not None and _one_store(mailbox, target):
        return await session.progress.patiently(server.copy(uids, target))
    return await _through_engine(session, mailbox, uids, target)


async def _through_engine(
    session: Session, mailbox: IMailbox, uids: NumSet, target: IMailbox
) -> Copied:
    """Read and append, for stores that cannot copy; all or none, by one append.

    Copies have the ids of their sources (RFC 8474, 5.1 and 5.2), in another's account too.
    """
    messages: list[NewMessage] = []
    sources: list[int] = []
    contents: list[Content] = []
    columns = (FLAGS, INTERNAL_DATE, ANNOTATIONS, EMAIL_ID, THREAD_ID)
    # RFC 5257, 4.6: annotations that may not be there are left out.
    whose = annotatable(target, await settled(allowed(target)))
    try:
        async for batch in scanned(mailbox, uids, frozenset(columns), session.peer.turn):
            rows = zip(*(batch.columns[name] for name in columns))
            for uid, (flags, date, annotations, email_id, thread_id) in zip(batch.uids, rows):
                content = Content(mailbox, uid)
                contents.append(content)
                reader = await content.reader()
                facts = await facts_of(reader)
                kept = {
                    name: value
                    for name, value in (annotations or {}).items()
                    if name.whose in whose
                }
                messages.append(
                    NewMessage(
                        reader,
                        flags,
                        date,
                        facts,
                        annotations=kept,
                        email_id=email_id,
                        thread_id=thread_id,
                    )
                )
                sources.append(uid)
                await session.peer.turn()
        if not messages:
            return Copied(target.uidvalidity, (), (), Changes(0, 0))
        appended = await settled(target.append(messages))
    finally:
        for content in contents:
            content.close()
    return Copied(appended.uidvalidity, sources, appended.uids, appended.changes)


def _copyuid(copied: Copied) -> bytes:
    sources, uids = NumSet.from_sorted(copied.sources), NumSet.from_sorted(copied.uids)
    return b"COPYUID %d %b %b" % (copied.uidvalidity, sources.wire(), uids.wire())


FEATURE = Feature(
    name="COPY",
    rfc=9051,
    summary="messages are copied",
    commands=(
        Command("COPY", State.SELECTED, _arguments(by_uid=False), _copy, by_number=True),
        Command("UID COPY", State.SELECTED, _arguments(by_uid=True), _copy),
    ),
)

MOVE = Feature(
    name="MOVE",
    rfc=6851,
    summary="messages are moved in one step",
    capabilities=(Capability("MOVE"),),
    commands=(
        Command("MOVE", State.SELECTED, _arguments(by_uid=False), _move, by_number=True),
        Command("UID MOVE", State.SELECTED, _arguments(by_uid=True), _move),
    ),
)
