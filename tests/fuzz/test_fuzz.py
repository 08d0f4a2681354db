"""The fuzzer's corpus replayed, and its targets under Hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds
from tests.fuzz.words import WORDS

_SEEDS = [(name, path) for name in sorted(TARGETS) for path in seeds(name)]


@pytest.mark.parametrize(("name", "path"), _SEEDS, ids=[f"{n}/{p.name}" for n, p in _SEEDS])
def test_corpus(name: str, path: Path) -> None:
    """What a fuzzer found once does no harm any more."""
    TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_there_are_seeds(name: str) -> None:
    """Every target begins with something sensible."""
    assert seeds(name)


_OCTETS = st.tuples(
    st.sampled_from([b"\0", b"\1", b"\2", b"\3"]),
    st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=6)), max_size=40).map(b"".join),
).map(b"".join)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_anything(name: str) -> None:
    """Any octets do no harm, and least of all those that look like IMAP."""

    @given(_OCTETS)
    @settings(max_examples=60)
    def harmless(octets: bytes) -> None:
        TARGETS[name](octets)

    harmless()
