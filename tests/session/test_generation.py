"""Columns of messages: whatever happens to them, what is kept up is what one would count."""

from __future__ import annotations

import random
from typing import Any

import pytest

from imapd.model.flags import SEEN, interned
from imapd.model.numset import NumSet
from imapd.session.generation import Generation

_SETS = [interned(each) for each in ((), (SEEN,), (SEEN, "work"), ("\\Flagged",), ("a", "b"))]


def _first_unseen(generation: Generation) -> int:
    return next((at for at, each in enumerate(generation.flags) if SEEN not in each), -1)


@pytest.mark.parametrize("seed", range(30))
def test_any_history(seed: int) -> None:
    """The sets of flags that occur and the first unseen message are right after any changes, asked or not."""
    chance = random.Random(seed)
    generation, last = Generation(), 0
    for _ in range(60):
        here = list(generation.uids)
        step = chance.choice(["extend", "one", "some", "run", "without"])
        if step == "extend" or not here:
            count = chance.randint(1, 6)
            uids = range(last + 1, last + 1 + count)
            generation.extend(uids, chance.choices(_SETS, k=count), uids)
            last += count
        elif step == "without":
            gone = chance.sample(range(1, last + 1), min(last, chance.randint(1, 3)))
            generation = generation.without(NumSet.of(*gone)) or generation
            assert list(generation.uids) == [uid for uid in here if uid not in gone]
        else:
            if step == "run":
                at = chance.randrange(len(here))
                uids_changed = here[at : at + chance.randint(1, 5)]
            else:
                most = 1 if step == "one" else 6
                uids_changed = sorted(chance.sample(range(1, last + 1), min(last, most)))
            flags = chance.choices(_SETS, k=len(uids_changed))
            generation.change(uids_changed, flags, [999] * len(uids_changed))
            for uid, each in zip(uids_changed, flags):
                place = generation.position(uid)
                assert place < 0 or generation.flags[place] == each
        if chance.random() < 0.6:
            assert set(generation.flag_sets()) == set(generation.flags)
        if chance.random() < 0.6:
            assert generation.first_unseen() == _first_unseen(generation)
        assert len(generation.uids) == len(generation.flags) == len(generation.modseqs)


def test_the_work_is_that_of_the_change() -> None:
    """After one change of a large mailbox, what is asked at SELECT looks at few messages."""

    class Flags(list[Any]):
        """A column that notes how far it is looked through."""

        looked = 0

        def index(self, value: Any, start: Any = 0, stop: Any = 1 << 62) -> int:
            found = super().index(value, start, stop)
            self.looked += found - start + 1
            return found

        def __iter__(self) -> Any:
            self.looked += len(self)
            return super().__iter__()

    generation = Generation()
    generation.flags = Flags()
    uids = range(1, 10_001)
    generation.extend(uids, [_SETS[1]] * 9_999 + [_SETS[0]], uids)
    assert (len(generation.flag_sets()), generation.first_unseen()) == (2, 9_999)
    generation.change([7], [_SETS[2]], [20_000])
    generation.flags.looked = 0  # type: ignore[attr-defined]
    for uid, flags in ((9, _SETS[2]), (9_990, _SETS[0]), (9_995, _SETS[3])):
        generation.change([uid], [flags], [20_001])
        generation.flag_sets()
        assert generation.first_unseen() >= 9_989
    assert generation.flags.looked < 20  # type: ignore[attr-defined]
