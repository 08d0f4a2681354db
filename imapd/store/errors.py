"""What can be wrong with what a store was asked: facts, never responses.

One table, in `imapd.session.outcome`, turns them into response codes.
"""

from __future__ import annotations

__all__ = [
    "AccountClosed", "BadMailboxName", "CannotKeepBinary", "HasChildren", "Inconvenient", "MailboxExists",
    "MessageGone", "NoPermission", "NoSuchMailbox", "NotSelectable", "OverQuota", "StoreError",
    "StoreUnavailable", "TooBig", "TooManyEntries",
]  # fmt: skip


class StoreError(Exception):
    """Base of every fact below.  Its text may be shown to the client."""


class NoSuchMailbox(StoreError):
    """There is no mailbox of that name."""


class NotSelectable(StoreError):
    """The name holds other mailboxes but no messages."""


class MailboxExists(StoreError):
    """A mailbox of that name is there already."""


class HasChildren(StoreError):
    r"""The mailbox cannot go because it is \Noselect and has children (RFC 9051, 6.3.5)."""


class BadMailboxName(StoreError):
    """No mailbox can have that name here."""


class NoPermission(StoreError):
    """The user may not do that."""


class OverQuota(StoreError):
    """There is no room for it under the user's quota."""


class TooBig(StoreError):
    """The message is larger than this store takes."""


class MessageGone(StoreError):
    """The message was expunged meanwhile."""


class TooManyEntries(StoreError):
    """The mailbox, or the account, has as many annotations as it may (RFC 5464, 4.3)."""


class CannotKeepBinary(StoreError):
    """The message holds NUL, and this mailbox cannot keep that (RFC 3516, 4.4: UNKNOWN-CTE)."""


class Inconvenient(StoreError):
    """Something else holds the mailbox just now; trying again helps (RFC 5530: INUSE)."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or its disk is full; the mail is safe (RFC 5530: UNAVAILABLE)."""


class AccountClosed(StoreUnavailable):
    """The store has closed the account; who opens it again finds it in order."""
