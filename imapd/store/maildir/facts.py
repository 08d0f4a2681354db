"""What is known of messages' octets: rows that a message shares with its copies.

Rows of `facts`, `headers` and `previews` have the key of the message that they came with.
`messages.facts` of what was copied or moved is that key, so COPY and MOVE write none of them; they stay
as long as there is a message of the key or one that refers to it.  Keys are never used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from imapd.model.message import Facts
from imapd.model.numset import NumSet
from imapd.store.maildir.index import Index

__all__ = ["KEY", "TABLES", "forget", "forget_released", "know", "learn", "release", "remove"]

#: The key of the rows about a message ``m``.
KEY: Final = "ifnull(m.facts, m.id)"
#: Tables of such rows.
TABLES: Final = ("facts", "headers", "previews")


def know(index: Index, facts: Sequence[tuple[int, Facts]]) -> None:
    """Keep facts by key."""
    index.many(
        "INSERT OR REPLACE INTO facts (id, sent, header_size, envelope, bodystructure)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (key, each.sent, each.header_size, each.envelope, each.bodystructure)
            for key, each in facts
        ],
    )
    index.many(
        "INSERT OR REPLACE INTO headers (id, header) VALUES (?, ?)",
        [(key, each.header) for key, each in facts],
    )
    index.many(
        "INSERT OR REPLACE INTO previews (id, preview) VALUES (?, ?)",
        [(key, each.preview) for key, each in facts],
    )


def learn(index: Index, base: int, facts: Iterable[tuple[int, Facts]]) -> None:
    """Keep facts of messages by UID; of those that are not there any more, nothing."""
    found = [
        (index.sql(f"SELECT {KEY} FROM messages m WHERE id = ?", (base + uid,)).fetchone(), each)  # noqa: S608
        for uid, each in facts
    ]
    know(index, [(row[0], each) for row, each in found if row is not None])


def release(index: Index, ids: NumSet) -> None:
    """Messages are about to be removed: what they refer to may be needed no more."""
    for span in ids.ranges:
        index.sql(
            "INSERT OR IGNORE INTO released (id)"
            " SELECT facts FROM messages WHERE id BETWEEN ? AND ? AND facts IS NOT NULL",
            span,
        )


def forget(index: Index, ids: NumSet) -> None:
    """There are no messages of these keys any more: what no other refers to goes."""
    used: list[int] = []
    for span in ids.ranges:
        found = index.sql(
            "SELECT DISTINCT facts FROM messages WHERE facts BETWEEN ? AND ? ORDER BY facts", span
        )
        used += [key for (key,) in found]
    spans = (ids - NumSet.from_sorted(used)).ranges if used else ids.ranges
    for table in TABLES:
        index.many(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", spans)  # noqa: S608


def remove(index: Index, ids: NumSet) -> None:
    """Messages that are gone, and their files: nothing stays but what others refer to."""
    index.many("DELETE FROM files WHERE id BETWEEN ? AND ?", ids.ranges)
    forget(index, ids)


def forget_released(index: Index, most: int) -> None:
    """Do so with up to `most` of what was released."""
    found = index.sql("SELECT id FROM released ORDER BY id LIMIT ?", (most,)).fetchall()
    keys = NumSet.from_sorted(key for (key,) in found)
    owned: list[int] = []
    for span in keys.ranges:
        rows = index.sql("SELECT id FROM messages WHERE id BETWEEN ? AND ? ORDER BY id", span)
        owned += [key for (key,) in rows]
    forget(index, keys - NumSet.from_sorted(owned) if owned else keys)
    index.many("DELETE FROM released WHERE id BETWEEN ? AND ?", keys.ranges)
