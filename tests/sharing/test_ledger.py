"""The modification sequences of who reads another's mailbox."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imapd.model.flags import interned
from imapd.model.numset import NumSet
from imapd.sharing.ledger import Ledger
from imapd.store.access import Mark


def _ledger(*at: int) -> Ledger:
    made = Ledger()
    made.extend(Mark(each, NumSet.of(number), True) for number, each in enumerate(at, 1))
    return made


def test_without_marks() -> None:
    """Who has seen nothing has the mailbox's own numbers."""
    ledger = _ledger()
    assert (ledger.highest(5), ledger.numbered(3), ledger.modseq(7, 4)) == (5, 3, 4)
    assert ledger.split(4) == (4, 0)


def test_marks_fall_between_changes() -> None:
    """A mark has a number of its own, after the change it was made after and before the next one."""
    ledger = _ledger(2, 2, 4)
    # 1 2 mark mark 3 4 mark 5
    assert [ledger.numbered(each) for each in (1, 2, 3, 4, 5)] == [1, 2, 5, 6, 8]
    assert [ledger.highest(each) for each in (1, 2, 3, 4, 5)] == [1, 4, 5, 7, 8]
    assert [ledger.modseq(uid, 1) for uid in (1, 2, 3, 4)] == [3, 4, 7, 1]
    assert [ledger.split(each) for each in range(1, 9)] == [
        (1, 0), (2, 0), (2, 1), (2, 2), (3, 2), (4, 2), (4, 3), (5, 3),
    ]  # fmt: skip


def test_seen_is_ones_own() -> None:
    r"""The owner's \Seen is not the reader's; other flags are shared."""
    ledger = Ledger()
    ledger.extend([Mark(1, NumSet.of(1, 2), True), Mark(1, NumSet.of(2), False)])
    both, flagged = interned(("\\Seen", "\\Flagged")), interned(("\\Flagged",))
    assert ledger.flags([1, 2, 3], [flagged, both, both]) == [both, flagged, flagged]
    assert ledger.seen == NumSet.of(1)
    assert ledger.marked_after(1) == {2}


@given(st.lists(st.booleans(), max_size=60))
def test_any_history(steps: list[bool]) -> None:
    """Whatever the order of changes and marks, each gets the next number, once and for good."""
    ledger, raw, told = Ledger(), 1, [1]
    numbered = {1: 1}
    for place, is_mark in enumerate(steps):
        if is_mark:
            ledger.extend([Mark(raw, NumSet.of(place + 1), True)])
            assert ledger.modseq(place + 1, 1) == told[-1] + 1
        else:
            raw += 1
            numbered[raw] = ledger.numbered(raw)
        told.append(ledger.highest(raw))
        assert told[-1] == told[-2] + 1
        assert ledger.split(told[-1]) == (raw, len(ledger))
    assert {each: ledger.numbered(each) for each in numbered} == numbered
