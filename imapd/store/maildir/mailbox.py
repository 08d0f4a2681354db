"""A mailbox of a Maildir, as the engine sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from imapd.model.annotation import Annotated, Annotation
from imapd.model.flags import FlagChange, Flags
from imapd.model.mailbox import Appended, Changes, Copied, Status, Stored
from imapd.model.message import SIZE, Batch, Column, Facts
from imapd.model.numset import NumSet
from imapd.model.text import Sought, Told
from imapd.store.errors import Inconvenient, MessageGone
from imapd.store.interfaces import (
    Answer,
    IAnnotations,
    IBlocksKept,
    IFactsKept,
    IMailbox,
    IMessageReader,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
    ITextIndex,
    IThreads,
    NewMessage,
)
from imapd.store.maildir import annotating, blocks, delivery, flagging, kinship, lookup, moving
from imapd.store.maildir.facts import learn
from imapd.store.maildir.index import MailboxRow, base_of, held
from imapd.store.maildir.opening import at_hand, opened
from imapd.store.maildir.spool import Draft, drafted
from imapd.store.maildir.troubles import reported, reporting
from imapd.store.maildir.turn import Turn
from imapd.store.maildir.writer import Busy
from imapd.store.statuses import IOpenedStatus
from imapd.store.whole import IWholeMessages

if TYPE_CHECKING:
    from imapd.store.maildir.account import MaildirAccount

__all__ = ["MaildirMailbox"]

_T = TypeVar("_T")

#: Messages changed at once on the reactor's thread; and messages that come in.
_SMALL: Final = 50
_FEW: Final = 4
#: Times that a file is looked for which others rename meanwhile.
_ATTEMPTS: Final = 8
#: Changed messages read at once on the reactor's thread: some ten milliseconds.
_MANY: Final = 20_000
#: UIDs read one by one on the reactor's thread.
_MANY_UIDS: Final = 50_000


@reporting
@implementer(
    IMailbox,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
    IFactsKept,
    IBlocksKept,
    ITextIndex,
    IThreads,
    IAnnotations,
    IWholeMessages,
    IOpenedStatus,
)
@define(eq=False)
class MaildirMailbox:
    """Shared by all sessions of the user that have it open."""

    _account: MaildirAccount = field(repr=False)
    number: int
    id: str
    uidvalidity: int
    read_only: bool = False
    new_keywords: bool = True
    private_annotations: bool = True
    #: As it was when it was last opened.
    opened_row: MailboxRow = field(init=False, repr=False)
    _uids: tuple[int, NumSet] = field(default=(0, NumSet()), init=False, repr=False)

    def damaged(self, error: Exception) -> None:
        """As of the account."""
        self._account.damaged(error)

    # -- reading

    @property
    @reported
    def opened_status(self) -> Status:
        """As `IOpenedStatus`."""
        return self._account.index.status(self.opened_row)

    def status(self) -> Answer[Status]:
        """As `IMailbox`; what others changed is in it."""
        index, number = self._account.index, self.number
        row = index.mailbox(number)
        waiting = self._account.check(number, row=row)
        if waiting is None:
            return index.status(row)
        answer: Deferred[Status] = waiting.addCallback(
            lambda _: index.status(index.mailbox(number))
        )
        return answer

    def uids(self) -> NumSet:
        """As `IMailbox`."""
        row = self._account.index.mailbox(self.number)
        modseq, known = self._uids
        if modseq != row.modseq:
            known = lookup.uids(self._account.index, row)
            self._uids = row.modseq, known
        return known

    def scan(
        self, uids: NumSet, columns: frozenset[Column]
    ) -> Iterator[Batch] | AsyncIterator[Batch]:
        """As `IMailbox`; what is expunged between two batches is passed over."""
        self._account.index.directory(self.number)
        if SIZE in columns and not self._account.index.sized(self.number):
            return self._measured(uids, columns)
        return self._batches(uids, columns)

    async def _measured(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        for batch in self._batches(uids, columns):
            sizes = batch.columns[SIZE]
            unknown = NumSet.of(*(uid for uid, size in zip(batch.uids, sizes) if size < 0))
            if not unknown:
                yield batch
                continue
            found = await self._account.sizes.of(self.number, unknown)
            known = [
                held(size) if size >= 0 else found.get(uid, held(size))
                for uid, size in zip(batch.uids, sizes)
            ]
            yield Batch(batch.uids, {**batch.columns, SIZE: known})

    @reported
    def _batches(self, uids: NumSet, columns: frozenset[Column]) -> Iterator[Batch]:
        further = False
        for batch in lookup.batches(self._account.index, self.number, uids, columns):
            if further:
                # Time has passed.
                self._account.index.directory(self.number)
            yield batch
            further = True

    async def read(self, uid: int) -> IMessageReader:
        """As `IMailbox`."""
        account = self._account
        for attempt in range(_ATTEMPTS):
            reader = opened(account.index, account.tree, self.number, uid, account.in_thread)
            if isinstance(reader, Deferred):
                reader = await reader
            if reader is not None:
                return reader
            if attempt:
                # It is not where the index has it: someone else renamed or removed it.
                reading = account.check(self.number, force=True)
                if reading is not None:
                    await reading
        raise MessageGone(f"there is no message {uid}")

    def whole(self, uids: Sequence[int]) -> Mapping[int, bytes]:
        """As `IWholeMessages`."""
        return at_hand(self._account.index, self._account.tree, self.number, uids)

    def changes_since(self, modseq: int) -> Answer[Changes]:
        """As `IMailbox`; what others changed is in it."""
        row = self._account.index.mailbox(self.number)
        waiting = self._account.check(self.number, row=row)
        if waiting is None:
            return self._changes_since(modseq, row.modseq)
        answer: Deferred[Changes] = waiting.addCallback(lambda _: self._changes_since(modseq))  # type: ignore[call-overload]  # or one more Deferred
        return answer

    def _changes_since(self, modseq: int, current: int | None = None) -> Answer[Changes]:
        index = self._account.index
        if current is None:
            current = index.mailbox(self.number).modseq
        if current <= modseq:
            return Changes(modseq, current)
        if index.mailbox(self.number).messages > _MANY:
            places, _ = lookup.log_since(index, self.number, modseq)
            if len(places) > _MANY:
                return self._account.writer.alone(
                    lambda index, tree, hints: lookup.changes(index, self.number, modseq)
                )
        return lookup.changes(index, self.number, modseq)

    # -- changing

    async def append(self, messages: Sequence[NewMessage]) -> Appended:
        """As `IMailbox`."""
        return await self._deliver(
            messages, lambda turn, incoming: delivery.append(turn, self.number, incoming)
        )

    async def _deliver(
        self,
        messages: Sequence[NewMessage],
        work: Callable[[Turn, Sequence[delivery.Incoming]], _T],
    ) -> _T:
        """Do `work` with the messages when their octets are here."""
        account = self._account
        incoming: list[delivery.Incoming] = []
        ours: list[Draft] = []

        def close() -> None:
            for draft in ours:
                draft.close()

        try:
            for message in messages:
                draft, mine = await drafted(account.tree, message.content, account.in_thread)
                if mine:
                    ours.append(draft)
                incoming.append(
                    delivery.Incoming(
                        draft,
                        message.flags,
                        message.internal_date,
                        message.facts,
                        message.annotations,
                        message.email_id,
                        message.thread_id,
                    )
                )
        except BaseException:
            close()
            raise
        return await account.changing.do(
            account.allowed(lambda turn: work(turn, incoming)),
            durable=True,
            prepare=lambda: delivery.sync(incoming),
            done=close,
            brief=len(messages) <= _FEW,
        )

    def store_flags(
        self, uids: NumSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Answer[Stored]:
        """As `IMailbox`; the files' names follow behind the answer."""

        def work(turn: Turn) -> Stored:
            return flagging.store(turn, self.number, uids, change, flags, unchanged_since)

        if len(uids) <= _SMALL:
            return self._account.changing.now(work)
        self._account.index.directory(self.number)
        return self._account.changing.do(work, self._account.changing.synced_flags)

    def expunge(self, uids: NumSet) -> Deferred[Changes]:
        """As `IMailbox`; the files go behind the answer."""
        self._account.index.directory(self.number)
        return self._account.changing.do(
            lambda turn: moving.expunge(turn, self.number, uids),
            durable=True,
            brief=len(uids) <= _SMALL,
        )

    async def copy(self, uids: NumSet, destination: IMailbox) -> Copied:
        """As `IServerCopy`; the destination is a mailbox of this account."""
        target = self._target(destination)
        try:
            return await self._copy(uids, target)
        except Inconvenient:
            reading = self._account.check(self.number, force=True)
            if reading is not None:
                await reading
            return await self._copy(uids, target)

    def _copy(self, uids: NumSet, target: int) -> Deferred[Copied]:
        account = self._account
        return account.changing.do(
            account.allowed(lambda turn: delivery.copy(turn, self.number, uids, target)),
            durable=True,
        )

    async def move(self, uids: NumSet, destination: IMailbox) -> Copied:
        """As `IServerMove`; the files follow soon behind the answer."""
        target = self._target(destination)
        few = len(uids) <= _SMALL
        return await self._account.changing.do(
            lambda turn: moving.move(turn, self.number, uids, target),
            durable=True,
            brief=few,
            soon=few,
        )

    async def replace(self, uid: int, message: NewMessage, destination: IMailbox) -> Copied:
        """As `IServerReplace`; what was replaced goes behind the answer."""
        target = self._target(destination)
        return await self._deliver(
            [message],
            lambda turn, incoming: delivery.replace(turn, self.number, uid, incoming[0], target),
        )

    def _target(self, destination: IMailbox) -> int:
        if not isinstance(destination, MaildirMailbox) or destination._account is not self._account:
            raise TypeError("the destination is not a mailbox of this account")
        return destination.number

    def claim_recent(self) -> Answer[tuple[int, int]]:
        """As `IRecent`; while another process writes all the time, they stay the next one's."""
        row = self._account.index.mailbox(self.number)
        if row.recent == row.uidnext or self._account.writer.stuck:
            return row.uidnext, row.uidnext

        def work(turn: Turn) -> tuple[int, int]:
            row = turn.index.mailbox(self.number)
            turn.index.sql(
                "UPDATE mailboxes SET recent = uidnext, recent_count = 0 WHERE number = ?",
                (self.number,),
            )
            return row.recent, row.uidnext

        def busy(failure: Failure) -> tuple[int, int]:
            failure.trap(Busy)  # type: ignore[no-untyped-call]  # Twisted has no types for it
            return row.uidnext, row.uidnext

        claimed = self._account.changing.now(work, patient=False)
        return claimed.addErrback(busy) if isinstance(claimed, Deferred) else claimed

    def keep_facts(self, facts: Sequence[tuple[int, Facts]]) -> Deferred[None]:
        """As `IFactsKept`; SIZE is the octets' own."""

        def work(turn: Turn) -> None:
            turn.index.mailbox(self.number)
            learn(turn.index, base_of(self.number), facts)

        return self._account.writer.do(work, durable=False, patient=False)

    def kept_blocks(self, column: str, numbers: NumSet) -> dict[int, bytes]:
        """As `IBlocksKept`."""
        self._account.index.directory(self.number)
        return blocks.kept(self._account.index, self.number, column, numbers)

    def keep_blocks(self, made: Mapping[tuple[str, int], bytes], numbers: NumSet) -> Deferred[None]:
        """As `IBlocksKept`."""
        self._account.index.directory(self.number)
        return self._account.writer.do(
            lambda turn: blocks.keep(turn.index, self.number, made, numbers),
            durable=False,
            patient=False,
        )

    def join_threads(
        self, messages: Sequence[tuple[int, Sequence[bytes]]]
    ) -> Deferred[Sequence[bytes]]:
        """As `IThreads`."""
        self._account.index.directory(self.number)
        return self._account.writer.do(
            lambda turn: kinship.join(turn, self.number, messages), durable=False
        )

    def annotate(
        self,
        uids: NumSet,
        values: Mapping[Annotation, bytes | None],
        entries: int,
        octets: int,
        unchanged_since: int | None = None,
    ) -> Deferred[Stored]:
        """As `IAnnotations`."""
        account = self._account
        account.index.directory(self.number)

        def work(turn: Turn) -> Stored:
            return annotating.annotate(
                turn, self.number, uids, values, entries, octets, unchanged_since
            )

        return account.changing.do(account.allowed(work), durable=True)

    def annotated_since(self, modseq: int) -> Sequence[Annotated]:
        """As `IAnnotations`."""
        return annotating.since(self._account.index, self.number, modseq)

    def told(self, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """As `ITextIndex`."""
        self._account.index.directory(self.number)
        return self._account.texts.told(self.id, sought, low, high)
