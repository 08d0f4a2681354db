"""A message's octets: bytes, or a file mapped into memory, of which nothing large is copied."""

from __future__ import annotations

from mmap import mmap
from typing import Final

__all__ = ["Octets", "count_lines"]

Octets = bytes | mmap

#: Octets of a mapped file that are copied at a time.
_WINDOW: Final = 1 << 18


def count_lines(data: Octets, start: int, stop: int) -> int:
    """How many line ends lie between two offsets."""
    if isinstance(data, bytes):
        return data.count(b"\n", start, stop)
    return sum(
        data[at : min(at + _WINDOW, stop)].count(b"\n") for at in range(start, stop, _WINDOW)
    )
