"""Sharing in a Maildir's index."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from imapd.store.maildir.schema import ensure

_TABLES = {"acl", "seen_marks", "offers"}


def _tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_an_index_of_an_older_program(tmp_path: Path) -> None:
    """An index made before there was sharing is given the tables, and keeps what it has."""
    path = tmp_path / "index"
    ensure(str(path))
    assert _tables(path) >= _TABLES
    with sqlite3.connect(path) as connection:
        for name in _TABLES:
            connection.execute(f"DROP TABLE {name}")
        connection.execute("INSERT INTO subscriptions (name) VALUES ('a')")
    ensure(str(path))
    assert _tables(path) >= _TABLES
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM subscriptions").fetchall() == [("a",)]
