"""node-imap (Node): an older client in many programs, which idles whenever it can."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import letters
from tests.interop.running import Account

_HERE = Path(__file__).parent


def test_conversation(program: Callable[..., str], account: Account, security: str) -> None:
    """Folders, messages, searches, flags, moves and what it is told while it idles are right."""
    node = program("node", "apt-get install nodejs npm")
    if not (_HERE / "node_modules" / "imap").is_dir():
        pytest.skip("install with: npm ci --prefix tests/interop")
    mail = letters(111, 3, ["attachments", "8-bit", "nested"])
    one, two, three = mail
    given = {
        "port": account.port(security),
        "security": security,
        "certificate": account.server.certificate.read_text(),
        "user": account.user,
        "password": account.password,
        "mail": [b64encode(letter.octets).decode() for letter in mail],
    }
    done = subprocess.run(
        [node, str(_HERE / "node_imap_client.cjs")],
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["boxes"] == ["Entwürfe", "INBOX"]
    assert found["subscribed"] == ["Entwürfe"]
    assert found["status"] == [3, 0, 4]
    assert found["opened"] == [3, 4, True]
    assert [b64decode(each["body"]) for each in found["messages"]] == [
        letter.octets for letter in mail
    ]
    assert [each["size"] for each in found["messages"]] == [len(each.octets) for each in mail]
    assert {each["date"] for each in found["messages"]} == {"2021-02-03T04:05:06.000Z"}
    parts = [each[0] for each in found["messages"][0]["struct"] if isinstance(each, list)]
    assert [part["disposition"]["type"] for part in parts[1:] if "disposition" in part] == [
        "attachment"
    ] * len(one.attachments)
    assert found["search"] == [2]
    assert found["eightBit"] == [n for n, each in enumerate(mail, 1) if "Grüße" in each.subject]
    first, second, third = (set(flags) - {"\\Recent"} for flags in found["flags"])
    assert (first, second, third) == ({"\\Seen", "\\Flagged", "Mine"}, {"Mine"}, {"\\Seen"})
    assert found["left"] == [1, 3]
    assert found["told"] == [1]
    assert found["gone"][0] == 1
    assert [octets for _, octets in account.messages("INBOX")] == [three.octets, one.octets]
    assert account.messages("Entwürfe/日本") == [
        (frozenset({"\\Seen", "\\Flagged", "Mine"}), one.octets),
        (frozenset({"Mine"}), two.octets),
    ]
