"""The figures of many mailboxes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Interface

from imapd.model.mailbox import Status
from imapd.store.interfaces import Answer

__all__ = ["IStatuses"]


class IStatuses(Interface):
    """Provided by an `IAccount` that tells the figures of many mailboxes in less work than of each alone."""

    def statuses(names: Sequence[str]) -> Answer[Mapping[str, Status]]:
        """What `IAccount.open` and `IMailbox.status` say, by name; what cannot be opened is left out.

        `Status.mailbox_id` is always there.
        """
