"""Long work in short pieces: a generator yields between them, so that others can have their turn."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final, TypeVar

__all__ = ["PIECE", "Pieces", "in_pieces"]

_T = TypeVar("_T")
_V = TypeVar("_V")

#: The work, and what comes of it.
Pieces = Generator[None, None, _T]

#: How much is done at once where each costs a microsecond at most.
PIECE: Final = 8_000


def in_pieces(values: Sequence[_V]) -> Iterator[Sequence[_V]]:
    """No more at once than a short turn can look at."""
    return (values[at : at + PIECE] for at in range(0, len(values), PIECE))
