"""Keys of URLs that let others read a message (RFC 4467), in the index."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.store.interfaces import IURLKeys
from imapd.store.maildir.troubles import reporting
from imapd.store.maildir.turn import Turn

if TYPE_CHECKING:
    from imapd.store.maildir.account import MaildirAccount

__all__ = ["MaildirURLKeys"]

#: Before the id of a mailbox: where its key is in `meta`.
_URL_KEY: Final = "url_key/"


@reporting
@implementer(IURLKeys)
@define(eq=False)
class MaildirURLKeys:
    """As `IURLKeys`."""

    _account: MaildirAccount = field(repr=False)

    def damaged(self, error: Exception) -> None:
        """As of the account."""
        self._account.damaged(error)

    async def url_key(self, mailbox_id: str, make: bool) -> bytes | None:
        """As `IURLKeys`."""
        key: bytes | None = self._account.index.meta(_URL_KEY + mailbox_id)
        if key is None and make:

            def work(turn: Turn) -> bytes:
                made: bytes = turn.index.meta(_URL_KEY + mailbox_id) or secrets.token_bytes(32)
                turn.index.set_meta(_URL_KEY + mailbox_id, made)
                return made

            key = await self._account.writer.do(work, durable=True)
        return key

    def reset_url_keys(self, mailbox_id: str | None) -> Deferred[None]:
        """As `IURLKeys`."""

        def work(turn: Turn) -> None:
            if mailbox_id is None:
                pattern, length = _URL_KEY, len(_URL_KEY)
                turn.index.sql("DELETE FROM meta WHERE substr(key, 1, ?) = ?", (length, pattern))
            else:
                turn.index.sql("DELETE FROM meta WHERE key = ?", (_URL_KEY + mailbox_id,))

        return self._account.writer.do(work, durable=True)
