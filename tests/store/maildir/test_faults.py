"""Trouble of every kind: the store says so, and nothing is lost; `test_each_call` goes through the calls."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest
from twisted.internet.defer import CancelledError, Deferred

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.errors import AccountClosed, StoreUnavailable
from imapd.store.maildir.index import Index


def test_a_full_index(place, monkeypatch):
    """When the index cannot be committed, those who waited together all fail, and no file stays."""
    box = place.box()
    commit = Index.commit

    def full(index):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Index, "commit", full)
    waiting = [Deferred.fromCoroutine(box.append([letter(f"n{n}").new()])) for n in range(3)]
    for one in waiting:
        with pytest.raises(StoreUnavailable):
            place.run(one)
    monkeypatch.setattr(Index, "commit", commit)
    assert place.names() == place.names(part="tmp") == []
    assert place.add(box, "works again") == [1]


def test_a_flag_change_that_fails(place, monkeypatch):
    """It is undone as a whole, in whichever thread it was made."""
    box = place.box()
    place.add(box, "one")
    before = place.run(box.status())
    place.run(place.account.writer.when_idle())

    def broken(self, *args):
        raise ZeroDivisionError

    monkeypatch.setattr("imapd.store.maildir.edit.Edit.finish", broken)
    with pytest.raises(ZeroDivisionError):
        place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["newword"])))
    monkeypatch.undo()
    assert place.run(box.status()) == before
    place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["newword"])))
    assert place.flags(box) == {1: {"newword"}}


def test_a_message_that_cannot_be_opened(place, monkeypatch):
    """Too many open files do not make a message look expunged."""
    box = place.box()
    place.add(box, "one")

    def none_left(*args, **kwargs):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", none_left)
    with pytest.raises(StoreUnavailable):
        place.octets(box, 1)
    monkeypatch.undo()
    assert place.octets(box, 1) == letter("one").octets


def test_a_flag_change_on_a_full_disk(place, monkeypatch):
    """A change of flags that cannot be written is refused."""
    box = place.box()
    place.add(box, "one")

    def full(index):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Index, "commit", full)
    with pytest.raises(StoreUnavailable):
        place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Seen"])))
    monkeypatch.undo()
    assert place.flags(box) == {1: frozenset()}


def test_an_append_that_is_given_up(place):
    """A session that ends while its message is written leaves a whole message or none."""
    box = place.box()
    sent = letter("given up")
    waiting = Deferred.fromCoroutine(box.append([sent.new()]))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    place.run(place.account.writer.when_idle())
    for uid in box.uids():
        assert place.octets(box, uid) == sent.octets
    assert place.names(part="tmp") == []


def test_an_index_of_another_version(place):
    """An index written by a later version is refused."""
    place.stop()
    connection = sqlite3.connect(place.root / "imapd" / "index.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        place.start()
    place.run(place.store.close())
    place.store = None


def test_a_name_that_cannot_be_looked_at(place, monkeypatch):
    """No file is renamed to a name of which the disk does not tell whether another has it."""
    box = place.box()
    place.add(box, "one")
    (name,) = place.names()
    wanted = place.root / "cur" / f"{name}F"
    wanted.write_bytes(letter("of another program").octets)
    look = os.lstat

    def troubled(path, *args, **kwargs):
        if path == str(wanted):
            raise OSError(errno.EIO, "Input/output error")
        return look(path, *args, **kwargs)

    monkeypatch.setattr(os, "lstat", troubled)
    place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Flagged"])))
    place.tidied()
    assert wanted.read_bytes() == letter("of another program").octets
    assert name in place.names()
    # Nor does it keep the account from being opened.
    place.restart()
    assert name in place.names()
    monkeypatch.undo()
    place.tidied()
    assert wanted.read_bytes() == letter("of another program").octets
    assert place.octets(place.box(), 1) == letter("one").octets


@pytest.mark.parametrize(
    ("error", "told"),
    [(sqlite3.OperationalError("disk I/O error"), StoreUnavailable),
     (sqlite3.DatabaseError("database disk image is malformed"), AccountClosed)],
)  # fmt: skip
def test_figures_that_cannot_be_read(place, monkeypatch, error, told):
    """Of a mailbox that has been opened, they are refused as anything else."""

    def fails(index):
        raise error

    box = place.box()
    place.add(box, "one")
    box = place.box()
    place.account.index.forget()
    monkeypatch.setattr(Index, "_not_sized", fails)
    with pytest.raises(told):
        _ = box.opened_status
