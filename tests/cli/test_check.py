"""`imapd check`: what an administrator sees."""

from __future__ import annotations

import subprocess
import sys
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
        "bob: there is no such account\n",
    )
    (tmp_path / "alice" / "imapd-mailbox").unlink()
    assert _imapd(tmp_path, "check", *store, "alice") == (
        1,
        "alice: INBOX: imapd-mailbox did not say what it should, and is written again\n",
    )
    assert _imapd(tmp_path, "check", *store, "alice") == (0, "")
