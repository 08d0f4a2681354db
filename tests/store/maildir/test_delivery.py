"""Copies have what the messages have, whichever of them are copied."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from imapd.model.message import ENVELOPE, HEADER, INTERNAL_DATE, PREVIEW
from imapd.model.numset import NumSet
from imapd.store.answers import each
from tests.store.maildir.place import EVERYTHING

_COLUMNS = (ENVELOPE, HEADER, INTERNAL_DATE, PREVIEW)


def _all(place, box):
    """What the store knows of each message, by UID."""

    async def read():
        found = {}
        async for batch in each(box.scan(EVERYTHING, frozenset(_COLUMNS))):
            found.update(zip(batch.uids, zip(*(batch.columns[name] for name in _COLUMNS))))
        return found

    return place.pump.run(read())


@pytest.mark.parametrize("name", ["INBOX", "other"])
@pytest.mark.parametrize("uids", [(2,), (1, 2, 3), (1, 3, 4, 8), (3, 7), (4, 5, 7, 8)])
def test_copies(place, name, uids):
    """Some of a mailbox with gaps, to another mailbox or the same; what was expunged stays behind."""
    place.make("other")
    box, target = place.box(), place.box(name)
    place.add(box, *(f"subject {number}" for number in range(1, 9)))
    place.add(target, "one that is there before")
    place.run(box.expunge(NumSet.of(6)))
    before, there = _all(place, box), _all(place, target)
    copied = place.run(Deferred.fromCoroutine(box.copy(NumSet.of(*uids), target)))
    assert copied.sources == list(uids)
    after = _all(place, target)
    assert {uid: after[uid] for uid in there} == there
    assert [after[uid] for uid in copied.uids] == [before[uid] for uid in uids]
    assert len(after) == len(there) + len(uids)
    assert all(f"subject {uid}".encode() in after[copy][0] for uid, copy in zip(uids, copied.uids))
