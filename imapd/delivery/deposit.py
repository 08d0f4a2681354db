"""One message into one mailbox, and what to say when it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.logger import Logger

from imapd.delivery.recipients import mailbox_of
from imapd.delivery.replies import Reply
from imapd.model.dates import from_datetime
from imapd.model.flags import interned
from imapd.model.mailbox import INBOX
from imapd.session.content import facts_of
from imapd.store import errors
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount, IMessageReader, NewMessage

__all__ = ["deposit", "reply_to"]

_log = Logger(namespace="imapd")


async def deposit(
    account: IAccount, wanted: str, content: IMessageReader, now: Callable[[], datetime]
) -> None:
    """Put a message into the mailbox `wanted` or, if it is not there, INBOX; it is durable then.

    Raises what `IMailbox.append` raises.
    """
    message = NewMessage(
        content=content,
        flags=interned(()),
        internal_date=from_datetime(now()),
        facts=await facts_of(content),
    )
    mailbox = await mailbox_of(account, wanted, INBOX)
    await settled(mailbox.append([message]))


def reply_to(error: Exception, full_is_permanent: bool) -> Reply:
    """What is said of a message that could not be kept; what is our own fault is logged.

    Only what cannot become better by waiting is permanent (RFC 5321, 4.2.1).
    """
    if isinstance(error, errors.OverQuota):
        return Reply(*((552, "5.2.2") if full_is_permanent else (452, "4.2.2")), "Mailbox full")
    if isinstance(error, errors.TooBig):
        return Reply(552, "5.3.4", "The message is too large")
    if isinstance(error, errors.CannotKeepBinary):
        return Reply(554, "5.6.1", "Binary content cannot be kept here")
    if isinstance(error, errors.BadMailboxName):
        return Reply(550, "5.1.1", "No such user")
    if not isinstance(error, errors.StoreError):
        _log.failure("a message could not be delivered")
    return Reply(451, "4.3.0", "The mail store is not available just now")
