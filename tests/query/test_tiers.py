"""How segments are made larger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query.tiers import FULL, Size, joinable


def _sizes(*messages: int) -> list[Size]:
    return [Size(each, each, 100 * each) for each in messages]


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ([], None),
        (_sizes(*[1] * 7), None),
        (_sizes(*[1] * 8), (0, 8)),
        (_sizes(300, *[1] * 8), (1, 9)),
        (_sizes(*[256] * 9), (0, 8)),
        (_sizes(*[FULL] * 20), None),
        (_sizes(*[1_000] * 8), (0, 3)),
        ([Size(100, 49, 5)], (0, 1)),
        ([Size(100, 50, 5)], None),
        ([Size(10, 10, 1 << 30)] * 10, None),
    ],
)
def test_choices(sizes: list[Size], joined: tuple[int, int] | None) -> None:
    """Eight small neighbours become one, until it is full; what is mostly gone is written again."""
    assert joinable(sizes) == joined


@given(st.lists(st.integers(min_value=1, max_value=600), max_size=120))
def test_there_are_few_in_the_end(batches: list[int]) -> None:
    """However messages come, there are few segments, and each is written few times."""
    sizes: list[Size] = []
    written = 0
    for batch in batches:
        sizes += _sizes(batch)
        while (found := joinable(sizes)) is not None:
            start, stop = found
            messages = sum(each.messages for each in sizes[start:stop])
            written += messages
            sizes[start:stop] = _sizes(messages)
    total = sum(batches)
    assert len(sizes) <= 4 * 7 + 1 + 2 * total / FULL
    assert written <= 5 * total
    assert sum(each.messages for each in sizes) == total
