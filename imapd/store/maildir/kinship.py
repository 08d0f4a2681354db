"""Which messages of an account belong together (RFC 8474, 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from imapd.model.threads import thread_of
from imapd.store.maildir.index import base_of
from imapd.store.maildir.turn import Turn

__all__ = ["join"]

#: Made when somebody asks for the first time: indexes of accounts may be older than this.
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS threads (key BLOB PRIMARY KEY, thread BLOB NOT NULL) WITHOUT ROWID"
)


def join(
    turn: Turn, number: int, messages: Sequence[tuple[int, Sequence[bytes]]]
) -> Sequence[bytes]:
    """As `IThreads.join_threads`."""
    base = base_of(number)
    index = turn.index
    index.sql(_TABLE)
    joined: list[bytes] = []
    for uid, keys in messages:
        marks = ", ".join("?" * len(keys))
        known = dict(
            index.sql(f"SELECT key, thread FROM threads WHERE key IN ({marks})", keys)  # noqa: S608
        )
        thread = thread_of(keys, known)
        index.many(
            "INSERT OR IGNORE INTO threads (key, thread) VALUES (?, ?)",
            [(key, thread) for key in keys if key not in known],
        )
        index.sql("UPDATE files SET thread_id = ? WHERE id = ?", (thread, base + uid))
        joined.append(thread)
    return joined
