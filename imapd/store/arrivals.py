"""Hearing of messages that have come, from wherever, when there is time to make something of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import Interface

from imapd.store.interfaces import IMailbox

__all__ = ["IArrivals"]


class IArrivals(Interface):
    """Provided by an `IMailStore` that says, a while later, into which mailboxes messages came."""

    def prepare(call: Callable[[IMailbox], Deferred[Any]]) -> None:
        """Call with such a mailbox when no more messages come; not for two of one account at once.

        What is done then is cancelled when the account closes, and waited for: so a mailbox is also
        called with a while after it was first opened, to go on with what was cancelled.
        """
