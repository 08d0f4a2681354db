"""kill -9 at every system call that changes the tree, and at every commit.

At each such moment the directory is copied; each copy is opened as after a crash, and must
hold everything that had been acknowledged, under its UID, and nothing twice.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter

import pytest

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from imapd.store.maildir.index import Index
from tests.store.maildir.legacies import COURIER, DOVECOT, DOVECOT_FS, lay
from tests.store.maildir.place import EVERYTHING, Place

_CALLS = ("rename", "link", "unlink", "fsync", "mkdir")


class Moments:
    """Copies of the tree, taken while something is being done."""

    def __init__(self, place, monkeypatch, path, one_instant):
        self.place, self.path = place, path
        self.one_instant = one_instant
        self.taken = []
        self.active = False
        for name in _CALLS:
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))
        monkeypatch.setattr(Index, "commit", self._watched(Index.commit, after=True))

    def _watched(self, call, after=False):
        def watched(*args, **kwargs):
            self._take()
            result = call(*args, **kwargs)
            if after:
                self._take()
            return result

        return watched

    def _take(self):
        if self.active:
            self.active = False
            try:
                copy = self.path / str(len(self.taken))
                shutil.copytree(self.place.path, copy, symlinks=True)
                (copy / "alice" / "imapd" / "index.sqlite-shm").unlink(missing_ok=True)
                if self.one_instant:
                    self._stop_the_clock(copy / "alice")
                self.taken.append(copy)
            finally:
                self.active = True

    def _stop_the_clock(self, root):
        """Each directory has the mtime of the last change that was committed."""
        index = sqlite3.connect(f"file:{self.place.root}/imapd/index.sqlite?mode=ro", uri=True)
        for directory, stamp in index.execute("SELECT directory, cur_stamp FROM mailboxes"):
            if stamp and (root / directory / "cur").exists():
                os.utime(root / directory / "cur", ns=(abs(stamp), abs(stamp)))
        index.close()


def contents(place):
    """Mailboxes with their messages: UID, octets, flags."""
    found = {}
    for info in place.run(place.account.mailboxes()):
        if info.selectable and info.exists:
            box = place.box(info.name)
            flags = place.flags(box)
            uids = list(box.uids())
            status = place.run(box.status())
            assert status.messages == len(uids) == len(flags)
            assert status.unseen == sum("\\Seen" not in each for each in flags.values())
            assert status.highest_modseq >= 1
            found[info.name] = [(uid, place.octets(box, uid), flags[uid]) for uid in uids]
            assert place.run(box.changes_since(0)).modseq == status.highest_modseq
    return found


def mail(found):
    """How often each message is there, wherever it is."""
    return Counter(octets for messages in found.values() for _, octets, _ in messages)


def agree(place):
    """After the tree was tidied, files and rows are the same."""
    for info in place.run(place.account.mailboxes()):
        if info.selectable and info.exists:
            box = place.box(info.name)
            directory = place.account.index.directory(box.number)
            named = {
                int(name.partition(",U=")[2].partition(":")[0]): set(name.partition(":2,")[2])
                for name in place.names(directory)
            }
            flags = place.flags(box)
            assert named.keys() == flags.keys()
            for uid, letters in named.items():
                assert ("S" in letters) == ("\\Seen" in flags[uid])


def append(place):
    """Two messages at once."""
    place.add(place.box(), "new1", "new2", flags=["\\Seen"])


def store(place):
    r"""\Seen and a keyword."""
    place.run(
        place.box().store_flags(NumSet.of(1, 2), FlagChange.ADD, interned(["\\Seen", "done"]))
    )


def copy(place):
    """Two messages."""
    place.run(place.box().copy(NumSet.of(1, 2), place.box("work")))


def move(place):
    """Two messages."""
    place.run(place.box().move(NumSet.of(2, 3), place.box("work")))


def expunge(place):
    r"""One message had \Deleted."""
    place.run(place.box().expunge(EVERYTHING))


def rename(place):
    """A mailbox with one below it."""
    place.run(place.account.rename("work", "play/done"))


def rename_inbox(place):
    """Its messages move."""
    place.run(place.account.rename("INBOX", "old"))


def delete(place):
    """A mailbox from which a message was moved just before."""
    with place.files_stay():
        place.run(place.box("work").move(NumSet.of(1), place.box()))
        place.run(place.account.delete("work"))


def take(place):
    """Two files delivered by others."""
    place.deliver("1.h", b"Subject: delivered1\r\n\r\n", at=100)
    place.deliver("2.h", b"Subject: delivered2\r\n\r\n", at=200)
    place.run(place.box().status())


@pytest.mark.parametrize("one_instant", [False, True], ids=["", "in one tick of the clock"])
@pytest.mark.parametrize(
    "operation", [append, store, copy, move, expunge, rename, rename_inbox, delete, take]
)
def test_whenever_it_dies(operation, one_instant, place, monkeypatch, tmp_path):
    """What was acknowledged is there once, under its UID; what was not is there or not."""
    box = place.box()
    place.add(box, "one", "two", "three", flags=["keyword"])
    place.add(box, "four", flags=["\\Deleted"])
    work = place.make("work")
    place.add(work, "five", "six", flags=["\\Flagged"])
    place.add(place.make("work/below"), "seven")
    place.tidied()
    before = contents(place)
    moments = Moments(place, monkeypatch, tmp_path, one_instant)
    moments.active = True
    operation(place)
    place.tidied()
    moments.active = False
    monkeypatch.undo()
    after = contents(place)
    agree(place)
    assert len(moments.taken) > 2
    for path in moments.taken:
        copied = Place(path).start()
        try:
            found = contents(copied)
            _check(operation, before, after, found)
            copied.tidied()
            agree(copied)
            assert contents(copied) == found, "it changed after it was looked at"
            inbox = copied.box()
            known = {uid for messages in (before, found) for uid, _, _ in messages["INBOX"]}
            assert copied.add(inbox, "next")[0] > max(known, default=0) or operation is take
        finally:
            copied.stop()
        shutil.rmtree(path)


@pytest.mark.parametrize(
    "legacy", [{}, DOVECOT, DOVECOT_FS, COURIER], ids=["", "dovecot", "fs", "courier"]
)
def test_whenever_it_dies_as_the_account_is_made(legacy, monkeypatch, tmp_path):
    """Who comes next finds what it would have found, and what other servers kept under the UIDs they gave."""

    def made(path):
        place = Place(path)
        path.mkdir()
        if legacy:
            lay(legacy, place.root)
        return place

    whole = made(tmp_path / "whole").start()
    wanted = known(whole)
    whole.stop()
    place = made(tmp_path / "mail")
    moments = Moments(place, monkeypatch, tmp_path, False)
    moments.active = True
    place.start()
    place.box()
    moments.active = False
    monkeypatch.undo()
    place.stop()
    assert len(moments.taken) > 5
    for path in moments.taken:
        copied = Place(path).start()
        found = known(copied)
        assert (found[0], found[2]) == (wanted[0], wanted[2])
        assert all(found[1][name] >= uidnext for name, uidnext in wanted[1].items())
        copied.stop()
        shutil.rmtree(path)


def known(place):
    """What clients of the last server know: messages under their UIDs, and what comes next."""
    found = contents(place)
    subscribed = {info.name for info in place.run(place.account.mailboxes()) if info.subscribed}
    return found, {name: place.run(place.box(name).status()).uidnext for name in found}, subscribed


def _check(operation, before, after, found):
    if operation in (append, copy, take):
        # It may be there in part: no one was told.
        for name, messages in found.items():
            assert messages[: len(before[name])] == before[name]
        assert mail(before) <= mail(found) <= mail(after)
    elif operation is delete:
        assert mail(found) in (mail(before), mail(after))
        assert found["work/below"] == before["work/below"]
    else:
        assert found in (before, after)
