"""Results that are kept up to date."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query import updates as module
from imapd.query.updates import Pair, put, take


def _as_client(result: list[int], pairs: Sequence[Pair], add: bool) -> list[int]:
    """What a client has that does what the pairs say (RFC 5267, 4.3.3 and 4.3.4)."""
    for position, uids in pairs:
        at = position - 1
        if add:
            result[at:at] = uids
        else:
            assert result[at : at + len(uids)] == list(uids)
            del result[at : at + len(uids)]
    return result


_UIDS = st.lists(st.integers(1, 0x01010101), unique=True, max_size=30)


@given(_UIDS, st.data(), st.sampled_from([0, 3, 16]))
def test_take(uids: list[int], data: st.DataObject, singly: int) -> None:
    """Whatever is taken out, the client has taken out too."""
    gone = data.draw(st.sets(st.sampled_from(uids))) if uids else set()
    result = array("I", uids)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_SINGLY", singly)
        pairs = take(result, gone | {0x01010102})
    left = [uid for uid in uids if uid not in gone]
    assert list(result) == left == _as_client(list(uids), pairs, add=False)


@given(_UIDS, st.data(), st.sampled_from([0, 3, 16]))
def test_put(uids: list[int], data: st.DataObject, singly: int) -> None:
    """Whatever is put in, the client has put in too."""
    gaps = sorted(data.draw(st.lists(st.integers(0, len(uids)), max_size=10)))
    fresh = list(range(1 << 30, (1 << 30) + len(gaps)))
    result = array("I", uids)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_SINGLY", singly)
        pairs = put(result, fresh, gaps)
    wanted: list[int] = []
    for place in range(len(uids) + 1):
        wanted += [uid for uid, gap in zip(fresh, gaps) if gap == place]
        wanted += uids[place : place + 1]
    assert list(result) == wanted == _as_client(list(uids), pairs, add=True)


def test_pairs() -> None:
    """Neighbours are one pair; a number's octets are not found in the middle of two others."""
    result = array("I", [1, 9, 2, 3, 7])
    assert [(at, list(uids)) for at, uids in take(result, {2, 9, 7})] == [(5, [7]), (2, [9, 2])]
    added = put(result, [5, 6, 8], [1, 1, 2])
    assert [(at, list(uids)) for at, uids in added] == [(2, [5, 6]), (5, [8])]
    across = array("I", [0x01000000, 0x00000001, 0x00000100])
    assert [at for at, _ in take(across, {0x00000100})] == [3]
    assert take(across, {0x01010000}) == []
