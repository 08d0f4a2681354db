"""Messages as commands need them: columns that are always there, and octets with their structure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from hashlib import blake2b
from mmap import mmap
from typing import Any, Final

from twisted.internet.threads import deferToThread

from imapd.mime.facts import HeaderFacts, facts, header_facts
from imapd.mime.parse import Part, parse
from imapd.mime.relatives import relatives
from imapd.model.message import (
    BODYSTRUCTURE,
    EMAIL_ID,
    ENVELOPE,
    HEADER,
    HEADER_SIZE,
    PREVIEW,
    PREVIEW_AT_HAND,
    SENT,
    THREAD_ID,
    Batch,
    Column,
    Facts,
)  # fmt: skip
from imapd.model.numset import NumSet
from imapd.query.columns import DERIVED
from imapd.store.answers import each, settled
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IFactsKept, IMailbox, IMapped, IMessageReader, IThreads

__all__ = ["Content", "buffer_of", "facts_of", "part_of", "scanned"]

#: Columns that the engine can compute when a store does not know them.
_FACTS: Final = frozenset((ENVELOPE, BODYSTRUCTURE, HEADER, HEADER_SIZE, SENT, PREVIEW))
#: Those for which the body need not be read.
_OF_HEADER: Final = frozenset((ENVELOPE, HEADER, HEADER_SIZE, SENT))
#: Octets in which a header is looked for, first those that hold most, before the whole message is read.
_STARTS: Final = (4_096, 32_768)
#: Octets that are parsed at once; more is work for a thread.
_INLINE: Final = 262_144
#: Octets of a header of which values are made at once; more is work for a thread.
_LONG: Final = 32_768
#: Values that are made of others before somebody else gets a turn.
_VALUES: Final = 64
#: Octets that are read at once.
_PIECE: Final = 65_536

Turn = Callable[[], Awaitable[None]]


class Content:
    """The octets of one message, opened when first needed unless they are here; to be closed."""

    __slots__ = ("_buffer", "_mailbox", "_part", "_reader", "uid")

    def __init__(self, mailbox: IMailbox, uid: int, octets: bytes | None = None) -> None:
        self._mailbox = mailbox
        self.uid = uid
        self._reader: IMessageReader | None = None
        self._buffer: bytes | mmap | None = octets
        self._part: Part | None = None

    async def reader(self) -> IMessageReader:
        """What reads it.  Raises `MessageGone`."""
        if self._reader is None:
            self._reader = await settled(self._mailbox.read(self.uid))
        return self._reader

    async def size(self) -> int:
        """RFC822.SIZE."""
        if self._buffer is not None:
            return len(self._buffer)
        return (await self.reader()).size

    async def read(self, start: int, stop: int) -> bytes:
        """The octets from `start` to before `stop`; meant for pieces that fit in memory."""
        if self._buffer is not None:
            return self._buffer[start:stop]
        reader = await self.reader()
        data = await settled(reader.read(start, stop - start))
        while len(data) < stop - start:
            more = await settled(reader.read(start + len(data), stop - start - len(data)))
            if not more:
                break
            data += more
        return data

    async def buffer(self) -> bytes | mmap:
        """All of it: mapped if the store can, else read."""
        if self._buffer is None:
            reader = await self.reader()
            mapped = IMapped(reader, None)
            self._buffer = (
                mapped.buffer() if mapped is not None else await self.read(0, reader.size)
            )
        return self._buffer

    async def part(self) -> Part:
        """Its structure."""
        if self._part is None:
            self._part = await part_of(await self.buffer())
        return self._part

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The octets from `start` to before `stop`, a buffer at a time."""
        while start < stop:
            data = await self.read(start, min(stop, start + _PIECE))
            if not data:
                raise MessageGone
            start += len(data)
            yield data

    def close(self) -> None:
        """Let go of the file."""
        self._buffer = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None


async def part_of(buffer: bytes | mmap) -> Part:
    """The structure of a message."""
    if len(buffer) > _INLINE:
        return await deferToThread(parse, buffer)
    return parse(buffer)


async def buffer_of(reader: IMessageReader) -> bytes | mmap:
    """All octets of a message that is on its way in."""
    mapped = IMapped(reader, None)
    return mapped.buffer() if mapped is not None else await settled(reader.read(0, reader.size))


async def facts_of(reader: IMessageReader) -> Facts:
    """The facts of a message that is on its way in."""
    buffer = await buffer_of(reader)
    if len(buffer) > _INLINE:
        return await deferToThread(facts, buffer)
    return facts(buffer)


async def _start_of(reader: IMessageReader) -> HeaderFacts | None:
    """The facts of a message's header, unless it is longer than most."""
    for length in _STARTS:
        found = header_facts(await settled(reader.read(0, min(reader.size, length))))
        if found is not None or reader.size <= length:
            return found
    return None


async def scanned(
    mailbox: IMailbox, uids: NumSet, columns: frozenset[Column], turn: Turn
) -> AsyncIterator[Batch]:
    """As `IMailbox.scan`, with every column there: what the store lacks is computed, and offered to it.

    What cannot be computed, of a column that the store does not keep, is None; so is
    PREVIEW_AT_HAND where the preview would have to be computed.  A message that vanished before
    it could be read is left out.
    """
    derived = [DERIVED[name] for name in columns & DERIVED.keys()]
    if derived:
        columns = columns - DERIVED.keys() | {column.source for column in derived}
    wanted = columns & _FACTS
    asked = columns | {_mark(wanted)} if wanted else columns
    if PREVIEW_AT_HAND in columns:
        asked |= {PREVIEW}
    async for batch in each(mailbox.scan(uids, asked)):
        if wanted and not _complete(batch, wanted):
            batch = await _completed(mailbox, batch, wanted, turn)
        if None in batch.columns.get(THREAD_ID, ()):
            batch = await _threaded(mailbox, batch, turn)
        if PREVIEW_AT_HAND in columns and PREVIEW in batch.columns:
            at_hand = batch.columns[PREVIEW]
            batch = Batch(batch.uids, {**batch.columns, PREVIEW_AT_HAND: at_hand})
        unknown = columns - batch.columns.keys()
        if unknown:
            nothing = dict.fromkeys(unknown, [None] * len(batch.uids))
            batch = Batch(batch.uids, {**batch.columns, **nothing})
        if derived:
            made: dict[Column, list[Any]] = {column.name: [] for column in derived}
            for column in derived:
                for some in _portions(batch.columns[column.source]):
                    if len(some[0]) > _LONG:
                        made[column.name].append(await deferToThread(column.of, some[0]))
                    else:
                        made[column.name] += map(column.of, some)
                    await turn()
            batch = Batch(batch.uids, {**batch.columns, **made})
        yield batch
        await turn()


def _portions(octets: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Some at a time; one, if there is a long one among them."""
    for at in range(0, len(octets), _VALUES):
        some = octets[at : at + _VALUES]
        if max(map(len, some)) > _LONG:
            yield from ((one,) for one in some)
        else:
            yield some


async def _threaded(mailbox: IMailbox, batch: Batch, turn: Turn) -> Batch:
    """With the threads of messages that nobody has asked for before."""
    threads = IThreads(mailbox, None)
    if threads is None:
        return batch
    column = batch.columns[THREAD_ID]
    unknown = NumSet.from_sorted(uid for uid, each in zip(batch.uids, column) if each is None)
    keys: list[tuple[int, Sequence[bytes]]] = []
    async for part in scanned(mailbox, unknown, frozenset((EMAIL_ID, HEADER)), turn):
        keys += [
            (uid, _thread_keys(header, email_id))
            for uid, header, email_id in zip(
                part.uids, part.columns[HEADER], part.columns[EMAIL_ID]
            )
        ]
    joined = await settled(threads.join_threads(keys))
    found = {uid: thread for (uid, _), thread in zip(keys, joined)}
    threaded = [found.get(uid, thread) for uid, thread in zip(batch.uids, column)]
    return Batch(batch.uids, {**batch.columns, THREAD_ID: threaded})


def _thread_keys(header: bytes, email_id: bytes) -> Sequence[bytes]:
    """As `model.threads` wants them; without a Message-ID, a message's own is that of its copies."""
    own, others = relatives(header)
    return [_digest(b"<", own) if own else _digest(b"=", email_id),
            *(_digest(b"<", identifier) for identifier in others)]  # fmt: skip


def _digest(kind: bytes, octets: bytes) -> bytes:
    return blake2b(kind + octets, digest_size=16).digest()


def _mark(wanted: frozenset[Column]) -> Column:
    """The column that says whether the facts are known: SENT may be None for good.

    No other need be read where one that is asked for tells.
    """
    if wanted == {HEADER}:
        return HEADER
    return next((column for column in (ENVELOPE, BODYSTRUCTURE) if column in wanted), HEADER_SIZE)


def _complete(batch: Batch, wanted: frozenset[Column]) -> bool:
    """Whether all is known; PREVIEW came later than the rest."""
    marks = batch.columns.get(_mark(wanted))
    if marks is None or None in marks or not wanted <= batch.columns.keys():
        return False
    return PREVIEW not in wanted or None not in batch.columns[PREVIEW]


async def _completed(
    mailbox: IMailbox, batch: Batch, wanted: frozenset[Column], turn: Turn
) -> Batch:
    absent = not (wanted | {_mark(wanted)}) <= batch.columns.keys()
    known_by = PREVIEW if PREVIEW in wanted else _mark(wanted)
    marks: Sequence[Any] = batch.columns.get(known_by, ())
    found: list[tuple[int, Facts]] = []
    short: list[tuple[int, HeaderFacts]] = []
    gone: set[int] = set()
    for place, uid in enumerate(batch.uids):
        if absent or marks[place] is None:
            content = Content(mailbox, uid)
            try:
                reader = await content.reader()
                start = await _start_of(reader) if wanted <= _OF_HEADER else None
                if start is not None:
                    short.append((place, start))
                else:
                    found.append((place, await facts_of(reader)))
            except MessageGone:
                gone.add(place)
            finally:
                content.close()
            await turn()
    columns: dict[Column, list[Any]] = {
        name: list(values) for name, values in batch.columns.items()
    }
    for name in wanted | {HEADER_SIZE} | (_FACTS & batch.columns.keys()):
        values = columns.setdefault(name, [None] * len(batch.uids))
        for place, known in [*found, *short] if name in _OF_HEADER else found:
            values[place] = getattr(known, name)
    keeper = IFactsKept(mailbox, None)
    if keeper is not None and found:
        await settled(keeper.keep_facts([(batch.uids[place], known) for place, known in found]))
    uids = list(batch.uids)
    for place in sorted(gone, reverse=True):
        del uids[place]
        for each_column in columns.values():
            del each_column[place]
    return Batch(uids, columns)
