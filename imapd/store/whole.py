"""Many small messages at once, octets and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Interface

from imapd.store.interfaces import Answer

__all__ = ["IWholeMessages"]


class IWholeMessages(Interface):
    """Provided by an `IMailbox` that reads several messages in less work than one after the other."""

    def whole(uids: Sequence[int]) -> Answer[Mapping[int, bytes]]:
        """The octets, by UID, of those that are small and at hand: a few milliseconds' work in all.

        The others are left out, and are to be `read`; so are those that do not exist.
        """
