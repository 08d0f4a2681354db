"""InterIMAP: keeps two IMAP accounts alike by QRESYNC, without looking at what has not changed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import FOLDERS, letters
from tests.interop.running import Account


@pytest.fixture
def other(account: Account) -> Account:
    """A second user on the same server, with mail of its own."""
    return Account(account.server, account.user + "-other")


@pytest.fixture
def interimap(
    program: Callable[..., str], account: Account, other: Account, home: Path
) -> Callable[[], str]:
    """Make both accounts alike, and get what was said."""
    path = program("interimap", "apt-get install interimap")
    config = home / "config"
    config.write_text(
        f"""
database = {home}/database

[local]
type = imap
host = localhost
port = {account.server.imap}
STARTTLS = YES
SSL_CAfile = {account.server.certificate}
username = {account.user}
password = {account.password}

[remote]
type = imaps
host = localhost
port = {account.server.imaps}
SSL_CAfile = {account.server.certificate}
username = {other.user}
password = {other.password}
"""
    )
    config.chmod(0o600)
    (home / ".local" / "share" / "interimap").mkdir(parents=True, mode=0o700)

    def run() -> str:
        done = subprocess.run(
            [path, f"--config={config}"],
            cwd=home,
            env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == 0, said
        # It may make a child before its parent, which comes with it.
        troubles = re.sub(r".*Couldn't create mailbox .*\[ALREADYEXISTS\].*", "", said)
        assert not re.search(r"WARNING|ERROR|BUG", troubles), said
        return said

    return run


def _contents(account: Account) -> dict[str, list[tuple[bytes, frozenset[str]]]]:
    """By mailbox: the messages and their flags, in any order."""
    return {
        name: sorted(
            ((octets, flags) for flags, octets in account.messages(name)), key=lambda each: each[0]
        )
        for name in account.mailboxes()
    }


def test_two_ways(interimap: Callable[[], str], account: Account, other: Account) -> None:
    """Mail, flags and deletions of each side reach the other; then there is nothing to do."""
    names = ["INBOX", *FOLDERS[:5]]
    mine, theirs = letters(101, 60), letters(102, 30)
    for number, name in enumerate(names):
        account.fill(name, *(each.octets for each in mine[number :: len(names)]))
    other.fill("INBOX", *(each.octets for each in theirs[:10]))
    other.fill("Elsewhere/日本", *(each.octets for each in theirs[10:]), flags=("\\Seen",))
    interimap()
    both = _contents(account)
    assert both == _contents(other)
    assert sum(map(len, both.values())) == 90
    assert {octets for box in both.values() for octets, _ in box} == {
        each.octets for each in (*mine, *theirs)
    }

    # Nothing has changed, then something on both sides.
    interimap()
    assert (_contents(account), _contents(other)) == (both, both)
    (new,) = letters(103, 1)
    with account.client() as client:
        client.select_folder("INBOX")
        client.add_flags([1, 2], [b"\\Flagged", b"$Forwarded"])
        client.delete_messages([3])
        client.expunge()
        client.append("INBOX", new.octets)
    with other.client() as client:
        client.select_folder("Elsewhere/日本")
        client.remove_flags([1], [b"\\Seen"])
        client.delete_messages([2, 3, 4])
        client.expunge()
        client.create_folder("a&b/new")
    interimap()
    changed = _contents(account)
    assert changed == _contents(other)
    assert sum(map(len, changed.values())) == 90 + 1 - 1 - 3
    assert len(changed["Elsewhere/日本"]) == 17
    assert changed["a&b/new"] == []
    flags = [flags for _, flags in changed["INBOX"]]
    assert flags.count(frozenset({"\\Flagged", "$Forwarded"})) == 2
    assert [flags for _, flags in changed["Elsewhere/日本"]].count(frozenset()) == 1
