"""Reading messages out of the index: batches of columns, and what changed."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from imapd.model.annotation import Annotation, Annotations
from imapd.model.flags import Flags
from imapd.model.mailbox import Changes
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
)
from imapd.model.numset import EMPTY, NumSet
from imapd.store.maildir.facts import KEY
from imapd.store.maildir.index import UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.spans import parsed, spans

__all__ = ["BATCH", "annotated", "batches", "changes", "live", "log_since", "rows", "uids"]

#: Messages in a batch: some half a millisecond of work.
BATCH: Final = 500

#: Octets of annotations in a batch, after which it ends.
_ANNOTATIONS_MOST: Final = 1 << 20
_NONE: Final[Annotations] = {}

_EXPRESSION: Final[dict[Column, str]] = {
    FLAGS: "m.flags",
    MODSEQ: "m.modseq",
    INTERNAL_DATE: "m.internal_date",
    SIZE: "m.size",
    ENVELOPE: "f.envelope",
    BODYSTRUCTURE: "f.bodystructure",
    HEADER_SIZE: "f.header_size",
    SENT: "f.sent",
    HEADER: "h.header",
    PREVIEW: "p.preview",
    SAVED: "s.saved",
    EMAIL_ID: "s.email_id",
    THREAD_ID: "s.thread_id",
}
_FACTS: Final = frozenset((ENVELOPE, BODYSTRUCTURE, HEADER_SIZE, SENT))
_FILES: Final = frozenset((SAVED, EMAIL_ID, THREAD_ID))


def rows(index: Index, number: int, wanted: NumSet, columns: str, tables: str) -> Iterator[Any]:
    """Lists of rows that begin with ``m.id``, in ascending order, of those that exist."""
    base = base_of(number)
    sql = (
        f"SELECT m.id, {columns} FROM {tables}"  # noqa: S608
        f" WHERE m.id > ? AND m.id <= ? ORDER BY m.id LIMIT {BATCH}"
    )
    for span in spans(wanted):
        after, last = base + span.low - 1, base + span.high
        only = span.only
        while True:
            found = index.sql(sql, (after, last)).fetchall()
            if not found:
                break
            after, full = found[-1][0], len(found) == BATCH
            if only is not None:
                found = [row for row in found if row[0] - base in only]
            if found:
                yield found
            if not full:
                break


def annotated(index: Index, runs: Iterator[Any]) -> Iterator[Any]:
    """The same rows with their `Annotations` behind the id; fewer at once where these are large."""
    for run in runs:
        at = 0
        while at < len(run):
            there, stop = _annotations(index, run[at][0], run[-1][0])
            found = []
            for row in run[at:]:
                if row[0] > stop:
                    break
                found.append((row[0], there.get(row[0], _NONE), *row[1:]))
            at += len(found)
            yield found


def _annotations(index: Index, low: int, high: int) -> tuple[dict[int, Annotations], int]:
    """Those of messages by key, from `low` to the key that is the second part of the answer."""
    there: dict[int, dict[Annotation, bytes]] = {}
    octets = last = 0
    rows = index.sql(
        "SELECT id, entry, whose, value FROM message_annotations WHERE id BETWEEN ? AND ? ORDER BY id",
        (low, high),
    )
    for id, entry, whose, value in rows:
        if id != last and octets > _ANNOTATIONS_MOST:
            rows.close()
            return dict(there), last
        there.setdefault(id, {})[Annotation(entry, whose)] = value
        octets += len(value)
        last = id
    return dict(there), high


def batches(
    index: Index, number: int, wanted: NumSet, columns: frozenset[Column]
) -> Iterator[Batch]:
    """As `IMailbox.scan`."""
    names = [name for name in _EXPRESSION if name in columns]
    tables = "messages m"
    if _FACTS & columns:
        tables += f" LEFT JOIN facts f ON f.id = {KEY}"
    if HEADER in columns:
        tables += f" LEFT JOIN headers h ON h.id = {KEY}"
    if PREVIEW in columns:
        tables += f" LEFT JOIN previews p ON p.id = {KEY}"
    if _FILES & columns:
        tables += " LEFT JOIN files s ON s.id = m.id"
    expressions = ", ".join(_EXPRESSION[name] for name in names) or "NULL"
    base = base_of(number)
    decode = index.flagsets.flags.__getitem__
    runs = rows(index, number, wanted, expressions, tables)
    if ANNOTATIONS in columns:
        names.insert(0, ANNOTATIONS)
        runs = annotated(index, runs)
    for found in runs:
        ids, *entries = zip(*found)
        made: dict[Column, Sequence[Any]] = dict(zip(names, entries))
        if FLAGS in made:
            made[FLAGS] = list(map(decode, made[FLAGS]))
        yield Batch([id - base for id in ids], made)


def uids(index: Index, row: MailboxRow) -> NumSet:
    """Every UID: all that were given out, without those that the log says are gone.

    The work is that of the log, and of the messages only if the two do not agree.
    """
    given = NumSet([(1, row.uidnext - 1)]) if row.uidnext > 1 else EMPTY
    if row.messages == 0:
        return EMPTY
    gone = index.sql(
        "SELECT vanished FROM log WHERE mailbox = ? AND vanished != ''", (row.number,)
    ).fetchall()
    left = given - parsed([text for (text,) in gone]) if gone else given
    if len(left) == row.messages:
        return left
    base = base_of(row.number)
    found = index.sql(
        "SELECT id FROM messages WHERE id BETWEEN ? AND ? ORDER BY id", (base, base + UID_MASK)
    )
    return NumSet.from_sorted(id - base for (id,) in found)


def log_since(index: Index, number: int, modseq: int) -> tuple[NumSet, NumSet]:
    """Where to look for what came or changed, and what vanished, after `modseq`."""
    found = index.sql(
        "SELECT changed, vanished FROM log WHERE mailbox = ? AND modseq > ?", (number, modseq)
    ).fetchall()
    return parsed([row[0] for row in found]), parsed([row[1] for row in found])


def live(
    index: Index, number: int, modseq: int, places: NumSet
) -> tuple[Sequence[int], list[Flags], Sequence[int]]:
    """UIDs, flags and modseqs of messages among `places` that changed after `modseq`."""
    base = base_of(number)
    decode = index.flagsets.flags
    uids, modseqs = array("I"), array("Q")
    flags: list[Flags] = []
    for some in rows(index, number, places, "m.flags, m.modseq", "messages m"):
        changed = [row for row in some if row[2] > modseq]
        uids.extend([row[0] - base for row in changed])
        flags += [decode[row[1]] for row in changed]
        modseqs.extend([row[2] for row in changed])
    return uids, flags, modseqs


def changes(index: Index, number: int, modseq: int) -> Changes:
    """As `IMailbox.changes_since`."""
    with index.snapshot():
        row = index.mailbox(number)
        places, vanished = log_since(index, number, modseq)
        came, flags, modseqs = live(index, number, modseq, places)
    return Changes(modseq, row.modseq, came, flags, modseqs, vanished)
