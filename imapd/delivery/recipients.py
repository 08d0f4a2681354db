"""Whom an address means: a user, and perhaps one of their mailboxes (RFC 5233: detail)."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize

from attrs import define, frozen

from imapd.auth.asking import IUserDirectory
from imapd.auth.realm import MailRealm
from imapd.delivery.paths import Path
from imapd.store.answers import settled
from imapd.store.errors import BadMailboxName, NoSuchMailbox, NotSelectable
from imapd.store.interfaces import IAccount, IMailbox

__all__ = ["Recipient", "Recipients", "mailbox_of"]


@frozen
class Recipient:
    """A user who exists."""

    user: str
    #: The mailbox that the address names; it need not be there.
    detail: str = ""


@define(eq=False)
class Recipients:
    """The users who get mail here.

    An address means the user called like all of it or, if there is none, like its local part;
    as it is spelt or, if there is none, in lower case.  A user is who has an account, or whom the
    directory knows.
    """

    _realm: MailRealm
    _directory: IUserDirectory
    #: What stands between user and detail; "" if nothing does.
    _separator: str = "+"

    async def find(self, path: Path) -> Recipient | None:
        """The recipient, if there is one.  Raises `StoreUnavailable` when that cannot be told."""
        local, _, detail = (
            path.local.partition(self._separator) if self._separator else (path.local, "", "")
        )
        if not local:
            local, detail = path.local, ""
        for name in _names(normalize("NFC", local), normalize("NFC", path.domain)):
            user = await self.user(name)
            if user is not None:
                return Recipient(user, normalize("NFC", detail))
        return None

    async def user(self, name: str) -> str | None:
        """The user called so, as the store knows them; None if there is none."""
        user = self._directory.user(name)
        return name if user is None and await self._has_account(name) else user

    async def _has_account(self, name: str) -> bool:
        try:
            account = await self._realm.own_account(name, make=False)
        except BadMailboxName:
            return False
        if account is None:
            return False
        await settled(account.close())
        return True

    async def account(self, recipient: Recipient) -> IAccount:
        """The recipient's account; to be closed.  Raises `BadMailboxName` if they cannot have one."""
        account = await self._realm.own_account(recipient.user, make=True)
        assert account is not None
        return account


def _names(local: str, domain: str) -> Iterator[str]:
    whole = f"{local}@{domain.lower()}" if domain else local
    yield from dict.fromkeys((whole, whole.lower(), local, local.lower()))


async def mailbox_of(account: IAccount, wanted: str, default: str) -> IMailbox:
    """The mailbox `wanted` if it is there and takes messages, else `default`."""
    if wanted:
        try:
            mailbox = await settled(account.open(wanted))
        except (NoSuchMailbox, NotSelectable, BadMailboxName):
            pass
        else:
            if not mailbox.read_only:
                return mailbox
    return await settled(account.open(default))
