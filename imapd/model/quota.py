"""What an account holds, and what it may hold (RFC 9208, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

__all__ = ["UNITS", "Allowance", "Quota", "Usage"]

#: How much of a `Usage` is one of an `Allowance`: octets are counted, and KiB limited.
UNITS: Final[Mapping[str, int]] = {
    "storage": 1_024,
    "messages": 1,
    "mailboxes": 1,
    "annotations": 1_024,
}


@frozen
class Usage:
    """What an account holds."""

    #: Octets of its messages, as RFC822.SIZE has them.
    storage: int = 0
    messages: int = 0
    mailboxes: int = 0
    #: Octets of annotations, those of messages and those of mailboxes: names and values.
    annotations: int = 0


@frozen
class Allowance:
    """What an account may hold; None: as much as it likes."""

    #: In units of 1024 octets.
    storage: int | None = None
    messages: int | None = None
    mailboxes: int | None = None
    #: In units of 1024 octets.
    annotations: int | None = None

    def forbids(self, before: Usage, after: Usage) -> str:
        """The resource that grew beyond its limit, or nothing: whatever does not grow is free."""
        for name, unit in UNITS.items():
            limit: int | None = getattr(self, name)
            grown: int = getattr(after, name)
            if limit is not None and grown > limit * unit and grown > getattr(before, name):
                return name
        return ""


@frozen
class Quota:
    """Both, at one moment."""

    usage: Usage
    allowance: Allowance
