"""Orders, against sorting in one go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.message import Batch, Column
from imapd.model.numset import NumSet
from imapd.query import sort as module
from imapd.query.criteria import Criterion
from imapd.query.sort import arranged, gaps
from imapd.query.source import Numbers, Span
from imapd.query.text import MessageText
from tests.query.test_search import _run


@define
class _Table:
    """Messages that are columns alone; those of `gone` vanished."""

    columns: Mapping[Column, Sequence[Any]]
    gone: frozenset[int] = frozenset()
    turns: int = 0

    @property
    def uids(self) -> Sequence[int]:
        """UIDs with holes."""
        return range(1, 3 * len(self.columns["a"]), 3)

    async def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Source`, a few at a time."""
        there = [uid for uid in self.uids if uid in uids and uid // 3 not in self.gone]
        for at in range(0, len(there), 7):
            batch = there[at : at + 7]
            yield Batch(
                batch, {name: [self.columns[name][uid // 3] for uid in batch] for name in columns}
            )

    async def turn(self) -> None:
        """As `Source`."""
        self.turns += 1

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """As `Source`."""
        raise NotImplementedError

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """As `Source`."""
        raise NotImplementedError

    async def message(self, uid: int) -> MessageText | None:
        """As `Source`."""
        raise NotImplementedError


def _plainly(table: _Table, places: Sequence[int], criteria: Sequence[Criterion]) -> list[int]:
    """RFC 5256, 3, read aloud."""

    def compare(one: int, other: int) -> int:
        for criterion in criteria:
            mine, theirs = (
                table.columns[criterion.column][place]
                if table.columns[criterion.column][place] is not None or not criterion.instead
                else table.columns[criterion.instead][place]
                for place in (one, other)
            )
            if mine != theirs:
                return 1 if (mine > theirs) != criterion.reverse else -1
        return one - other

    return sorted((each for each in places if each not in table.gone), key=cmp_to_key(compare))


_CRITERIA = st.lists(
    st.builds(Criterion, st.sampled_from(["a", "b"]), reverse=st.booleans())
    | st.builds(Criterion, st.just("c"), st.just("a"), st.booleans()),
    min_size=1,
    max_size=4,
)


@given(st.data(), _CRITERIA, st.sampled_from([1, 2, 3, 5, 8_192]))
def test_as_the_rfc_has_it(data: st.DataObject, criteria: list[Criterion], run: int) -> None:
    """All orders of any messages are those of the RFC, in however many runs they are made."""
    count = data.draw(st.integers(0, 40))
    few = st.integers(0, 3)
    table = _Table(
        {
            "a": data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)),
            "b": data.draw(st.lists(st.text("ab", max_size=2), min_size=count, max_size=count)),
            "c": data.draw(st.lists(st.none() | few, min_size=count, max_size=count)),
        },
        data.draw(st.frozensets(st.integers(0, 50), max_size=5)),
    )
    places: Sequence[int] = range(count)
    if data.draw(st.booleans()):
        places = sorted(data.draw(st.sets(st.sampled_from(places)))) if count else []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_RUN", run)
        assert list(_run(arranged(table, places, criteria))) == _plainly(table, places, criteria)


def test_turns() -> None:
    """A long sort is shared out: others have their turn after each run, and while runs are merged."""
    table = _Table({"a": [each * 7919 % 104_729 for each in range(50_000)]})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_RUN", 1_000)
        _run(arranged(table, range(50_000), [Criterion("a")]))
    scans = -(-50_000 // 7)
    assert table.turns >= scans + 95


@given(st.data(), _CRITERIA)
def test_gaps(data: st.DataObject, criteria: list[Criterion]) -> None:
    """What is new belongs where sorting all would put it; those that are gone tell nothing."""
    count = data.draw(st.integers(0, 30))
    few = st.lists(st.integers(0, 4), min_size=count, max_size=count)
    sparse = st.lists(st.none() | st.integers(0, 3), min_size=count, max_size=count)
    table = _Table({"a": data.draw(few), "b": data.draw(few), "c": data.draw(sparse)})
    fresh = data.draw(st.sets(st.integers(0, count - 1))) if count else set()
    old = [place for place in _plainly(table, range(count), criteria) if place not in fresh]
    new = _plainly(table, sorted(fresh), criteria)
    places = list(old)
    for at in data.draw(st.sets(st.sampled_from(range(len(old))))) if old else ():
        # Told of as gone, or found to be gone when it is asked for.
        if data.draw(st.booleans()):
            places[at] = -1
        table.gone |= {old[at]}
    found = _run(gaps(table, len(old), places.__getitem__, new, criteria))
    merged, begun = [], 0
    for place, gap in zip(new, found):
        merged += old[begun:gap]
        merged.append(place)
        begun = gap
    merged += old[begun:]
    assert [each for each in merged if each not in table.gone] == _plainly(
        table, range(count), criteria
    )


def test_gaps_cost_little() -> None:
    """For one new message of many, few of them are looked at."""
    table = _Table({"a": list(range(1_000))})
    looked: list[int] = []

    def place_at(at: int) -> int:
        looked.append(at)
        return at if at < 300 else at + 1

    assert _run(gaps(table, 999, place_at, [300], [Criterion("a")])) == [300]
    assert len(set(looked)) <= 10
