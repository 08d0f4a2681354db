"""Mailboxes of others: an account around the user's own in which they are seen as far as rights go.

Knows stores by their contract alone.
"""

from imapd.sharing.account import SharingAccount
from imapd.sharing.mailbox import SharedMailbox
from imapd.sharing.policy import Sharing

__all__ = ["SharedMailbox", "Sharing", "SharingAccount"]
