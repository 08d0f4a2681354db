"""Annotations of mailboxes, and of the account, in the index (RFC 5464).

They are rows of `meta`, by the mailbox's id: so they follow it when it is renamed.  What changed
is noted in `annotation_log`, where every process finds what to tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from imapd.model.mailbox import Hint
from imapd.store.annotating import annotated, changed_entries
from imapd.store.errors import NoSuchMailbox
from imapd.store.maildir.index import Index
from imapd.store.maildir.names import sought

__all__ = ["annotate", "changes", "duplicate", "forget", "last_change", "read"]

#: Before the mailbox's id, which is empty for the account, and the entry.
_PREFIX: Final = "annotation:"
#: What sorts next after the colons.
_END: Final = ";"
#: Changes that are remembered: others look for them once a second.
_LOG_MOST: Final = 1_000


def read(index: Index, mailbox: str) -> Mapping[str, bytes]:
    """As `IMetadata.annotations`."""
    return _of(index, _id(index, mailbox))


def annotate(
    index: Index, mailbox: str, values: Mapping[str, bytes | None], entries: int, octets: int
) -> Sequence[str]:
    """As `IMetadata.annotate`, inside a transaction."""
    id = _id(index, mailbox)
    before = _of(index, id)
    after = annotated(before, values, held=held(index), entries=entries, octets=octets)
    for entry in before.keys() - after.keys():
        index.sql("DELETE FROM meta WHERE key = ?", (_key(id, entry),))
    for entry, value in after.items():
        if before.get(entry) != value:
            index.set_meta(_key(id, entry), value)
    changed = changed_entries(before, after)
    if changed:
        index.many(
            "INSERT INTO annotation_log (mailbox_id, entry) VALUES (?, ?)",
            [(id, entry) for entry in changed],
        )
        index.sql("DELETE FROM annotation_log WHERE number <= ?", (last_change(index) - _LOG_MOST,))
        # RFC 7162, 3.2; no message changed, so the files are as the rows say if they were.
        index.sql(
            "UPDATE mailboxes SET modseq = modseq + 1,"
            " tidied = CASE WHEN tidied = modseq THEN modseq + 1 ELSE tidied END WHERE id = ?",
            (id,),
        )
    return changed


def last_change(index: Index) -> int:
    """The number of the last change that was noted."""
    row = index.sql("SELECT coalesce(max(number), 0) FROM annotation_log").fetchone()
    return int(row[0])


def changes(index: Index, after: int) -> tuple[int, list[Hint]]:
    """What changed after that number, and the number of the last; a hint names an entry once."""
    hints: list[Hint] = []
    for number, id, entry in index.sql(
        "SELECT number, mailbox_id, entry FROM annotation_log WHERE number > ? ORDER BY number",
        (after,),
    ):
        after = number
        if hints and hints[-1].mailbox_id == id and entry not in hints[-1].entries:
            hints[-1] = Hint(id, entries=(*hints[-1].entries, entry))
        else:
            hints.append(Hint(id, entries=(entry,)))
    return after, hints


def duplicate(index: Index, source: str, target: str) -> None:
    """The mailbox with the id `target` gets what `source` has."""
    for entry, value in _of(index, source).items():
        index.set_meta(_key(target, entry), value)


def forget(index: Index, id: str) -> None:
    """The mailbox with that id is no more."""
    index.sql("DELETE FROM meta WHERE key > ? AND key < ?", _span(id))


def _id(index: Index, mailbox: str) -> str:
    if not mailbox:
        return ""
    sought(mailbox)
    row = index.named(mailbox)
    if row is None:
        raise NoSuchMailbox(f"there is no mailbox {mailbox}")
    return row.id


def _key(id: str, entry: str) -> str:
    return f"{_PREFIX}{id}:{entry}"


def _span(id: str) -> tuple[str, str]:
    return f"{_PREFIX}{id}:", f"{_PREFIX}{id}{_END}"


def _of(index: Index, id: str) -> dict[str, bytes]:
    found = index.sql("SELECT key, value FROM meta WHERE key > ? AND key < ?", _span(id))
    start = len(_key(id, ""))
    return {key[start:]: value for key, value in found}


def held(index: Index) -> int:
    """The octets that all of the account take, their names among them."""
    row = index.sql(
        # Behind the prefix, the id ends at the first colon.
        "SELECT coalesce(sum(length(value) + length(key) - ? - instr(substr(key, ? + 1), ':')), 0)"
        " FROM meta WHERE key > ? AND key < ?",
        (len(_PREFIX), len(_PREFIX), _PREFIX, _PREFIX[:-1] + _END),
    ).fetchone()
    return int(row[0])
