"""Long work in short pieces: a generator yields between them, so that others can have their turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from typing import Final, TypeVar

__all__ = ["PIECE", "Pieces", "done", "in_pieces"]

_T = TypeVar("_T")
_V = TypeVar("_V")

#: The work, and what comes of it.
Pieces = Generator[None, None, _T]

#: How much is done at once where each costs a microsecond at most.
PIECE: Final = 8_000


def in_pieces(values: Sequence[_V]) -> Iterator[Sequence[_V]]:
    """No more at once than a short turn can look at."""
    return (values[at : at + PIECE] for at in range(0, len(values), PIECE))


async def done(pieces: Pieces[_T], turn: Callable[[], Awaitable[None]]) -> _T:
    """Do the work, and let others have their turn between two pieces."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: _T = end.value
            return result
        await turn()
