"""`imapd deliver`: what procmail, fetchmail and cron see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from imapd.cli.deliver import lines_of_wire

_MESSAGE = b"Subject: hello\n\nbody\n"


def _deliver(folder: Path, *arguments: str, octets: bytes = _MESSAGE) -> tuple[int, str]:
    """The exit status, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", "from imapd.cli import main; main()", "deliver", *arguments],
        cwd=folder,
        input=octets,
        capture_output=True,
        timeout=60,
    )
    return done.returncode, done.stderr.decode()


def _maildir(folder: Path, user: str = "alice") -> Path:
    """A Maildir that some other program made."""
    for part in ("cur", "new", "tmp"):
        (folder / user / part).mkdir(parents=True)
    return folder / user


def test_a_message_is_delivered(tmp_path: Path) -> None:
    """It is in INBOX with its lines as the wire has them, and says how it came."""
    root = _maildir(tmp_path)
    octets = b"From bob@example.com  Wed Nov 25 23:24:57 2026\n" + _MESSAGE
    assert _deliver(tmp_path, "alice", "--store", "maildir:%u", octets=octets) == (0, "")
    (path,) = (root / "cur").iterdir()
    assert re.fullmatch(
        rb"Return-Path: <bob@example.com>\r\nDelivered-To: alice\r\n"
        rb"Received: by \S+ \(imapd\) id [0-9a-f]{16};\r\n\t[^\r\n]+\r\n"
        rb"Subject: hello\r\n\r\nbody\r\n",
        path.read_bytes(),
    )


def test_into_a_mailbox(tmp_path: Path) -> None:
    """-m names one; if it is not there, INBOX gets the message."""
    root = _maildir(tmp_path)
    _maildir(root, ".lists")
    for name in ("lists", "gone"):
        status = _deliver(tmp_path, "alice", "-m", name, "-f", "b@x", "--store", "maildir:%u")
        assert status == (0, "")
    assert len(list((root / ".lists" / "cur").iterdir())) == 1
    (path,) = (root / "cur").iterdir()
    assert path.read_bytes().startswith(b"Return-Path: <b@x>\r\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("bob", "--store", "maildir:%u"), os.EX_NOUSER, "there is no user bob"),
        (("../alice", "--store", "maildir:%u"), os.EX_NOUSER, "there is no user ../alice"),
        (("alice",), os.EX_CONFIG, "store: no store"),
        (("alice", "--store", "nosuch:x"), os.EX_CONFIG, "nosuch"),
        (("alice", "--config", "missing.toml"), os.EX_CONFIG, "missing.toml"),
        ((), os.EX_USAGE, "write imapd deliver USER"),
        (("alice", "bob"), os.EX_USAGE, "write imapd deliver USER"),
        (("alice", "--nosuch"), os.EX_USAGE, "nosuch"),
        (("alice", "-f", "a b", "--store", "maildir:%u"), os.EX_USAGE, "That is no address"),
    ],
)
def test_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], status: int, says: str) -> None:
    """The exit status is of sysexits.h, and nothing is delivered."""
    root = _maildir(tmp_path)
    found, said = _deliver(tmp_path, *arguments)
    assert found == status
    assert says in said
    assert "Traceback" not in said
    assert list((root / "cur").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "status"), [("", os.EX_TEMPFAIL), ("full_is_permanent = true", os.EX_CANTCREAT)]
)
def test_a_full_mailbox(tmp_path: Path, more: str, status: int) -> None:
    """Over quota is for trying again, or for good, as the configuration says."""
    _maildir(tmp_path)
    config = tmp_path / "imapd.toml"
    config.write_text(
        f'store = "maildir:%u"\n[delivery]\n{more}\n[quota]\nmessages = 1\n[limits]\nmessage = 1000\n'
    )
    assert _deliver(tmp_path, "alice", "-c", "imapd.toml")[0] == 0
    assert _deliver(tmp_path, "alice", "-c", "imapd.toml")[0] == status
    large = _deliver(tmp_path, "alice", "-c", "imapd.toml", octets=b"x" * 2_000)
    assert large == (os.EX_DATAERR, "imapd: the message is too large\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_in_trouble(tmp_path: Path) -> None:
    """A Maildir that cannot be written is for trying again."""
    root = _maildir(tmp_path)
    root.chmod(0o500)
    try:
        assert _deliver(tmp_path, "alice", "--store", "maildir:%u")[0] == os.EX_TEMPFAIL
    finally:
        root.chmod(0o700)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"a\nb\r\nc\r", b"\nd\n", b"\n"],
        [b"a\nb\r\nc\r\nd\n\n"],
        [b"a", b"\n", b"b\r", b"\nc\r\nd\n", b"\n"],
    ],
)
def test_lines(pieces: Iterable[bytes]) -> None:
    """A lone LF becomes CRLF, and CRLF stays, wherever the octets are cut."""
    assert b"".join(lines_of_wire(iter(pieces))) == b"a\r\nb\r\nc\r\nd\r\n\r\n"
