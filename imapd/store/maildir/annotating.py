"""Annotations of messages in the index (RFC 5257).

A row has the key of its message, so it goes with that.  How many octets all of them take is
kept by triggers; what was changed when, in a log that is cut off where it grows long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from imapd.model.annotation import PRIVATE, SHARED, Annotated, Annotation, Annotations
from imapd.model.mailbox import Stored
from imapd.model.numset import NumSet
from imapd.store.annotating import Annotating, check_growth
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.index import Index, base_of
from imapd.store.maildir.lookup import annotated, rows
from imapd.store.maildir.schema import ANNOTATION_OCTETS
from imapd.store.maildir.spans import parsed, written
from imapd.store.maildir.turn import Turn

__all__ = ["annotate", "copy", "enter", "held", "move", "since"]

#: Changes of one mailbox that are remembered.
_CHANGES: Final = 1_000
_CARRIED: Final = f"whose IN ('{SHARED}', '{PRIVATE}')"


def held(index: Index) -> int:
    """The octets that all of the account take."""
    return int(index.meta(ANNOTATION_OCTETS) or 0)


def annotate(
    turn: Turn,
    number: int,
    uids: NumSet,
    values: Mapping[Annotation, bytes | None],
    entries: int,
    octets: int,
    unchanged_since: int | None,
) -> Stored:
    """As `IAnnotations.annotate`."""
    index, base = turn.index, base_of(number)
    edit = Edit(turn, index.mailbox(number))
    annotating = Annotating(values, entries)
    before = held(index)
    found: list[tuple[int, int, int]] = []
    modified: list[int] = []
    runs = rows(index, number, uids, "m.flags, m.size, m.modseq", "messages m")
    for some in annotated(index, runs):
        changed: list[int] = []
        for id, there, flags, size, modseq in some:
            if unchanged_since is not None and modseq > unchanged_since:
                modified.append(id - base)
            elif annotating.becomes(id - base, there) is not None:
                changed.append(id)
                found.append((id, flags, size))
        # Before they are written: no more than is allowed is ever on its way.
        check_growth(before, annotating.growth, octets)
        _write(index, changed, values)
    if found:
        edit.reflag(found, {flags: flags for _, flags, _ in found})
    changes = edit.finish()
    _note(index, number, annotating.made(changes.modseq))
    return Stored(changes, NumSet.from_sorted(modified))


def _write(index: Index, changed: Sequence[int], values: Mapping[Annotation, bytes | None]) -> None:
    for each, value in values.items():
        if value is None:
            index.many(
                "DELETE FROM message_annotations WHERE id = ? AND entry = ? AND whose = ?",
                [(id, *each) for id in changed],
            )
        else:
            _put(index, [(id, *each, value) for id in changed])


def _put(index: Index, made: Sequence[tuple[int, str, str, bytes]]) -> None:
    index.many(
        "INSERT INTO message_annotations (id, entry, whose, value) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
        made,
    )


def _note(index: Index, number: int, made: Sequence[Annotated]) -> None:
    if not made:
        return
    changed = [(written(each.uids), sorted(each.annotations)) for each in made]
    index.sql(
        "INSERT INTO message_annotation_log (mailbox, modseq, changed) VALUES (?, ?, ?)",
        (number, made[0].modseq, json.dumps(changed)),
    )
    index.sql(
        "DELETE FROM message_annotation_log WHERE mailbox = ? AND modseq <= (SELECT modseq"
        " FROM message_annotation_log WHERE mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?)",
        (number, number, _CHANGES),
    )


def since(index: Index, number: int, modseq: int) -> Sequence[Annotated]:
    """As `IAnnotations.annotated_since`."""
    found = index.sql(
        "SELECT modseq, changed FROM message_annotation_log WHERE mailbox = ? AND modseq > ? ORDER BY modseq",
        (number, modseq),
    ).fetchall()
    return [
        Annotated(at, parsed([uids]), frozenset(Annotation(*each) for each in names))
        for at, changed in found
        for uids, names in json.loads(changed)
    ]


# What goes along.


def enter(index: Index, id: int, annotations: Annotations) -> None:
    """A new message has these."""
    if annotations:
        _put(index, [(id, *each, value) for each, value in annotations.items()])


def copy(index: Index, keys: Sequence[tuple[int, int]]) -> None:
    """Messages with the first keys are copies of those with the second."""
    if not _any(index, keys):
        return
    index.many(
        f"""INSERT INTO message_annotations (id, entry, whose, value)
        SELECT ?, entry, whose, value FROM message_annotations WHERE id = ? AND {_CARRIED}""",  # noqa: S608
        keys,
    )


def move(index: Index, keys: Sequence[tuple[int, int]]) -> None:
    """Messages have the first keys that had the second."""
    if not _any(index, keys):
        return
    index.many(
        f"DELETE FROM message_annotations WHERE id = ? AND NOT {_CARRIED}",  # noqa: S608
        [(old,) for _, old in keys],
    )
    index.many("UPDATE message_annotations SET id = ? WHERE id = ?", keys)


def _any(index: Index, keys: Sequence[tuple[int, int]]) -> bool:
    """Whether there may be annotations of messages with the second keys: mostly there are none."""
    old = [key for _, key in keys]
    found = index.sql(
        "SELECT 1 FROM message_annotations WHERE id BETWEEN ? AND ? LIMIT 1",
        (min(old, default=0), max(old, default=0)),
    )
    return found.fetchone() is not None
