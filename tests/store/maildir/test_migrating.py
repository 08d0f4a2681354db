"""An index of an older program is brought to this one; one of a newer program is left alone."""

from __future__ import annotations

import sqlite3

import pytest

from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.schema import VERSION, ensure
from tests.store.maildir.place import Place

#: What a program of version 1 knew of mailboxes.
_WITHOUT = "ALTER TABLE mailboxes DROP COLUMN ceiling"


def _older(place):
    """The account as a program of version 1 left it."""
    place.stop()
    (place.root / "imapd-mailbox").unlink(missing_ok=True)
    connection = sqlite3.connect(place.root / "imapd" / "index.sqlite")
    connection.execute(_WITHOUT)
    connection.execute("DROP TABLE blocks")
    connection.execute("DROP INDEX messages_unmeasured")
    connection.execute("DROP INDEX messages_sharing")
    connection.execute("ALTER TABLE messages DROP COLUMN facts")
    connection.execute("DROP TABLE released")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_an_older_index(place):
    """Everything is there, and what is new begins to be kept."""
    box = place.box()
    place.add(box, "one", "two")
    known = box.uidvalidity
    _older(place)
    place.start()
    box = place.box()
    assert (box.uidvalidity, list(place.run(box.uids()))) == (known, [1, 2])
    place.add(box, "three")
    assert (place.root / "imapd-mailbox").read_text().startswith(f"1 V{known} C")
    assert place.account.index.sql("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_migration_that_fails_changes_nothing(place, monkeypatch):
    """It is done whole or not at all."""
    _older(place)
    monkeypatch.setitem(
        ensure.__globals__["_STEPS"], 1, "CREATE TABLE half (x);\nCREATE TABLE meta (x);\n"
    )
    path = str(place.root / "imapd" / "index.sqlite")
    with pytest.raises(sqlite3.OperationalError):
        ensure(path)
    monkeypatch.undo()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone() is None
    connection.close()
    place.start()


def test_a_newer_index(tmp_path):
    """It is not touched, and it is said why."""
    place = Place(tmp_path / "mail").start()
    place.add(place.box(), "one")
    place.stop()
    path = place.root / "imapd" / "index.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="newer version"):
        place.start()
    place.run(place.store.close())
    assert path.read_bytes() == before
