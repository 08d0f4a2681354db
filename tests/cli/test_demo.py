"""`imapd demo`: what `make run` starts."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import re
import signal
import ssl
import subprocess
import sys
import textwrap
from datetime import datetime, timezone
from email.message import EmailMessage
from pathlib import Path

from imapd.cli.letters import letters
from tests.serving import Running, running


def _read(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_letters() -> None:
    """A welcome, a message with an attachment, and one in Japanese; lines end in CRLF."""
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    messages = letters(now)
    assert all(b"\n" not in each.replace(b"\r\n", b"") for each in messages)
    japanese, attached, welcome = map(_read, messages)
    assert japanese["subject"] == "はじめまして"
    assert "日本語" in japanese.get_content()
    (attachment,) = attached.iter_attachments()
    assert attachment.get_filename() == "commands.csv"
    assert welcome["subject"] == "Welcome to your IMAP server"
    assert welcome["date"].datetime == now
    assert "imapd user" in welcome.get_content()


class _Demo:
    """What a running demonstration said."""

    def __init__(self, server: Running) -> None:
        server.expect("Ctrl-C")
        said = server.text
        server.expect(r"BODY\.PEEK")
        self.text = server.text
        self.password = re.search(r"password '(\w+)'", said)[1]  # type: ignore[index]
        imap, imaps = re.search(r"on 127.0.0.1:(\d+), IMAPS on 127.0.0.1:(\d+)", said).groups()  # type: ignore[union-attr]
        self.imap, self.imaps = int(imap), int(imaps)


_PORTS = ("--imap-port=0", "--imaps-port=0")


def test_demo(tmp_path: Path) -> None:
    """The account it prints works over both ports, with its messages and mailboxes."""
    home = tmp_path / "home"
    with running("demo", *_PORTS, folder=tmp_path, environment={"IMAPD_HOME": str(home)}) as server:
        demo = _Demo(server)
        trust = ssl.create_default_context(cafile=str(home / "cert.pem"))
        with imaplib.IMAP4("127.0.0.1", demo.imap) as client:
            client.starttls(trust)
            client.login("demo", demo.password)
            assert client.select() == ("OK", [b"3"])
            subjects = [
                _read(client.fetch(str(number), "(BODY.PEEK[])")[1][0][1])["subject"]  # type: ignore[index,arg-type]
                for number in (1, 2, 3)
            ]
            assert subjects == [
                "はじめまして",
                "A message with an attachment",
                "Welcome to your IMAP server",
            ]
            _, listed = client.list()
            names = {
                line.rpartition(b" ")[2].strip(b'"') for line in listed if isinstance(line, bytes)
            }
            assert names == {b"INBOX", b"Archive", b"Drafts", b"Junk", b"Sent", b"Trash"}
            assert b"\\Sent" in b"\n".join(line for line in listed if isinstance(line, bytes))

        # The Python it shows is Python, and does what it says.
        shown = textwrap.dedent(demo.text.partition("In Python:\n")[2])
        ran = subprocess.run(
            [sys.executable, "-c", shown], capture_output=True, text=True, timeout=60, check=True
        )
        assert "Welcome to your IMAP server" in ran.stdout
        server.signal(signal.SIGINT)
        assert server.end() == 0
    assert "Traceback" not in server.text
    for name in ("password", "passwords", "key.pem"):
        assert os.stat(home / name).st_mode & 0o077 == 0, name


def test_again(tmp_path: Path) -> None:
    """The second time everything is as it was left: password, certificate, and mail."""
    found = []
    for _ in range(2):
        with running("demo", *_PORTS, "--home", "var", folder=tmp_path) as server:
            demo = _Demo(server)
            trust = ssl.create_default_context(cafile=str(tmp_path / "var" / "cert.pem"))
            with imaplib.IMAP4_SSL("127.0.0.1", demo.imaps, ssl_context=trust) as client:
                client.login("demo", demo.password)
                _, count = client.select()
                client.store("1", "+FLAGS", "\\Deleted")
                client.expunge()
            found.append((demo.password, count, (tmp_path / "var" / "cert.pem").read_bytes()))
            server.signal(signal.SIGTERM)
            server.end()
    assert found[0][0] == found[1][0]
    assert found[0][2] == found[1][2]
    assert [count for _, count, _ in found] == [[b"3"], [b"2"]]


def test_folder_in_the_way(tmp_path: Path) -> None:
    """A folder that cannot be made is one line, not a traceback."""
    (tmp_path / "file").write_text("in the way")
    with running("demo", *_PORTS, "--home", "file/home", folder=tmp_path) as server:
        assert server.end() == 1
    assert server.text.startswith("imapd: ")
    assert "Traceback" not in server.text
