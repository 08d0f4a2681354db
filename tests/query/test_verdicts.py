"""What searches found out, kept within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.search import Cost, Key
from imapd.query import verdicts as module
from imapd.query.verdicts import Verdicts

_KEYS = [Key("BODY", Cost.CONTENT, (), bool, (word,)) for word in "abc"]

_uids = st.lists(st.integers(min_value=1, max_value=40), unique=True).map(sorted)


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), _uids, st.randoms()), max_size=8))
def test_it_tells_what_it_was_told(lessons: list[tuple[int, list[int], object]]) -> None:
    """Of each key and message what was said of it, and nothing of others."""
    memory = Verdicts()
    truth = {(key, uid): (uid * 7 + key) % 3 == 0 for key in range(3) for uid in range(1, 41)}
    said: set[tuple[int, int]] = set()
    everyone = list(range(1, 41))
    for key, uids, source in lessons:
        known = [source.random() < 0.5 for _ in uids]  # type: ignore[attr-defined]
        passed = [bool(each and truth[key, uid]) for uid, each in zip(uids, known)]
        memory.learn(_KEYS[key], uids, bytes(known), bytes(passed))
        if uids and all(known):
            said |= {(key, uid) for uid in range(uids[0], uids[-1] + 1) if uid in uids}
        said |= {(key, uid) for uid, each in zip(uids, known) if each}
    for key in range(3):
        for uids in [sorted(uid for which, uid in said if which == key)]:
            known, passed = map(list, memory.recall(_KEYS[key], uids))
            assert known == [1] * len(uids)
            assert passed == [int(truth[key, uid]) for uid in uids]
        passed = list(memory.recall(_KEYS[key], everyone)[1])
        assert {uid for uid, each in zip(everyone, passed) if each} <= {
            uid for which, uid in said if which == key and truth[key, uid]
        }


def test_nothing_is_known_at_first() -> None:
    """A key that nobody asked for has no answers."""
    assert Verdicts().recall(_KEYS[0], [1, 2]) == (b"\0\0", b"\0\0")


def test_what_was_not_asked_for_lately_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are so many keys, and so many numbers in all; one that alone is too large is not kept."""
    monkeypatch.setattr(module, "_KEYS", 2)
    memory = Verdicts()
    first, second, third = _KEYS
    memory.learn(first, [1], b"\1", b"\1")
    memory.learn(second, [1], b"\1", b"\1")
    assert memory.recall(first, [1]) == (b"\1", b"\1")
    memory.learn(third, [1], b"\1", b"\0")
    assert memory.recall(second, [1]) == (b"\0", b"\0")
    assert memory.recall(first, [1]) == (b"\1", b"\1")
    monkeypatch.setattr(module, "_NUMBERS", 31)
    memory.learn(second, [1, 2, 3, 4, 5], b"\1\0\1\0\1", b"\1\0\1\0\1")
    assert memory.recall(first, [1]) == (b"\0", b"\0")
    assert memory.recall(second, [1]) == (b"\0", b"\0")
