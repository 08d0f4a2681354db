"""The index is lost or damaged: everything is made again from the tree, as clients know it."""

from __future__ import annotations

import os
import random
import re

import pytest

from imapd.model.flags import DELETED, FLAGGED, SEEN, FlagChange, interned
from imapd.model.numset import NumSet
from imapd.model.quota import Allowance
from imapd.store.answers import settled
from imapd.store.errors import OverQuota
from imapd.store.maildir.filename import FileName
from imapd.store.maildir.halves import mended
from tests.store.maildir.place import Place


def _lose(place):
    """The index is gone, as with a backup that has only messages."""
    place.stop()
    for path in (place.root / "imapd").iterdir():
        path.unlink()


def _subjects(place, box):
    """The subject of each message, by UID."""
    found = {}
    for uid in place.run(box.uids()):
        (found[uid],) = re.findall(rb"Subject: (.*)\r", place.octets(box, uid))
    return found


@pytest.fixture
def known(place):
    """An account that has seen things, and what a client knows of it."""
    box = place.box()
    place.add(box, "one", "two", "three", flags=("\\Seen",))
    place.add(box, "four", "five")
    place.run(box.store_flags(NumSet.of(2, 5), FlagChange.ADD, interned([DELETED])))
    place.run(box.store_flags(NumSet.of(4), FlagChange.ADD, interned([FLAGGED])))
    place.run(box.expunge(NumSet.of(2, 5)))
    lists = place.make("lists/twisted")
    place.add(lists, "post")
    place.run(box.copy(NumSet.of(1), lists))
    place.tidied()
    modseq = place.run(box.status()).highest_modseq
    return box.uidvalidity, box.id, lists.uidvalidity, modseq, _subjects(place, box)


def test_a_lost_index(place, known):
    """UIDVALIDITY, UIDs, ids and flags are the same; modseqs go on, and clients can resynchronise."""
    uidvalidity, id, of_lists, modseq, subjects = known
    _lose(place)
    place.start()
    box, lists = place.box(), place.box("lists/twisted")
    assert (box.uidvalidity, box.id, lists.uidvalidity) == (uidvalidity, id, of_lists)
    assert _subjects(place, box) == subjects
    assert place.flags(box) == {
        1: interned((SEEN,)),
        3: interned((SEEN,)),
        4: interned((FLAGGED,)),
    }
    assert list(place.run(lists.uids())) == [1, 2]
    changes = place.run(box.changes_since(modseq))
    assert changes.modseq > modseq
    assert list(changes.uids) == [1, 3, 4]
    assert 2 in changes.vanished
    assert 5 in changes.vanished


def test_no_uid_comes_again(place, known):
    """The UID of the last message, which was expunged before, is given to no other."""
    _lose(place)
    place.start()
    (uid,) = place.add(place.box(), "six")
    assert uid > 5
    _lose(place)
    place.start()
    assert _subjects(place, place.box())[uid] == b"six"
    assert place.add(place.box(), "seven")[0] > uid


def test_a_first_message_that_is_refused(place):
    """Nothing is left of it that later takes the mailbox for one of a lost index."""
    place.run(place.account.allow(Allowance(storage=1)))
    box = place.box()
    with pytest.raises(OverQuota):
        place.add(box, "x" * 5_000)
    place.later()
    place.restart()
    assert place.add(place.box(), "small") == [1]


def test_many_uids_between_two_words(place):
    """However many messages came and went since the file was written, UIDs go on above them."""
    box = place.box()
    for _ in range(3):
        uids = place.add(box, *["x"] * 700)
        place.run(box.store_flags(NumSet.of(*uids), FlagChange.ADD, interned([DELETED])))
        place.run(box.expunge(NumSet.of(*uids)))
    place.tidied()
    _lose(place)
    place.start()
    assert place.add(place.box(), "after")[0] > 2_100


def test_who_has_it_open_reads_nothing_else(place, known):
    """A process that knew mailboxes by the lost index finds none of another name under their numbers."""
    before = {row.number for row in place.account.index.mailboxes()}
    _lose(place)
    place.start()
    assert before.isdisjoint(row.number for row in place.account.index.mailboxes())


def test_files_under_other_names(place, known, tmp_path):
    """A file that lost its UID is a new message; one that took another's gets a UID of its own."""
    place.stop()
    for path in (place.root / "imapd").iterdir():
        path.unlink()
    first, second = sorted(place.names())[:2]
    folder = place.root / "cur"
    (folder / first).rename(folder / "1.nameless")
    copy = second.replace(",S=", "x,S=", 1)
    (folder / copy).write_bytes((folder / second).read_bytes())
    place.start()
    subjects = _subjects(place, place.box())
    assert len(subjects) == 4
    assert sorted(subjects)[-2] > 5


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_index(tmp_path, seed):
    """An index with wrong octets is noticed when it is opened or used, and never answers wrongly for long."""
    place = Place(tmp_path / "mail").start()
    box = place.box()
    place.add(box, *map(str, range(1, 60)))
    uidvalidity, subjects = box.uidvalidity, _subjects(place, box)
    place.stop()
    path = place.root / "imapd" / "index.sqlite"
    octets = bytearray(path.read_bytes())
    chance = random.Random(seed)
    if seed == 0:
        octets[:] = b""
    elif seed == 1:
        octets[:100] = b"not a database at all".ljust(100, b"\0")
    else:
        for _ in range(200):
            octets[chance.randrange(100, len(octets))] = chance.randrange(256)
    path.write_bytes(octets)
    place.start()
    found = place.run(place.account.examine())
    del found
    place.restart()
    box = place.box()
    assert box.uidvalidity == uidvalidity
    assert _subjects(place, box) == subjects
    place.stop()


def test_a_damaged_index_is_kept_aside(place, known):
    """Whoever wants to look into it can."""
    place.stop()
    path = place.root / "imapd" / "index.sqlite"
    path.write_bytes(b"rubbish")
    place.start()
    assert any(name.startswith("index.sqlite.damaged-") for name in os.listdir(path.parent))
    assert place.box().uidvalidity == known[0]


async def _check(account):
    return await settled(account.examine())


def test_nothing_to_find(place, known):
    """An account that is as it should be is left as it is."""
    assert place.run(_check(place.account)) == []


def test_what_check_mends(place, known):
    """Each thing that is wrong is said in words, and mended."""
    box = place.box()
    names = sorted(place.names(), key=lambda name: int(FileName.parse(name).uid))
    (place.root / "cur" / names[0]).unlink()
    with open(place.root / "cur" / names[1], "ab") as file:
        file.write(b"more\r\n")
    place.deliver("1.new", part="cur")
    (place.root / "imapd-mailbox").unlink()
    sql = place.account.index.sql
    sql("UPDATE mailboxes SET unseen = 17 WHERE name = 'lists/twisted'")
    sql("INSERT INTO facts (id, header_size, envelope, bodystructure) VALUES (5, 1, '', '')")
    said = place.run(_check(place.account))
    assert said == [
        "INBOX: the files of UIDs 3 were changed; they are entered as new messages",
        "INBOX: imapd-mailbox did not say what it should, and is written again",
        "lists/twisted: its figures were not those of its messages, and are put right",
        "1 rows of facts were of no message, and are removed",
    ]
    # What others did, a removal and a delivery, is nothing wrong.
    assert list(place.run(box.uids())) == [4, 6, 7]
    assert place.run(_check(place.account)) == []


def test_halves_of_messages(place, known):
    """A message whose file the index forgot finds it again by its UID; a file without a message is one."""
    box = place.box()
    sql = place.account.index.sql
    base = box.number << 32
    sql("DELETE FROM files WHERE id IN (?, ?)", (base + 1, base + 3))
    (place.root / "cur" / next(name for name in place.names() if ",U=3:" in name)).unlink()
    sql("DELETE FROM messages WHERE id = ?", (base + 4,))
    assert place.run(_check(place.account)) == [
        "INBOX: UIDs 3 had no file, and are removed",
        "INBOX: where the files of UIDs 1 are was not known; they are found again",
        "INBOX: 1 files were of no message, and come in as new ones",
        "INBOX: its figures were not those of its messages, and are put right",
        "2 rows of facts were of no message, and are removed",
        "2 rows of headers were of no message, and are removed",
        "2 rows of previews were of no message, and are removed",
    ]
    assert _subjects(place, box) == {1: b"one", 6: b"four"}
    assert place.run(_check(place.account)) == []
    place.restart()
    assert _subjects(place, place.box()) == {1: b"one", 6: b"four"}


def test_halves_and_what_others_did(place, known):
    """What was done since the check began stays; the mending is one more change."""
    box = place.box()
    index = place.account.index
    index.sql("DELETE FROM files WHERE id = ?", ((box.number << 32) + 3,))
    (place.root / "cur" / next(name for name in place.names() if ",U=3:" in name)).unlink()
    uids = place.add(box, "five", "six")
    between = place.run(box.status())
    hints = []
    assert list(mended(index, place.account.tree, box.number, hints)) == [
        "UIDs 3 had no file, and are removed"
    ]
    after = place.run(box.status())
    assert after.highest_modseq > between.highest_modseq
    assert after.uidnext == between.uidnext > max(uids)
    assert [hint.modseq for hint in hints] == [after.highest_modseq]


def test_an_emptied_inbox(place):
    """The UIDs of what was there are not given out again, though nothing is left to be read."""
    box = place.box()
    place.add(box, "one", "two", "three", flags=("\\Deleted",))
    place.run(box.expunge(box.uids()))
    place.tidied()
    _lose(place)
    long_ago = 1_000_000_000
    for part in ("new", "cur"):
        os.utime(place.root / part, (long_ago, long_ago))
    place.start()
    again = place.box()
    assert (again.uidvalidity, again.id) == (box.uidvalidity, box.id)
    assert place.run(again.status()).uidnext > 3
    assert place.add(again, "four")[0] > 3
