"""An account that waits costs nothing where the kernel tells of changes; elsewhere it is looked at."""

from __future__ import annotations

import os

import pytest

from imapd.store.maildir import lookout, mounts, resting
from imapd.store.maildir.alarms import Alarms
from imapd.store.maildir.mounts import is_local
from imapd.store.maildir.outside import reconcile


@pytest.fixture
def bells(monkeypatch):
    """By directory, what is called when something happens there, as the kernel would."""
    found = {}
    monkeypatch.setattr(Alarms, "set", lambda self, path, call: found.update({path: call}) or True)
    monkeypatch.setattr(Alarms, "unset", lambda self, path: found.pop(path, None))
    monkeypatch.setattr(lookout, "is_local", lambda path: True)
    monkeypatch.setattr(resting, "_REST", 0.3)
    monkeypatch.setattr(lookout, "_POLL", 0.1)
    return found


@pytest.fixture
def quiet(place, bells):
    """An open mailbox that has been left alone for long, and what its watcher was told."""
    box = place.box()
    place.add(box, "one")
    place.later()
    hints = []
    end = place.account.watch(hints.append)
    for _ in range(100):
        place.run(place.pump.pause(0.1))
        looks = place.account._lookout
        if looks._next.getTime() > place.pump.seconds() + 100:
            break
        for bell in list(bells.values()):
            bell()
    else:
        raise AssertionError("it never came to rest")
    hints.clear()
    yield box, hints
    end()


def test_nothing_is_done(place, quiet, monkeypatch):
    """No connection is held, and nothing is looked at, until the account is used."""
    looked = []
    monkeypatch.setattr(lookout, "modified", looked.append)
    place.run(place.pump.pause(0.5))
    assert looked == []
    assert not place.account.index.opened
    assert not place.account.writer.index.opened


@pytest.mark.parametrize("part", ["new", "cur"])
def test_a_message(place, quiet, bells, part):
    """It is told when the kernel says that a directory has changed."""
    box, hints = quiet
    place.deliver("1.h", part=part)
    place.run(place.pump.pause(0.3))
    assert hints == []
    bells[str(place.root / part)]()
    place.until(lambda: hints)
    assert {hint.mailbox_id for hint in hints} == {box.id}


def test_a_mailbox(place, quiet, bells):
    """One that others make in the root is told likewise."""
    _, hints = quiet
    for part in ("new", "cur", "tmp"):
        (place.root / ".made" / part).mkdir(parents=True)
    bells[str(place.root)]()
    place.until(lambda: "" in {hint.mailbox_id for hint in hints})
    assert place.account.index.named("made") is not None


def test_it_is_used_again(place, quiet, bells):
    """Whoever opens the connections has them closed again."""
    box, _ = quiet
    place.add(box, "two")
    assert place.account.writer.index.opened
    for _ in range(50):
        bells[str(place.root / "imapd")]()
        place.run(place.pump.pause(0.1))
        if not (place.account.index.opened or place.account.writer.index.opened):
            return
    raise AssertionError("connections were not closed")


def test_it_is_only_read(place, quiet):
    """The same where nothing is written, of which the kernel would tell."""
    box, _ = quiet
    place.run(box.status())
    assert place.account.index.opened
    place.until(lambda: not place.account.index.opened)


@pytest.mark.parametrize("why", ["another machine", "no alarm"])
def test_where_the_kernel_does_not_tell(place, bells, monkeypatch, why):
    """It is looked at by itself, soon."""
    if why == "no alarm":
        monkeypatch.setattr(Alarms, "set", lambda self, path, call: path.endswith("cur"))
    else:
        monkeypatch.setattr(lookout, "is_local", lambda path: False)
    box = place.box()
    place.later()
    hints = []
    end = place.account.watch(hints.append)
    place.run(place.pump.pause(1.0))
    hints.clear()
    place.deliver("1.h")
    place.until(lambda: hints)
    assert {hint.mailbox_id for hint in hints} == {box.id}
    end()


def test_looking_writes_nothing(place, bells):
    """A directory that may have changed a moment ago is read again, and if it has not that is all."""
    place.box()
    place.run(place.account.writer.when_idle())
    place.run(place.account.mailboxes())
    place.run(place.box().status())
    before = place.account.tree.written()
    for _ in range(3):
        place.run(place.pump.pause(0.06))
        place.run(place.account.mailboxes())
    place.run(place.account.writer.when_idle())
    assert place.account.tree.written() == before


_LINES = b"""\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:5 / /mnt rw - xfs /dev/sdb rw
24 23 0:6 / /mnt/far\\040away rw shared:1 - nfs4 host:/x rw
25 22 0:7 / /srv rw - nfs4 host:/y rw
26 25 0:8 / /srv rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "type"),
    [("/", "ext4"), ("/mntx", "ext4"), ("/mnt", "xfs"), ("/mnt/a/b", "xfs"),
     ("/mnt/far away/u", "nfs4"), ("/srv/u", "tmpfs")],
)  # fmt: skip
def test_mounts(monkeypatch, tmp_path, path, type):
    """The file system is that of the mount that is nearest, and last."""
    listed = tmp_path / "mountinfo"
    listed.write_bytes(_LINES)
    monkeypatch.setattr(mounts, "_MOUNTS", str(listed))
    assert mounts._type(path) == type


def test_what_is_local(monkeypatch, tmp_path):
    """What is not known to be is not."""
    for type, local in (("ext4", True), ("nfs4", False), ("fuse.sshfs", False), ("", False)):
        monkeypatch.setattr(mounts, "_known", {})
        monkeypatch.setattr(mounts, "_type", lambda path, type=type: type)
        assert is_local(str(tmp_path)) is local
    assert not is_local(os.fspath(tmp_path / "absent"))


def test_another_directory_changes(place, quiet, bells, monkeypatch):
    """That the index is written is no reason to look at directories of which nothing was said."""
    _, hints = quiet
    looked = []
    modified = lookout.modified
    monkeypatch.setattr(lookout, "modified", lambda path: looked.append(path) or modified(path))
    bells[str(place.root / "imapd")]()
    place.run(place.pump.pause(0.3))
    assert looked == []
    place.deliver("1.h")
    bells[str(place.root / "new")]()
    place.until(lambda: hints)


def test_while_it_is_read(place, quiet, bells, monkeypatch):
    """What comes into a directory that was read a moment ago, with the same mtime, is told soon."""
    box, hints = quiet
    monkeypatch.setattr(lookout, "_AGAIN", 0.4)
    monkeypatch.setattr(resting, "_REST", 600.0)
    new = place.root / "new"
    place.deliver("1.h")
    bells[str(new)]()
    place.run(place.pump.pause(0.2))
    assert place.run(box.status()).messages == 2
    (stamp,) = place.account.index.sql(
        "SELECT abs(new_stamp) FROM mailboxes WHERE number = 1"
    ).fetchone()
    hints.clear()
    place.deliver("2.h")
    os.utime(new, ns=(stamp, stamp))
    bells[str(new)]()
    place.run(place.pump.pause(0.1))
    bells[str(new)]()
    place.until(lambda: hints)
    assert {hint.mailbox_id for hint in hints} == {box.id}
    assert place.names("", "new") == []


def test_a_mailbox_made_while_they_are_read(place, quiet, bells, monkeypatch):
    """The same of the root."""
    _, hints = quiet
    monkeypatch.setattr(lookout, "_AGAIN", 0.4)
    monkeypatch.setattr(resting, "_REST", 600.0)
    (place.root / ".one" / "cur").mkdir(parents=True)
    bells[str(place.root)]()
    place.run(place.pump.pause(0.2))
    stamp = place.root.stat().st_mtime_ns
    (place.root / ".two" / "cur").mkdir(parents=True)
    os.utime(place.root, ns=(stamp, stamp))
    hints.clear()
    bells[str(place.root)]()
    place.run(place.pump.pause(1.0))
    assert "" in {hint.mailbox_id for hint in hints}
    assert place.account.index.named("two") is not None


def test_behind_a_reading(place, quiet, bells, monkeypatch):
    """What comes when the directory has been read but not yet what is done with it is told soon, too."""
    box, hints = quiet
    monkeypatch.setattr(resting, "_REST", 600.0)
    late = ["2.h"]

    def read(*arguments):
        answer = reconcile(*arguments)
        while late:
            place.deliver(late.pop())
        return answer

    monkeypatch.setattr(lookout, "reconcile", read)
    place.deliver("1.h")
    bells[str(place.root / "new")]()
    place.run(place.pump.pause(1.0))
    assert place.names("", "new") == []
    assert {hint.mailbox_id for hint in hints} == {box.id}


def test_what_cannot_be_read(place, quiet, bells, monkeypatch):
    """A directory that never comes to rest is read more and more seldom."""
    times = []
    monkeypatch.setattr(lookout, "_POLL", 1.0)

    def read(*arguments):
        times.append(place.pump.seconds())
        os.utime(place.root / "new")

    monkeypatch.setattr(lookout, "reconcile", read)
    os.utime(place.root / "new")
    bells[str(place.root / "new")]()
    place.run(place.pump.pause(3.0))
    assert 4 <= len(times) <= 9
