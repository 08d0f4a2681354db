"""What a client of NOTIFY asked for (RFC 5465, 6 and 8), and what that means for one mailbox.

Rules of this file:

* Several groups may mean one mailbox: then all their events count.
* NONE is said of the mailboxes of its group and of what wider groups say of them:
  ``(mailboxes Spam NONE) (personal (...))`` is everything but Spam.  From narrow to wide:
  mailboxes; subtree, the nearest first; subscribed, inboxes and personal together.
* Which mailboxes mail may be delivered to is not known, so inboxes are personal
  (RFC 5465, 6.3: "MUST treat").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Flag
from typing import Final

from attrs import define, field, frozen

from imapd.commands.fetch_items import Fetched
from imapd.model.mailbox import DELIMITER, MailboxInfo

__all__ = ["EVENTS", "Event", "Filters", "Selected", "parent_of"]


class Event(Flag):
    """Kinds of events; MessageNew and MessageExpunge are always asked for together."""

    NEVER = 0
    MESSAGES = 1
    FLAGS = 2
    NAMES = 4
    SUBSCRIPTIONS = 8
    #: Wider groups have no say.
    NONE = 16
    METADATA = 32
    #: Of annotations of the server: of whichever mailboxes it is said.
    SERVER = 64
    ANNOTATIONS = 128
    #: Of the messages that a mailbox has already.
    CHANGES = FLAGS | ANNOTATIONS


#: By the name in lower case; what is not here is told of in BADEVENT.
EVENTS: Final[Mapping[str, tuple[str, Event]]] = {
    name.lower(): (name, event)
    for name, event in (
        ("MessageNew", Event.MESSAGES),
        ("MessageExpunge", Event.MESSAGES),
        ("FlagChange", Event.FLAGS),
        ("AnnotationChange", Event.ANNOTATIONS),
        ("MailboxName", Event.NAMES),
        ("SubscriptionChange", Event.SUBSCRIPTIONS),
        ("MailboxMetadataChange", Event.METADATA),
        ("ServerMetadataChange", Event.SERVER),
    )
}


@frozen
class Selected:
    """What is wanted of the selected mailbox, whichever that is."""

    events: Event = Event.NEVER
    #: SELECTED-DELAYED: that messages are gone is told when a command permits it.
    delayed: bool = False
    #: What FETCH tells of each new message.
    items: Sequence[Fetched] = ()


@define
class Filters:
    """All groups of one NOTIFY SET; without any it is NOTIFY NONE."""

    #: NOTIFY SET, and not NONE.
    any: bool = False
    selected: Selected = Selected()
    #: Of names, and of names with all below them.
    mailboxes: dict[str, Event] = field(factory=dict)
    subtrees: dict[str, Event] = field(factory=dict)
    subscribed: Event = Event.NEVER
    personal: Event = Event.NEVER
    #: Whether a name is in the user's own namespace.
    is_personal: Callable[[str], bool] = lambda name: True

    @property
    def others(self) -> Event:
        """All that is wanted of any mailbox that is not selected."""
        wanted = self.subscribed | self.personal
        for each in (*self.mailboxes.values(), *self.subtrees.values()):
            wanted |= each
        return wanted & ~Event.NONE

    def events(self, info: MailboxInfo) -> Event:
        """What is wanted of a mailbox."""
        wanted = Event.NEVER
        for event in self._of(info):
            wanted |= event
            if event & Event.NONE:
                break
        return wanted & ~Event.NONE

    def _of(self, info: MailboxInfo) -> Iterator[Event]:
        yield self.mailboxes.get(info.name, Event.NEVER)
        if self.subtrees:
            name = info.name
            while name:
                yield self.subtrees.get(name, Event.NEVER)
                name = parent_of(name)
        wide = self.subscribed if info.subscribed else Event.NEVER
        yield wide | self.personal if self.is_personal(info.name) else wide

    def watches(self, info: MailboxInfo) -> Event:
        """What is wanted of the messages of a mailbox."""
        if not info.selectable:
            return Event.NEVER
        return self.events(info) & (Event.MESSAGES | Event.CHANGES)

    def opens(self, info: MailboxInfo) -> bool:
        """Whether it must be opened: to see its messages, or whether the user may read what is another's.

        RFC 5465, 5: every event takes the right to read.
        """
        if not info.selectable:
            return False
        wanted = Event.MESSAGES | Event.CHANGES
        if not self.is_personal(info.name):
            wanted |= Event.METADATA | Event.NAMES | Event.SUBSCRIPTIONS
        return bool(self.events(info) & wanted)


def parent_of(name: str) -> str:
    """The name above, or nothing."""
    return name.rpartition(DELIMITER)[0]
