"""Many messages that others put there are entered unread; whenever a size is asked for, it is right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imapd.model.flags import FlagChange, interned
from imapd.model.message import ENVELOPE, FLAGS, SIZE
from imapd.model.numset import NumSet
from imapd.store.answers import each, settled
from imapd.store.maildir import backlog, measuring, outside
from imapd.store.maildir.measuring import measure
from tests.backends import MaildirBackend
from tests.store.maildir.legacies import DOVECOT, lay
from tests.store.maildir.place import EVERYTHING, Place

_DELETED = interned(["\\Deleted"])
_COUNT = 12


def _octets(number):
    return b"Subject: %d\n\n%b" % (number, b"line\r\nline\n" * number)


def _served(number):
    return _octets(number).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.fixture
def box(place, monkeypatch):
    """A mailbox of messages that nobody has read yet, and that are not read by themselves."""
    monkeypatch.setattr(outside, "_READ", 1)
    monkeypatch.setattr(backlog.Backlog, "want", lambda self, number, again=False: None)
    place.make("old")
    for number in range(1, _COUNT + 1):
        letters = "T" if number <= 2 else ""
        name = f"{number}.h:2,{letters}"
        place.deliver(name, _octets(number), directory=".old", part="cur", at=1000 + number)
    return place.box("old")


def _sizes(place, box, uids=EVERYTHING):
    async def read():
        found = {}
        async for batch in each(box.scan(uids, frozenset([SIZE, FLAGS]))):
            found.update(zip(batch.uids, batch.columns[SIZE]))
        return found

    return place.pump.run(read())


def _whole(numbers):
    return sum(len(_served(number)) for number in numbers)


def test_it_is_there_at_once(place, monkeypatch):
    """No file is opened before a mailbox can be used; flags, dates and UIDs are there."""
    monkeypatch.setattr(outside, "_READ", 1)
    place.make("old")
    for number in range(3):
        place.deliver(f"{number}.h:2,S", b"a\n\n", directory=".old", part="cur", at=1000 - number)
    opened = []
    opening = os.open

    def watched(path, *arguments, **named):
        opened.append(str(path))
        return opening(path, *arguments, **named)

    monkeypatch.setattr(os, "open", watched)
    box = place.box("old")
    status = place.run(box.status())
    assert (status.messages, status.unseen, status.sized) == (3, 0, False)
    (batch,) = box.scan(EVERYTHING, frozenset(["internal_date", FLAGS]))
    assert batch.uids == [1, 2, 3]
    assert batch.columns["internal_date"][0] == b" 1-Jan-1970 00:16:38 +0000"
    assert not [path for path in opened if ".h:2" in path]


def test_asked_for(place, box):
    """They are those of what is served, and are kept."""
    assert _sizes(place, box, NumSet.of(3, 5)) == {3: len(_served(3)), 5: len(_served(5))}
    sizes = {number: len(_served(number)) for number in range(1, _COUNT + 1)}
    assert _sizes(place, box) == sizes
    assert {uid: len(place.octets(box, uid)) for uid in sizes} == sizes
    place.run(place.account.writer.when_idle())
    status = place.run(box.status())
    assert (status.sized, status.size) == (True, _whole(sizes))
    assert status.deleted_size == _whole([1, 2])
    assert place.run(place.account.examine()) == []


def test_read_before_it_is_measured(place, box):
    """A message is all there, and says how large it is."""
    assert [place.octets(box, uid) for uid in (1, 7)] == [_served(1), _served(7)]
    assert place.run(box.status()).sized is False


def test_quota(place, box):
    """It waits for all of them."""
    assert place.run(box.status()).size < _whole(range(1, _COUNT + 1))
    assert place.run(place.account.quota()).usage.storage == _whole(range(1, _COUNT + 1))
    assert place.run(box.status()).sized


@pytest.mark.parametrize("first", [True, False], ids=["measured between", "measured after"])
def test_what_is_done_meanwhile(place, box, first):
    """Copies, moves, removals and flags of what has not been measured leave all sums right."""
    other = place.make("other")
    if first:
        _sizes(place, box, NumSet.of(1, 5, 9))
    place.run(box.copy(NumSet.of(1, 2, 3), other))
    place.run(box.move(NumSet.of(4, 5), other))
    place.run(box.store_flags(NumSet.of(6, 7), FlagChange.ADD, _DELETED))
    place.run(box.store_flags(NumSet.of(1), FlagChange.REMOVE, _DELETED))
    place.run(box.expunge(NumSet.of(2, 7)))
    place.tidied()
    place.restart()
    box, other = place.box("old"), place.box("other")
    left = [1, 3, 6, *range(8, _COUNT + 1)]
    assert _sizes(place, box) == {number: len(_served(number)) for number in left}
    assert sorted(_sizes(place, other).values()) == sorted(len(_served(n)) for n in range(1, 6))
    place.run(place.account.writer.when_idle())
    status = place.run(box.status())
    assert (status.size, status.deleted_size) == (_whole(left), len(_served(6)))
    assert place.run(other.status()).deleted_size == _whole([1, 2])
    assert place.run(place.account.examine()) == []


def test_renamed_meanwhile(place, box):
    """Its size is told all the same; of what was removed, or cannot be read, something is."""
    (place.root / ".old/cur/3.h:2,").rename(place.root / ".old/cur/3.h:2,S")
    (place.root / ".old/cur/4.h:2,").unlink()
    five = place.root / ".old/cur/5.h:2,"
    five.unlink()
    five.symlink_to("6.h:2,")
    sizes = _sizes(place, box)
    assert sizes[3] == len(_served(3))
    assert sizes[6] == len(_served(6))
    assert all(size >= 0 for size in sizes.values())


def test_measured_by_another(place, box):
    """Between the look into the index and the file."""
    taken = box._batches(EVERYTHING, frozenset([SIZE]))
    (batch,) = taken
    assert max(batch.columns[SIZE]) < 0
    place.run(place.account.quota())
    found = place.run(settled(place.account.sizes.of(box.number, NumSet.of(2, 3))))
    assert found == {2: len(_served(2)), 3: len(_served(3))}


def test_killed_meanwhile(place, box, tmp_path):
    """What had not been measured is so afterwards."""
    place.run(box.status())
    _sizes(place, box, NumSet.of(1, 2))
    place.run(place.account.writer.when_idle())
    after = place.crashed(tmp_path / "after").start()
    box = after.box("old")
    assert _sizes(after, box) == {n: len(_served(n)) for n in range(1, _COUNT + 1)}
    after.stop()


def test_behind_the_answers(place, monkeypatch):
    """Nobody has to ask; what cannot be measured stops nothing."""
    monkeypatch.setattr(outside, "_READ", 1)
    monkeypatch.setattr(measuring, "_AT_ONCE", 2)
    place.make("old")
    for number in range(1, 8):
        place.deliver(f"{number}.h:2,", _octets(number), directory=".old", part="cur", at=number)
    box = place.box("old")
    lost = place.root / ".old/cur/3.h:2,"
    octets = lost.read_bytes()
    lost.unlink()
    os.mkfifo(lost)
    for _ in range(500):
        if place.account._backlog.idle:
            break
        place.run(place.pump.pause(0.02))
    rows = place.account.index.sql("SELECT size FROM messages WHERE size < 0").fetchall()
    assert rows == [(~len(octets),)]
    (batch,) = box.scan(NumSet.of(7), frozenset([ENVELOPE]))
    assert batch.columns[ENVELOPE] != (None,)


def test_names_that_tell(place, monkeypatch):
    """A file whose name has its sizes is not read for them; one whose name is wrong is."""
    monkeypatch.setattr(outside, "_READ", 0)
    monkeypatch.setattr(backlog.Backlog, "want", lambda self, number, again=False: None)
    place.make("old")
    place.deliver("1.h,S=5,W=7:2,", b"a\n\nb\n", directory=".old", part="cur")
    place.deliver("2.h,S=4,W=7:2,", b"a\n\nb\n", directory=".old", part="cur")
    box = place.box("old")
    place.run(box.status())
    assert place.account.index.sql("SELECT size FROM messages").fetchall() == [(7,), (~5,)]


def test_adopted(tmp_path, monkeypatch):
    """The same of what another server left; UIDs are its own."""
    monkeypatch.setattr(backlog.Backlog, "want", lambda self, number, again=False: None)
    place = Place(tmp_path / "mail")
    lay(DOVECOT, place.root)
    place.start()
    box = place.box()
    sizes = _sizes(place, box)
    assert sizes == {uid: len(place.octets(box, uid)) for uid in place.run(box.uids())}
    assert place.run(place.account.examine()) == []
    place.stop()


def test_one_that_asks_for_no_more(place, box):
    """In a thread, above a UID, some at a time; None at the end."""

    def work(index, tree, hints):
        return [measure(index, tree, hints, box.number, after) for after in (0, 12)]

    assert place.run(place.account.writer.alone(work)) == [12, None]


def test_as_clients_see_it(tmp_path_factory, monkeypatch):
    """What tells sizes waits for them, and nothing else does."""
    monkeypatch.setattr(outside, "_READ", 1)
    monkeypatch.setattr(backlog.Backlog, "want", lambda self, number, again=False: None)
    backend = MaildirBackend(tmp_path_factory)
    server = backend.server()
    client = server.client()
    for name in ("one", "two"):
        client.ok(f"CREATE {name}")
        folder = Path(backend.store._template.place("alice")) / f".{name}"
        for number in range(1, 4):
            path = folder / "cur" / f"{number}.h:2,{'T' if number == 3 else ''}"
            path.write_bytes(_octets(number))
            os.utime(path, (number, number))
    client.select("one")
    every = _whole([1, 2, 3])
    wanted = b"* STATUS one (MESSAGES 3 SIZE %d DELETED-STORAGE %d)\r\n" % (every, _whole([3]))
    told = client.do('LIST "" one RETURN (STATUS (MESSAGES SIZE DELETED-STORAGE))')
    assert wanted in told
    assert wanted in client.do("STATUS one (MESSAGES SIZE DELETED-STORAGE)")
    client.select("two")
    assert b"RFC822.SIZE %d)" % _whole([2]) in client.do("FETCH 2 RFC822.SIZE")
    assert b"* SEARCH 2 3\r\n" in client.do(f"SEARCH LARGER {_whole([1])}")
    server.close()
    backend.close()
