"""A user's account with what others let them see.

Rules of this file:

* A user may do everything with their own mailboxes: these are the store's, untouched.
* What a user may not know of is as if it were not there: the same error, and no account is
  opened, or made, for a name that somebody only guessed.
* An error says what would be wrong with rights before it says what else would be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field
from twisted.logger import Logger
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from imapd.model.mailbox import DELIMITER, INBOX, Hint, MailboxInfo
from imapd.model.rights import ACL, ALL_RIGHTS, NO_RIGHTS, Rights, RightsChange, changed_rights
from imapd.sharing.held import Held
from imapd.sharing.mailbox import SharedMailbox, shared_id
from imapd.sharing.metadata import SharingMetadata, told_of_own
from imapd.sharing.place import Place, below
from imapd.sharing.statuses import SharingStatuses
from imapd.store.access import IAccess, INamespaces, IShareable, Offer
from imapd.store.answers import settled
from imapd.store.errors import (
    AccountClosed,
    BadMailboxName,
    NoPermission,
    NoSuchMailbox,
    NotSelectable,
    StoreError,
)
from imapd.store.interfaces import IAccount, IMailbox, IMetadata, WatchCallback
from imapd.store.statuses import IStatuses

if TYPE_CHECKING:
    from imapd.sharing.policy import Sharing

__all__ = ["SharingAccount"]

#: Any of these lets a user know what rights they have (RFC 4314, 4: MYRIGHTS).
_KNOWN_BY = frozenset("lrikxa")


@implementer(IAccount, IAccess, INamespaces)
@define(eq=False)
class SharingAccount:
    """One session's account: `own`, and names below the prefixes of `sharing`."""

    _sharing: Sharing = field(repr=False)
    _user: str
    _own: IAccount = field(repr=False)
    _held: Held = field(init=False, repr=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._held = Held(self._sharing, self._user)

    def __conform__(self, interface: InterfaceClass) -> Any:
        """What the user's own account provides besides, for what is in it."""
        if interface.providedBy(self) or interface is IShareable:
            return None
        provided = interface(self._own, None)
        if interface is IMetadata and provided is not None:
            return SharingMetadata(provided, self._user, self._place, self._mailbox_at)
        if interface is IStatuses and provided is not None:
            return SharingStatuses(provided, self.is_own)
        return provided

    # -- where names lead

    @property
    def others(self) -> Sequence[str]:
        """As `INamespaces`."""
        return [self._sharing.others] if self._sharing.others else []

    @property
    def shared(self) -> Sequence[str]:
        """As `INamespaces`."""
        return [self._public] if self._public else []

    def is_own(self, name: str) -> bool:
        """As `INamespaces`."""
        return self._place(name) is None

    async def follow(self, accounts: int) -> None:
        """As `INamespaces`."""
        self._held.followed = accounts
        await self.mailboxes()

    @property
    def _public(self) -> str:
        return "" if self._user == self._sharing.account else self._sharing.public

    def _place(self, name: str) -> Place | None:
        """Where it leads; None for the user's own names."""
        place = below(name, self._public, self._sharing.account)
        if place is None:
            place = below(name, self._sharing.others)
            if place is not None and place.owner == self._sharing.account:
                # That is no user, and its mailboxes have their own namespace.
                place = evolve(place, owner="")
        return place

    async def _owners(self) -> Sequence[str]:
        """Users who share, or once shared, something with this one."""
        if not self._sharing.others:
            return ()
        async with self._account(self._sharing.account) as account:
            owners = await settled(
                IShareable(account).offers(self._sharing.identifiers(self._user))
            )
        hidden = {self._user, self._sharing.account}
        return sorted(name for name in set(owners) - hidden if DELIMITER not in name)

    async def _offer_own(self) -> None:
        """Note what the user lets others at that came with a store which somebody else had kept.

        Looked for once: what is shared by SETACL has been noted there.
        """
        offered = self._sharing.offered
        if self._user in offered:
            return
        offered.add(self._user)
        try:
            await self._offer(await settled(IShareable(self._own).acls()))
        except StoreError as error:
            # What the user asked for does not hang on it; the next time it is tried again.
            offered.discard(self._user)
            self._log.warn(
                "what {user} shares could not be noted: {error}", user=self._user, error=error
            )

    async def _offer(self, acls: Sequence[tuple[str, ACL]]) -> None:
        named = {
            identifier
            for _, acl in acls
            for identifier in acl
            if not identifier.startswith("-") and identifier != self._user
        }
        if not named:
            return
        async with self._account(self._sharing.account) as directory:
            shareable = IShareable(directory)
            for identifier in sorted(named):
                if self._user not in await settled(shareable.offers([identifier])):
                    await settled(shareable.offer(Offer(identifier, self._user), True))

    @asynccontextmanager
    async def _account(self, owner: str) -> AsyncIterator[IAccount]:
        """An account, for a moment.  Raises `NoSuchMailbox` if it has nothing for this user."""
        if owner == self._user:
            yield self._own
            return
        async with self._held.account(owner) as account:
            yield account

    @asynccontextmanager
    async def _at(self, place: Place) -> AsyncIterator[IAccount]:
        """The account of a place.  Raises `NoSuchMailbox` if it has nothing for this user."""
        if place.owner != self._sharing.account and place.owner not in await self._owners():
            raise NoSuchMailbox
        async with self._account(place.owner) as account:
            yield account

    async def _found(self, account: IAccount, place: Place) -> tuple[IMailbox, Rights]:
        """A mailbox and this user's rights on it.  Raises `NoSuchMailbox` if there are none."""
        if not place.name or (place.name == INBOX and place.owner == self._sharing.account):
            raise NoSuchMailbox
        try:
            mailbox = await settled(account.open(place.name))
        except (NoSuchMailbox, NotSelectable, BadMailboxName):
            # In the words of what may not be known of.
            raise NoSuchMailbox from None
        acl = await settled(IShareable(account).acl(mailbox.id))
        rights = self._sharing.rights(self._user, place.owner, acl)
        if not rights:
            raise NoSuchMailbox
        return mailbox, rights

    @asynccontextmanager
    async def _mailbox_at(self, place: Place) -> AsyncIterator[tuple[IAccount, IMailbox, Rights]]:
        """Both of the above."""
        async with self._at(place) as account:
            mailbox, rights = await self._found(account, place)
            yield account, mailbox, rights

    # -- mailboxes

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """As `IAccount`; of others, those that the user has the right to look up."""
        own = await settled(self._own.mailboxes())
        await self._offer_own()
        subscribed = {info.name for info in own if info.subscribed}
        found = {
            info.name: info for info in own if not info.exists or self._place(info.name) is None
        }
        for owner in await self._owners():
            await self._add(found, Place(owner, f"{self._sharing.others}{owner}/", ""))
        if self._public:
            await self._add(found, Place(self._sharing.account, self._public, ""))
        return [evolve(found[name], subscribed=name in subscribed) for name in sorted(found)]

    async def _add(self, found: dict[str, MailboxInfo], place: Place) -> None:
        try:
            async with self._account(place.owner) as account:
                infos = await settled(account.mailboxes())
                acls = dict(await settled(IShareable(account).acls()))
        except NoSuchMailbox:
            # The user has gone.
            return
        except AccountClosed:
            raise
        except StoreError:
            self._log.failure("the mailboxes of {owner} cannot be listed", owner=place.owner)
            return
        for info in infos:
            rights = self._sharing.rights(self._user, place.owner, acls.get(info.id, {}))
            hidden = info.name == INBOX and place.owner == self._sharing.account
            if "l" in rights and info.exists and info.selectable and not hidden:
                shown = self._shown(info, place.prefix)
                found[shown.name] = shown

    def _shown(self, info: MailboxInfo, prefix: str) -> MailboxInfo:
        """As this user sees it: the uses that a mailbox has are its owner's."""
        return MailboxInfo(prefix + info.name, shared_id(info.id, self._user))

    async def open(self, name: str) -> IMailbox:
        """As `IAccount`."""
        place = self._place(name)
        if place is None:
            return await settled(self._own.open(name))
        async with self._mailbox_at(place) as (_, mailbox, rights):
            if rights.isdisjoint("ri"):
                raise _refusal(rights)
            owner = place.owner
            held = await self._held.hold(owner)
        return SharedMailbox.of(
            await settled(held.open(place.name)),
            IShareable(held),
            self._user,
            lambda acl: self._sharing.rights(self._user, owner, acl),
            rights,
            self._sharing.ledger(mailbox.id, self._user),
        )

    async def create(self, name: str, special_use: frozenset[str] = frozenset()) -> MailboxInfo:
        """As `IAccount`; with the right to do so on the nearest mailbox above."""
        place = self._place(name)
        if place is None:
            return await settled(self._own.create(name, special_use))
        try:
            async with self._at(place) as account:
                await self._require_parent(account, place)
                if special_use:
                    raise NoPermission("A mailbox of others cannot be given a use")
                return self._shown(await settled(account.create(place.name)), place.prefix)
        except NoSuchMailbox:
            raise NoPermission from None

    async def _require_parent(self, account: IAccount, place: Place) -> None:
        """Raises `NoPermission` where the user may make no mailbox."""
        ids = {
            info.name: info.id
            for info in await settled(account.mailboxes())
            if info.exists and info.selectable
        }
        above = place.name
        while above and place.name:
            above = above.rpartition(DELIMITER)[0]
            if above in ids:
                break
        shareable = IShareable(account)
        acl = await settled(shareable.acl(ids[above])) if above in ids else {}
        if "k" not in self._sharing.rights(self._user, place.owner, acl) or not place.name:
            raise NoPermission

    async def delete(self, name: str) -> None:
        """As `IAccount`."""
        place = self._place(name)
        if place is None:
            await settled(self._own.delete(name))
            return
        async with self._mailbox_at(place) as (account, _, rights):
            _require(rights, "x")
            await settled(account.delete(place.name))

    async def rename(self, old: str, new: str) -> None:
        """As `IAccount`; within one account."""
        source, target = self._place(old), self._place(new)
        if source is None and target is None:
            await settled(self._own.rename(old, new))
            return
        if source is None or target is None or source.owner != target.owner:
            raise BadMailboxName("Mailboxes cannot be moved from one user to another")
        async with self._mailbox_at(source) as (account, _, rights):
            _require(rights, "x")
            await self._require_parent(account, target)
            await settled(account.rename(source.name, target.name))

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """As `IAccount`; also to what is not there, which tells nobody anything."""
        await settled(self._own.subscribe(name, subscribed))

    # -- rights

    async def rights(self, name: str) -> Rights:
        """As `IAccess`."""
        place = self._place(name)
        if place is None:
            await settled(self._own.open(name))
            return ALL_RIGHTS
        async with self._mailbox_at(place) as (_, _, rights):
            if rights.isdisjoint(_KNOWN_BY):
                raise NoSuchMailbox
            return rights

    @asynccontextmanager
    async def _administered(self, name: str) -> AsyncIterator[tuple[str, IShareable, str]]:
        """Whose mailbox it is, what keeps its ACL, and its id; for who has the right `a`."""
        place = self._place(name)
        if place is None:
            mailbox = await settled(self._own.open(name))
            yield self._user, IShareable(self._own), mailbox.id
            return
        async with self._mailbox_at(place) as (account, mailbox, rights):
            _require(rights, "a")
            yield place.owner, IShareable(account), mailbox.id

    async def acl(self, name: str) -> Sequence[tuple[str, Rights]]:
        """As `IAccess`; those who have all rights for good come first."""
        async with self._administered(name) as (owner, shareable, mailbox_id):
            acl = await settled(shareable.acl(mailbox_id))
        owners = sorted(self._sharing.owners(owner))
        return [(each, ALL_RIGHTS) for each in owners] + [
            (each, rights) for each, rights in sorted(acl.items()) if each not in owners
        ]

    async def change_acl(
        self, name: str, identifier: str, change: RightsChange, rights: Rights
    ) -> None:
        """As `IAccess`; nobody takes anything from an owner."""
        async with self._administered(name) as (owner, shareable, mailbox_id):
            if identifier.removeprefix("-") in self._sharing.owners(owner):
                if identifier in self._sharing.owners(owner):
                    after = changed_rights(ALL_RIGHTS, change, rights)
                else:
                    after = ALL_RIGHTS - changed_rights(NO_RIGHTS, change, rights)
                if after != ALL_RIGHTS:
                    raise NoPermission("An owner has every right, always")
                return
            offer = Offer(identifier, owner)
            told = owner != self._sharing.account and not identifier.startswith("-")
            async with self._account(self._sharing.account) as directory:
                # First where to look: it may say too much, never too little.
                if told and rights and change is not RightsChange.REMOVE:
                    await settled(IShareable(directory).offer(offer, True))
                await settled(shareable.change_acl(mailbox_id, identifier, change, rights))
                if told and (change is not RightsChange.ADD or not rights):
                    acls = await settled(shareable.acls())
                    if not any(identifier in acl for _, acl in acls):
                        await settled(IShareable(directory).offer(offer, False))

    async def grantable(self, name: str, identifier: str) -> tuple[Rights, Rights]:
        """As `IAccess`."""
        async with self._administered(name) as (owner, _, _):
            if identifier in self._sharing.owners(owner):
                return ALL_RIGHTS, NO_RIGHTS
            if identifier.removeprefix("-") in self._sharing.owners(owner):
                return NO_RIGHTS, NO_RIGHTS
            return NO_RIGHTS, ALL_RIGHTS

    # -- changes

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`; of others, of accounts with a mailbox that was opened."""

        def of_own(hint: Hint) -> None:
            for each in told_of_own(hint):
                callback(each)

        stops = self._own.watch(of_own), self._held.watch(callback)

        def end() -> None:
            for stop in stops:
                stop()

        return end

    async def close(self) -> None:
        """As `IAccount`."""
        await self._held.close()
        await settled(self._own.close())


def _refusal(rights: Rights) -> StoreError:
    """Only who may look a mailbox up is told that it is there."""
    return NoPermission() if "l" in rights else NoSuchMailbox()


def _require(rights: Rights, needed: str) -> None:
    if not rights.issuperset(needed):
        raise _refusal(rights)
