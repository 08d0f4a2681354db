"""Copies share what is known of a message's octets; it stays as long as one of them does."""

from __future__ import annotations

import pytest

from imapd.model.flags import FlagChange
from imapd.model.message import BODYSTRUCTURE, ENVELOPE, HEADER, PREVIEW
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from tests.store.maildir.place import EVERYTHING

TABLES = ("facts", "headers", "previews")
COLUMNS = frozenset([ENVELOPE, BODYSTRUCTURE, HEADER, PREVIEW])


@pytest.fixture
def work(place):
    """A second mailbox."""
    return place.make("work")


def _copied(place, box, to, uids=EVERYTHING):
    place.run(box.copy(uids, place.box(to)))


def _expunged(place, box, uids=EVERYTHING):
    place.run(box.store_flags(uids, FlagChange.ADD, frozenset(["\\Deleted"])))
    place.run(box.expunge(uids))
    place.tidied()


def _known(place, box):
    """What is known by UID, without reading a file."""
    return {
        uid: [batch.columns[column][at] for column in (ENVELOPE, BODYSTRUCTURE, HEADER, PREVIEW)]
        for batch in box.scan(EVERYTHING, COLUMNS)
        for at, uid in enumerate(batch.uids)
    }


def _of(*subjects):
    return {
        uid: [facts.envelope, facts.bodystructure, facts.header, facts.preview]
        for uid, facts in enumerate((letter(subject).facts for subject in subjects), start=1)
    }


def _rows(place):
    return {
        table: place.account.index.sql(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in (*TABLES, "released")
    }


def _all(count):
    return dict.fromkeys(TABLES, count) | {"released": 0}


def test_a_copy_takes_no_rows(place, work):
    """It has all that its message has."""
    place.add(place.box(), "one", "two")
    _copied(place, place.box(), "work")
    assert _known(place, work) == _of("one", "two")
    assert _rows(place) == _all(2)


def test_a_copy_stays_when_its_message_goes(place, work):
    """And the other way round."""
    box = place.box()
    place.add(box, "one", "two")
    _copied(place, box, "work")
    _expunged(place, box, NumSet.of(1))
    _expunged(place, work, NumSet.of(2))
    assert _known(place, box) == {2: _of("one", "two")[2]}
    assert _known(place, work) == {1: _of("one")[1]}
    assert _rows(place) == _all(2)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_nothing_is_left_of_the_last(place, work, order):
    """Of copies and copies of copies, in whatever order they go."""
    box, third = place.box(), place.make("third")
    place.add(box, "one", "two", "three")
    _copied(place, box, "work")
    _copied(place, work, "third")
    for count, which in enumerate(order):
        assert _rows(place) == _all(3)
        left = [(box, work, third)[other] for other in order[count:]]
        assert all(_known(place, each) == _of("one", "two", "three") for each in left)
        _expunged(place, (box, work, third)[which])
    assert _rows(place) == _all(0)


def test_what_moves_takes_them_along(place, work):
    """Copies of what moved, too, and when the mailbox it came from is deleted."""
    third = place.make("third")
    place.add(work, "one", "two")
    _copied(place, work, "INBOX", NumSet.of(1))
    with place.files_stay():
        place.run(work.move(EVERYTHING, third))
    assert _known(place, third) == _of("one", "two")
    place.run(place.account.delete("work"))
    assert _known(place, third) == _of("one", "two")
    assert _known(place, place.box()) == _of("one")
    _expunged(place, third)
    assert _known(place, place.box()) == _of("one")
    assert _rows(place) == _all(1)
    _expunged(place, place.box())
    assert _rows(place) == _all(0)


def test_the_mailbox_of_copies_is_deleted(place, work):
    """What only they referred to goes, what others refer to stays."""
    box = place.box()
    place.add(box, "one", "two")
    _copied(place, box, "work")
    _expunged(place, box, NumSet.of(1))
    assert _rows(place) == _all(2)
    place.run(place.account.delete("work"))
    place.tidied()
    assert _known(place, box) == {2: _of("one", "two")[2]}
    assert _rows(place) == _all(1)


def test_another_program_removes_the_file(place, work):
    """The copy's is another link."""
    box = place.box()
    place.add(box, "one")
    _copied(place, box, "work")
    place.tick()
    (name,) = place.names()
    (place.root / "cur" / name).unlink()
    assert place.run(box.status()).messages == 0
    assert _known(place, work) == _of("one")
    _expunged(place, work)
    assert _rows(place) == _all(0)


def test_what_is_found_out_of_a_copy(place, work):
    """It is known of the message as well, and of the copy when that has gone."""
    box = place.box()
    place.add(box, "one")
    _copied(place, box, "work")
    for table in TABLES:
        place.account.index.sql(f"DELETE FROM {table}")
    assert _known(place, work) == {1: [None] * 4}
    place.run(work.keep_facts([(1, letter("one").facts)]))
    assert _known(place, work) == _known(place, box) == _of("one")
    _expunged(place, box)
    place.run(work.keep_facts([(1, letter("one").facts)]))
    assert _known(place, work) == _of("one")
    _expunged(place, work)
    assert _rows(place) == _all(0)


def test_a_check_finds_nothing_wrong(place, work):
    """What copies share is no orphan; a UID that only a copy knows is not given again."""
    box = place.box()
    place.add(box, "one", "two")
    _copied(place, box, "work")
    _expunged(place, box)
    assert list(place.run(place.account.examine())) == []
    assert _known(place, work) == _of("one", "two")
    place.account.index.sql("UPDATE mailboxes SET uidnext = 1 WHERE name = 'INBOX'")
    place.account.index.sql("DELETE FROM log")
    assert any("next UID" in finding for finding in place.run(place.account.examine()))
    assert place.add(place.box(), "three") == [3]
    assert _known(place, work) == _of("one", "two")
