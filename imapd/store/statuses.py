"""The figures of many mailboxes at once, and of one that is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Attribute, Interface

from imapd.model.mailbox import Status
from imapd.store.interfaces import Answer

__all__ = ["IOpenedStatus", "IStatuses"]


class IStatuses(Interface):
    """Provided by an `IAccount` that tells the figures of many mailboxes in less work than of each alone."""

    def statuses(names: Sequence[str]) -> Answer[Mapping[str, Status]]:
        """What `IAccount.open` and `IMailbox.status` say, by name; what cannot be opened is left out.

        `Status.mailbox_id` is always there.
        """


class IOpenedStatus(Interface):
    """Provided by an `IMailbox` of which opening it finds out the figures."""

    opened_status: Status = Attribute(
        "The `Status` of the moment at which the account last opened it, or of a later one."
    )
