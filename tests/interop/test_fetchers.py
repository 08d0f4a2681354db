"""fetchmail, getmail and OfflineIMAP: programs that take mail home, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.interop.mail import KINDS, Letter, letters
from tests.interop.running import Account

_ENOUGH = 60
Find = Callable[..., str]


def _run(home: Path, *command: str, result: int = 0) -> str:
    """Run a program that keeps its things in `home`, and give what it said."""
    done = subprocess.run(
        command,
        cwd=home,
        env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_ENOUGH,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == result, said
    return said


def _private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def _plain(octets: bytes) -> bytes:
    """A message without what a fetcher puts on top or at the end, with CRLF."""
    octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return octets[octets.index(b"Date: Tue, ") :].rstrip(b"\r\n")


def _octets(folder: Path) -> list[bytes]:
    """The messages of a Maildir."""
    return sorted(_plain(path.read_bytes()) for path in folder.glob("[cn]*/*"))


def _taken(home: Path) -> list[bytes]:
    """The messages that `taker` was given."""
    return sorted(_plain(path.read_bytes()) for path in home.glob("taken.*"))


def _bodies(octets: Sequence[bytes]) -> list[bytes]:
    """The messages without their headers; getmail folds headers, inner ones too, in its own way."""
    return sorted(each.partition(b"\r\n\r\n")[2].replace(b"\r\n ", b" ") for each in octets)


def _sent(mail: Sequence[Letter]) -> list[bytes]:
    return sorted(_plain(letter.octets) for letter in mail)


@pytest.fixture
def taker(home: Path) -> Path:
    """A program that puts each message into a file of its own."""
    taker = home / "take"
    taker.write_text('#!/bin/sh\nexec cat > "$HOME/taken.$$"\n')
    taker.chmod(0o700)
    return taker


def test_fetchmail(program: Find, account: Account, home: Path, taker: Path, security: str) -> None:
    """It takes all mail away, message by message, and leaves an empty INBOX."""
    fetchmail = program("fetchmail", "apt-get install fetchmail")
    # It puts octets of its own into lines of more than 8192 (fetchmail 6.4.37).
    mail = letters(61, 8, [kind for kind in KINDS if kind != "long lines"])
    account.fill("INBOX", *(letter.octets for letter in mail))
    protection = {
        "plain": "sslproto ''",
        "starttls": f"sslproto 'TLS1.2+' sslcertck sslcertfile {account.server.certificate}",
        "tls": f"ssl sslcertck sslcertfile {account.server.certificate}",
    }[security]
    rc = _private(
        home / "rc",
        f"poll localhost protocol imap port {account.port(security)}\n"
        f"  user {account.user} password {account.password} {protection}\n"
        f"  norewrite mda {taker}\n",
    )
    _run(home, fetchmail, "-f", str(rc), "--nosyslog", "--invisible", "-v")
    assert _taken(home) == _sent(mail)
    assert account.messages("INBOX") == []
    # 1: there is no mail.
    _run(home, fetchmail, "-f", str(rc), "--nosyslog", result=1)


def test_getmail(program: Find, account: Account, home: Path, taker: Path) -> None:
    """It fetches what is new, from two folders, and at the next run what has come since."""
    getmail = program("getmail", "apt-get install getmail6")
    mail, late = letters(62, 8), letters(63, 1)
    account.fill("INBOX", *(letter.octets for letter in mail[:5]))
    account.fill("日本語", *(letter.octets for letter in mail[5:]))
    (home / "getmail").mkdir()
    _private(
        home / "getmail" / "getmailrc",
        f"""
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = {account.port("tls")}
username = {account.user}
password = {account.password}
mailboxes = ("INBOX", "日本語")
ca_certs = {account.server.certificate}

[destination]
type = MDA_external
path = {taker}
allow_root_commands = true

[options]
read_all = false
delete = false
delivered_to = false
received = false
""",
    )
    command = (getmail, "--getmaildir", str(home / "getmail"))
    _run(home, *command)
    assert _bodies(_taken(home)) == _bodies(_sent(mail))
    _run(home, *command)
    assert _bodies(_taken(home)) == _bodies(_sent(mail))
    account.fill("INBOX", late[0].octets)
    _run(home, *command)
    assert _bodies(_taken(home)) == _bodies(_sent(mail + late))
    assert len(account.messages("INBOX")) == 6


def test_offlineimap(program: Find, account: Account, home: Path) -> None:
    """It keeps a copy of every folder, carries changes both ways, and then finds nothing to do."""
    offlineimap = program("offlineimap", "apt-get install offlineimap3")
    mail, mine = letters(64, 24), letters(65, 1)[0]
    folders = {"INBOX": mail[:8], "Entwürfe/Ärger": mail[8:16], "a&b": mail[16:]}
    for name, some in folders.items():
        account.fill(name, *(letter.octets for letter in some))
    _private(
        home / "rc",
        f"""
[general]
accounts = test
metadata = {home}/metadata
ui = basic

[Account test]
localrepository = here
remoterepository = there
utf8foldernames = yes

[Repository here]
type = Maildir
localfolders = {home}/Mail
sep = /

[Repository there]
type = IMAP
remotehost = localhost
remoteport = {account.port("tls")}
remoteuser = {account.user}
remotepass = {account.password}
ssl = yes
sslcacertfile = {account.server.certificate}
""",
    )
    command = (offlineimap, "-c", str(home / "rc"), "-o")
    _run(home, *command)
    for name, some in folders.items():
        assert _octets(home / "Mail" / name) == _sent(some)

    # One is flagged there, one is written and one deleted here.
    with account.client() as client:
        client.select_folder("a&b")
        client.add_flags([1], [b"\\Flagged"])
    box = home / "Mail" / "a&b"
    new = box / "cur" / "1700000000_1.1.here:2,S"
    new.write_bytes(mine.octets.replace(b"\r\n", b"\n"))
    (gone,) = (
        path for path in box.glob("[cn]*/*") if mail[17].message_id.encode() in path.read_bytes()
    )
    gone.unlink()
    _run(home, *command)
    stored = account.messages("a&b")
    expected = [mail[16], *mail[18:], mine]
    # It marks what it uploads, and ends the last line.
    assert [octets[-60:].strip() for _, octets in stored] == [
        letter.octets[-60:].strip() for letter in expected
    ]
    assert (stored[0][0], stored[-1][0]) == ({"\\Flagged"}, {"\\Seen"})
    (flagged,) = (
        path for path in box.glob("[cn]*/*") if mail[16].message_id.encode() in path.read_bytes()
    )
    assert "F" in flagged.name.partition(":2,")[2]
    said = _run(home, *command)
    assert "Copy message" not in said
    assert account.messages("a&b") == stored
