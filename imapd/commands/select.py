"""SELECT, EXAMINE, CLOSE, UNSELECT, CHECK (RFC 9051, 6.3.2, 6.3.3, 6.4.1, 6.4.2; RFC 3501, 6.4.1)."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final

from attrs import evolve, frozen

from imapd.commands.modifiers import modifiers
from imapd.dialect import Capability, Command, Feature, SelectParameter, nothing
from imapd.model.flags import SYSTEM, interned
from imapd.model.states import LOGGED_IN, State
from imapd.session.outcome import Outcome
from imapd.session.session import Session
from imapd.store.access import allowed
from imapd.store.answers import settled
from imapd.store.errors import NoPermission, NoSuchMailbox
from imapd.store.statuses import IOpenedStatus
from imapd.wire import grammar
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "UNSELECT"]

#: RFC 4314, 5.2, and RFC 5257, 3.4; what a user has seen of a mailbox of others is their own affair.
_READ_WRITE: Final = frozenset("iewtn")


@frozen
class _Select:
    name: str
    parameters: tuple[tuple[SelectParameter, Any], ...]


def _arguments(cursor: Cursor) -> _Select:
    """``select = "SELECT" SP mailbox [select-params]`` (RFC 4466, 2.1)."""
    cursor.space()
    name = grammar.mailbox(cursor)
    if cursor.peek() != b" " or cursor.data[cursor.at :].isspace():
        return _Select(name, ())
    cursor.space()
    return _Select(name, modifiers(cursor, cursor.vocabulary.select_parameters))


def _select(session: Session, asked: _Select) -> Awaitable[Outcome]:
    return _open(session, asked, read_only=False)


def _examine(session: Session, asked: _Select) -> Awaitable[Outcome]:
    return _open(session, asked, read_only=True)


async def _open(session: Session, asked: _Select, read_only: bool) -> Outcome:
    """Whether it succeeds or not, what was selected no longer is (RFC 9051, 6.3.2)."""
    for parameter, argument in asked.parameters:
        if parameter.check is not None:
            parameter.check(session, argument)
    if session.view is not None:
        session.deselect()
        if session.announce.closed:
            session.write(session.status(b"OK", b"CLOSED", "Previous mailbox closed"))
    for parameter, argument in asked.parameters:
        if parameter.prepare is not None:
            parameter.prepare(session, argument)
    outcome = await _tell_opened(session, asked.name, read_only)
    for parameter, argument in asked.parameters:
        if parameter.opened is not None:
            await parameter.opened(session, argument)
    return outcome


async def _tell_opened(session: Session, name: str, read_only: bool) -> Outcome:
    try:
        answer = session.account.open(name)
        mailbox = await answer if isinstance(answer, Awaitable) else answer
        known = IOpenedStatus(mailbox, None)
        status = await settled(mailbox.status()) if known is None else known.opened_status
        view = await session.select(name, mailbox, read_only, status.highest_modseq)
        if view.image.modseq != status.highest_modseq:
            # Figures from before what the client is about to be told of.
            status = await settled(mailbox.status())
    except BaseException:
        session.deselect()
        raise
    if not status.modseqs_kept:
        session.announce = evolve(session.announce, lacks=frozenset(("CONDSTORE",)))
    image = view.image
    view.keywords = interned((*SYSTEM, *image.flags_in_use()))
    view.rights = rights = await settled(allowed(mailbox))
    announce = session.announce
    recent = len(view.recent_uids()) if announce.recent else 0
    told = [view.flags_line(), announce.exists(view.count, recent)]
    unseen = image.first_unseen() if announce.recent and not announce.by_uid else 0
    if image.generation is not view.generation:
        # Messages vanished meanwhile: its number is not this client's.
        unseen = 0
    if unseen and unseen <= view.count:
        told.append(session.status(b"OK", b"UNSEEN %d" % unseen, "First unseen message"))
    modseq = b"NOMODSEQ" if announce.lacks else b"HIGHESTMODSEQ %d" % view.told
    told.append(
        session.oks(
            (
                b"PERMANENTFLAGS %b" % view.permanent_flags(),
                b"UIDNEXT %d" % status.uidnext,
                b"UIDVALIDITY %d" % mailbox.uidvalidity,
                modseq,
            ),
            (
                "Flags that stay",
                "Next UID",
                "UIDs are valid",
                "None is kept" if announce.lacks else "Highest",
            ),
        )
    )
    if "IMAP4rev2" in session.enabled:
        told.append(b'* LIST () "/" %b\r\n' % session.mailbox_name(name))
    told += [opens(session) for opens in session.policy.dialect.opens]
    session.write(b"".join(told))
    if view.read_only:
        return Outcome("Examined" if read_only else "Selected read-only", b"READ-ONLY")
    if rights is not None and rights.isdisjoint(_READ_WRITE):
        return Outcome("Selected; nothing of it that others see can be changed", b"READ-ONLY")
    return Outcome("Selected", b"READ-WRITE")


async def _close(session: Session, _: None) -> None:
    r"""Remove what has \Deleted, without a word, and leave."""
    view = session.selected
    if not view.read_only:
        # From a mailbox that was deleted meanwhile one can still go away.
        # Who may not expunge leaves what is there (RFC 4314, 4).
        with suppress(NoSuchMailbox, NoPermission):
            if view.image.behind:
                await view.image.refresh(view.mailbox)
            deleted = view.image.deleted()
            if deleted:
                view.image.apply(await settled(view.mailbox.expunge(deleted)))
    session.deselect()


def _unselect(session: Session, _: None) -> None:
    session.deselect()


def _check(session: Session, _: None) -> None:
    session.selected.image.doubted = True


FEATURE = Feature(
    name="SELECT and CLOSE",
    rfc=9051,
    summary="opening and leaving a mailbox",
    commands=(
        Command("SELECT", LOGGED_IN, _arguments, _select, announces=False, plain=True),
        Command("EXAMINE", LOGGED_IN, _arguments, _examine, announces=False, plain=True),
        Command("CLOSE", State.SELECTED, nothing, _close),
        Command("CHECK", State.SELECTED, nothing, _check, asks=True),
    ),
)

UNSELECT = Feature(
    name="UNSELECT",
    rfc=3691,
    summary="leaving a mailbox without removing anything",
    capabilities=(Capability("UNSELECT"),),
    commands=(Command("UNSELECT", State.SELECTED, nothing, _unselect),),
)
