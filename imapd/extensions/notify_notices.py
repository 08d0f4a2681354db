"""What reaches a client that has used NOTIFY, and when (RFC 5465, 3 to 6).

Rules of this file:

* A hint only wakes the session; what is told is read from the store when it is told.
* Of the selected mailbox the view knows what has not been told, as it does without NOTIFY.
* What a command of the client does to the selected mailbox is its result, and always told
  (RFC 5465, 3); so are removals by others that it finds, for numbers are of all messages.
* What is told of annotations is all in the hints.
* While the store fails nothing is told; the next hint or command tries again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, cast

from attrs import evolve

from imapd.commands.fetch import Fetch
from imapd.commands.fetch_items import Fetched, Items
from imapd.extensions import annotate_news
from imapd.extensions.context_updates import Contexts
from imapd.extensions.metadata_news import SERVER, MetadataNews
from imapd.extensions.notify_boxes import Boxes
from imapd.extensions.notify_filters import Event, Filters
from imapd.extensions.notify_names import Change, Kind, Names, names_of
from imapd.extensions.notify_own import OwnAccount, OwnImages
from imapd.extensions.notify_words import listed
from imapd.model.mailbox import DELIMITER, Changes, Hint, MailboxInfo
from imapd.model.numset import NumSet, SequenceSet
from imapd.session.images import Images
from imapd.session.outcome import Refused
from imapd.session.session import Notices, Session
from imapd.session.view import View
from imapd.store.access import INamespaces
from imapd.store.errors import AccountClosed, StoreError
from imapd.store.interfaces import IAccount

__all__ = ["Wanted", "watch"]

#: Commands that take messages out of the selected mailbox.
_REMOVING: Final = frozenset(
    ("EXPUNGE", "UID EXPUNGE", "MOVE", "UID MOVE", "REPLACE", "UID REPLACE")
)

#: New messages that are told by one FETCH: RFC 9738 lets no server work on less.
_CHUNK: Final = 1_000


async def watch(session: Session, filters: Filters, status: bool) -> None:
    """Put this in the place of what was wanted; with `status`, tell where mailboxes are."""
    old, made = session.notices, Wanted(session, filters)
    await made.begin(status)
    if filters.any:
        try:
            await _flush(session, old)
        except BaseException:
            made.discard()
            raise
    old.close()
    made.install()


async def _flush(session: Session, old: Notices) -> None:
    """RFC 5465, 3.1: as NOOP would, and as if everything had been wanted."""
    view = session.view
    if view is not None:
        view.image.doubted = True
    await old.tell(session, True)
    if isinstance(old, Wanted):
        old.unmute(view)
    await session.selected_news(expunges=True)


class Wanted(Notices):
    """The policy of a session that has used NOTIFY."""

    __slots__ = ("_account", "_boxes", "_command", "_count", "_filters", "_lost", "_metadata", "_muted",
                 "_names", "_own_names", "_own_uids", "_quiet", "_session", "_stuck")  # fmt: skip

    def __init__(self, session: Session, filters: Filters) -> None:
        self._session = session
        self._filters = filters
        account = session.account
        self._account: IAccount = account.account if isinstance(account, OwnAccount) else account
        namespaces = INamespaces(self._account, None)
        if namespaces is not None:
            filters.is_personal = namespaces.is_own
        self._boxes = Boxes(session, self._account, filters)
        self._names: Names | None = None
        #: How much of `Names.log` has been told.
        self._count = 0
        self._metadata = MetadataNews()
        #: What this client did to names, and what came into the selected mailbox by it.
        self._own_names: set[tuple[Kind, str]] = set()
        self._own_uids: set[int] = set()
        #: The command that runs, and whether all had been told when it began.
        self._command = ""
        self._quiet = False
        #: From which modseq on changes of flags have not been told.
        self._muted: int | None = None
        #: More happened than could be remembered.
        self._lost = False
        #: The store failed.
        self._stuck = False

    # Coming and going.

    async def begin(self, status: bool) -> None:
        """Watch what is there.  Raises `Refused`."""
        if not self._filters.others:
            return
        session, boxes = self._session, self._boxes
        names = self._names = names_of(self._account)
        names.join(self)
        try:
            await names.refresh()
            self._count = names.count
            for info in names.infos.values():
                if self._filters.opens(info):
                    await boxes.watch(info)
                    if boxes.lost:
                        raise Refused("NOTIFICATIONOVERFLOW", "Those are too many mailboxes")
                    if status:
                        boxes.tell_status(info)
                await session.peer.turn()
        except BaseException:
            self.discard()
            raise

    def install(self) -> None:
        """From now on this is the session's policy."""
        session = self._session
        enabled = frozenset[str]().union(*(item.enables for item in self._filters.selected.items))
        session.enable(*sorted(enabled))
        session.notices = self
        session.account = cast(IAccount, OwnAccount(self._account, self._did))
        images = cast(Images, OwnImages(session.policy.images, self._noted))
        session.policy = evolve(session.policy, images=images)
        if session.view is not None:
            self._annotations(session.view)

    def close(self) -> None:
        """As `Notices`; the session has its account and images back."""
        session = self._session
        if isinstance(session.account, OwnAccount):
            session.account = session.account.account
        if isinstance(session.policy.images, OwnImages):
            session.policy = evolve(session.policy, images=session.policy.images.images)
        self.discard()

    def discard(self) -> None:
        """Watch nothing any more."""
        if self._names is not None:
            self._names.leave(self)
            self._names = None
        self._boxes.clear()

    # What is heard.

    def heard(self, hint: Hint) -> None:
        """As `notify_names.Listener`."""
        if hint.entries:
            if not self._filters.others & (Event.METADATA if hint.mailbox_id else Event.SERVER):
                return
            self._metadata.heard(hint)
            self._boxes.doubt(hint.mailbox_id)
            self._stuck = False
            self._session.peer.wake()
            return
        if hint.mailbox_id and not self._boxes.hint(hint.mailbox_id, hint.modseq):
            return
        self._stuck = False
        self._session.peer.wake()

    def begins(self, command: str) -> None:
        """A command is about to run."""
        view = self._session.view
        self._command = command
        self._stuck = False
        if view is not None:
            self._annotations(view)
        self._quiet = view is not None and not (view.image.behind or view.has_news())
        if command == "NOOP" and self._names is not None:
            # A hint may have been lost: this is when the client asks.
            self._names.doubted = True

    def left(self, session: Session, view: View) -> None:
        """As `Notices`: the client knows what it was told, and what CLOSE does."""
        self._own_uids.clear()
        self._muted = None
        quiet = self._quiet if self._command == "CLOSE" else not view.has_news()
        self._boxes.left(view, view.image.modseq if quiet else view.told)

    def annotated(self, name: str, entries: Sequence[str]) -> None:
        """As `Notices`."""
        self._metadata.did(name, entries)

    def _did(self, kind: Kind, name: str) -> None:
        if self._names is not None:
            self._own_names.add((kind, name))

    def _noted(self, id: str, changes: Changes) -> None:
        view = self._session.view
        if view is None or view.mailbox.id != id:
            self._boxes.noted(id, changes)
        elif self._filters.selected.items:
            self._own_uids.update(changes.uids)

    # What there is to tell.

    def pending(self, session: Session) -> bool:
        """As `Notices`."""
        return self._others_pending() or self._selected_pending(expunges=True)

    def speaks(self, session: Session) -> bool:
        """As `Notices`."""
        expunges = not self._filters.selected.delayed
        return self._others_pending() or self._selected_pending(expunges)

    def _others_pending(self) -> bool:
        names = self._names
        if names is None or self._stuck:
            return False
        return (
            bool(self._boxes) or bool(self._metadata) or names.doubted or names.count != self._count
        )

    def _selected_pending(self, expunges: bool) -> bool:
        view = self._session.view
        if view is None or not self._filters.selected.events & Event.MESSAGES:
            return False
        if view.image.behind:
            return True
        return view.has_news() and (expunges or view.generation is view.image.generation)

    async def speak(self, session: Session) -> None:
        """As `Notices`."""
        self._command = ""
        await self.tell(session, not self._filters.selected.delayed)

    async def tell(self, session: Session, expunges: bool) -> None:
        """As `Notices`."""
        names = self._names
        if names is not None and self._others_pending():
            try:
                await self._tell_names(names)
                await self._boxes.tell(names)
                if self._metadata:
                    await self._metadata.tell(self._session, names.infos.values(), self._told_of)
            except AccountClosed:
                raise
            except StoreError:
                self._stuck = True
            if self._lost or self._boxes.lost:
                self._overflow()
        await self._tell_selected(expunges)

    def _overflow(self) -> None:
        """RFC 5465, 5.8: as after NOTIFY NONE."""
        session = self._session
        session.write(session.status(b"OK", b"NOTIFICATIONOVERFLOW", "Notifications end here"))
        self._lost = False
        self._filters = Filters()
        self.discard()

    async def _told_of(self, info: MailboxInfo) -> bool:
        """Whether changes of annotations are (RFC 5465, 5.6 and 5.7)."""
        if info is SERVER:
            return bool(self._filters.others & Event.SERVER)
        if not self._filters.events(info) & Event.METADATA:
            return False
        return self._filters.is_personal(info.name) or self._boxes.holds(info.id)

    # Names.

    async def _tell_names(self, names: Names) -> None:
        doubted = names.doubted or names.count != self._count
        await names.refresh()
        changes = names.since(self._count)
        self._count = names.count
        if changes is None:
            self._lost = True
            return
        rows: dict[str, str] = {}
        for change in changes:
            own = self._is_own(change)
            if not own and self._wants(change):
                rows[change.name] = change.old_name or rows.get(change.name, "")
            if not change.cause:
                await self._follow(names, change, own)
        if doubted:
            await self._boxes.retry(names)
        if not names.doubted:
            self._own_names.clear()
        for name, old_name in rows.items():
            if name in names.infos and self._boxes.refuses(names.infos[name].id):
                continue
            self._session.write(listed(self._session, names, name, old_name))
            await self._session.peer.turn()

    def _is_own(self, change: Change) -> bool:
        """Also what CREATE makes above (RFC 9051, 6.3.4)."""
        name = change.cause or change.name
        if (change.kind, name) in self._own_names:
            return True
        return change.kind is Kind.CREATED and any(
            kind is Kind.CREATED and made.startswith(name + DELIMITER)
            for kind, made in self._own_names
        )

    def _wants(self, change: Change) -> bool:
        event = Event.SUBSCRIPTIONS if change.kind is Kind.SUBSCRIBED else Event.NAMES
        infos = [each for each in (change.before, change.after) if each is not None]
        infos = infos or [MailboxInfo(change.name, exists=False, selectable=False)]
        return any(self._filters.events(info) & event for info in infos)

    async def _follow(self, names: Names, change: Change, own: bool) -> None:
        """Which mailboxes are watched follows from their names (RFC 5465, 6.4)."""
        if change.kind is Kind.DELETED:
            if change.before is not None:
                self._boxes.deleted(change.before, told=own or self._wants(change))
        elif change.kind is Kind.RENAMED:
            below = change.name + DELIMITER
            for info in names.infos.values():
                if info.name == change.name or info.name.startswith(below):
                    await self._boxes.follow(info)
        elif change.after is not None:
            if change.kind is Kind.CREATED:
                await self._boxes.created(change.after, own)
            else:
                await self._boxes.follow(change.after)

    # The selected mailbox.

    def _annotations(self, view: View) -> None:
        """RFC 5465, 5.1: told of or not, whatever SELECT said."""
        if self._filters.selected.events & Event.ANNOTATIONS:
            annotate_news.begin(view, selected=False)
        else:
            annotate_news.end(view)

    def _mute(self, view: View) -> None:
        """Changes of flags will be passed over, if there are any of messages the client knows."""
        if self._muted is None and view.told < view.image.modseq:
            last = view.generation.uids[view.count - 1] if view.count else 0
            changed = view.image.changed_since(view.told, view.own, more=False)
            if changed is None or any(uid <= last for uid in changed):
                self._muted = view.told

    def unmute(self, view: View | None) -> None:
        """Changes of flags that were not wanted are news again."""
        if view is not None and self._muted is not None:
            view.told = min(view.told, self._muted)
        self._muted = None

    async def _tell_selected(self, expunges: bool) -> None:
        session, wanted = self._session, self._filters.selected
        view = session.view
        if view is None:
            return
        snapshot = not wanted.events & Event.MESSAGES
        if snapshot and not (expunges and self._command in _REMOVING):
            return
        if view.image.behind:
            await view.image.refresh(view.mailbox)
        flags = bool(wanted.events & Event.FLAGS)
        if not flags:
            self._mute(view)
        if snapshot:
            if view.generation is not view.image.generation:
                session.write(view.news(session.announce, True, flags=False, arrivals=False))
            return
        self._annotations(view)
        lacks = session.announce.lacks
        items = [item for item in wanted.items if item.enables.isdisjoint(lacks)]
        if isinstance(view.follower, Contexts):
            # They are told of first; what they tell is not told again.
            view.follower.also, view.follower.told = items, self._own_uids
        last = view.generation.uids[view.count - 1] if view.count else 0
        await session.selected_news(expunges, flags, bool(wanted.events & Event.ANNOTATIONS))
        start = bisect_right(view.generation.uids, last, 0, view.count)
        if start < view.count and items:
            await self._tell_new(view, start, items)

    async def _tell_new(self, view: View, start: int, items: Sequence[Fetched]) -> None:
        """RFC 5465, 5.2: rows of new messages, but not of the client's own."""
        session = self._session
        own, self._own_uids = self._own_uids, set()
        uids = view.generation.uids
        numbers = NumSet.from_sorted(
            place + 1 for place in range(start, view.count) if uids[place] not in own
        )
        spans = [(low - 1, high) for low, high in numbers.ranges]
        for places in view.chunks(spans, _CHUNK):
            numbers = NumSet.from_sorted(place + 1 for place in places)
            fetch = Fetch(SequenceSet(tuple(numbers.ranges)), False, Items(items))
            await session.policy.dialect.commands[b"FETCH"].run(session, fetch)
