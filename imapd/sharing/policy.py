"""Who is who, and where mailboxes of others are shown: what the owner of a server decided about sharing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from weakref import WeakValueDictionary

from attrs import define, field

from imapd.model.rights import ACL, ALL_RIGHTS, ANYONE, Rights, effective
from imapd.sharing.account import SharingAccount
from imapd.sharing.ledger import Ledger
from imapd.store.access import IShareable
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IAccount, IMailStore, IOtherAccounts

__all__ = ["Sharing"]


@define(eq=False)
class Sharing:
    """How the accounts of one store see each other.

    `account` is that of no user: it has the public mailboxes, and the list of who shares
    something with whom.  Prefixes end in a delimiter; an empty one switches its namespace off.
    """

    store: IMailStore = field(repr=False)
    account: str
    others: str = "Other Users/"
    public: str = "Shared/"
    #: Users who have all rights on the public mailboxes.
    administrators: Collection[str] = ()
    #: By name, without the ``$`` that identifiers have.
    groups: Mapping[str, Collection[str]] = field(factory=dict)
    #: Users of whom is noted whom they let at their mailboxes.
    offered: set[str] = field(factory=set, init=False, repr=False)
    _ledgers: WeakValueDictionary[tuple[str, str], Ledger] = field(
        factory=WeakValueDictionary, init=False, repr=False
    )

    def around(self, user: str, own: IAccount) -> IAccount:
        """The account as its user sees it; the same if its store keeps no ACLs."""
        if IShareable(own, None) is None:
            return own
        return SharingAccount(self, user, own)

    async def opened(self, account: str) -> IAccount:
        """An account, to be closed.  Raises `NoSuchMailbox` if the user has none any more."""
        existing = IOtherAccounts(self.store, None)
        if existing is None or account == self.account:
            return await settled(self.store.open_account(account))
        found = await settled(existing.open_existing(account))
        if found is None:
            raise NoSuchMailbox
        return found

    def identifiers(self, user: str) -> frozenset[str]:
        """All that ACLs may call the user."""
        found = {ANYONE, *(f"${name}" for name, users in self.groups.items() if user in users)}
        # A user must not be taken for a group, or for everybody, for the name they chose.
        if user != ANYONE and not user.startswith(("$", "-")):
            found.add(user)
        return frozenset(found)

    def owners(self, account: str) -> Collection[str]:
        """Who can always do everything with the mailboxes of an account."""
        return self.administrators if account == self.account else (account,)

    def rights(self, user: str, account: str, acl: ACL) -> Rights:
        """What a user may do with a mailbox of an account."""
        if user in self.owners(account):
            return ALL_RIGHTS
        return effective(acl, self.identifiers(user))

    def ledger(self, mailbox_id: str, user: str) -> Ledger:
        """What the user has seen of a mailbox, as far as this process knows."""
        key = mailbox_id, user
        ledger = self._ledgers.get(key)
        if ledger is None:
            ledger = self._ledgers[key] = Ledger()
        return ledger
