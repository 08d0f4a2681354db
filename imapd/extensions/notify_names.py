"""The names of one account as this process knows them, shared by its sessions that use NOTIFY.

Rules of this file:

* What is here comes from `IAccount.mailboxes`; a hint only says that it is time to ask.  However many
  sessions there are, one watches, the store is asked once, and once the difference is made.
* A session remembers how far it has read `log`.  One that is behind its beginning has lost
  something, and must be told so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final, Protocol
from weakref import WeakValueDictionary

from attrs import frozen
from twisted.internet.defer import Deferred

from imapd.extensions.notify_filters import parent_of
from imapd.model.mailbox import DELIMITER, Hint, MailboxInfo
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount

__all__ = ["Change", "Kind", "Names", "names_of"]

#: Changes that are remembered.
_LOG_MOST: Final = 10_000


class Kind(Enum):
    """What happened to a name."""

    CREATED = "created"
    DELETED = "deleted"
    RENAMED = "renamed"
    SUBSCRIBED = "subscribed, or no longer"


@frozen
class Change:
    """One name that something happened to, or that is above one."""

    name: str
    kind: Kind
    before: MailboxInfo | None
    after: MailboxInfo | None
    #: Of RENAMED.
    old_name: str = ""
    #: The name it happened to, when that is not this one but below it (RFC 5465, 5.4).
    cause: str = ""


class Listener(Protocol):
    """A session that uses NOTIFY."""

    def heard(self, hint: Hint) -> None:
        """Something may have happened in the account."""


class Names:
    """The names of one account."""

    def __init__(self, account: IAccount) -> None:
        self._account = account
        #: The sessions.
        self._listeners: dict[Listener, None] = {}
        self._unwatch: Callable[[], None] | None = None
        self._refreshing: list[Deferred[None]] | None = None
        self.infos: Mapping[str, MailboxInfo] = {}
        #: Names of mailboxes, by id.
        self.by_id: Mapping[str, str] = {}
        #: Names that have mailboxes below them.
        self.parents: frozenset[str] = frozenset()
        #: Something may have changed.
        self.doubted = True
        self._loaded = False
        self.log: deque[Change] = deque()
        #: How many changes there have been; the last ones are in `log`.
        self.count = 0

    def join(self, listener: Listener) -> None:
        """One session more."""
        self._listeners[listener] = None
        if self._unwatch is None:
            self.doubted = True
            self._unwatch = self._account.watch(self._hint)

    def leave(self, listener: Listener) -> None:
        """One session less; the last to go ends the watch."""
        self._listeners.pop(listener, None)
        if not self._listeners and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def _hint(self, hint: Hint) -> None:
        if not hint.mailbox_id and not hint.entries:
            self.doubted = True
        for listener in tuple(self._listeners):
            listener.heard(hint)

    async def refresh(self) -> None:
        """Come up to date, unless nobody has said that this is behind."""
        while self._refreshing is not None:
            waiting: Deferred[None] = Deferred()
            self._refreshing.append(waiting)
            await waiting
        if not self.doubted:
            return
        waiters = self._refreshing = []
        self.doubted = False
        try:
            infos = {info.name: info for info in await settled(self._account.mailboxes())}
        except BaseException:
            self.doubted = True
            raise
        else:
            self._take(infos)
        finally:
            self._refreshing = None
            for waiter in waiters:
                waiter.callback(None)

    def since(self, count: int) -> Iterator[Change] | None:
        """What happened after the first `count` changes; None: that is no longer known."""
        wanted = self.count - count
        if wanted > len(self.log):
            return None
        return iter([self.log[place] for place in range(len(self.log) - wanted, len(self.log))])

    def _take(self, infos: Mapping[str, MailboxInfo]) -> None:
        old, old_ids = self.infos, self.by_id
        self.infos = infos
        self.by_id = {info.id: info.name for info in infos.values() if info.id}
        self.parents = frozenset(
            above for info in infos.values() if info.exists for above in _superiors(info.name)
        )
        if self._loaded:
            for change in _differences(old, old_ids, infos, self.by_id):
                self.log.append(change)
                self.count += 1
            while len(self.log) > _LOG_MOST:
                self.log.popleft()
        self._loaded = True


_known: WeakValueDictionary[int, Names] = WeakValueDictionary()


def names_of(account: IAccount) -> Names:
    """Those of an account, the same for all its sessions; nobody has them, nothing keeps them."""
    # It holds the account, so that no other can have its number.
    names = _known.get(id(account))
    if names is None:
        names = _known[id(account)] = Names(account)
    return names


def _differences(
    old: Mapping[str, MailboxInfo],
    old_ids: Mapping[str, str],
    new: Mapping[str, MailboxInfo],
    new_ids: Mapping[str, str],
) -> Iterator[Change]:
    gone = old_ids.keys() - new_ids.keys()
    for name in sorted(old_ids[id] for id in gone):
        yield from _with_parent(Kind.DELETED, name, old, new)
    yield from _renames(old, old_ids, new, new_ids)
    for name in sorted(new_ids[id] for id in new_ids.keys() - old_ids.keys()):
        yield from _with_parent(Kind.CREATED, name, old, new)
    for name in sorted(old.keys() | new.keys()):
        if _subscribed(old, name) != _subscribed(new, name):
            yield Change(name, Kind.SUBSCRIBED, old.get(name), new.get(name))


def _subscribed(infos: Mapping[str, MailboxInfo], name: str) -> bool:
    info = infos.get(name)
    return info is not None and info.subscribed


def _with_parent(
    kind: Kind, name: str, old: Mapping[str, MailboxInfo], new: Mapping[str, MailboxInfo]
) -> Iterator[Change]:
    """RFC 5465, 5.4: its direct parent is affected too, whether it is a mailbox or not."""
    parent = parent_of(name)
    if parent:
        yield Change(parent, kind, old.get(parent), new.get(parent), cause=name)
    yield Change(name, kind, old.get(name), new.get(name))


def _renames(
    old: Mapping[str, MailboxInfo],
    old_ids: Mapping[str, str],
    new: Mapping[str, MailboxInfo],
    new_ids: Mapping[str, str],
) -> Iterator[Change]:
    """Those of the uppermost names: of those below them nothing is told (RFC 5465, 5.4)."""
    moved = {name: new_ids[id] for id, name in old_ids.items() if new_ids.get(id, name) != name}
    uppermost: dict[str, str] = {}
    for name in sorted(moved):
        before, after = name, moved[name]
        while True:
            above, above_after = parent_of(before), parent_of(after)
            if not above or not above_after or _last(before) != _last(after):
                break
            if moved.get(above) != above_after and not _only_held(above, above_after, old, new):
                break
            before, after = above, above_after
        uppermost[before] = after
    for before, after in uppermost.items():
        yield Change(after, Kind.RENAMED, old.get(before), new.get(after), old_name=before)


def _only_held(
    above: str, after: str, old: Mapping[str, MailboxInfo], new: Mapping[str, MailboxInfo]
) -> bool:
    r"""A name that was no mailbox, and is gone, for another that is none: \Noselect was renamed."""
    info, now = old.get(above), new.get(after)
    gone = above not in new or not new[above].exists
    return (
        gone and info is not None and not info.id and now is not None and not now.id
        and not (after in old and old[after].exists)
    )  # fmt: skip


def _last(name: str) -> str:
    return name.rpartition(DELIMITER)[2]


def _superiors(name: str) -> Iterator[str]:
    while name := parent_of(name):
        yield name
