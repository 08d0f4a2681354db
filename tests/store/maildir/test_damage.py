"""Octets of the index go wrong while servers use it: sessions end, and it is made again."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.drills.serving import PASSWORD, USER
from tests.serving import Running, running

_MESSAGES = 100
_PATIENCE = 30.0
_ANSWER = re.compile(rb"^(?:t (\w+)|\* (BYE))([^\r\n]*)\r\n", re.MULTILINE)
#: Read what the client wants to know; then write.
_READING = (
    b'LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN SIZE))',
    b"SELECT lists",
    b"SELECT INBOX",
    b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
    b"UID FETCH 1:* (BODY.PEEK[HEADER] PREVIEW)",
    b"UID FETCH 7 BODY.PEEK[]",
    b"UID SEARCH NOT SUBJECT nothing",
)
_WRITING = (
    b"SELECT INBOX",
    b"UID STORE 1:9 +FLAGS (\\Flagged other)",
    b"UID COPY 1:9 lists",
    b"APPEND INBOX {9+}\r\nA: b\r\n\r\nx",
    b"CREATE another",
    b"UNSUBSCRIBE lists",
)


class _Ended(Exception):
    """The server has said BYE."""


class _Client:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        self.heard = b""
        self.socket.recv(4096)

    def answers(self, command: bytes) -> tuple[bytes, bytes]:
        """All up to the tagged answer, and that."""
        if b"\r\n* BYE" in self.heard:
            raise _Ended
        self.heard = b""
        self.socket.sendall(b"t " + command + b"\r\n")
        return self.answered()

    def answered(self) -> tuple[bytes, bytes]:
        """The same for a command that runs."""
        while not (found := _ANSWER.search(self.heard)):
            data = self.socket.recv(65536)
            if b"\r\n* BYE" in self.heard:
                raise _Ended
            assert data, f"it hung up without BYE: {self.heard[-200:]!r}"
            self.heard += data
        if found[2]:
            raise _Ended
        return self.heard, found[1] + found[3]


def _logged_in(port: int) -> _Client:
    until = time.monotonic() + _PATIENCE
    while True:
        client = _Client(port)
        try:
            _, answer = client.answers(f"LOGIN {USER} {PASSWORD}".encode())
        except _Ended:
            answer = b"BYE"
        if answer.startswith(b"OK"):
            return client
        assert re.match(rb"NO \[UNAVAILABLE\]|BYE", answer), answer
        client.socket.close()
        assert time.monotonic() < until, "nobody can log in any more"


def _idling(port: int) -> _Client:
    client = _logged_in(port)
    client.answers(b"SELECT INBOX")
    client.heard = b""
    client.socket.sendall(b"t IDLE\r\n")
    assert client.socket.recv(100).startswith(b"+")
    return client


def _all(port: int) -> tuple[bytes, bytes, bytes]:
    """UIDVALIDITY, flags and octets of everything in INBOX."""
    client = _logged_in(port)
    with closing(client.socket):
        selected, _ = client.answers(b"EXAMINE INBOX")
        (uidvalidity,) = re.findall(rb"UIDVALIDITY \d+", selected)
        fetched, answer = client.answers(b"UID FETCH 1:100 (UID FLAGS BODY.PEEK[])")
        assert answer.startswith(b"OK")
        return uidvalidity, *_untagged(fetched)


def _untagged(fetched: bytes) -> tuple[bytes, bytes]:
    fetched = re.sub(rb" ?\\Recent", b"", fetched)
    flags = b" ".join(re.findall(rb"UID \d+ FLAGS \([^)]*\)", fetched))
    return flags, fetched[: fetched.rindex(b"\r\nt ")]


def _all_of(client: _Client, commands: tuple[bytes, ...]) -> None:
    for command in commands:
        _, answer = client.answers(command)
        assert re.match(rb"OK|NO \[UNAVAILABLE\]", answer), answer


def _damage(index: Path, table: str) -> None:
    """Overwrite all pages of a table, and have everybody read the file anew."""
    with closing(sqlite3.connect(index, timeout=30, isolation_level=None)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
        pages = connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,)).fetchall()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        assert pages
        with open(index, "r+b") as file:
            for (page,) in pages:
                file.seek((page - 1) * size)
                file.write(b"\xee" * size)
        connection.execute("PRAGMA application_id = 1")


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[tuple[Running, int]]]:
    """Processes and their ports; in no log is a traceback in the end."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                running(
                    "imapd", "--imap", "tcp:0:interface=127.0.0.1", "--auth", f"static:{PASSWORD}",
                    "--store", f"maildir:{tmp_path}/mail/%u", folder=tmp_path,
                )
            )
            for _ in range(request.param)
        ]  # fmt: skip
        yield [(each, each.ports(1)[0]) for each in started]
        for each in started:
            each.process.terminate()
            each.end()
            assert "Traceback" not in each.text, each.text


@pytest.fixture
def index(serving: list[tuple[Running, int]], tmp_path: Path) -> Path:
    """The index of an account with messages in it, whose files are named as they are to be."""
    client = _logged_in(serving[0][1])
    client.answers(b"CREATE lists")
    client.answers(b"SUBSCRIBE lists")
    messages = [
        b" (%b) {%d+}\r\n%b" % (b"\\Seen" * (number % 2), len(octets), octets)
        for number in range(1, _MESSAGES + 1)
        for octets in [b"Subject: %d\r\n\r\n%b\r\n" % (number, b"x" * number)]
    ]
    _, answer = client.answers(b"APPEND INBOX" + b"".join(messages))
    assert answer.startswith(b"OK")
    client.socket.close()
    time.sleep(0.5)
    return tmp_path / "mail" / USER / "imapd" / "index.sqlite"


@pytest.mark.parametrize(
    ("table", "commands"),
    [
        pytest.param("messages", _READING, id="messages, reading"),
        pytest.param("files", _READING, id="files, reading"),
        pytest.param("facts", _READING, id="facts, reading"),
        pytest.param("mailboxes", _READING, id="mailboxes, reading"),
        pytest.param("subscriptions", _READING, id="subscriptions, reading"),
        pytest.param("messages", _WRITING, id="messages, writing"),
        pytest.param("log", _WRITING, id="log, writing"),
        pytest.param("keyword_sets", _WRITING, id="keyword_sets, writing"),
    ],
)
def test_wrong_octets(
    serving: list[tuple[Running, int]], index: Path, table: str, commands: tuple[bytes, ...]
) -> None:
    """Whoever meets them: NO or BYE is all that is said, and soon all is there as it was."""
    ports = [port for _, port in serving]
    before = _all(ports[0])
    clients = [_logged_in(port) for port in ports]
    idling = [_idling(port) for port in ports]
    _damage(index, table)
    with pytest.raises(_Ended):
        _all_of(clients[0], commands)
    for each in idling:
        with pytest.raises(_Ended):
            each.answered()
    for port in ports:
        after = _all(port)
        assert after[0] == before[0]
        assert after == before or commands is _WRITING
    assert any(".damaged-" in name for name in os.listdir(index.parent))


def test_an_index_that_goes(serving: list[tuple[Running, int]], index: Path) -> None:
    """Nobody goes on with an index that was removed: two would give out the same UIDs."""
    ports = [port for _, port in serving]
    before = _all(ports[0])
    idling = [_idling(port) for port in ports]
    for name in os.listdir(index.parent):
        (index.parent / name).unlink()
    for each in idling:
        with pytest.raises(_Ended):
            each.answered()
    for port in ports:
        assert _all(port) == before
