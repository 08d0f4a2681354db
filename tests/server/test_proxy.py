"""Clients that come through a proxy, by real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.serving import running

_PROXIED = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 143\r\n"


def _dialogue(port: int, sent: bytes, last: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        said = b""
        while last not in said:
            data = connection.recv(65536)
            if not data:
                break
            said += data
        return said


def test_a_proxied_client_is_not_local(tmp_path: Path) -> None:
    """Behind a proxy on this machine, a password in the clear is refused as from any other machine."""
    (tmp_path / "users").write_text("user:secret\n")
    with running(
        "imapd", "--imap", "haproxy:tcp:0:interface=127.0.0.1", "--imap", "tcp:0:interface=127.0.0.1",
        "--store", "memory:", "--auth", f"file:{tmp_path}/users", folder=tmp_path,
    ) as server:  # fmt: skip
        proxied, direct = server.ports(2)
        said = _dialogue(proxied, _PROXIED + b"a LOGIN user secret\r\n", b"a ")
        assert b"LOGINDISABLED" in said.splitlines()[0]
        assert said.splitlines()[1].startswith(b"a NO [PRIVACYREQUIRED] ")
        said = _dialogue(direct, b"a LOGIN user secret\r\n", b"a ")
        assert said.splitlines()[1].startswith(b"a OK [CAPABILITY ")
