"""From Dovecot to us on the same tree: mbsync, which knew the old server, has nothing to do."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

import pytest
from imapclient import IMAPClient

from tests.interop.mail import letters
from tests.interop.running import PASSWORD, Server

_USER = "alice"
_PATIENCE = 20.0

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
mail_location = maildir:{tree}{layout}
"""

_MBSYNC = """
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
SyncState *
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Dovecot's own users reach, too."""
    made = Path(tempfile.mkdtemp(prefix="takeover"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def _dovecot(program: str, folder: Path, tree: Path, layout: str) -> Iterator[int]:
    """Debian's Dovecot over that tree; its port."""
    port = _free_port()
    place = folder / "dovecot"
    for name in ("run", "home"):
        (place / name).mkdir(parents=True)
    configuration = place / "conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=place, port=port, password=PASSWORD, tree=tree, layout=layout)
    )
    mail = pwd.getpwnam("mail")
    for path in (place, place / "home", tree.parent, tree):
        os.chown(path, mail.pw_uid, mail.pw_gid)
    process = subprocess.Popen([program, "-c", str(configuration), "-F"])
    try:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _synchronised(program: str, folder: Path, port: int) -> dict[str, int]:
    """What mbsync then has: its files with their inodes, which it keeps when it copies nothing."""
    near = folder / "near"
    near.mkdir(exist_ok=True)
    configuration = folder / "mbsyncrc"
    configuration.write_text(_MBSYNC.format(port=port, user=_USER, password=PASSWORD, near=near))
    done = subprocess.run(
        [program, "-c", str(configuration), "-V", "-a"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        timeout=60,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert not re.search("error|warning", said, re.IGNORECASE), said
    return {
        str(path.relative_to(near)): path.stat().st_ino
        for part in ("cur", "new")
        for path in near.rglob(f"{part}/*")
    }


@pytest.mark.parametrize("layout", ["", ":LAYOUT=fs"])
def test_nothing_is_downloaded_again(
    folder: Path, program: Callable[..., str], layout: str
) -> None:
    """UIDs, UIDVALIDITY, flags and keywords are as Dovecot had them; what comes after is new."""
    dovecot = program("dovecot", "apt-get install dovecot-imapd")
    mbsync = program("mbsync", "apt-get install isync")
    if os.geteuid():
        pytest.skip("Dovecot starts as root only")
    tree = folder / "mail" / _USER
    tree.mkdir(parents=True)
    with _dovecot(dovecot, folder, tree, layout) as port:
        with IMAPClient("127.0.0.1", port, ssl=False) as client:
            client.login(_USER, PASSWORD)
            for name in ("Sent", "lists/twisted", "Räume/ä.b" if layout else "Räume/ä"):
                client.create_folder(name)
                client.subscribe_folder(name)
            for number, letter in enumerate(letters(7, 60)):
                name = ("INBOX", "Sent", "lists/twisted")[number % 3]
                flags = [(), (b"\\Seen",), (b"\\Flagged", b"$Forwarded", b"Later")][number % 3]
                client.append(name, letter.octets, flags)
            client.select_folder("INBOX")
            client.delete_messages([2, 5])
            client.expunge()
            known = _view(client)
        first = _synchronised(mbsync, folder, port)
        assert len(first) == 58

    server = Server("maildir", folder)
    server.start()
    try:
        with IMAPClient("127.0.0.1", server.imap, ssl=False) as client:
            client.login(_USER, PASSWORD)
            assert _view(client) == known
        assert _synchronised(mbsync, folder, server.imap) == first
        with IMAPClient("127.0.0.1", server.imap, ssl=False) as client:
            client.login(_USER, PASSWORD)
            assert _view(client) == known
            client.append("INBOX", b"Subject: new\r\n\r\nnew\r\n")
        then = _synchronised(mbsync, folder, server.imap)
        assert first.items() < then.items()
        assert len(then) == 59
    finally:
        assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


def _view(client: IMAPClient) -> dict[str, object]:
    """Everything that a client could have remembered."""
    seen: dict[str, object] = {"subscribed": sorted(row[2] for row in client.list_sub_folders())}
    for _, _, name in client.list_folders():
        if name in seen:
            continue
        try:
            figures = client.select_folder(name, readonly=True)
        except IMAPClient.Error:
            continue  # it holds only others
        uids = client.search()
        rows = client.fetch(uids, ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]) if uids else {}
        seen[name] = (
            figures[b"UIDVALIDITY"],
            figures[b"UIDNEXT"],
            {
                uid: (
                    frozenset(row[b"FLAGS"]) - {b"\\Recent"},
                    row[b"INTERNALDATE"],
                    row[b"RFC822.SIZE"],
                )
                for uid, row in rows.items()
            },
        )
    return seen
