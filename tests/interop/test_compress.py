"""COMPRESS=DEFLATE with clients that use it: Python's zlib by hand, and ImapFlow, which always does."""

from __future__ import annotations

import json
import socket
import subprocess
import zlib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import letters
from tests.interop.recording import Recorder
from tests.interop.running import Account

_HERE = Path(__file__).parent
_SCRIPT = """
import { ImapFlow } from 'imapflow';
const [port, user, pass] = process.argv.slice(1);
const client = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false, doSTARTTLS: false,
                              auth: { user, pass }, logger: false });
await client.connect();
const lock = await client.getMailboxLock('INBOX');
const found = [];
for await (const message of client.fetch('1:*', { source: true })) {
    found.push(message.source.toString('base64'));
}
lock.release();
await client.logout();
console.log(JSON.stringify(found));
"""


class _Client:
    """A socket, and what is compressed on it."""

    def __init__(self, account: Account, security: str) -> None:
        plain = socket.create_connection((account.host, account.port(security)), timeout=20)
        self.socket: socket.socket = plain
        context = account.server.context()
        self.out = self.back = None
        if security == "tls":
            self.socket = context.wrap_socket(plain, server_hostname=account.host)
        self.until(b"\r\n")
        if security == "starttls":
            self.do(b"s STARTTLS")
            self.socket = context.wrap_socket(plain, server_hostname=account.host)

    def compress(self) -> None:
        """From here on."""
        assert self.do(b"c COMPRESS DEFLATE").endswith(b"c OK DEFLATE active\r\n")
        self.out = zlib.compressobj(9, zlib.DEFLATED, -15)  # type: ignore[assignment]
        self.back = zlib.decompressobj(-15)  # type: ignore[assignment]

    def until(self, end: bytes) -> bytes:
        """What comes, to a line that begins or ends so."""
        found = b""
        while end not in found:
            data = self.socket.recv(65_536)
            assert data, found
            found += data if self.back is None else self.back.decompress(data)
        return found

    def do(self, command: bytes) -> bytes:
        """A command and its whole answer."""
        data = command + b"\r\n"
        if self.out is not None:
            data = self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(data)
        tag = command.split()[0] + b" OK "
        found = self.until(tag)
        while not found.endswith(b"\r\n"):
            found += self.until(b"\r\n")
        return found


def test_by_hand(account: Account, security: str) -> None:
    """Below TLS and without it, what was appended is read back through both compressors."""
    client = _Client(account, security)
    client.do(b"a LOGIN %b %b" % (account.user.encode(), account.password.encode()))
    client.compress()
    text = b"Subject: hello\r\n\r\n" + b"All work and no play.\r\n" * 20_000
    client.do(b"b APPEND INBOX {%d+}\r\n%b" % (len(text), text))
    client.do(b"d SELECT INBOX")
    assert text in client.do(b"e FETCH 1 BODY.PEEK[]")
    client.do(b"f LOGOUT")
    assert client.socket.recv(1) == b""
    client.socket.close()


def test_imapflow(program: Callable[..., str], account: Account) -> None:
    """ImapFlow compresses because we say we can, and reads all messages as they are."""
    node = program("node", "apt-get install nodejs npm")
    if not (_HERE / "node_modules" / "imapflow").is_dir():
        pytest.skip("install with: npm ci --prefix tests/interop")
    mail = letters(42, 3, ["plain", "attachments", "8-bit"])
    account.fill("INBOX", *(letter.octets for letter in mail))
    with Recorder((account.host, account.server.imap)) as recorder:
        done = subprocess.run(
            [
                node,
                "--input-type=module",
                "-e",
                _SCRIPT,
                str(recorder.port),
                account.user,
                account.password,
            ],
            cwd=_HERE,
            capture_output=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr.decode()
    found = [b64decode(each) for each in json.loads(done.stdout)]
    assert found == [letter.octets for letter in mail]
    (connection,) = recorder.connections()
    said = b"".join(octets for who, octets in connection.turns if who == "C")
    _, begun, rest = said.partition(b" COMPRESS DEFLATE\r\n")
    assert begun
    assert b"FETCH" in zlib.decompressobj(-15).decompress(rest)
