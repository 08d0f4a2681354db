"""Annotations of messages in the index."""

import sqlite3

import pytest

from imapd.model.annotation import SHARED, Annotation
from imapd.model.message import ANNOTATIONS
from imapd.model.numset import NumSet
from imapd.store.maildir import annotating, lookup
from imapd.store.maildir.schema import ensure

_ALL = NumSet([(1, 1_000)])
_NAME = Annotation("/comment", SHARED)


def _annotate(place, box, value):
    return place.run(box.annotate(_ALL, {_NAME: value}, 10, 1 << 24))


def test_large_ones_come_in_small_batches(place, monkeypatch):
    """However large annotations are, little of them is in memory at once."""
    monkeypatch.setattr(lookup, "_ANNOTATIONS_MOST", 2_500)
    box = place.box()
    for n in range(10):
        place.add(box, f"{n}")
    _annotate(place, box, b"x" * 1_000)
    batches = list(box.scan(_ALL, frozenset([ANNOTATIONS])))
    assert [list(batch.uids) for batch in batches] == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]
    assert {
        value for batch in batches for each in batch.columns[ANNOTATIONS] for value in each.values()
    } == {b"x" * 1_000}


def test_the_log_is_cut_off(place, monkeypatch):
    """What was changed long ago is forgotten; the last changes are there."""
    monkeypatch.setattr(annotating, "_CHANGES", 3)
    box = place.box()
    place.add(box, "one")
    modseqs = [_annotate(place, box, b"%d" % n).changes.modseq for n in range(6)]
    assert [each.modseq for each in box.annotated_since(0)] == modseqs[-3:]


def test_an_index_of_an_older_program(place, tmp_path):
    """It is given the tables, and counts what they hold."""
    path = str(tmp_path / "index.sqlite")
    ensure(path)
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE message_annotations; DROP TABLE message_annotation_log")
    connection.close()
    ensure(path)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO message_annotations VALUES (1, '/x', 'shared', x'00ff')")
    connection.execute("UPDATE message_annotations SET value = x'00'")
    held = "SELECT value FROM meta WHERE key = 'message_annotation_octets'"
    assert connection.execute(held).fetchone() == (3,)
    connection.execute("DELETE FROM message_annotations")
    assert connection.execute(held).fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("gone", ["message", "mailbox"])
def test_nothing_stays_behind(place, gone):
    """What goes takes its annotations along."""
    box = place.make("box")
    place.add(box, "one", flags=["\\Deleted"])
    _annotate(place, box, b"x")
    if gone == "mailbox":
        place.run(place.account.delete("box"))
    else:
        place.run(box.expunge(_ALL))
    index = place.account.index
    assert index.sql("SELECT count(*) FROM message_annotations").fetchone() == (0,)
    assert annotating.held(index) == 0
