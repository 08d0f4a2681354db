"""The kernel says that something happened in a directory; and nobody minds where it cannot."""

from __future__ import annotations

import sys

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from imapd.store.maildir.alarms import Alarms

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def reactor():
    """One that reads only when it is told to."""
    return MemoryReactorClock()


@pytest.fixture
def alarms(reactor):
    """Alarms that are let go of."""
    made = Alarms(reactor)
    yield made
    made.close()


def _read(reactor):
    """What the kernel has to say is heard, if not at once."""
    reactor.advance(0.1)
    for reader in reactor.getReaders():
        reader.doRead()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: (path / "new").write_text("x"),
        lambda path: (path / "old").rename(path / "other"),
        lambda path: (path / "old").unlink(),
        lambda path: (path / "old").write_text("more"),
        lambda path: (path.parent / "elsewhere").rename(path / "moved"),
    ],
)
def test_whatever_happens(reactor, alarms, tmp_path, change):
    """A file that comes, goes, is renamed or written sets it off, once."""
    folder = tmp_path / "cur"
    folder.mkdir()
    (folder / "old").write_text("x")
    (tmp_path / "elsewhere").write_text("x")
    told = []
    assert alarms.set(str(folder), lambda: told.append("off")) is True
    _read(reactor)
    assert told == []
    change(folder)
    _read(reactor)
    (folder / "again").write_text("x")
    _read(reactor)
    assert told == ["off"]
    assert alarms.set(str(folder), lambda: told.append("off again")) is True
    (folder / "third").write_text("x")
    _read(reactor)
    assert told == ["off", "off again"]


def test_a_directory_that_goes(reactor, alarms, tmp_path):
    """It sets off its alarm, and leaves the others as they are."""
    told = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        alarms.set(str(tmp_path / name), lambda name=name: told.append(name))
    (tmp_path / "one").rmdir()
    _read(reactor)
    (tmp_path / "two" / "file").write_text("x")
    _read(reactor)
    assert told == ["one", "two"]


def test_what_cannot_be_watched(reactor, alarms, tmp_path):
    """No directory, or a symbolic link to one: there is no alarm, and no error."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("absent", "link"):
        assert alarms.set(str(tmp_path / name), lambda: None) is False
    alarms.unset(str(tmp_path / "absent"))


def test_unset(reactor, alarms, tmp_path):
    """One that is taken back does not go off."""
    told = []
    alarms.set(str(tmp_path), lambda: told.append("off"))
    alarms.unset(str(tmp_path))
    (tmp_path / "file").write_text("x")
    _read(reactor)
    assert told == []


def test_without_inotify(tmp_path):
    """On a reactor that watches no files, and after the end, there are none."""
    alarms = Alarms(Clock())
    assert alarms.set(str(tmp_path), lambda: None) is False
    reactor = MemoryReactorClock()
    ended = Alarms(reactor)
    assert ended.set(str(tmp_path), lambda: None) is True
    ended.close()
    assert ended.set(str(tmp_path), lambda: None) is False
    assert reactor.getReaders() == []


def test_a_directory_that_is_moved(reactor, alarms, tmp_path):
    """It sets off its alarm; the next is of the directory that took its place."""
    (tmp_path / "one").mkdir()
    told = []
    alarms.set(str(tmp_path / "one"), lambda: told.append("moved"))
    (tmp_path / "one").rename(tmp_path / "two")
    (tmp_path / "one").mkdir()
    _read(reactor)
    alarms.set(str(tmp_path / "one"), lambda: told.append("one"))
    alarms.set(str(tmp_path / "two"), lambda: told.append("two"))
    (tmp_path / "one" / "file").write_text("x")
    _read(reactor)
    (tmp_path / "two" / "file").write_text("x")
    _read(reactor)
    assert told == ["moved", "one", "two"]


def test_a_busy_directory(reactor, alarms, tmp_path):
    """A thousand changes are heard of once; reading rests meanwhile, and then goes on."""
    told = []
    alarms.set(str(tmp_path), lambda: told.append("off"))
    for number in range(1_000):
        (tmp_path / f"a file of a message {number}").write_text("x")
    for reader in reactor.getReaders():
        reader.doRead()
    assert told == ["off"]
    assert reactor.getReaders() == []
    for _ in range(10):
        _read(reactor)
    alarms.set(str(tmp_path), lambda: told.append("off again"))
    _read(reactor)
    assert told == ["off"]
    (tmp_path / "another").write_text("x")
    _read(reactor)
    assert told == ["off", "off again"]
