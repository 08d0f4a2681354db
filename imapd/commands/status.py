"""STATUS of one mailbox, and of many by LIST (RFC 9051, 6.3.11; RFC 5819)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from attrs import evolve

from imapd.dialect import Capability, Command, Feature, ListReturn, StatusItem
from imapd.model.flags import DELETED
from imapd.model.mailbox import MailboxInfo, Status
from imapd.model.message import FLAGS
from imapd.model.message import SIZE as OCTETS
from imapd.model.numset import NumSet
from imapd.model.states import LOGGED_IN
from imapd.session.session import Session
from imapd.store.answers import each, settled
from imapd.store.statuses import IStatuses
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "LIST_STATUS", "SIZE"]

_ALL: Final = NumSet([(1, (1 << 32) - 1)])


def _arguments(cursor: Cursor) -> tuple[str, Sequence[StatusItem]]:
    """``status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"``."""
    cursor.space()
    name = grammar.mailbox(cursor)
    return name, cursor.remembered(_items)


def _items(cursor: Cursor) -> Sequence[StatusItem]:
    cursor.space()
    return tuple(dict.fromkeys(cursor.listed(_item)))


def _item(cursor: Cursor) -> StatusItem:
    """``status-att``."""
    found: StatusItem | None = cursor.vocabulary.status_items.get(cursor.word())
    if found is None:
        raise BadSyntax("STATUS has no such item")
    return found


async def _status(session: Session, arguments: tuple[str, Sequence[StatusItem]]) -> None:
    _enable(session, arguments[1])
    session.write(await _response(session, *arguments))


def _enable(session: Session, items: Sequence[StatusItem]) -> None:
    names = [item.enables for item in items if item.enables]
    if names:
        session.enable(*names)


async def _of_many(
    session: Session, infos: Sequence[MailboxInfo], items: Sequence[StatusItem]
) -> Mapping[str, bytes]:
    """RFC 5819, 2: only what can be selected has a status."""
    _enable(session, items)
    found = dict.fromkeys((info.name for info in infos if not info.selectable), b"")
    statuses = IStatuses(session.account, None)
    if statuses is not None:
        names = [info.name for info in infos if info.selectable]
        for name, status in (await settled(statuses.statuses(names))).items():
            if status.sized or not _of_sizes(items):
                found[name] = _told(session, name, items, _seen_here(session, status))
    return found


async def _of_one(session: Session, info: MailboxInfo, items: Sequence[StatusItem]) -> bytes:
    return await _response(session, info.name, items)


async def _response(session: Session, name: str, items: Sequence[StatusItem]) -> bytes:
    """The untagged STATUS response (RFC 9051, 7.3.3)."""
    status = await _figures(session, name)
    if not status.sized and _of_sizes(items):
        status = await _summed(session, name, status)
    return _told(session, name, items, _seen_here(session, status))


def _of_sizes(items: Sequence[StatusItem]) -> bool:
    return any(item.of_sizes for item in items)


async def _summed(session: Session, name: str, status: Status) -> Status:
    """With the sizes of all messages, which the store has to find out first."""
    mailbox = await settled(session.account.open(name))
    size = deleted = 0
    async for batch in each(mailbox.scan(_ALL, frozenset((FLAGS, OCTETS)))):
        sizes = batch.columns[OCTETS]
        size += sum(sizes)
        deleted += sum(of for of, flags in zip(sizes, batch.flags()) if DELETED in flags)
        await session.peer.turn()
    return evolve(status, size=size, deleted_size=deleted, sized=True)


def _told(session: Session, name: str, items: Sequence[StatusItem], status: Status) -> bytes:
    values = [item.value(session if item.of_session else status) for item in items]
    form = _form(tuple([item.octets for item in items]), tuple(map(type, values)))
    return form % (session.mailbox_name(name), *values)


@lru_cache(maxsize=64)
def _form(names: tuple[bytes, ...], types: tuple[type, ...]) -> bytes:
    """The whole response, for values of these types."""
    told = (name + (b" %b" if kind is bytes else b" %d") for name, kind in zip(names, types))
    return b"* STATUS %b (" + b" ".join(told) + b")\r\n"


async def _figures(session: Session, name: str) -> Status:
    """What the store says."""
    statuses = IStatuses(session.account, None)
    if statuses is not None:
        status: Status | None = (await settled(statuses.statuses((name,)))).get(name)
        if status is not None:
            return status
    mailbox = await settled(session.account.open(name))
    status = await settled(mailbox.status())
    return status if status.mailbox_id == mailbox.id else evolve(status, mailbox_id=mailbox.id)


def _seen_here(session: Session, status: Status) -> Status:
    r"""\Recent that this session has taken is recent still, for it."""
    view = session.view
    if view is not None and not view.read_only and view.mailbox.id == status.mailbox_id:
        return evolve(status, recent=status.recent + len(view.recent_uids()))
    return status


FEATURE = Feature(
    name="STATUS",
    rfc=9051,
    summary="the figures of a mailbox without selecting it",
    commands=(Command("STATUS", LOGGED_IN, _arguments, _status),),
    status_items=(
        StatusItem("MESSAGES", lambda status: status.messages),
        StatusItem("UIDNEXT", lambda status: status.uidnext),
        StatusItem("UIDVALIDITY", lambda status: status.uidvalidity),
        StatusItem("UNSEEN", lambda status: status.unseen),
        StatusItem("DELETED", lambda status: status.deleted),
        # RFC 3501, 6.3.10; answered to clients of IMAP4rev2 too.
        StatusItem("RECENT", lambda status: status.recent),
    ),
)

SIZE = Feature(
    name="STATUS=SIZE",
    rfc=8438,
    summary="the octets of all messages of a mailbox",
    capabilities=(Capability("STATUS=SIZE"),),
    status_items=(StatusItem("SIZE", lambda status: status.size, of_sizes=True),),
)

LIST_STATUS = Feature(
    name="LIST-STATUS",
    rfc=5819,
    summary="the figures of many mailboxes in one LIST",
    capabilities=(Capability("LIST-STATUS"),),
    list_returns=(ListReturn("STATUS", _items, responses=_of_one, of_many=_of_many),),
)
