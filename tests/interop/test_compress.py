"""COMPRESS=DEFLATE with clients that use it: Python's zlib by hand, ImapFlow, Mail::IMAPClient."""

from __future__ import annotations

import json
import socket
import subprocess
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import letters
from tests.interop.recording import Recorder, inflated
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
    assert b"FETCH" in inflated(connection)


_PERL = r"""
use strict; use warnings; use JSON::PP; use Mail::IMAPClient; use MIME::Base64;
my $given = decode_json(do { local $/; <STDIN> });
my $imap = Mail::IMAPClient->new(
    Server => '127.0.0.1', Port => $given->{port}, User => $given->{user},
    Password => $given->{password}, Uid => 1,
) or die "cannot log in: $@";
$imap->compress or die $imap->LastError;
$imap->append('INBOX', decode_base64($_)) or die $imap->LastError for @{ $given->{mail} };
$imap->select('INBOX') or die $imap->LastError;
print encode_json([ map { encode_base64($imap->message_string($_), '') } $imap->messages ]);
$imap->logout;
"""


def test_perl(program: Callable[..., str], account: Account) -> None:
    """Mail::IMAPClient writes and reads compressed messages, small and large, as they are."""
    perl = program("perl", "apt-get install perl")
    modules = ["-MMail::IMAPClient", "-MCompress::Zlib"]
    if subprocess.run([perl, *modules, "-e", "1"], capture_output=True).returncode:
        pytest.skip("install with: apt-get install libmail-imapclient-perl")
    mail = [letter.octets for letter in letters(43, 3, ["plain", "attachments", "8-bit"])]
    mail.append(b"Subject: large\r\n\r\n" + b"All work and no play.\r\n" * 20_000)
    with Recorder((account.host, account.server.imap)) as recorder:
        given = {
            "port": recorder.port,
            "user": account.user,
            "password": account.password,
            "mail": [b64encode(each).decode() for each in mail],
        }
        done = subprocess.run(
            [perl, "-e", _PERL], input=json.dumps(given).encode(), capture_output=True, timeout=60
        )
    assert done.returncode == 0, done.stderr.decode()
    assert [b64decode(each) for each in json.loads(done.stdout)] == mail
    assert [octets for _, octets in account.messages("INBOX")] == mail
    (connection,) = recorder.connections()
    assert b"APPEND" in inflated(connection)
