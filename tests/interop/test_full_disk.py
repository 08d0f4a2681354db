"""A file system filled to the brim, under the shipped program; it takes root to make one."""

from __future__ import annotations

import os
import re
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from signal import SIGTERM

import pytest
from imapclient.exceptions import IMAPClientError

from tests.interop.running import Account, Server

_SIZE = 6 << 20
_ROOM = 2 << 20


def _letter(number: int, size: int) -> bytes:
    return b"Subject: %d\r\n\r\n%b\r\n" % (number, b"%04d" % number * (size // 4))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MB where the mail of a server in the folder is."""
    place = tmp_path / "mail"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(place)],
        capture_output=True, check=False,
    )  # fmt: skip
    if os.getuid() or mounting.returncode:
        pytest.skip(f"no file system can be made here: {mounting.stderr!r}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def account(small: Path, tmp_path: Path) -> Iterator[Account]:
    """A user there."""
    server = Server("maildir", tmp_path, ("--lmtp", "tcp:0:interface=127.0.0.1"))
    server.start()
    yield Account(server, "alice")
    assert server.stop() == -SIGTERM, server.log()
    said = server.log()
    assert "SERVERBUG" not in said
    assert "Unhandled" not in said


def _fill(small: Path) -> None:
    """Not an octet more."""
    with open(small / "ballast2", "wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def _done(command: Callable[[], object]) -> bool:
    """Whether it was done; if not, the client was told why."""
    try:
        command()
    except IMAPClientError as error:
        said = str(error)
    else:
        return True
    assert re.search(r"\[(UNAVAILABLE|OVERQUOTA)\]", said), said
    return False


def _delivered(server: Server) -> int:
    """The code that a transport is answered."""
    port = int(re.findall(r"LMTPFactory starting on (\d+)", server.log())[-1])
    with socket.create_connection(("127.0.0.1", port), 20), smtplib.LMTP("127.0.0.1", port) as lmtp:
        lmtp.ehlo()
        lmtp.mail("bob@example.com")
        lmtp.rcpt("alice")
        return lmtp.data(_letter(9999, 40_000))[0]


def test_a_disk_without_room(account: Account, small: Path) -> None:
    """What cannot be kept is refused, in order; what was kept is there; with room it works again."""
    (small / "ballast").write_bytes(b"x" * _ROOM)
    kept = []
    with account.client() as client:
        client.create_folder("other")
        client.select_folder("INBOX")
        for number in count():
            letter = _letter(number, 100_000)
            if not _done(partial(client.append, "INBOX", letter)):
                break
            kept.append(letter)
        assert kept
        client.noop()
        _fill(small)
        for size in (300_000, 200_000):
            assert not _done(partial(client.append, "INBOX", _letter(5, size)))
        # There may be room for so little: it is done, or it is not.
        for letter in (_letter(7, 100), _letter(8, 100), _letter(9, 100)):
            if _done(partial(client.append, "INBOX", letter)):
                kept.append(letter)
        for attempt in (
            lambda: client.create_folder("new"),
            lambda: client.copy("1:*", "other"),
            lambda: client.add_flags("1", ["\\Seen"]),
            lambda: client.rename_folder("other", "another"),
        ):
            _done(attempt)
            client.noop()
        assert _delivered(account.server) in (451, 452)
        (small / "ballast").unlink()
        (small / "ballast2").unlink()
        assert _delivered(account.server) == 250
        client.append("INBOX", _letter(7, 1_000))
        client.create_folder("newer")
    found = [octets for _, octets in account.messages("INBOX")]
    assert found[: len(kept)] == kept
    assert [b"9999" in octets for octets in found[len(kept) :]] == [True, False]
    assert found[-1] == _letter(7, 1_000)
