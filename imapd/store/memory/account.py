r"""One user's mailboxes in memory.

Only mailboxes are kept.  A name that others hang below and that is no mailbox is \Noselect,
and goes when the last of them goes.
"""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import define, evolve, field
from zope.interface import implementer

from imapd.model.limits import Limits
from imapd.model.mailbox import DELIMITER, INBOX, Hint, MailboxInfo, Status
from imapd.model.numset import NumSet
from imapd.model.quota import Allowance, Quota, Usage
from imapd.store.access import IShareable
from imapd.store.annotating import annotated, changed_entries, octets_of_entries
from imapd.store.errors import (
    BadMailboxName,
    HasChildren,
    MailboxExists,
    NoSuchMailbox,
    NotSelectable,
    OverQuota,
)
from imapd.store.interfaces import (
    IAccount,
    IAnnotated,
    IMetadata,
    IObjectIDs,
    IQuota,
    IURLKeys,
    WatchCallback,
)
from imapd.store.memory.mailbox import MemoryMailbox
from imapd.store.memory.sharing import MemorySharing
from imapd.store.statuses import IStatuses
from imapd.store.watching import Watching

__all__ = ["MemoryAccount"]

#: Controls, surrogates, line and paragraph separators (RFC 9051, 5.1; RFC 5198, 2).
_FORBIDDEN = frozenset(("Cc", "Cs", "Zl", "Zp"))


@implementer(IAccount, IURLKeys, IQuota, IObjectIDs, IMetadata, IAnnotated, IStatuses)
@define(eq=False)
class MemoryAccount:
    """The account of all sessions of one user."""

    _new_uidvalidity: Callable[[], int] = field(repr=False)
    _limits: Limits = field(default=Limits(), repr=False)
    _clock: Callable[[], float] = field(default=time.time, repr=False)
    _allowed_each: Callable[[], Allowance] = field(default=Allowance, repr=False)

    _allowed: Allowance | None = field(default=None, init=False, repr=False)
    _mailboxes: dict[str, MemoryMailbox] = field(factory=dict, init=False, repr=False)
    #: By mailbox id; those of the account under "".
    _annotations: dict[str, dict[str, bytes]] = field(factory=dict, init=False, repr=False)
    _subscribed: set[str] = field(factory=set, init=False, repr=False)
    _url_keys: dict[str, bytes] = field(factory=dict, init=False, repr=False)
    _threads: dict[bytes, bytes] = field(factory=dict, init=False, repr=False)
    _watching: Watching = field(factory=Watching, init=False, repr=False)
    _hints: deque[Hint] = field(factory=deque, init=False, repr=False)
    _publishing: bool = field(default=False, init=False, repr=False)
    _sharing: MemorySharing = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._sharing = MemorySharing(self._mailboxes, self._tell)
        self._make(INBOX)

    def __conform__(self, interface: object) -> MemorySharing | None:
        """What it provides by another object."""
        return self._sharing if interface is IShareable else None

    # -- names

    def mailboxes(self) -> Sequence[MailboxInfo]:
        """As `IAccount`; by name."""
        found = {
            name: MailboxInfo(
                name,
                mailbox.id,
                subscribed=name in self._subscribed,
                special_use=mailbox.special_use,
            )
            for name, mailbox in self._mailboxes.items()
        }
        for name in self._mailboxes:
            for above in _superiors(name):
                if above not in found:
                    found[above] = MailboxInfo(
                        above, selectable=False, subscribed=above in self._subscribed
                    )
        for name in self._subscribed - found.keys():
            found[name] = MailboxInfo(name, exists=False, selectable=False, subscribed=True)
        return [found[name] for name in sorted(found)]

    def create(self, name: str, special_use: frozenset[str] = frozenset()) -> MailboxInfo:
        r"""As `IAccount`; a \Noselect name becomes a mailbox."""
        self._check(name)
        if name in self._mailboxes:
            raise MailboxExists(f"there is a mailbox {name}")
        self._admit(mailboxes=1 + len(self._missing(name)))
        self._make_superiors(name)
        mailbox = self._make(name, special_use)
        self._tell(Hint(""))
        return MailboxInfo(
            name, mailbox.id, subscribed=name in self._subscribed, special_use=special_use
        )

    def delete(self, name: str) -> None:
        """As `IAccount`."""
        if name == INBOX:
            raise BadMailboxName("INBOX stays")
        mailbox = self._mailboxes.pop(name, None)
        if mailbox is None:
            if self._holds(name):
                raise HasChildren(f"{name} has mailboxes below it")
            raise NoSuchMailbox(f"there is no mailbox {name}")
        mailbox.drop()
        self._annotations.pop(mailbox.id, None)
        self._sharing.forget(mailbox.id)
        self._tell(Hint(""))

    def rename(self, old: str, new: str) -> None:
        """As `IAccount`."""
        if old not in self._mailboxes and not self._holds(old):
            raise NoSuchMailbox(f"there is no mailbox {old}")
        self._check(new)
        if new in self._mailboxes or self._holds(new):
            raise MailboxExists(f"there is a mailbox {new}")
        if old == INBOX:
            annotations = octets_of_entries(self.annotations(INBOX))
            self._admit(mailboxes=1 + len(self._missing(new)), annotations=annotations)
            self._make_superiors(new)
            inbox = self._mailboxes[INBOX]
            target = self._make(new)
            inbox.move(NumSet([(1, 1 << 32)]), target)
            self._annotations[target.id] = dict(self.annotations(INBOX))
        else:
            below = old + DELIMITER
            if new.startswith(below):
                raise BadMailboxName(f"{new} is inside {old}")
            names = {
                name: new + name[len(old) :]
                for name in self._mailboxes
                if name == old or name.startswith(below)
            }
            for moved in names.values():
                self._check(moved)
            self._admit(mailboxes=len(self._missing(new)))
            self._make_superiors(new)
            for name, moved in names.items():
                self._mailboxes[moved] = self._mailboxes.pop(name)
        self._tell(Hint(""))

    def subscribe(self, name: str, subscribed: bool) -> None:
        """As `IAccount`.  Raises `BadMailboxName` for a name that no mailbox can have."""
        if subscribed == (name in self._subscribed):
            return
        if subscribed:
            self._check(name)
            self._subscribed.add(name)
        else:
            self._subscribed.discard(name)
        self._tell(Hint(""))

    def open(self, name: str) -> MemoryMailbox:
        """As `IAccount`."""
        mailbox = self._mailboxes.get(name)
        if mailbox is not None:
            return mailbox
        if self._holds(name):
            raise NotSelectable(f"{name} holds only other mailboxes")
        raise NoSuchMailbox(f"there is no mailbox {name}")

    def statuses(self, names: Sequence[str]) -> Mapping[str, Status]:
        """As `IStatuses`."""
        found = [(name, self._mailboxes[name]) for name in names if name in self._mailboxes]
        return {name: evolve(mailbox.status(), mailbox_id=mailbox.id) for name, mailbox in found}

    def url_key(self, mailbox_id: str, make: bool) -> bytes | None:
        """As `IURLKeys`."""
        if make and mailbox_id not in self._url_keys:
            self._url_keys[mailbox_id] = secrets.token_bytes(32)
        return self._url_keys.get(mailbox_id)

    def reset_url_keys(self, mailbox_id: str | None) -> None:
        """As `IURLKeys`."""
        if mailbox_id is None:
            self._url_keys.clear()
        else:
            self._url_keys.pop(mailbox_id, None)

    def close(self) -> None:
        """As `IAccount`; other sessions go on."""

    def _make(self, name: str, special_use: frozenset[str] = frozenset()) -> MemoryMailbox:
        mailbox = MemoryMailbox(
            self._new_uidvalidity(),
            self._tell,
            special_use,
            self._clock,
            self._threads,
            admit=self._admit_messages,
            held=self._message_annotations,
        )
        self._mailboxes[name] = mailbox
        above = next(
            (each for each in reversed(list(_superiors(name))) if each in self._mailboxes), None
        )
        if above is not None:
            self._sharing.inherit(mailbox.id, self._mailboxes[above].id)
        return mailbox

    def _make_superiors(self, name: str) -> None:
        for above in self._missing(name):
            self._make(above)

    def _missing(self, name: str) -> list[str]:
        """What has to be made above a mailbox."""
        return [
            above
            for above in _superiors(name)
            if above not in self._mailboxes and not self._holds(above)
        ]

    def _holds(self, name: str) -> bool:
        below = name + DELIMITER
        return any(other.startswith(below) for other in self._mailboxes)

    def _check(self, name: str) -> None:
        if len(name) > self._limits.mailbox_name:
            raise BadMailboxName("the name is too long")
        if not all(name.split(DELIMITER)):
            raise BadMailboxName("a level of the name is empty")
        if any(unicodedata.category(character) in _FORBIDDEN for character in name):
            raise BadMailboxName("the name has control characters")

    # -- annotations

    def annotations(self, mailbox: str) -> Mapping[str, bytes]:
        """As `IMetadata`."""
        return self._annotations.get(self._annotated(mailbox), {})

    def annotate(
        self, mailbox: str, values: Mapping[str, bytes | None], entries: int, octets: int
    ) -> Sequence[str]:
        """As `IMetadata`."""
        held = self._mailbox_annotations()
        id, before = self._annotated(mailbox), self.annotations(mailbox)
        after = annotated(before, values, held=held, entries=entries, octets=octets)
        self._admit(annotations=octets_of_entries(after) - octets_of_entries(before))
        self._annotations[id] = after
        changed = changed_entries(before, after)
        if changed:
            if mailbox:
                self._mailboxes[mailbox].step()
            self._tell(Hint(id, entries=changed))
        return changed

    def _annotated(self, name: str) -> str:
        mailbox = self._mailboxes.get(name)
        if mailbox is None and name:
            raise NoSuchMailbox(f"there is no mailbox {name}")
        return "" if mailbox is None else mailbox.id

    # -- quota

    def quota(self) -> Quota:
        """As `IQuota`; mailboxes keep counts of their own."""
        figures = [mailbox.status() for mailbox in self._mailboxes.values()]
        usage = Usage(
            storage=sum(each.size for each in figures),
            messages=sum(each.messages for each in figures),
            mailboxes=len(figures),
            annotations=self._mailbox_annotations() + self._message_annotations(),
        )
        return Quota(usage, self._allowed or self._allowed_each())

    def allow(self, allowance: Allowance) -> None:
        """As `IQuota`."""
        self._allowed = allowance

    def _admit_messages(self, storage: int, messages: int, annotations: int) -> None:
        self._admit(storage, messages, annotations=annotations)

    def _message_annotations(self) -> int:
        return sum(mailbox.annotation_octets for mailbox in self._mailboxes.values())

    def _mailbox_annotations(self) -> int:
        return sum(map(octets_of_entries, self._annotations.values()))

    def _admit(
        self, storage: int = 0, messages: int = 0, mailboxes: int = 0, annotations: int = 0
    ) -> None:
        """Raise `OverQuota` if there is no room for so much more."""
        now = self.quota()
        usage = now.usage
        more = Usage(
            usage.storage + storage,
            usage.messages + messages,
            usage.mailboxes + mailboxes,
            usage.annotations + annotations,
        )
        resource = now.allowance.forbids(usage, more)
        if resource:
            raise OverQuota(f"The quota of {resource} is used up")

    # -- hints

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`; called before the method that made the change returns."""
        return self._watching.add(callback)

    def _tell(self, hint: Hint) -> None:
        """Queued, so that a change made by a callback comes after the one it was called for."""
        self._hints.append(hint)
        if self._publishing:
            return
        self._publishing = True
        try:
            while self._hints:
                self._watching.tell(self._hints.popleft())
        finally:
            self._publishing = False


def _superiors(name: str) -> Iterator[str]:
    """``a`` and ``a/b`` for ``a/b/c``."""
    place = name.find(DELIMITER)
    while place != -1:
        yield name[:place]
        place = name.find(DELIMITER, place + 1)
