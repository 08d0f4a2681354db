"""The contract of a store: what it must provide, and what it may.

Rules that hold for every method:

* It returns a value, a Deferred or a coroutine, and never blocks the reactor.
* It runs on the reactor thread, and so do the callbacks given to `IAccount.watch`.
* It answers for a whole set of UIDs at once.  UIDs that do not exist are passed over.
* Names are canonical Unicode with "/" between levels; ``INBOX`` is spelt so.
* A mutation is one transaction with one new modification sequence, and when it
  has returned it is durable.  UIDs and modification sequences become visible in
  ascending order: whoever has seen one has seen, or can see, all smaller ones.
* It raises the facts of `imapd.store.errors`; anything else is a fault of the store.

Optional interfaces are found by adaptation (``IServerCopy(mailbox, None)``); what
a store does not provide, the engine does by the required methods, or does not advertise.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from mmap import mmap
from typing import TypeVar, Union

from attrs import field, frozen
from zope.interface import Attribute, Interface

from imapd.model.annotation import Annotated, Annotation, Annotations
from imapd.model.dates import InternalDate
from imapd.model.flags import FlagChange, Flags
from imapd.model.mailbox import Appended, Changes, Copied, Hint, MailboxInfo, Status, Stored
from imapd.model.message import Batch, Column, Facts
from imapd.model.numset import NumSet
from imapd.model.quota import Allowance, Quota
from imapd.model.text import Indexed, Sought, Told

__all__ = [
    "Answer", "IAccount", "IAnnotated", "IAnnotations", "IBlocksKept", "IExamined", "IFactsKept",
    "IMailStore", "IMailbox", "IManyProcesses", "IMapped", "IMessageReader", "IMetadata", "IObjectIDs",
    "IOtherAccounts", "IQuota", "IQuotas", "IRecent", "IServerCopy", "IServerMove", "IServerReplace",
    "ISpool", "ISpools", "ITextIndex", "ITextIndexing", "IThreads", "IURLKeys", "NewMessage", "WatchCallback",
]  # fmt: skip

_T = TypeVar("_T")

#: What a method may return in place of a `_T`.
Answer = Union[_T, Awaitable[_T]]  # noqa: UP007  (mypy takes no generic alias made by |)

WatchCallback = Callable[[Hint], None]


class IMailStore(Interface):
    """All accounts of one place.  Found by name through `imapd.store.maker.IStoreMaker`."""

    def open_account(user: str) -> Answer[IAccount]:
        """The account of a user who has been authenticated; made when it is not there.

        Raises `BadMailboxName` for a user name that cannot have an account here.
        Two calls for one user may return one object; each is closed once.
        """

    def close() -> Answer[None]:
        """Let go of everything; called once, when no account is open."""


class IAccount(Interface):
    """One user's mailboxes.  INBOX exists from the start and for ever."""

    def mailboxes() -> Answer[Sequence[MailboxInfo]]:
        """Every name: mailboxes, names that only hold others, names only subscribed."""

    def create(name: str, special_use: frozenset[str] = frozenset()) -> Answer[MailboxInfo]:
        r"""Make a mailbox, and as mailboxes what is missing above it; a \Noselect name becomes one.

        Raises `MailboxExists`, `BadMailboxName`.  A name used before gets a larger UIDVALIDITY.
        """

    def delete(name: str) -> Answer[None]:
        r"""Remove a mailbox and its messages; if it has children, its name stays, \Noselect.

        Raises `NoSuchMailbox`, `HasChildren` (already only a name), `BadMailboxName` for INBOX.
        """

    def rename(old: str, new: str) -> Answer[None]:
        r"""Give a mailbox and all below it another name, in one step.

        `id`, `uidvalidity` and UIDs stay, but no name ever sees a UIDVALIDITY again for other
        mail, not even by a swap.  A \Noselect name takes along what is below it.

        INBOX (RFC 9051, 6.3.6): its messages move to a new mailbox `new`, INBOX stays, its
        children too.  Raises `NoSuchMailbox`, `MailboxExists`, `BadMailboxName`.
        Subscriptions are of names: they stay as they are.
        """

    def subscribe(name: str, subscribed: bool) -> Answer[None]:
        """Note that the user wants, or no longer wants, to see a name; it need not exist.

        Raises `BadMailboxName` for a name that no mailbox could have.
        """

    def open(name: str) -> Answer[IMailbox]:
        """A mailbox to read and write.  Raises `NoSuchMailbox`, `NotSelectable`."""

    def watch(callback: WatchCallback) -> Callable[[], None]:
        """Call back with a `Hint` after each change, whoever made it; returns what ends that.

        Hints may be merged, repeated and, rarely, lost: they say when to look, not what is there.
        Those of annotations are not repeated: each is of one `IMetadata.annotate`, or several.
        """

    def close() -> Answer[None]:
        """The session is over."""


class IMailbox(Interface):
    """The messages of one mailbox, by UID.  It stays usable when the mailbox is renamed.

    When the mailbox is deleted, every method raises `NoSuchMailbox`.
    """

    id: str = Attribute("Names this mailbox in its store, never another one; a RENAME keeps it.")
    uidvalidity: int = Attribute("RFC 9051, 2.3.1.1; a 32-bit number above 0.")
    read_only: bool = Attribute("Nothing here can be changed.")
    new_keywords: bool = Attribute(r"A client may make keywords up: \* in PERMANENTFLAGS.")

    def status() -> Answer[Status]:
        """The figures of this moment; the work does not grow with the mailbox."""

    def uids() -> Answer[NumSet]:
        """Every UID there is."""

    def scan(uids: NumSet, columns: frozenset[Column]) -> Iterable[Batch] | AsyncIterable[Batch]:
        """Columns of messages in ascending UID order, 100 to 1000 in a batch.

        FLAGS, MODSEQ, INTERNAL_DATE and SIZE are always known.  Only the columns asked for
        are loaded; one the store does not keep is left out of the batch.
        """

    def read(uid: int) -> Answer[IMessageReader]:
        """The octets of a message.  Raises `MessageGone`."""

    def append(messages: Sequence[NewMessage]) -> Answer[Appended]:
        r"""Add messages, all or none.

        Raises `OverQuota`, `TooBig`, `CannotKeepBinary`, `StoreUnavailable`.

        What reading the contents raises is passed on.  Who gave them closes them.  \Recent is
        not kept.
        """

    def store_flags(
        uids: NumSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Answer[Stored]:
        """Change flags.  A message whose flags are so already keeps its modseq.

        Keywords that differ only in case are one, spelt as the mailbox has it already.

        With `unchanged_since`, one with a larger modseq is left alone and reported (RFC 7162, 3.1.3).
        """

    def expunge(uids: NumSet) -> Answer[Changes]:
        r"""Remove those of `uids` that have \Deleted; what went is in `Changes.vanished`."""

    def changes_since(modseq: int) -> Answer[Changes]:
        """What happened after `modseq`: the one primitive behind every notification.

        With a modseq that is not reached yet, nothing did.
        """


class IMessageReader(Interface):
    """The octets of one message: lines end in CRLF.  Usable until closed, even if it is expunged."""

    size: int = Attribute("RFC822.SIZE.")

    def read(offset: int, length: int) -> Answer[bytes]:
        """Up to `length` octets; fewer only at the end.  Raises `MessageGone`."""

    def close() -> None:
        """Let go of the file."""


class IMapped(Interface):
    """Provided by an `IMessageReader` whose octets can be had at once without being read: mapped."""

    def buffer() -> bytes | mmap:
        """All octets; good until the reader is closed."""


@frozen
class NewMessage:
    """A message on its way into a store."""

    #: Where its octets are: an `IMessageReader`.
    content: IMessageReader = field(repr=False)
    flags: Flags
    internal_date: InternalDate
    facts: Facts
    #: Of a mailbox that is `IAnnotations` only.
    annotations: Annotations = field(factory=dict)
    #: Of a copy, what the message has that it was made of (`IObjectIDs`); None: its own.
    email_id: bytes | None = None
    thread_id: bytes | None = None


class IRecent(Interface):
    r"""Provided by an `IMailbox` that remembers which messages no session has been told of."""

    def claim_recent() -> Answer[tuple[int, int]]:
        r"""Take \Recent of all there is.

        The caller's are the messages from the first UID returned to before the second, which
        is UIDNEXT of that moment.
        """


class IServerCopy(Interface):
    """Provided by an `IMailbox` that copies without its octets passing through the engine."""

    def copy(uids: NumSet, destination: IMailbox) -> Answer[Copied]:
        """Copy messages with flags and dates, all or none, in ascending UID order.

        `destination` is a mailbox of the same store, perhaps this one.
        """


class IServerMove(Interface):
    """Provided by an `IMailbox` that moves in one step."""

    def move(uids: NumSet, destination: IMailbox) -> Answer[Copied]:
        """Move messages, all or none; at no moment are there two, or none (RFC 6851, 3.3).

        `destination` as in `IServerCopy`; within one mailbox, `changes` and `removed` each tell
        the whole change.
        """


class IServerReplace(Interface):
    """Provided by an `IMailbox` that puts a message in the place of another in one step."""

    def replace(uid: int, message: NewMessage, destination: IMailbox) -> Answer[Copied]:
        r"""Remove a message, \Deleted or not, and add `message`: both or neither (RFC 8508, 3.4).

        `destination` and the answer as of `IServerMove`.  Only the difference counts for a quota.
        Raises `MessageGone`, and what `IMailbox.append` raises.
        """


class IFactsKept(Interface):
    """Provided by an `IMailbox` that keeps facts the engine computed for messages that came without."""

    def keep_facts(facts: Sequence[tuple[int, Facts]]) -> Answer[None]:
        """Facts by UID; they may be lost, then they are computed again."""


class IBlocksKept(Interface):
    """Provided by an `IMailbox` that keeps octets for the engine: what it made of many messages.

    They mean nothing to a store, are no part of what is durable, and go with the mailbox.
    """

    def kept_blocks(column: str, numbers: NumSet) -> Answer[Mapping[int, bytes]]:
        """Those of a column and of `numbers` that are there, by number."""

    def keep_blocks(blocks: Mapping[tuple[str, int], bytes], numbers: NumSet) -> Answer[None]:
        """Keep octets by column and number, and of all columns none of other numbers than `numbers`."""


class IObjectIDs(Interface):
    """Provided by an `IAccount` that tells messages apart for good (RFC 8474).

    Its mailboxes have the column EMAIL_ID: octets that a message keeps and its copies share,
    that no other message has, in any account of the store.  Those that are `IThreads` have THREAD_ID too.
    """


class IThreads(Interface):
    """Provided by an `IMailbox` that remembers which messages belong together."""

    def join_threads(messages: Sequence[tuple[int, Sequence[bytes]]]) -> Answer[Sequence[bytes]]:
        """The threads of messages, given by UID with their keys, as `imapd.model.threads` says.

        They are in the column THREAD_ID from then on, and go along with copies.  Keys are
        known to all mailboxes of the account.
        """


class ITextIndex(Interface):
    """Provided by an `IMailbox` that keeps an index of what its messages say.

    It makes searches fast; the answers are the same without it.
    """

    def told(sought: Sought, low: int, high: int) -> Iterable[Told] | AsyncIterable[Told]:
        """What is known of messages with UIDs from `low` to `high`: some hundreds or thousands at once.

        In ascending order, none twice.  It may tell of more messages than those, and of those
        that are not indexed yet it tells nothing.
        """


class ITextIndexing(Interface):
    """Provided by an `IAccount` whose mailboxes are `ITextIndex`: it indexes behind the answers."""

    def text_progress() -> Answer[Indexed]:
        """How far it has come."""

    def index_texts(again: bool) -> Answer[None]:
        """Index now what is not indexed yet; with `again`, everything anew.

        Returns when it is done, also when another process does it.
        """


class ISpool(Interface):
    """A message on its way in, too large for memory; the store may take it over by renaming.

    When written to the end it is given to `IMailbox.append` as `NewMessage.content`.
    """

    def write(data: bytes) -> Answer[None]:
        """Add octets.  Raises `StoreUnavailable` when the disk is full."""

    def reader() -> Answer[IMessageReader]:
        """What was written, to be parsed and appended."""

    def close() -> None:
        """Forget it, unless an append took it over."""


class IExamined(Interface):
    """Provided by an `IAccount` that can compare what it keeps with itself, and mend it."""

    def examine() -> Answer[Sequence[str]]:
        """What was wrong, a sentence each, and what was done about it."""


class IURLKeys(Interface):
    """Provided by an `IAccount` that keeps the user's mailbox access keys (RFC 4467, 2.2)."""

    def url_key(mailbox_id: str, make: bool) -> Answer[bytes | None]:
        """The key of a mailbox, 32 octets that nobody can guess; None if there is none.

        With `make`, there is one then.  Two users have different keys of one mailbox.
        """

    def reset_url_keys(mailbox_id: str | None) -> Answer[None]:
        """Forget the key of a mailbox, or all of the user: what was made with them is void."""


class IOtherAccounts(Interface):
    """Provided by an `IMailStore` (and its realm) that opens accounts only if they are there."""

    def open_existing(user: str) -> Answer[IAccount | None]:
        """As `IMailStore.open_account`; None for a user who has no account yet, which is not made."""


class IManyProcesses(Interface):
    """Provided by an `IMailStore` that several processes may serve at once.

    What they tell each other makes changes show at once.  It may be merged, repeated and lost, as
    hints are: then changes show later, for each process finds them by itself too.
    """

    def tell_others(call: Callable[[str, Sequence[Hint]], object]) -> None:
        """From now on, call with what is changed here: a name of the account, and the hints."""

    def told(account: str, hints: Sequence[Hint]) -> None:
        """Another process said so to what its store gave to `tell_others`."""


class ISpools(Interface):
    """Provided by an `IAccount` whose messages can come in by way of its own disk."""

    def spool() -> Answer[ISpool]:
        """Room for one message."""


class IQuota(Interface):
    """Provided by an `IAccount` that counts what it holds, and may hold no more than it is allowed.

    Whatever would make it hold more than that raises `OverQuota` and does nothing, in the step
    that makes the change: of two at once only one gets the last room.  What makes it hold less,
    or as much, is always possible: so is a move within the account.
    """

    def quota() -> Answer[Quota]:
        """What it holds and may hold.

        The work does not grow with the number of messages, but for those put there by others.
        """

    def allow(allowance: Allowance) -> Answer[None]:
        """From now on it may hold this, whatever was said before; it may hold more already."""


class IQuotas(Interface):
    """Provided by an `IMailStore` whose accounts are `IQuota`."""

    def allow_each(allowance: Allowance) -> None:
        """What accounts may hold of which `IQuota.allow` said nothing."""


class IMetadata(Interface):
    """Provided by an `IAccount` that keeps annotations (RFC 5464): octets by entry.

    Each mailbox has its own, and so has, under the name "", the account itself.  Entries are in
    lower case and mean nothing to a store.  They follow a mailbox that is renamed, and go with
    one that is deleted; what INBOX becomes by a rename gets those of INBOX, which keeps them.
    """

    def annotations(mailbox: str) -> Answer[Mapping[str, bytes]]:
        """All of a mailbox.  Raises `NoSuchMailbox`."""

    def annotate(
        mailbox: str, values: Mapping[str, bytes | None], entries: int, octets: int
    ) -> Answer[Sequence[str]]:
        """Set entries, and remove those whose value is None: all or none.

        Returns those that are not as they were; when it does, a `Hint` has named them.

        Raises `NoSuchMailbox`; `TooManyEntries` when the mailbox would come to have more than
        `entries`, and `OverQuota` when those of the account would come to take more than `octets`,
        names and values.
        """


class IAnnotations(Interface):
    """Provided by an `IMailbox` whose messages are annotated (RFC 5257).

    It serves the column ANNOTATIONS.  What a `NewMessage` has comes in with it; copies and what
    is moved have what is `SHARED` and `PRIVATE`, nothing of other users.  Entries mean nothing
    to a store.
    """

    private_annotations = Attribute(
        "Whether users have annotations of their own, besides what is shared."
    )

    def annotate(
        uids: NumSet,
        values: Mapping[Annotation, bytes | None],
        entries: int,
        octets: int,
        unchanged_since: int | None = None,
    ) -> Answer[Stored]:
        """Set annotations of each message, and remove those whose value is None: all or none.

        One change, as of `IMailbox.store_flags`, also with `unchanged_since`.  A message that has
        them so already keeps its modseq.  Raises `TooManyEntries` when a message would come to
        have more than `entries` of anyone's, and `OverQuota` when those of all messages of the
        account would come to take more than `octets`, as `model.annotation` counts them.
        """

    def annotated_since(modseq: int) -> Answer[Sequence[Annotated]]:
        """The changes that `annotate` made after `modseq`; the first of very many may be forgotten."""


class IAnnotated(Interface):
    """Provided by an `IAccount` whose mailboxes are `IAnnotations`."""
