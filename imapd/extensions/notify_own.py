"""What a client does itself, so that it is not told of it as news (RFC 5465, 5).

The session's account and images are put behind these while NOTIFY is on: they do what
they did, and say what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

from imapd.extensions.notify_names import Kind
from imapd.model.mailbox import Changes, MailboxInfo
from imapd.session.images import Images
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount

__all__ = ["OwnAccount", "OwnImages"]


@frozen(eq=False)
class OwnAccount:
    """An `IAccount` that says what was done to names."""

    account: IAccount
    _done: Callable[[Kind, str], None] = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.account, name)

    def __conform__(self, interface: Any) -> Any:
        return interface(self.account, None)

    async def create(self, name: str, *args: Any, **keywords: Any) -> MailboxInfo:
        """As `IAccount`."""
        info = await settled(self.account.create(name, *args, **keywords))
        self._done(Kind.CREATED, name)
        return info

    async def delete(self, name: str) -> None:
        """As `IAccount`."""
        await settled(self.account.delete(name))
        self._done(Kind.DELETED, name)

    async def rename(self, old: str, new: str) -> None:
        """As `IAccount`; INBOX stays, and `new` is made."""
        await settled(self.account.rename(old, new))
        self._done(Kind.RENAMED, new)
        self._done(Kind.CREATED, new)

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """As `IAccount`."""
        await settled(self.account.subscribe(name, subscribed))
        self._done(Kind.SUBSCRIBED, name)


@frozen(eq=False)
class OwnImages:
    """The `Images` of a process, saying what is noted by one session."""

    images: Images
    _noted: Callable[[str, Changes], None] = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.images, name)

    def note(self, mailbox_id: str, changes: Changes, came: Sequence[int] = ()) -> None:
        """As `Images`."""
        self.images.note(mailbox_id, changes, came)
        self._noted(mailbox_id, changes)
