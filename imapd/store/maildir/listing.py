"""The names of an account: mailboxes, what is only above some, what is only subscribed to."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from imapd.model.mailbox import DELIMITER, MailboxInfo
from imapd.store.maildir.index import Index
from imapd.store.maildir.names import superiors

__all__ = ["listed"]

_NO_USE: Final[frozenset[str]] = frozenset()


def listed(index: Index) -> Sequence[MailboxInfo]:
    """As `IAccount.mailboxes`, by name."""
    subscribed = {name for (name,) in index.sql("SELECT name FROM subscriptions")}
    rows = index.names()
    infos = [
        MailboxInfo(
            name,
            id,
            subscribed=name in subscribed,
            special_use=frozenset(uses.split()) if uses else _NO_USE,
        )
        for name, id, uses in rows
    ]
    names = {row[0] for row in rows}
    others = {
        above: MailboxInfo(above, selectable=False, subscribed=above in subscribed)
        for name in names
        if DELIMITER in name
        for above in superiors(name)
        if above not in names
    }
    for name in subscribed - names - others.keys():
        others[name] = MailboxInfo(name, exists=False, selectable=False, subscribed=True)
    if others:
        infos = sorted([*infos, *others.values()], key=attrgetter("name"))
    return tuple(infos)
