r"""The contract of sharing: what a store keeps of it, and what an account and a mailbox tell of it.

`IShareable` is for stores: it keeps who may do what, and who has seen what, and enforces
nothing.  `imapd.sharing` puts an account around a user's own that does; that one provides
`IAccess` and `INamespaces`, and the mailboxes of others that it opens `IRestricted`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import frozen
from zope.interface import Attribute, Interface

from imapd.model.annotation import PRIVATE, SHARED
from imapd.model.numset import NumSet
from imapd.model.rights import ACL, Rights, RightsChange
from imapd.store.answers import settled
from imapd.store.interfaces import Answer, IAnnotations, IMailbox

__all__ = [
    "IAccess", "INamespaces", "IRestricted", "IShareable", "Mark", "Offer", "allowed", "annotatable",
    "require",
]  # fmt: skip


@frozen
class Mark:
    r"""One change of what a user who is not the owner has seen of a mailbox."""

    #: The mailbox's modification sequence at that moment; never less than that of a mark before.
    at: int
    uids: NumSet
    seen: bool


@frozen
class Offer:
    """Somebody lets another, or a group, at a mailbox of theirs, or did so once."""

    identifier: str
    owner: str


class IShareable(Interface):
    """Provided by an `IAccount` that keeps what is to be known of sharing its mailboxes.

    ACLs and marks are those of a mailbox, by its `IMailbox.id`: a RENAME takes them along, a
    DELETE removes them, and a mailbox that CREATE makes gets the ACL of the nearest above it.
    """

    def acl(mailbox_id: str) -> Answer[ACL]:
        """Who may do what with a mailbox; nothing for one that is not there."""

    def acls() -> Answer[Sequence[tuple[str, ACL]]]:
        """The same of all mailboxes that have an ACL."""

    def change_acl(
        mailbox_id: str, identifier: str, change: RightsChange, rights: Rights
    ) -> Answer[None]:
        """Change the rights of one identifier; one without rights is forgotten.

        Raises `NoSuchMailbox`.
        """

    def marks(mailbox_id: str, user: str, after: int) -> Answer[Sequence[Mark]]:
        """All marks of a user but for the first `after`, as they were made."""

    def mark(mailbox_id: str, user: str, uids: NumSet, seen: bool) -> Answer[None]:
        """Add a mark, at the modseq of this moment, and give a `Hint`.  Raises `NoSuchMailbox`."""

    def offers(identifiers: Collection[str]) -> Answer[Sequence[str]]:
        """The owners of what was offered to any of these, as it was noted here."""

    def offer(offer: Offer, stands: bool) -> Answer[None]:
        """Note it, or forget it."""


class IAccess(Interface):
    """Provided by an `IAccount` in which users see mailboxes of others.

    Each raises `NoSuchMailbox` for what this user may not know of, `NoPermission` for what
    they may not do.
    """

    def rights(name: str) -> Answer[Rights]:
        """What this user may do with a mailbox (RFC 4314, 3.5)."""

    def acl(name: str) -> Answer[Sequence[tuple[str, Rights]]]:
        """Who may do what with it (RFC 4314, 3.3)."""

    def change_acl(
        name: str, identifier: str, change: RightsChange, rights: Rights
    ) -> Answer[None]:
        """Change the rights of one identifier (RFC 4314, 3.1 and 3.2)."""

    def grantable(name: str, identifier: str) -> Answer[tuple[Rights, Rights]]:
        """What an identifier always has, and what it can be given, right by right (RFC 4314, 3.4)."""


class INamespaces(Interface):
    """Provided by an `IAccount` that has more than the user's own mailboxes (RFC 2342)."""

    others = Attribute("Prefixes of mailboxes of other users, each with a delimiter at its end.")
    shared = Attribute("Prefixes of mailboxes of nobody, likewise.")

    def is_own(name: str) -> bool:
        """Whether a mailbox of that name is, or would be, the user's own."""

    def follow(accounts: int) -> Answer[None]:
        """From now on hints come of all that the user sees, opened or not, in so many accounts."""


class IRestricted(Interface):
    """Provided by an `IMailbox` with which its user may not do everything."""

    def rights() -> Answer[Rights]:
        """What they may do just now."""

    def require(needed: Rights) -> Answer[None]:
        """Raises `NoPermission` or `NoSuchMailbox` if they may not do all that."""


def allowed(mailbox: IMailbox) -> Answer[Rights | None]:
    """What the user may do with a mailbox; None for everything."""
    restricted = IRestricted(mailbox, None)
    if restricted is None:
        return None
    rights: Answer[Rights | None] = restricted.rights()
    return rights


def annotatable(mailbox: IMailbox, rights: Rights | None) -> frozenset[str]:
    """Whose annotations of messages the user may change: their own, what all share (RFC 5257, 3.4).

    `rights` are as `allowed` says.
    """
    able = IAnnotations(mailbox, None)
    if able is None:
        return frozenset()
    needed = {PRIVATE: "r", SHARED: "n"} if able.private_annotations else {SHARED: "n"}
    if rights is None:
        return frozenset() if mailbox.read_only else frozenset(needed)
    return frozenset(whose for whose, right in needed.items() if right in rights)


async def require(mailbox: IMailbox, letters: str) -> None:
    """Raises `NoPermission` or `NoSuchMailbox` if the user may not do all that."""
    restricted = IRestricted(mailbox, None)
    if restricted is not None:
        await settled(restricted.require(frozenset(letters)))
