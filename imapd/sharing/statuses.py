"""Figures of many mailboxes at once, for names that lead to the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field
from zope.interface import implementer

from imapd.model.mailbox import Status
from imapd.store.interfaces import Answer
from imapd.store.statuses import IStatuses

__all__ = ["SharingStatuses"]


@implementer(IStatuses)
@define(eq=False)
class SharingStatuses:
    """As `IStatuses`; mailboxes of others are asked alone."""

    _own: IStatuses = field(repr=False)
    _is_own: Callable[[str], bool] = field(repr=False)

    def statuses(self, names: Sequence[str]) -> Answer[Mapping[str, Status]]:
        """As `IStatuses`."""
        return self._own.statuses([name for name in names if self._is_own(name)])
