"""Each system call and each statement of every operation fails in turn, in each way it can.

The client is told that the store is unavailable or, where the failure does no harm, that it is
done.  Nothing is half done, lost or doubled; and it works when the trouble is over.
"""

from __future__ import annotations

import errno
import gc
import os
import shutil
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.errors import StoreUnavailable
from tests.store.maildir.calls import Calls, descriptors
from tests.store.maildir.place import EVERYTHING, Place
from tests.store.maildir.test_crashes import agree

#: EIO strikes once, anything; a full disk or too many files last, for what they concern.
_WAYS = {
    "broken": ([errno.EIO], lambda call: True, False),
    "full": ([errno.ENOSPC, errno.EDQUOT], lambda call: call.needs_room, True),
    "too many": ([errno.EMFILE, errno.ENFILE], lambda call: call.needs_descriptor, True),
}


def append(place):
    """Two at once."""
    place.add(place.box(), "new1", "new2", flags=["word"])


def append_streamed(place):
    """One that came in parts, as a client's literal does."""
    sent, box = letter("streamed"), place.box()
    spool = place.account.spool()
    try:
        for part in (sent.octets[:50], sent.octets[50:]):
            spool.write(part)
        place.run(box.append([sent.new(spool.reader())]))
    finally:
        spool.close()


def copy(place):
    """Two at once."""
    place.run(place.box().copy(NumSet.of(1, 2), place.box("other")))


def move(place):
    """Two at once."""
    place.run(place.box().move(NumSet.of(1, 2), place.box("other")))


def store(place):
    """A new keyword and a letter."""
    change = interned(["\\Flagged", "another"])
    place.run(place.box().store_flags(NumSet.of(1, 2), FlagChange.ADD, change))


def store_many(place):
    """So many that it is done in a thread."""
    change = interned(["\\Flagged", "another"])
    place.run(place.box().store_flags(EVERYTHING, FlagChange.ADD, change))


def expunge(place):
    r"""What has \Deleted."""
    place.run(place.box().expunge(EVERYTHING))


def replace(place):
    """One message."""
    place.run(place.box().replace(1, letter("instead").new(), place.box()))


def create(place):
    """With one above it."""
    place.run(place.account.create("made/below"))


def rename(place):
    """With one below it."""
    place.run(place.account.rename("other", "elsewhere"))


def rename_inbox(place):
    """Its messages move."""
    place.run(place.account.rename("INBOX", "old"))


def delete(place):
    """A mailbox with a message."""
    place.run(place.account.delete("other/below"))


def look(place):
    """What a client that selects asks for, and a message."""
    box = place.box()
    place.run(box.status())
    box.uids()
    place.flags(box)
    place.run(box.changes_since(1))
    place.octets(box, 1)
    place.run(place.account.mailboxes())


OPERATIONS = (
    append, append_streamed, copy, move, store, store_many, expunge, replace,
    create, rename, rename_inbox, delete, look,
)  # fmt: skip


@pytest.fixture
def scratch(tmp_path):
    """A folder in memory where the system has one: here it matters which calls fail, not the disk."""
    if os.access("/dev/shm", os.W_OK):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            yield Path(folder)
    else:
        yield tmp_path


@pytest.fixture
def prepared(scratch):
    """Starts copies of a tree that has something for each operation."""
    origin = Place(scratch / "origin").start()
    place = origin
    place.add(place.box(), "one", "two", "three")
    place.add(place.box(), "four", flags=["\\Deleted"])
    place.make("other")
    place.add(place.make("other/below"), "five")
    place.tidied()
    place.stop()
    started = []

    def start():
        path = scratch / str(len(started))
        shutil.copytree(origin.path, path)
        started.append(Place(path).start())
        return started[-1]

    yield start
    for place in started:
        place.stop()


def state(place):
    """What a client sees, and the files."""
    seen = {}
    for info in place.run(place.account.mailboxes()):
        box = place.box(info.name)
        octets = {uid: place.octets(box, uid) for uid in box.uids()}
        seen[info.name] = place.run(box.status()), place.flags(box), octets, box.uidvalidity
    return seen


def octets(place):
    """The messages of each mailbox, whatever else it has."""
    return {name: messages for name, (_, _, messages, _) in state(place).items()}


def strays(place):
    """Names in tmp, and how many files there are in all."""
    return place.names(part="tmp"), sum(len(files) for _, _, files in os.walk(place.root))


class Striking:
    """Lets the calls of one kind fail, from a certain one on or only that."""

    def __init__(self, calls, way, failing):
        self.calls, self.failing = calls, failing
        self.numbers, self.concerned, self.lasting = _WAYS[way]
        #: What has failed.
        self.struck = []
        self._met = 0

    def __enter__(self):
        self.calls.verdict, self.calls.active = self._verdict, True
        return self.struck

    def __exit__(self, *exc):
        self.calls.active = False

    def _verdict(self, call):
        if not self.concerned(call):
            return 0
        self._met += 1
        if self._met - 1 == self.failing or (self.lasting and self._met > self.failing):
            self.struck.append(call)
            return self.numbers[self.failing % len(self.numbers)]
        return 0


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whichever_call_fails(operation, way, prepared, monkeypatch):
    """Nothing or all of it is done, and nothing is left over."""
    place = prepared()
    operation(place)
    after = octets(place)
    place = prepared()
    calls = Calls(monkeypatch, place.path)
    before, files = state(place), strays(place)
    gc.collect()
    opened = descriptors()
    for failing in count():
        done = False
        with Striking(calls, way, failing) as struck, suppress(StoreUnavailable):
            operation(place)
            done = True
        if not struck:
            break
        place.run(place.account.writer.when_idle())
        assert descriptors() <= opened, struck
        if not done:
            assert state(place) == before, struck
            place.tidied()
            assert strays(place) == files, struck
            agree(place)
        elif operation is not look:
            assert octets(place) == after, struck
            place.tidied()
            agree(place)
            if strays(place)[0]:
                # What could not be removed goes at the next start, or after a day and a half.
                place.restart()
                assert struck[0].name == "unlink" or strays(place)[0] == [], struck
            place.stop()
            place = prepared()
            calls.root = str(place.path)
            before, files = state(place), strays(place)
            gc.collect()
            opened = descriptors()
    assert done
    place.tidied()
    agree(place)


@pytest.mark.parametrize("way", _WAYS)
def test_what_others_deliver(way, prepared, monkeypatch):
    """A file that cannot be taken in now is taken in later, once."""
    place = prepared()
    calls = Calls(monkeypatch, place.path)
    there = len(place.box().uids())
    for failing in count(1):
        octets = b"Subject: %d\r\n\r\n" % failing
        place.deliver(f"{failing}.host", octets)
        # Long ago, so that its directory would not be looked at again for its age.
        os.utime(place.root / "new", (failing, failing))
        with Striking(calls, way, failing - 1) as struck, suppress(StoreUnavailable):
            place.run(place.box().status())
        place.run(place.pump.pause(0.06))
        place.run(place.box().status())
        uids = list(place.box().uids())
        assert len(uids) == there + failing, struck
        assert place.octets(place.box(), uids[-1]) == octets, struck
        if not struck:
            break
    place.tidied()
    agree(place)


@pytest.mark.parametrize("way", _WAYS)
def test_what_is_behind_the_answers(way, prepared, monkeypatch):
    """A tree that cannot follow now follows later; no client sees that."""
    place = prepared()
    calls = Calls(monkeypatch, place.path)
    box, other = place.box(), place.box("other")
    for failing in count():
        uid, gone = place.add(box, "moving", "going")
        with place.files_stay():
            moved = place.run(box.move(NumSet.of(uid), other))
        flags = interned(["\\Flagged" if failing % 2 else "\\Seen"])
        place.run(other.store_flags(NumSet.of(*moved.uids), FlagChange.ADD, flags))
        place.run(box.store_flags(NumSet.of(gone), FlagChange.ADD, interned(["\\Deleted"])))
        place.run(box.expunge(NumSet.of(gone)))
        before = state(place)
        with Striking(calls, way, failing) as struck:
            place.tidied()
        assert state(place) == before, struck
        assert moved.uids[0] in before["other"][1]
        place.tidied()
        agree(place)
        if not struck:
            break
