"""What messages say that were taken over is found out behind the answers."""

from __future__ import annotations

import os

from imapd.model.message import ENVELOPE, HEADER_SIZE
from imapd.model.numset import NumSet
from imapd.store.answers import each, settled
from imapd.store.maildir import backlog
from tests.store.maildir.legacies import DOVECOT, lay
from tests.store.maildir.place import EVERYTHING, Place


def _known(place, box):
    """The envelopes that the store itself knows, by UID."""

    async def read():
        found = {}
        async for batch in each(box.scan(EVERYTHING, frozenset([ENVELOPE, HEADER_SIZE]))):
            found.update(zip(batch.uids, batch.columns[ENVELOPE]))
        return found

    return place.pump.run(read())


def _caught_up(place):
    """Wait until nothing is left to be found out."""
    for _ in range(500):
        if place.account._backlog.idle:
            return
        place.run(place.pump.pause(0.02))
    raise AssertionError("it never came to an end")


def test_adopted_messages(tmp_path, monkeypatch):
    """Nobody has to ask first; a message that cannot be read stays as it is, and stops nothing."""
    monkeypatch.setattr(backlog, "_AT_ONCE", 2)
    place = Place(tmp_path / "mail")
    lay(DOVECOT, place.root)
    lost = next(path for path in (place.root / "cur").iterdir() if "M879417" in path.name)
    place.start()
    box = place.box()
    assert set(_known(place, box).values()) == {None}
    octets = lost.read_bytes()
    lost.unlink()
    os.mkfifo(lost)
    _caught_up(place)
    known = _known(place, box)
    assert {uid for uid, envelope in known.items() if envelope is None} == {3}
    assert b'"m3"' in known[4]
    lost.unlink()
    lost.write_bytes(octets)
    place.stop()


def test_it_is_done_once(tmp_path):
    """After a restart only what came since is looked at."""
    place = Place(tmp_path / "mail")
    lay(DOVECOT, place.root)
    place.start()
    box = place.box()
    _caught_up(place)
    assert None not in _known(place, box).values()
    place.account.index.sql("DELETE FROM facts WHERE id & 0xffffffff = 4")
    place.restart()
    box = place.box()
    _caught_up(place)
    assert NumSet.of(*(uid for uid, known in _known(place, box).items() if known is None)) == (
        NumSet.of(4)
    )
    place.stop()


def test_it_is_wanted_again_meanwhile(tmp_path):
    """A mailbox that is opened, and gets mail, while it is looked through is looked through again."""
    place = Place(tmp_path / "mail")
    lay(DOVECOT, place.root)
    place.start()
    box = place.box()
    for number in range(20):
        place.deliver(f"{number}.h", octets=b"Subject: %d\r\n\r\n" % number)
        place.box()
        place.run(place.pump.pause(0.01 * (number % 3)))
    _caught_up(place)
    place.box()
    _caught_up(place)
    assert None not in _known(place, box).values()
    place.stop()


def test_mailboxes_that_are_opened_meanwhile(place):
    """Each is looked through in its turn, however many are opened while one is."""
    for number in range(12):
        place.add(place.make(f"box{number}"), "one")

    async def opened():
        for number in range(12):
            await settled(place.account.open(f"box{number}"))
            await place.pump.pause(0.015)

    place.run(opened())
    _caught_up(place)
    assert len(place.account._backlog._seen) == 12
