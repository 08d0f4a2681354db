"""The realm: from a name that a checker vouched for to that user's account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import Interface, implementer

from imapd.model.mailbox import INBOX
from imapd.sharing.policy import Sharing
from imapd.store.answers import settled
from imapd.store.errors import BadMailboxName, MailboxExists, StoreError
from imapd.store.interfaces import IAccount, IMailStore, IOtherAccounts

__all__ = ["Avatar", "MailRealm"]

#: What `IRealm.requestAvatar` gives: the interface, the account, and how to leave it: a call
#: whose Deferred fires when the account is closed.
Avatar = tuple[type[Interface], object, Callable[[], Any]]

#: Users of whom is known that their mailboxes were made; then it is asked again.
_KNOWN = 100_000


@implementer(IRealm, IOtherAccounts)
@define(eq=False)
class MailRealm:
    r"""Opens accounts of one store.

    An account that has no mailbox but INBOX is given those of `mailboxes`: by name,
    with their special use (``{"Sent": "\\Sent"}``, or "" for none), and subscribed.
    """

    _store: IMailStore
    _mailboxes: Mapping[str, str] = field(factory=dict)
    #: How users see mailboxes of each other; without it, they do not.
    _sharing: Sharing | None = None
    _known: set[str] = field(factory=set, init=False, repr=False)
    _log = Logger()

    def requestAvatar(
        self, avatarId: bytes | str | tuple[()], mind: object, *interfaces: type[Interface]
    ) -> Deferred[Avatar]:
        """As `IRealm`: for `IAccount`; `UnauthorizedLogin` for who cannot have one."""
        if IAccount not in interfaces:
            raise NotImplementedError("this realm has accounts (IAccount) and nothing else")
        return Deferred.fromCoroutine(self._avatar(avatarId))

    async def open_existing(self, user: str) -> IAccount | None:
        """As `IOtherAccounts`; none, if the store cannot tell."""
        account = await self.own_account(user, False)
        return account if account is None else self._seen_by(user, account)

    async def own_account(self, user: str, make: bool) -> IAccount | None:
        """A user's own mailboxes, and not those of others: for mail that comes in.

        Who has no account yet is given one, with `make`.  Raises `BadMailboxName` for a user
        name that cannot have an account.
        """
        if make:
            return await self._furnished(user)
        store = IOtherAccounts(self._store, None)
        return None if store is None else await settled(store.open_existing(user))

    async def _furnished(self, user: str) -> IAccount:
        account = await settled(self._store.open_account(user))
        if self._mailboxes and user not in self._known:
            try:
                await self._furnish(user, account)
            except BaseException:
                await settled(account.close())
                raise
        return account

    async def _avatar(self, avatar_id: bytes | str | tuple[()]) -> Avatar:
        user = _name(avatar_id)
        try:
            account = self._seen_by(user, await self._furnished(user))
        except BadMailboxName as bad:
            raise UnauthorizedLogin(f"no account can be called so: {bad}") from bad
        return IAccount, account, _Leave(account)

    def _seen_by(self, user: str, account: IAccount) -> IAccount:
        return account if self._sharing is None else self._sharing.around(user, account)

    async def _furnish(self, user: str, account: IAccount) -> None:
        """Make a new account's mailboxes; without them it is still an account."""
        try:
            there = {info.name for info in await settled(account.mailboxes()) if info.exists}
            if there <= {INBOX}:
                for name, use in self._mailboxes.items():
                    # Another session of this user may be first.
                    with suppress(MailboxExists):
                        await settled(account.create(name, frozenset({use} if use else ())))
                    await settled(account.subscribe(name, True))
        except StoreError:
            self._log.failure("making the first mailboxes of {user}", user=user)
            return
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known.add(user)


def _name(avatar_id: bytes | str | tuple[()]) -> str:
    """The user, as the store knows users."""
    if isinstance(avatar_id, bytes):
        try:
            return avatar_id.decode("utf-8")
        except UnicodeDecodeError:
            raise UnauthorizedLogin("the user name is not UTF-8") from None
    if isinstance(avatar_id, str):
        return avatar_id
    raise UnauthorizedLogin("there are no anonymous accounts here")


@define(eq=False)
class _Leave:
    """Closes an account, however often it is called."""

    _account: IAccount | None

    def __call__(self) -> Deferred[None]:
        account, self._account = self._account, None
        return Deferred.fromCoroutine(_closed(account))


async def _closed(account: IAccount | None) -> None:
    if account is not None:
        await settled(account.close())
