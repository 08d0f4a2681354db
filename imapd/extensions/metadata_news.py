"""Annotations that others changed: METADATA responses that were not asked for (RFC 5464, 4.4.2).

Rules of this file:

* Entries are told, never their values.
* What the client itself has changed is not told, unless somebody else has changed it too.
* When more changes than can be remembered, all entries that are there are told (RFC 5465, 5.6).
* A client that has used NOTIFY has said which changes it wants, ENABLE or not (RFC 5465, 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from imapd.model.mailbox import Hint, MailboxInfo
from imapd.session.session import USUAL, Notices, Session
from imapd.store.access import IAccess, INamespaces
from imapd.store.answers import settled
from imapd.store.errors import AccountClosed, NoPermission, NoSuchMailbox, StoreError
from imapd.store.interfaces import IMetadata
from imapd.wire import encode

__all__ = ["SERVER", "MetadataNews", "announce"]

#: What stands for the server where a mailbox would (RFC 5464, 4.1).
SERVER: Final = MailboxInfo("", exists=False)
#: Changes that are remembered.
_MOST: Final = 10_000
#: Accounts of others that are watched for a client; each looks for changes once a second.
_ACCOUNTS: Final = 100
#: Entries of one response.
_TOGETHER: Final = 100


class MetadataNews:
    """What one client has not been told."""

    __slots__ = ("_changed", "_lost", "_own")

    def __init__(self) -> None:
        #: How often each was changed, by the id of its mailbox, in the order of the changes.
        self._changed: Counter[tuple[str, str]] = Counter()
        #: The same of the client's own changes, by the mailbox's name.
        self._own: Counter[tuple[str, str]] = Counter()
        self._lost = False

    def __bool__(self) -> bool:
        return self._lost or bool(self._changed)

    def heard(self, hint: Hint) -> None:
        """Take in what a hint says."""
        if len(self._changed) < _MOST:
            self._changed.update((hint.mailbox_id, entry) for entry in hint.entries)
        else:
            self._lost = True

    def did(self, name: str, entries: Iterable[str]) -> None:
        """The client changed these itself, and a hint has said so, if what it says is of interest."""
        if self:
            self._own.update((name, entry) for entry in entries)

    async def tell(
        self,
        session: Session,
        mailboxes: Iterable[MailboxInfo],
        wanted: Callable[[MailboxInfo], Awaitable[bool]],
    ) -> None:
        """Tell of those of the mailboxes, and of `SERVER`, that are `wanted`.

        When this raises `StoreError`, it can be told later.
        """
        infos = {SERVER.id: SERVER, **{info.id: info for info in mailboxes if info.id}}
        changed, own, lost = self._changed, self._own, self._lost
        self._changed, self._own, self._lost = Counter(), Counter(), False
        try:
            if lost:
                await _tell_all(session, infos.values(), wanted)
                return
            told: dict[str, list[str]] = {}
            for (id, entry), times in changed.items():
                if id in infos and times > own[infos[id].name, entry]:
                    told.setdefault(id, []).append(entry)
            for id, entries in told.items():
                if await wanted(infos[id]):
                    _write(session, infos[id].name, entries)
                await session.peer.turn()
        except StoreError:
            self._changed, self._own = changed + self._changed, own + self._own
            self._lost = self._lost or lost
            raise


async def _tell_all(
    session: Session,
    infos: Iterable[MailboxInfo],
    wanted: Callable[[MailboxInfo], Awaitable[bool]],
) -> None:
    able = IMetadata(session.account)
    for info in infos:
        try:
            if await wanted(info):
                _write(session, info.name, list(await settled(able.annotations(info.name))))
        except (NoSuchMailbox, NoPermission):
            continue
        await session.peer.turn()


def _write(session: Session, name: str, entries: Sequence[str]) -> None:
    """``metadata-resp = "METADATA" SP mailbox SP entry-list``."""
    for start in range(0, len(entries), _TOGETHER):
        listed = b" ".join(
            encode.astring(entry.encode("ascii")) for entry in entries[start : start + _TOGETHER]
        )
        session.write(b"* METADATA %b %b\r\n" % (session.mailbox_name(name), listed))


class _Announced(Notices):
    """The policy of a session that has enabled METADATA."""

    __slots__ = ("_follows", "_news", "_session", "_stuck", "_unwatch")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._news = MetadataNews()
        #: What others share is watched too.
        self._follows = False
        #: The store failed; the next hint or command tries again.
        self._stuck = False
        self._unwatch = session.account.watch(self._heard)

    def _heard(self, hint: Hint) -> None:
        if hint.entries:
            self._news.heard(hint)
            self._stuck = False
            self._session.peer.wake()

    def annotated(self, name: str, entries: Sequence[str]) -> None:
        """As `Notices`."""
        self._news.did(name, entries)

    def pending(self, session: Session) -> bool:
        """As `Notices`."""
        mine = bool(self._news) or not self._follows
        return (mine and not self._stuck) or super().pending(session)

    async def tell(self, session: Session, expunges: bool) -> None:
        """As `Notices`."""
        await super().tell(session, expunges)
        try:
            if not self._follows:
                await self._follow(session)
            if self._news:
                infos = await settled(session.account.mailboxes())
                await self._news.tell(session, infos, self._may)
        except AccountClosed:
            raise
        except StoreError:
            self._stuck = True

    async def _follow(self, session: Session) -> None:
        namespaces = INamespaces(session.account, None)
        if namespaces is not None:
            await settled(namespaces.follow(_ACCOUNTS))
        self._follows = True

    async def _may(self, info: MailboxInfo) -> bool:
        """RFC 5464, 3.3."""
        account = self._session.account
        namespaces, access = INamespaces(account, None), IAccess(account, None)
        if info is SERVER or namespaces is None or access is None or namespaces.is_own(info.name):
            return True
        try:
            rights = await settled(access.rights(info.name))
        except (NoSuchMailbox, NoPermission):
            return False
        return "l" in rights and not rights.isdisjoint("rswip")

    def close(self) -> None:
        """As `Notices`."""
        self._unwatch()


def announce(session: Session) -> None:
    """From now on what others change is told."""
    if session.notices is USUAL:
        session.notices = _Announced(session)
