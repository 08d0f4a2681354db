"""STATUS of one mailbox, and of many by LIST (RFC 9051, 6.3.11; RFC 5819)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final

from attrs import evolve, frozen

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

__all__ = ["FEATURE", "LIST_STATUS", "SIZE", "Number"]

_ALL: Final = NumSet([(1, (1 << 32) - 1)])


@frozen
class Number:
    """Makes of a `Status` one of its numbers."""

    attribute: str

    def __call__(self, status: Status) -> int:
        """The number."""
        number: int = getattr(status, self.attribute)
        return number


@frozen
class _Asked:
    """The items that are asked for, each once."""

    items: tuple[StatusItem, ...]
    names: tuple[bytes, ...]
    #: Features that are on for who asks it.
    enables: tuple[str, ...]
    #: Some are right only of a status that is `sized`.
    of_sizes: bool
    #: Where all are numbers of a `Status`: these, and the whole response.
    numbers: Callable[[Status], tuple[int, ...]] | None
    form: bytes


def _arguments(cursor: Cursor) -> tuple[str, _Asked]:
    """``status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"``."""
    cursor.space()
    return grammar.mailbox(cursor), cursor.remembered(_items)


def _items(cursor: Cursor) -> _Asked:
    cursor.space()
    items = tuple({item.name: item for item in cursor.listed(_item)}.values())
    names = tuple(item.octets for item in items)
    attributes = [item.value.attribute for item in items if isinstance(item.value, Number)]
    return _Asked(
        items,
        names,
        enables=tuple(item.enables for item in items if item.enables),
        of_sizes=any(item.of_sizes for item in items),
        # With one name it gives no tuple.
        numbers=attrgetter(*attributes) if 1 < len(attributes) == len(items) else None,
        form=_form(names, (int,) * len(items)),
    )


def _item(cursor: Cursor) -> StatusItem:
    """``status-att``."""
    found: StatusItem | None = cursor.vocabulary.status_items.get(cursor.word())
    if found is None:
        raise BadSyntax("STATUS has no such item")
    return found


def _status(session: Session, arguments: tuple[str, _Asked]) -> Awaitable[None] | None:
    name, asked = arguments
    if asked.enables:
        session.enable(*asked.enables)
    statuses = IStatuses(session.account, None)
    if statuses is None:
        return _written(session, name, asked, None)
    found = statuses.statuses((name,))
    if isinstance(found, Awaitable):
        return _awaited(session, name, asked, found)
    status = found.get(name)
    if status is None or (asked.of_sizes and not status.sized):
        return _written(session, name, asked, status)
    session.peer.write(_told(session, name, asked, _seen_here(session, status)))
    return None


async def _awaited(
    session: Session, name: str, asked: _Asked, answer: Awaitable[Mapping[str, Status]]
) -> None:
    await _written(session, name, asked, (await answer).get(name))


async def _written(session: Session, name: str, asked: _Asked, known: Status | None) -> None:
    session.write(await _made(session, name, asked, known))


async def _of_many(
    session: Session, infos: Sequence[MailboxInfo], asked: _Asked
) -> Mapping[str, bytes]:
    """RFC 5819, 2: only what can be selected has a status."""
    if asked.enables:
        session.enable(*asked.enables)
    found = dict.fromkeys((info.name for info in infos if not info.selectable), b"")
    statuses = IStatuses(session.account, None)
    if statuses is not None:
        names = [info.name for info in infos if info.selectable]
        for name, status in (await settled(statuses.statuses(names))).items():
            if status.sized or not asked.of_sizes:
                found[name] = _told(session, name, asked, _seen_here(session, status))
    return found


async def _of_one(session: Session, info: MailboxInfo, asked: _Asked) -> bytes:
    """The untagged STATUS response (RFC 9051, 7.3.3)."""
    known = None
    statuses = IStatuses(session.account, None)
    if statuses is not None:
        known = (await settled(statuses.statuses((info.name,)))).get(info.name)
    return await _made(session, info.name, asked, known)


async def _made(session: Session, name: str, asked: _Asked, status: Status | None) -> bytes:
    """The same, of what is known already, if it is."""
    if status is None:
        mailbox = await settled(session.account.open(name))
        status = await settled(mailbox.status())
        if status.mailbox_id != mailbox.id:
            status = evolve(status, mailbox_id=mailbox.id)
    if asked.of_sizes and not status.sized:
        status = await _summed(session, name, status)
    return _told(session, name, asked, _seen_here(session, status))


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


def _told(session: Session, name: str, asked: _Asked, status: Status) -> bytes:
    if asked.numbers is not None:
        return asked.form % (session.mailbox_name(name), *asked.numbers(status))
    values = [item.value(session if item.of_session else status) for item in asked.items]
    form = _form(asked.names, tuple(map(type, values)))
    return form % (session.mailbox_name(name), *values)


@lru_cache(maxsize=64)
def _form(names: tuple[bytes, ...], types: tuple[type, ...]) -> bytes:
    """The whole response, for values of these types."""
    told = (name + (b" %b" if kind is bytes else b" %d") for name, kind in zip(names, types))
    return b"* STATUS %b (" + b" ".join(told) + b")\r\n"


def _seen_here(session: Session, status: Status) -> Status:
    r"""\Recent that this session has taken is recent still, for it."""
    view = session.view
    if (
        view is not None
        and view.recent
        and not view.read_only
        and view.mailbox.id == status.mailbox_id
    ):
        return evolve(status, recent=status.recent + len(view.recent_uids()))
    return status


FEATURE = Feature(
    name="STATUS",
    rfc=9051,
    summary="the figures of a mailbox without selecting it",
    commands=(Command("STATUS", LOGGED_IN, _arguments, _status, plain=True),),
    status_items=(
        StatusItem("MESSAGES", Number("messages")),
        StatusItem("UIDNEXT", Number("uidnext")),
        StatusItem("UIDVALIDITY", Number("uidvalidity")),
        StatusItem("UNSEEN", Number("unseen")),
        StatusItem("DELETED", Number("deleted")),
        # RFC 3501, 6.3.10; answered to clients of IMAP4rev2 too.
        StatusItem("RECENT", Number("recent")),
    ),
)

SIZE = Feature(
    name="STATUS=SIZE",
    rfc=8438,
    summary="the octets of all messages of a mailbox",
    capabilities=(Capability("STATUS=SIZE"),),
    status_items=(StatusItem("SIZE", Number("size"), of_sizes=True),),
)

LIST_STATUS = Feature(
    name="LIST-STATUS",
    rfc=5819,
    summary="the figures of many mailboxes in one LIST",
    capabilities=(Capability("LIST-STATUS"),),
    list_returns=(ListReturn("STATUS", _items, responses=_of_one, of_many=_of_many),),
)
