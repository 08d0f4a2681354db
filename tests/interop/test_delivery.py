"""Mail comes in: from Debian's Postfix, and from swaks; what IMAP then shows."""

from __future__ import annotations

import os
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

import imapd
from tests.interop.running import PASSWORD, Server

_PATIENCE = 30.0

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix's own user reaches, too."""
    made = Path(tempfile.mkdtemp(prefix="delivery"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@contextmanager
def _serving(folder: Path, store: str) -> Iterator[Server]:
    """Our server, with a socket for LMTP that everybody reaches."""
    server = Server(store, folder, ("--lmtp", "unix:lmtp:mode=666"))
    server.start()
    try:
        yield server
    finally:
        assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


def _documented() -> str:
    """What the page about delivery tells users of Postfix to write."""
    page = (Path(imapd.__file__).parent.parent / "docs" / "delivery.rst").read_text()
    (lines,) = re.findall(r"postfix-begin\s+::\n\n(.*?)\n\n\.\. postfix-end", page, re.DOTALL)
    return str(lines)


@contextmanager
def _postfix(program: str, folder: Path) -> Iterator[int]:
    """Postfix with a configuration of its own; the port where it takes mail."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    place = folder / "postfix"
    for name in ("conf", "queue", "data"):
        (place / name).mkdir(parents=True)
    shutil.chown(place / "data", "postfix")
    ours = "\n".join(line.strip() for line in _documented().splitlines())
    ours = ours.replace("/run/imapd/lmtp", str(folder / "lmtp"))
    (place / "conf" / "main.cf").write_text(_MAIN.format(folder=place) + ours + "\n")
    (place / "conf" / "master.cf").write_text(_MASTER.format(port=port))
    with open(place / "said", "wb") as said:
        process = subprocess.Popen(
            [program, "-c", str(place / "conf"), "start-fg"], stdout=said, stderr=said
        )
    try:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    assert connection.recv(100).startswith(b"220 ")
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _subjects(client: IMAPClient, mailbox: str, count: int) -> list[bytes]:
    """The subjects in a mailbox when so many messages have come."""
    until = time.monotonic() + _PATIENCE
    while True:
        client.select_folder(mailbox, readonly=True)
        uids = client.search()
        if len(uids) >= count or time.monotonic() > until:
            break
        time.sleep(0.05)
    return sorted(row[b"ENVELOPE"].subject for row in client.fetch(uids, ["ENVELOPE"]).values())


@pytest.mark.parametrize("store", ["memory", "maildir"])
def test_postfix_delivers(folder: Path, program: Callable[..., str], store: str) -> None:
    """With what the documentation says, a message to several users shows in their mailboxes."""
    postfix = program("postfix", "apt-get install postfix")
    swaks = program("swaks", "apt-get install swaks")
    if os.geteuid():
        pytest.skip("Postfix starts as root only")
    with _serving(folder, store) as server, _postfix(postfix, folder) as port:
        with IMAPClient("127.0.0.1", server.imap, ssl=False) as alice:
            alice.login("alice", PASSWORD)
            alice.create_folder("lists")
            alice.select_folder("INBOX")
            alice.idle()
            _run(
                swaks, "--server", f"127.0.0.1:{port}", "--from", "dan@example.com",
                "--to", "alice@example.org,bob@example.org,alice+lists@example.org",
                "--h-Subject", "from Postfix", "--body", "..a dot\nand more",
            )  # fmt: skip
            assert (1, b"EXISTS") in alice.idle_check(timeout=_PATIENCE)
            alice.idle_done()
            assert _subjects(alice, "INBOX", 1) == [b"from Postfix"]
            assert _subjects(alice, "lists", 1) == [b"from Postfix"]
            octets = alice.fetch(1, ["BODY[]"])[1][b"BODY[]"]
            assert octets.startswith(
                b"Return-Path: <dan@example.com>\r\nDelivered-To: alice+lists@example.org\r\nReceived: from"
            )
            assert b"\r\n..a dot\r\nand more\r\n" in octets
        with IMAPClient("127.0.0.1", server.imap, ssl=False) as bob:
            bob.login("bob", PASSWORD)
            assert _subjects(bob, "INBOX", 1) == [b"from Postfix"]


@pytest.mark.parametrize("store", ["memory", "maildir"])
def test_swaks_delivers(folder: Path, program: Callable[..., str], store: str) -> None:
    """Swaks speaks LMTP to the socket, in one write and command by command."""
    swaks = program("swaks", "apt-get install swaks")
    with _serving(folder, store) as server:
        for number, more in enumerate(([], ["--pipeline"])):
            said = _run(
                swaks, "--protocol", "LMTP", "--socket", str(folder / "lmtp"),
                "--from", "dan@example.com", "--to", "alice@example.org,bob@example.org",
                "--h-Subject", f"from swaks {number}", *more,
            )  # fmt: skip
            assert len(re.findall(r"^<\S* +250 2\.0\.0 <\w+@example\.org> is in", said, re.M)) == 2
        with IMAPClient("127.0.0.1", server.imap, ssl=False) as client:
            client.login("alice", PASSWORD)
            assert _subjects(client, "INBOX", 2) == [b"from swaks 0", b"from swaks 1"]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    return said
