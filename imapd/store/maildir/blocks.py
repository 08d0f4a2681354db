"""Octets that the engine keeps beside a mailbox: `IBlocksKept`."""

from __future__ import annotations

from collections.abc import Mapping

from imapd.model.numset import NumSet
from imapd.store.maildir.index import Index

__all__ = ["keep", "kept"]


def kept(index: Index, number: int, column: str, numbers: NumSet) -> dict[int, bytes]:
    """As `IBlocksKept.kept_blocks`."""
    found: dict[int, bytes] = {}
    for low, high in numbers.ranges:
        found.update(
            index.sql(
                "SELECT number, octets FROM blocks"
                " WHERE mailbox = ? AND name = ? AND number BETWEEN ? AND ?",
                (number, column, low, high),
            )
        )
    return found


def keep(
    index: Index, number: int, blocks: Mapping[tuple[str, int], bytes], numbers: NumSet
) -> None:
    """As `IBlocksKept.keep_blocks`."""
    index.directory(number)
    there = index.sql("SELECT DISTINCT number FROM blocks WHERE mailbox = ?", (number,)).fetchall()
    index.many(
        "DELETE FROM blocks WHERE mailbox = ? AND number = ?",
        [(number, block) for (block,) in there if block not in numbers],
    )
    index.many(
        "INSERT OR REPLACE INTO blocks (mailbox, name, number, octets) VALUES (?, ?, ?, ?)",
        [(number, name, block, octets) for (name, block), octets in blocks.items()],
    )
