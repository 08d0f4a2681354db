"""The examples of the documentation run, and do what they say."""

from __future__ import annotations

import email
import email.policy
import imaplib
import signal
from email.message import EmailMessage
from pathlib import Path

import pytest

import imapd
from tests.serving import running

DOCS = Path(imapd.__file__).parent.parent / "docs"
NOTES = DOCS / "examples" / "notes.py"


def _read(client: imaplib.IMAP4) -> dict[str, str]:
    """Every message's subject and text."""
    _, (count,) = client.select(readonly=True)
    found = {}
    for number in range(1, int(count or b"0") + 1):
        _, fetched = client.fetch(str(number), "(BODY.PEEK[])")
        message = email.message_from_bytes(fetched[0][1], policy=email.policy.default)  # type: ignore[index,arg-type]
        assert isinstance(message, EmailMessage)
        found[message["subject"]] = message.get_content().replace("\r\n", "\n")
    return found


def test_notes(tmp_path: Path) -> None:
    """Notes in a folder are read by IMAP, as they are at each log-in, and cannot be changed."""
    (tmp_path / "shopping.txt").write_text("milk\nbread\n")
    (tmp_path / "идеи.txt").write_text("написать письмо\n")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    with running(str(NOTES), str(tmp_path), "secret", "0", folder=tmp_path) as server:
        port = int(server.expect(r"IMAP on 127\.0\.0\.1:(\d+)")[1])
        with imaplib.IMAP4("127.0.0.1", port) as client:
            client.login("anybody", "secret")
            assert _read(client) == {"shopping": "milk\nbread\n", "идеи": "написать письмо\n"}
        client = imaplib.IMAP4("127.0.0.1", port)
        client.login("anybody", "secret")
        with pytest.raises(imaplib.IMAP4.readonly):
            client.select()
        client.shutdown()

        (tmp_path / "shopping.txt").unlink()
        (tmp_path / "идеи.txt").write_text("отправить письмо\n")
        (tmp_path / "new.txt").write_text("now\n")
        with imaplib.IMAP4("127.0.0.1", port) as client:
            client.login("anybody", "secret")
            assert _read(client) == {"идеи": "отправить письмо\n", "new": "now\n"}
        with imaplib.IMAP4("127.0.0.1", port) as client, pytest.raises(imaplib.IMAP4.error):
            client.login("anybody", "guess")
        server.signal(signal.SIGINT)
        server.end()
    assert "Unhandled" not in server.text


def test_shown_in_the_guide() -> None:
    """The page about embedding includes the very file that this test runs."""
    assert ".. literalinclude:: examples/notes.py" in (DOCS / "embedding.rst").read_text()
