"""What an account in memory keeps of sharing its mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import define, field
from zope.interface import implementer

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.model.rights import ACL, NO_RIGHTS, Rights, RightsChange, changed_rights
from imapd.store.access import IShareable, Mark, Offer
from imapd.store.errors import NoSuchMailbox
from imapd.store.memory.mailbox import MemoryMailbox

__all__ = ["MemorySharing"]


@implementer(IShareable)
@define(eq=False)
class MemorySharing:
    """As `IShareable`, by the ids of the account's mailboxes."""

    _mailboxes: Mapping[str, MemoryMailbox] = field(repr=False)
    _tell: Callable[[Hint], None] = field(repr=False)
    _acls: dict[str, dict[str, Rights]] = field(factory=dict, init=False, repr=False)
    _marks: dict[tuple[str, str], list[Mark]] = field(factory=dict, init=False, repr=False)
    _offers: dict[Offer, None] = field(factory=dict, init=False, repr=False)

    def acl(self, mailbox_id: str) -> ACL:
        """As `IShareable`."""
        return dict(self._acls.get(mailbox_id, {}))

    def acls(self) -> Sequence[tuple[str, ACL]]:
        """As `IShareable`."""
        return [(id, dict(acl)) for id, acl in self._acls.items() if acl]

    def change_acl(
        self, mailbox_id: str, identifier: str, change: RightsChange, rights: Rights
    ) -> None:
        """As `IShareable`."""
        self._mailbox(mailbox_id)
        acl = self._acls.setdefault(mailbox_id, {})
        new = changed_rights(acl.get(identifier, NO_RIGHTS), change, rights)
        if new:
            acl[identifier] = new
        else:
            acl.pop(identifier, None)
        self._tell(Hint(""))

    def marks(self, mailbox_id: str, user: str, after: int) -> Sequence[Mark]:
        """As `IShareable`."""
        return self._marks.get((mailbox_id, user), [])[after:]

    def mark(self, mailbox_id: str, user: str, uids: NumSet, seen: bool) -> None:
        """As `IShareable`."""
        at = self._mailbox(mailbox_id).status().highest_modseq
        self._marks.setdefault((mailbox_id, user), []).append(Mark(at, uids, seen))
        self._tell(Hint(mailbox_id, at))

    def offers(self, identifiers: Collection[str]) -> Sequence[str]:
        """As `IShareable`."""
        return [each.owner for each in self._offers if each.identifier in identifiers]

    def offer(self, offer: Offer, stands: bool) -> None:
        """As `IShareable`."""
        if stands:
            self._offers[offer] = None
        else:
            self._offers.pop(offer, None)

    def inherit(self, mailbox_id: str, above: str) -> None:
        """A new mailbox gets the ACL of the one above it."""
        self._acls[mailbox_id] = dict(self._acls.get(above, {}))

    def forget(self, mailbox_id: str) -> None:
        """The mailbox was deleted."""
        self._acls.pop(mailbox_id, None)
        for key in [key for key in self._marks if key[0] == mailbox_id]:
            del self._marks[key]

    def _mailbox(self, mailbox_id: str) -> MemoryMailbox:
        for mailbox in self._mailboxes.values():
            if mailbox.id == mailbox_id:
                return mailbox
        raise NoSuchMailbox("the mailbox was deleted")
