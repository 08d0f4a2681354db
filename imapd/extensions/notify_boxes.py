r"""The mailboxes that are not selected and that a client of NOTIFY looks into (RFC 5465, 5.1 to 5.3).

Rules of this file:

* `_Box.status` is what the client knows.  What differs from it is told, unless all that
  happened since was the client's own doing.
* A mailbox that changes ten times before it can be told of is told of once.
* One that the user may look up but not read is \NoAccess, and tried again whenever something
  happens to names or rights (RFC 5465, 3.1 and 5.9).
"""

from __future__ import annotations

from typing import Final

from attrs import define

from imapd.extensions.notify_filters import Event, Filters
from imapd.extensions.notify_names import Names
from imapd.extensions.notify_words import figures, listed
from imapd.model.mailbox import Changes, MailboxInfo, Status
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.answers import settled
from imapd.store.errors import NoPermission, NoSuchMailbox, NotSelectable, StoreError
from imapd.store.interfaces import IAccount, IAnnotations, IMailbox

__all__ = ["Boxes"]

#: What is known of a mailbox that was not there: nothing is like it.
_NEW: Final = Status(0, 1, 0, 0, 0, 0, 0, -1)


@define(eq=False)
class _Box:
    """A mailbox that is watched; while it is held, its store looks at it."""

    mailbox: IMailbox
    status: Status


class Boxes:
    """Those of one session, by id; the one that is selected among them, untold."""

    __slots__ = (
        "_account",
        "_boxes",
        "_own",
        "_refused",
        "_session",
        "_waiting",
        "filters",
        "lost",
    )

    def __init__(self, session: Session, account: IAccount, filters: Filters) -> None:
        self._session = session
        self._account = account
        self.filters = filters
        self._boxes: dict[str, _Box] = {}
        #: Those of which there may be something to tell.
        self._waiting: dict[str, None] = {}
        #: What this client did to them: from modseq to modseq.
        self._own: dict[str, tuple[int, int]] = {}
        #: Those that may not be read, by id.
        self._refused: dict[str, None] = {}
        #: There are more than may be watched.
        self.lost = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def clear(self) -> None:
        """Watch none."""
        self._boxes.clear()
        self._waiting.clear()
        self._own.clear()
        self._refused.clear()
        self.lost = False

    # Which they are.

    async def watch(self, info: MailboxInfo, status: Status | None = None) -> None:
        """From now on this is watched; with `status`, that is what the client knows."""
        if len(self._boxes) >= self._session.policy.limits.notify_mailboxes:
            self.lost = True
            return
        try:
            mailbox = await settled(self._account.open(info.name))
            now = await settled(mailbox.status())
            self._boxes[mailbox.id] = _Box(mailbox, now if status is None else status)
        except (NoSuchMailbox, NotSelectable):
            return
        except NoPermission:
            self._refuse(info)

    def deleted(self, info: MailboxInfo, told: bool) -> None:
        r"""It is gone, or hidden: \NoAccess, unless its name is `told` of (RFC 5465, 5.9)."""
        known = info.id in self._boxes and not self.filters.is_personal(info.name)
        most = self._session.policy.limits.notify_mailboxes
        if known and not told and len(self._refused) < most:
            self._refuse(info)
        else:
            self.drop(info.id)

    def refuses(self, id: str) -> bool:
        r"""Whether it is \NoAccess."""
        return id in self._refused

    def _refuse(self, info: MailboxInfo) -> None:
        known = info.id in self._refused
        self.drop(info.id)
        self._refused[info.id] = None
        if not known:
            name = self._session.mailbox_name(info.name)
            self._session.write(b'* LIST (\\NoAccess) "/" %b\r\n' % name)

    async def retry(self, names: Names) -> None:
        """Those that could not be read: perhaps they can be now."""
        for id in tuple(self._refused):
            name = names.by_id.get(id)
            if name is None:
                continue
            await self.follow(names.infos[name])
            if id in self._boxes:
                self._refused.pop(id, None)
                self._session.write(listed(self._session, names, name, ""))

    async def follow(self, info: MailboxInfo) -> None:
        """Its name or its subscription has changed: watch it, or watch it no longer."""
        if not self.filters.opens(info):
            self.drop(info.id)
        elif info.id not in self._boxes:
            await self.watch(info)

    async def created(self, info: MailboxInfo, own: bool) -> None:
        """It is new: whatever is in it already has come since."""
        if self.filters.opens(info):
            await self.watch(info, None if own else _NEW)
            self._waiting[info.id] = None

    def drop(self, id: str) -> None:
        """It is no longer watched, nor waited for."""
        self._refused.pop(id, None)
        self._boxes.pop(id, None)
        self._waiting.pop(id, None)
        self._own.pop(id, None)

    # What happens to them.

    def hint(self, id: str, modseq: int) -> bool:
        """Somebody says that a mailbox moved past `modseq`; whether it is of interest."""
        box = self._boxes.get(id)
        if box is None or modseq <= box.status.highest_modseq or self._is_selected(id):
            return False
        self._waiting[id] = None
        return True

    def doubt(self, id: str) -> None:
        """Whether it may still be read is to be seen before anything is told."""
        if id in self._boxes and not self._is_selected(id):
            self._waiting[id] = None

    def holds(self, id: str) -> bool:
        """Whether it is watched, and may be read."""
        return id in self._boxes

    def noted(self, id: str, changes: Changes) -> None:
        """The client did this."""
        if id in self._boxes:
            first, last = self._own.get(id, (-1, -1))
            self._own[id] = first if last == changes.since else changes.since, changes.modseq

    def left(self, view: View, modseq: int) -> None:
        """It was selected, and the client knows of it up to `modseq`."""
        box = self._boxes.get(view.mailbox.id)
        if box is not None:
            box.status = Status(view.count, 0, view.mailbox.uidvalidity, -1, 0, 0, 0, modseq)
            self._waiting[view.mailbox.id] = None

    def _is_selected(self, id: str) -> bool:
        view = self._session.view
        return view is not None and view.mailbox.id == id

    # What is told.

    @property
    def _tells_modseq(self) -> bool:
        return "CONDSTORE" in self._session.enabled

    def tell_status(self, info: MailboxInfo) -> None:
        """At the beginning; what is wanted says what is told (RFC 5465, 3.1)."""
        box = self._boxes.get(info.id)
        watched = self.filters.watches(info)
        if box is None or not watched or self._is_selected(info.id):
            return
        told = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
        known = self._session.policy.dialect.status_items
        if b"HIGHESTMODSEQ" in known and (watched & Event.CHANGES or self._tells_modseq):
            told.append("HIGHESTMODSEQ")
        self._session.write(figures(self._session, info.name, box.status, told))

    async def tell(self, names: Names) -> None:
        """Tell of those that have changed."""
        session = self._session
        while self._waiting:
            id = next(iter(self._waiting))
            del self._waiting[id]
            box, name = self._boxes.get(id), names.by_id.get(id)
            if box is None or name is None or self._is_selected(id):
                continue
            own = self._own.get(id)
            wanted = self.filters.watches(names.infos[name])
            try:
                status = await settled(box.mailbox.status())
                changed = await self._changed(box, status, own, wanted)
            except NoSuchMailbox:
                self.drop(id)
                continue
            except NoPermission:
                self._refuse(names.infos[name])
                continue
            except StoreError:
                self._waiting[id] = None
                raise
            self._own.pop(id, None)
            told = self._news(box.status, status, own, wanted, changed)
            box.status = status
            if told:
                session.write(figures(session, name, status, told))
            await session.peer.turn()

    async def _changed(
        self, box: _Box, new: Status, own: tuple[int, int] | None, wanted: Event
    ) -> bool:
        """Whether what is wanted of flags and annotations is, or may be, among what happened."""
        old = box.status.highest_modseq
        flags, annotations = bool(wanted & Event.FLAGS), bool(wanted & Event.ANNOTATIONS)
        able = IAnnotations(box.mailbox, None)
        if not self._tells_modseq or flags == annotations or able is None:
            return flags and self._tells_modseq
        first, last = own or (old, old)
        others = {
            each.modseq
            for each in await settled(able.annotated_since(old))
            if each.modseq <= new.highest_modseq and not first < each.modseq <= last
        }
        if annotations:
            return bool(others)
        # Each modseq that is neither the client's own nor an annotation's may be that of flags.
        mine = max(0, min(last, new.highest_modseq) - max(first, old))
        return new.highest_modseq - old > mine + len(others)

    def _news(
        self,
        old: Status,
        new: Status,
        own: tuple[int, int] | None,
        wanted: Event,
        changed: bool,
    ) -> list[str]:
        """Which figures to tell."""
        if new.highest_modseq == old.highest_modseq or not wanted:
            return []
        if own and own[0] <= old.highest_modseq and own[1] >= new.highest_modseq:
            return []
        told: list[str] = []
        if (new.messages, new.uidnext) != (old.messages, old.uidnext):
            told = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
        if wanted & Event.CHANGES:
            unseen = bool(wanted & Event.FLAGS) and new.unseen != old.unseen
            if unseen or changed or new.uidvalidity != old.uidvalidity:
                told = told or ["UIDVALIDITY"]
            if unseen:
                told.append("UNSEEN")
        if told and self._tells_modseq:
            told.append("HIGHESTMODSEQ")
        return told
