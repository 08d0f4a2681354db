"""`imapd check`: what an administrator sees."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

_IMAPD = "from imapd.cli import main; main()"


def _imapd(folder: Path, *arguments: str, octets: bytes = b"") -> tuple[int, str]:
    """The exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", _IMAPD, *arguments],
        cwd=folder,
        input=octets,
        capture_output=True,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode()


def test_check(tmp_path: Path) -> None:
    """All is well, or each thing that was wrong is said once and mended."""
    for part in ("cur", "new", "tmp"):
        (tmp_path / "alice" / part).mkdir(parents=True)
    store = ("--store", "maildir:%u")
    for _ in range(2):
        status = _imapd(tmp_path, "deliver", "alice", *store, octets=b"Subject: x\n\n")
        assert status == (0, "")
    assert _imapd(tmp_path, "check", "alice", *store) == (0, "")
    next((tmp_path / "alice" / "cur").iterdir()).unlink()
    (tmp_path / "alice" / "imapd" / "index.sqlite").write_bytes(b"rubbish")
    assert _imapd(tmp_path, "check", *store, "alice", "bob") == (
        1,
        "alice: the index was damaged, and is made again\nbob: there is no such account\n",
    )
    (tmp_path / "alice" / "imapd-mailbox").unlink()
    assert _imapd(tmp_path, "check", *store, "alice") == (
        1,
        "alice: INBOX: imapd-mailbox did not say what it should, and is written again\n",
    )
    assert _imapd(tmp_path, "check", *store, "alice") == (0, "")
    (tmp_path / "alice" / "imapd" / "index.sqlite").unlink()
    status, said = _imapd(tmp_path, "check", *store, "alice")
    assert (status, said.splitlines()[0]) == (1, "alice: the index was lost, and is made again")


def test_an_index_that_cannot_be_read_throughout(tmp_path: Path) -> None:
    """It is made again at once, and that is said."""
    store = ("--store", "maildir:%u")
    (tmp_path / "alice" / "cur").mkdir(parents=True)
    for _ in range(2):
        _imapd(tmp_path, "deliver", "alice", *store, octets=b"Subject: x\n\n")
    path = tmp_path / "alice" / "imapd" / "index.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((page,),) = connection.execute("SELECT pageno FROM dbstat WHERE name = 'headers'")
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4_096)
        file.write(b"\xee" * 4_096)
    assert _imapd(tmp_path, "check", *store, "alice") == (
        1,
        "alice: the index is damaged; it is made again when the account is next opened\n"
        "alice: the index was damaged, and is made again\n",
    )
    assert _imapd(tmp_path, "check", *store, "alice") == (0, "")
