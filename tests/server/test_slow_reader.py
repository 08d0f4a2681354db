"""A client that reads slowly gets all that was written before the connection ended."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imapd.server.tls import write_self_signed
from tests.serving import Running, running

#: A server that waits half a second where it waits half a minute.
_SERVER = """
from imapd.server import paced
paced._GOODBYE = 0.5
from imapd.cli import main
main()
"""
_SIZE = 400_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """One with a port for each way to speak to it."""
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem")
    program = tmp_path / "server.py"
    program.write_text(_SERVER)
    with running(
        str(program), "serve",
        "--imap", "tcp:0:interface=127.0.0.1",
        "--imaps", "ssl:0:privateKey=k.pem:certKey=c.pem:interface=127.0.0.1",
        "--certificate", "c.pem", "--key", "k.pem",
        "--store", "memory:", "--auth", "static:secret",
        folder=tmp_path,
    ) as server:  # fmt: skip
        yield server


def _client(port: int, way: str, folder: Path) -> socket.socket:
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", port))
    if way == "STARTTLS":
        _until(plain, b"\r\n")
        plain.sendall(b"t STARTTLS\r\n")
        _until(plain, b"\r\n")
    context = ssl.create_default_context(cafile=str(folder / "c.pem"))
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def _until(client: socket.socket, end: bytes | None) -> bytes:
    """What is heard up to that, or to the end of the connection."""
    heard = b""
    while end is None or end not in heard:
        data = client.recv(65_536)
        if not data:
            break
        heard += data
    return heard


@pytest.mark.parametrize("way", ["imaps", "STARTTLS"])
def test_answers_before_the_end(server: Running, tmp_path: Path, way: str) -> None:
    """BYE and OK come after the answers (RFC 9051, 6.1.3), however long these take."""
    imap, imaps = server.ports(2)
    client = _client(imaps if way == "imaps" else imap, way, tmp_path)
    message = b"Subject: long\r\n\r\n".ljust(_SIZE, b"x")
    client.sendall(b"a LOGIN tim secret\r\n")
    client.sendall(b"b APPEND INBOX {%d+}\r\n%b\r\nc SELECT INBOX\r\n" % (_SIZE, message))
    _until(client, b"\r\nc OK")
    client.sendall(b"d FETCH 1 BODY.PEEK[]\r\nq LOGOUT\r\n")
    time.sleep(2.0)
    told = _until(client, None)
    client.close()
    assert message in told
    assert told.endswith(b"q OK LOGOUT completed\r\n")
