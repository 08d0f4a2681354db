"""A store in Maildirs, with a SQLite index beside each: docs/decisions/maildir-index.rst."""

from imapd.store.maildir.account import MaildirAccount
from imapd.store.maildir.mailbox import MaildirMailbox
from imapd.store.maildir.store import MaildirStore, open_store

__all__ = ["MaildirAccount", "MaildirMailbox", "MaildirStore", "open_store"]
