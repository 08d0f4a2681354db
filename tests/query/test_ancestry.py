"""Forests whose trees are joined and cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query import ancestry
from imapd.query.ancestry import Ancestry

_NODES = 12


def link(forest: Ancestry, child: int, parent: int) -> None:
    """Link, however far up one must look."""
    if not forest.link(child, parent):
        assert forest.paths is not None
        list(forest.paths.link(child, parent))


def cut(forest: Ancestry, child: int) -> None:
    """Cut."""
    if forest.paths is None:
        forest.parents[child] = -1
    else:
        list(forest.paths.cut(child))


@pytest.mark.parametrize("steps", [0, 1, 5_000])
@given(moves=st.lists(st.tuples(st.integers(0, _NODES - 1), st.integers(0, _NODES)), max_size=60))
def test_no_loops(steps: int, moves: list[tuple[int, int]]) -> None:
    """Whatever is linked and cut, by walking or by paths, nobody comes to be above themselves."""
    before, ancestry._STEPS_LONG = ancestry._STEPS_LONG, steps
    try:
        forest = Ancestry(_NODES - 1)
        parents = [-1] * _NODES
        for number, (child, parent) in enumerate(moves):
            if number == 10:
                assert forest.add() == _NODES - 1
            if max(child, parent) >= len(forest.parents):
                continue
            if parents[child] >= 0:
                cut(forest, child)
                parents[child] = -1
            above = parent
            while above >= 0 and above != child:
                above = parents[above]
            if above < 0:
                parents[child] = parent
            link(forest, child, parent)
            assert forest.parents == parents[: len(forest.parents)]
    finally:
        ancestry._STEPS_LONG = before


def test_deep_trees_are_not_walked() -> None:
    """Who asks about the foot of a deep tree again and again does not walk it each time."""
    count = 20_000
    forest = Ancestry(3 * count)
    for node in range(1, count):
        assert forest.link(node, node - 1)
    for node in range(count, 3 * count, 2):
        link(forest, node + 1, node)
        link(forest, node, count - 1)
    assert forest.paths is not None
    assert forest.parents[count::2] == [count - 1] * count


def test_many_short_walks_are_too_many() -> None:
    """Walks that are short each, and too many, come to an end as well."""
    forest = Ancestry(1_000)
    for node in range(1, 500):
        link(forest, node, node - 1)
    for node in range(500, 1_000, 2):
        link(forest, node + 1, node)
        link(forest, node, 499)
    assert forest.paths is not None


def test_long_answers_rest() -> None:
    """The way up a deep tree that was never gone is gone in pieces."""
    forest = Ancestry(30_000)
    for node in range(1, 30_000):
        forest.link(node, node - 1)
    assert not forest.link(0, 29_999)
    assert forest.paths is not None
    assert sum(1 for _ in forest.paths.link(0, 29_999)) > 10
    assert forest.parents[0] == -1
