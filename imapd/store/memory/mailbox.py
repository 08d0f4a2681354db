"""One mailbox in memory.

* A message is one place in every column; columns are lists in UID order.
* The log holds modseq and UID of every change in order.  A UID in the log that is in no
  column was expunged: the log is the tombstones too.
* A mutation changes columns first, then calls `_commit` once, then publishes.  Nothing in
  between waits for anything, so no one sees half of it.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final

from attrs import define, field
from zope.interface import implementer

from imapd.model.annotation import Annotations, octets_of
from imapd.model.flags import (
    DELETED,
    RECENT,
    SEEN,
    FlagChange,
    Flags,
    canonical,
    changed,
    interned,
)
from imapd.model.mailbox import Appended, Changes, Copied, Hint, Status, Stored
from imapd.model.message import (
    ANNOTATIONS,
    BODYSTRUCTURE,
    EMAIL_ID,
    ENVELOPE,
    FLAGS,
    HEADER,
    HEADER_SIZE,
    INTERNAL_DATE,
    MODSEQ,
    PREVIEW,
    SAVED,
    SENT,
    SIZE,
    THREAD_ID,
    Batch,
    Column,
    Facts,
)
from imapd.model.numset import EMPTY, NumSet
from imapd.model.threads import thread_of
from imapd.store.annotating import carried
from imapd.store.errors import MessageGone, NoSuchMailbox
from imapd.store.interfaces import (
    IAnnotations,
    IBlocksKept,
    IFactsKept,
    IMailbox,
    IMessageReader,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
    IThreads,
    NewMessage,
)
from imapd.store.memory.annotating import MemoryAnnotations
from imapd.store.memory.log import ChangeLog
from imapd.store.memory.reader import octets
from imapd.store.readers import BytesReader

__all__ = ["MemoryMailbox"]

#: Columns that are a field of `Facts`, and do not change when facts are computed again.
_FACTS: Final = (ENVELOPE, BODYSTRUCTURE, HEADER, HEADER_SIZE, SENT, PREVIEW)
_SERVED: Final = frozenset(
    (FLAGS, MODSEQ, INTERNAL_DATE, SIZE, SAVED, EMAIL_ID, THREAD_ID, ANNOTATIONS, *_FACTS)
)
#: The column of the messages themselves; `scan` does not serve it.
_OCTETS: Final = "octets"

#: Messages in a batch.
_BATCH: Final = 1_000

_Rows = Mapping[Column, Sequence[Any]]


@implementer(
    IMailbox,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
    IFactsKept,
    IBlocksKept,
    IThreads,
)
@define(eq=False)
class MemoryMailbox:
    """Messages by UID.  Made and removed by its account."""

    uidvalidity: int
    _publish: Callable[[Hint], None] = field(repr=False)
    special_use: frozenset[str] = frozenset()
    _clock: Callable[[], float] = field(default=time.time, repr=False)
    #: The threads of the account by their keys.
    _threads: dict[bytes, bytes] = field(factory=dict, repr=False)
    read_only: bool = False
    new_keywords: bool = True
    #: Given octets, messages and octets of annotations by which it is to grow: its account's,
    #: which may raise `OverQuota`.
    _admit: Callable[[int, int, int], None] = field(
        default=lambda octets, messages, annotations: None, repr=False
    )
    #: The octets of all annotations of messages of the account.
    _held: Callable[[], int] = field(default=lambda: 0, repr=False)

    _deleted: bool = field(default=False, init=False)
    _uids: list[int] = field(factory=list, init=False, repr=False)
    _columns: dict[Column, list[Any]] = field(init=False, repr=False)
    _uidnext: int = field(default=1, init=False)
    _recent_from: int = field(default=1, init=False)
    _log: ChangeLog = field(factory=ChangeLog, init=False, repr=False)
    #: Keywords as first spelt here, by their lower case.
    _spelling: dict[str, str] = field(factory=dict, init=False, repr=False)
    _blocks: dict[tuple[str, int], bytes] = field(factory=dict, init=False, repr=False)
    _unseen_count: int = field(default=0, init=False, repr=False)
    _deleted_count: int = field(default=0, init=False, repr=False)
    _size: int = field(default=0, init=False, repr=False)
    _deleted_size: int = field(default=0, init=False, repr=False)
    #: Octets of the annotations of its messages.
    annotation_octets: int = field(default=0, init=False, repr=False)
    _annotations: MemoryAnnotations = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._annotations = MemoryAnnotations(self, self._held)

    def __conform__(self, interface: object) -> MemoryAnnotations | None:
        """What it provides by another object."""
        return self._annotations if interface is IAnnotations else None

    @_columns.default
    def _no_rows(self) -> dict[Column, list[Any]]:
        return {name: [] for name in (*sorted(_SERVED), _OCTETS)}

    @property
    def id(self) -> str:
        """As `IMailbox`; UIDVALIDITY is unique in a `MemoryStore`."""
        return f"{self.uidvalidity:08x}"

    # -- reading

    def status(self) -> Status:
        """As `IMailbox`."""
        self._check()
        return Status(
            messages=len(self._uids),
            uidnext=self._uidnext,
            uidvalidity=self.uidvalidity,
            unseen=self._unseen_count,
            deleted=self._deleted_count,
            recent=len(self._uids) - bisect_left(self._uids, self._recent_from),
            size=self._size,
            highest_modseq=self._log.modseq,
            deleted_size=self._deleted_size,
        )

    def uids(self) -> NumSet:
        """As `IMailbox`."""
        self._check()
        return NumSet.from_sorted(self._uids)

    def scan(self, uids: NumSet, columns: frozenset[Column]) -> Iterator[Batch]:
        """As `IMailbox`; what is expunged between two batches is passed over."""
        self._check()
        return self._batches(uids, columns & _SERVED)

    def _batches(self, uids: NumSet, names: frozenset[Column]) -> Iterator[Batch]:
        # Places are looked up again after every yield: the columns may have moved.
        spans: list[slice] = []
        room = _BATCH
        for low, high in uids.ranges:
            while True:
                start = bisect_left(self._uids, low)
                stop = min(bisect_right(self._uids, high, start), start + room)
                if start == stop:
                    break
                spans.append(slice(start, stop))
                room -= stop - start
                low = self._uids[stop - 1] + 1
                if room:
                    break
                yield self._batch(spans, names)
                self._check()
                spans, room = [], _BATCH
        if spans:
            yield self._batch(spans, names)

    def _batch(self, spans: Sequence[slice], names: frozenset[Column]) -> Batch:
        return Batch(
            _cut(self._uids, spans), {name: _cut(self._columns[name], spans) for name in names}
        )

    def read(self, uid: int) -> IMessageReader:
        """As `IMailbox`."""
        self._check()
        place = self._place(uid)
        if place is None:
            raise MessageGone(f"there is no message {uid}")
        return BytesReader(self._columns[_OCTETS][place])

    def step(self) -> None:
        """One more modseq, of no message: an annotation of the mailbox has changed (RFC 7162, 3.2)."""
        self._log.modseq += 1

    def changes_since(self, modseq: int) -> Changes:
        """As `IMailbox`; the work is that of what changed."""
        self._check()
        return self._changes(modseq, self._log.since(modseq))

    # -- changing

    async def append(self, messages: Sequence[NewMessage]) -> Appended:
        """As `IMailbox`."""
        self._check()
        contents = [await octets(message.content) for message in messages]
        self._check()
        rows = _new_rows(messages, contents)
        self._admit(sum(map(len, contents)), len(contents), _annotation_octets(rows))
        uids = self._add(rows)
        changes = self._commit(uids)
        self._tell(changes)
        return Appended(self.uidvalidity, uids, changes)

    def store_flags(
        self, uids: NumSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Stored:
        """As `IMailbox`."""
        self._check()
        if change is not FlagChange.REMOVE:
            flags = self._spelt(flags)
        every_flags, modseqs = self._columns[FLAGS], self._columns[MODSEQ]
        becomes: dict[Flags, Flags] = {}
        touched: list[int] = []
        modified: list[int] = []
        for place in self._places(uids):
            if unchanged_since is not None and modseqs[place] > unchanged_since:
                modified.append(self._uids[place])
                continue
            old: Flags = every_flags[place]
            new = becomes.get(old)
            if new is None:
                new = becomes[old] = changed(old, change, flags)
            if new != old:
                self._tally(place, -1)
                every_flags[place] = new
                self._tally(place, +1)
                modseqs[place] = self._log.modseq + 1
                touched.append(self._uids[place])
        changes = self._commit(touched)
        self._tell(changes)
        return Stored(changes, NumSet.from_sorted(modified) if modified else EMPTY)

    def expunge(self, uids: NumSet) -> Changes:
        """As `IMailbox`."""
        self._check()
        every_flags = self._columns[FLAGS]
        changes = self._commit(
            self._remove([place for place in self._places(uids) if DELETED in every_flags[place]])
        )
        self._tell(changes)
        return changes

    def copy(self, uids: NumSet, destination: IMailbox) -> Copied:
        """As `IServerCopy`; the destination is a mailbox of this store."""
        target = self._target(destination)
        places = self._places(uids)
        sources = [self._uids[place] for place in places]
        rows = self._rows(places)
        target._admit(sum(rows[SIZE]), len(places), _annotation_octets(rows))
        copies = target._add(rows)
        changes = target._commit(copies)
        target._tell(changes)
        return Copied(target.uidvalidity, sources, copies, changes)

    def move(self, uids: NumSet, destination: IMailbox) -> Copied:
        """As `IServerMove`; within one mailbox it is one change of that mailbox."""
        target = self._target(destination)
        places = self._places(uids)
        rows = self._rows(places)
        self._admit_instead(target, places, rows)
        copies = target._add(rows)
        return self._moved(target, self._remove(places), copies)

    async def replace(self, uid: int, message: NewMessage, destination: IMailbox) -> Copied:
        """As `IServerReplace`."""
        self._target(destination)
        content = await octets(message.content)
        target = self._target(destination)
        place = self._place(uid)
        if place is None:
            raise MessageGone(f"there is no message {uid}")
        rows = _new_rows([message], [content])
        self._admit_instead(target, [place], rows)
        came = target._add(rows)
        return self._moved(target, self._remove([place]), came)

    def _admit_instead(self, target: MemoryMailbox, places: Sequence[int], rows: _Rows) -> None:
        """These rows come into `target` for what goes from these places."""
        size, messages, annotations = sum(rows[SIZE]), len(places), _annotation_octets(rows)
        if target._admit == self._admit:
            # Of one account: it loses what is here.
            size -= sum(self._columns[SIZE][place] for place in places)
            annotations -= sum(octets_of(self._columns[ANNOTATIONS][place]) for place in places)
            messages = 0
        target._admit(size, messages, annotations)

    def _moved(self, target: MemoryMailbox, sources: list[int], uids: list[int]) -> Copied:
        """These went from here, and those came there: told as one change of each mailbox."""
        if target is self:
            changes = removed = self._commit([*sources, *uids])
        else:
            changes, removed = target._commit(uids), self._commit(sources)
            target._tell(changes)
        self._tell(removed)
        return Copied(target.uidvalidity, sources, uids, changes, removed)

    def reannotate(
        self, becomes: Mapping[int, Annotations], growth: int, note: Callable[[int], None]
    ) -> Changes:
        """Messages, by UID, get other annotations, which take so many octets more: one change.

        Its modseq is noted before anybody is told.
        """
        self._admit(0, 0, growth)
        for uid, after in becomes.items():
            place = bisect_left(self._uids, uid)
            self._columns[ANNOTATIONS][place] = after
            self._columns[MODSEQ][place] = self._log.modseq + 1
        self.annotation_octets += growth
        changes = self._commit(becomes.keys())
        note(changes.modseq)
        self._tell(changes)
        return changes

    def claim_recent(self) -> tuple[int, int]:
        """As `IRecent`."""
        self._check()
        claimed, self._recent_from = self._recent_from, self._uidnext
        return claimed, self._uidnext

    def keep_facts(self, facts: Sequence[tuple[int, Facts]]) -> None:
        """As `IFactsKept`; SIZE is the octets' own."""
        self._check()
        for uid, known in facts:
            place = self._place(uid)
            if place is not None:
                for name in _FACTS:
                    self._columns[name][place] = getattr(known, name)

    def kept_blocks(self, column: str, numbers: NumSet) -> Mapping[int, bytes]:
        """As `IBlocksKept`."""
        self._check()
        return {
            number: octets
            for (name, number), octets in self._blocks.items()
            if name == column and number in numbers
        }

    def keep_blocks(self, blocks: Mapping[tuple[str, int], bytes], numbers: NumSet) -> None:
        """As `IBlocksKept`."""
        self._check()
        kept = {**self._blocks, **blocks}
        self._blocks = {key: octets for key, octets in kept.items() if key[1] in numbers}

    def join_threads(self, messages: Sequence[tuple[int, Sequence[bytes]]]) -> Sequence[bytes]:
        """As `IThreads`."""
        self._check()
        joined = []
        for uid, keys in messages:
            thread = thread_of(keys, self._threads)
            for key in keys:
                self._threads.setdefault(key, thread)
            place = self._place(uid)
            if place is not None:
                self._columns[THREAD_ID][place] = thread
            joined.append(thread)
        return joined

    def drop(self) -> None:
        """The mailbox was deleted: forget the mail, and say so to whoever has it open."""
        self._deleted = True
        self._uids.clear()
        self._columns = self._no_rows()
        self.annotation_octets = 0
        self._publish(Hint(self.id, self._log.modseq))

    # -- the columns

    def _check(self) -> None:
        if self._deleted:
            raise NoSuchMailbox("the mailbox was deleted")

    def _target(self, destination: IMailbox) -> MemoryMailbox:
        self._check()
        if not isinstance(destination, MemoryMailbox):
            raise TypeError("the destination is not a mailbox of this store")
        destination._check()
        return destination

    def _place(self, uid: int) -> int | None:
        place = bisect_left(self._uids, uid)
        return place if self._uids[place : place + 1] == [uid] else None

    def _places(self, uids: NumSet) -> list[int]:
        places: list[int] = []
        for low, high in uids.ranges:
            start = bisect_left(self._uids, low)
            places.extend(range(start, bisect_right(self._uids, high, start)))
        return places

    def _rows(self, places: Sequence[int]) -> _Rows:
        """What copies of these messages have."""
        rows = {name: [column[place] for place in places] for name, column in self._columns.items()}
        rows[ANNOTATIONS] = list(map(carried, rows[ANNOTATIONS]))
        return rows

    def _add(self, rows: _Rows) -> list[int]:
        """New messages at the end, with the modseq that `_commit` will give; their UIDs."""
        first, count = len(self._uids), len(rows[_OCTETS])
        spelt = {flags: self._spelt(flags) for flags in set(rows[FLAGS])}
        own = {**rows, FLAGS: [spelt[flags] for flags in rows[FLAGS]]}
        own[MODSEQ] = [self._log.modseq + 1] * count
        own[SAVED] = [int(self._clock())] * count
        uids = list(range(self._uidnext, self._uidnext + count))
        self._uidnext += count
        self._uids.extend(uids)
        for name, column in self._columns.items():
            column.extend(own[name])
        for place in range(first, first + count):
            self._tally(place, +1)
        self.annotation_octets += _annotation_octets(rows)
        return uids

    def _remove(self, places: Sequence[int]) -> list[int]:
        """Messages out of the columns; their UIDs."""
        if not places:
            return []
        removed = [self._uids[place] for place in places]
        stays = [True] * len(self._uids)
        for place in places:
            self._tally(place, -1)
            self.annotation_octets -= octets_of(self._columns[ANNOTATIONS][place])
            stays[place] = False
        self._uids = list(compress(self._uids, stays))
        for name, column in self._columns.items():
            self._columns[name] = list(compress(column, stays))
        return removed

    def _spelt(self, flags: Flags) -> Flags:
        r"""Flags as this mailbox spells them, without \Recent, which no store keeps."""
        return interned(
            self._spelling.setdefault(name.lower(), name)
            for name in sorted(map(canonical, flags))
            if name != RECENT
        )

    def _tally(self, place: int, sign: int) -> None:
        flags, size = self._columns[FLAGS][place], self._columns[SIZE][place]
        self._size += sign * size
        if SEEN not in flags:
            self._unseen_count += sign
        if DELETED in flags:
            self._deleted_count += sign
            self._deleted_size += sign * size

    # -- the log

    def _commit(self, touched: Collection[int]) -> Changes:
        """One modseq for all that came, changed or went; none if nothing did."""
        since = self._log.modseq
        self._log.note(touched)
        return self._changes(since, touched)

    def _changes(self, since: int, touched: Collection[int]) -> Changes:
        uids: list[int] = []
        places: list[int] = []
        gone: list[int] = []
        for uid in sorted(touched):
            place = self._place(uid)
            if place is None:
                gone.append(uid)
            else:
                uids.append(uid)
                places.append(place)
        flags, modseqs = self._columns[FLAGS], self._columns[MODSEQ]
        return Changes(
            since,
            self._log.modseq,
            uids,
            [flags[place] for place in places],
            [modseqs[place] for place in places],
            NumSet.from_sorted(gone) if gone else EMPTY,
        )

    def _tell(self, changes: Changes) -> None:
        if changes.modseq != changes.since:
            self._publish(Hint(self.id, changes.modseq))


def _new_rows(messages: Sequence[NewMessage], contents: Sequence[bytes]) -> _Rows:
    rows: dict[Column, Sequence[Any]] = {
        name: [getattr(message.facts, name) for message in messages] for name in _FACTS
    }
    rows[FLAGS] = [message.flags for message in messages]
    rows[INTERNAL_DATE] = [message.internal_date for message in messages]
    rows[SIZE] = [len(content) for content in contents]
    rows[_OCTETS] = contents
    rows[EMAIL_ID] = [message.email_id or secrets.token_bytes(16) for message in messages]
    rows[THREAD_ID] = [message.thread_id for message in messages]
    rows[ANNOTATIONS] = [message.annotations for message in messages]
    return rows


def _annotation_octets(rows: _Rows) -> int:
    return sum(map(octets_of, rows[ANNOTATIONS]))


def _cut(column: Sequence[Any], spans: Sequence[slice]) -> Sequence[Any]:
    if len(spans) == 1:
        return column[spans[0]]
    return [entry for span in spans for entry in column[span]]
