"""Mailboxes of other servers, as far as an account knows of them."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from imapd.model.mailbox import MailboxInfo
from imapd.store.interfaces import Answer

__all__ = ["IRemoteMailboxes"]


class IRemoteMailboxes(Interface):
    """An account some of whose names are mailboxes of other servers."""

    def everywhere() -> Answer[Sequence[MailboxInfo]]:
        """As `IAccount.mailboxes`, which leaves them out; here they are, and `remote`."""
