"""How a set of UIDs is looked up: by ranges where it is dense, one by one where it is not.

Pure: sets in, plans out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen

from imapd.model.numset import NumSet

__all__ = ["Span", "parsed", "spans", "written"]

#: Members of one span that is not a single range.
_MOST: Final = 500
#: A span may be this many times as wide as it has members.
_SPARSEST: Final = 4


@frozen
class Span:
    """UIDs from `low` to `high`; not all of them if `only` says which."""

    low: int
    high: int
    only: frozenset[int] | None = None


def spans(uids: NumSet) -> Iterator[Span]:
    """Spans that cover the set, in ascending order."""
    gathered: list[tuple[int, int]] = []
    members = 0
    for low, high in uids.ranges:
        count = high - low + 1
        if gathered and (
            members + count > _MOST or high - gathered[0][0] >= _SPARSEST * (members + count)
        ):
            yield _span(gathered)
            gathered, members = [], 0
        if count > _MOST:
            yield Span(low, high)
        else:
            gathered.append((low, high))
            members += count
    if gathered:
        yield _span(gathered)


def _span(ranges: Sequence[tuple[int, int]]) -> Span:
    low, high = ranges[0][0], ranges[-1][1]
    if len(ranges) == 1:
        return Span(low, high)
    return Span(
        low, high, frozenset(uid for first, last in ranges for uid in range(first, last + 1))
    )


def written(uids: NumSet) -> str:
    """The set as the index keeps it; empty for the empty set."""
    return uids.wire().decode("ascii") if uids else ""


def parsed(texts: Sequence[str]) -> NumSet:
    """The union of sets that the index kept."""
    ranges: list[tuple[int, int]] = []
    for text in texts:
        if text:
            for part in text.split(","):
                low, _, high = part.partition(":")
                ranges.append((int(low), int(high or low)))
    return NumSet(ranges)
