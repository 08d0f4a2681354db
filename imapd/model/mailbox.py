"""What is known of a mailbox, and what changes in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import field, frozen

from imapd.model.flags import Flags
from imapd.model.numset import EMPTY, NumSet

__all__ = [
    "DELIMITER", "INBOX", "SPECIAL_USES",
    "Appended", "Changes", "Copied", "Hint", "MailboxInfo", "Status", "Stored", "canonical",
]  # fmt: skip

#: Between the levels of a name.  Names are Unicode and canonical everywhere
#: above a store; how they look on disk is the store's affair.
DELIMITER: Final = "/"

INBOX: Final = "INBOX"

#: RFC 6154, 2, RFC 8457 and RFC 9979, 8.
SPECIAL_USES: Final = (
    "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Memos",
    "\\Scheduled", "\\Sent", "\\Snoozed", "\\Trash",
)  # fmt: skip


def canonical(name: str) -> str:
    """INBOX in any case is INBOX, also as the first level (RFC 9051, 5.1)."""
    head, slash, rest = name.partition(DELIMITER)
    return INBOX + slash + rest if head.upper() == INBOX else name


@frozen
class MailboxInfo:
    """One name in an account, as LIST needs it.

    A name that is only subscribed has `exists` False; one that only holds
    others has `selectable` False.
    """

    name: str
    id: str = ""
    exists: bool = True
    selectable: bool = True
    subscribed: bool = False
    special_use: frozenset[str] = frozenset()
    #: It is a mailbox of another server (RFC 5258, 3.1).
    remote: bool = False


@frozen
class Status:
    """The figures of one mailbox at one moment."""

    messages: int
    uidnext: int
    uidvalidity: int
    unseen: int
    deleted: int
    recent: int
    size: int
    highest_modseq: int
    #: Octets of the messages with \\Deleted (RFC 9208, 4.1.4).
    deleted_size: int = 0
    #: `IMailbox.id`; the engine fills it in where the store does not.
    mailbox_id: str = ""
    #: Whether `size` and `deleted_size` are right; else each may be less than the sum of SIZE.
    sized: bool = True
    #: Modification sequences go on where they were when the store is opened again.  Of a mailbox
    #: where they do not, clients are told NOMODSEQ (RFC 7162, 3.1.2.2); here, they are needed all the same.
    modseqs_kept: bool = True


@frozen
class Changes:
    """What happened in a mailbox after the moment `since` and up to `modseq`.

    `uids`, `flags`, `modseqs` are columns of the messages that came or changed,
    in ascending UID order, as they are now.  `vanished` holds every UID expunged
    in that time, and may hold more that do not exist; None says that the store
    no longer knows (then compare with `IMailbox.uids`).
    """

    since: int
    modseq: int
    uids: Sequence[int] = ()
    flags: Sequence[Flags] = field(default=(), repr=False)
    modseqs: Sequence[int] = field(default=(), repr=False)
    vanished: NumSet | None = EMPTY


@frozen
class Stored:
    """The answer to a change of flags: what changed, and who failed UNCHANGEDSINCE (RFC 7162, 3.1.3)."""

    changes: Changes
    modified: NumSet = EMPTY


@frozen
class Appended:
    """Where new messages are: their UIDs in the order in which they were given."""

    uidvalidity: int
    uids: Sequence[int]
    changes: Changes


@frozen
class Copied:
    """Where copies are: `uids[i]` in the destination is `sources[i]` (RFC 9051, 7.1: COPYUID).

    `changes` are those of the destination; `removed` those of the source, when
    the messages were moved.
    """

    uidvalidity: int
    sources: Sequence[int]
    uids: Sequence[int]
    changes: Changes
    removed: Changes | None = None


@frozen
class Hint:
    """Mailbox `mailbox_id` moved past `modseq`; with `mailbox_id` empty, the list of mailboxes changed.

    With `entries`, neither: these annotations of it, or of the account itself, did.
    """

    mailbox_id: str
    modseq: int = 0
    entries: tuple[str, ...] = ()
