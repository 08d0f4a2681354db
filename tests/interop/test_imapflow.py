"""ImapFlow (Node): the client of many web services, which uses every extension it is offered."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.interop.mail import Letter, letters
from tests.interop.running import Account

_HERE = Path(__file__).parent
_FOLDERS = ("Entwürfe", "日本語/メール", "a&b")


@pytest.fixture
def converse(program: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Run the program, give it mail, and get what it found."""
    node = program("node", "apt-get install nodejs npm")
    if not (_HERE / "node_modules" / "imapflow").is_dir():
        pytest.skip("install with: npm ci --prefix tests/interop")

    def run(
        account: Account, security: str, mail: Sequence[Letter], what: str = "converse"
    ) -> dict[str, Any]:
        given = {
            "what": what,
            "host": account.host,
            "port": account.port(security),
            "security": security,
            "certificate": account.server.certificate.read_text(),
            "user": account.user,
            "password": account.password,
            "folders": _FOLDERS,
            "mail": [b64encode(letter.octets).decode() for letter in mail],
        }
        done = subprocess.run(
            [node, str(_HERE / "imapflow_client.mjs")],
            input=json.dumps(given).encode(),
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_conversation(
    converse: Callable[..., dict[str, Any]], account: Account, security: str
) -> None:
    """Folders, messages, attachments, searches, flags and moves are as they should be."""
    mail = letters(41, 4, ["plain", "attachments", "nested", "8-bit"])
    one, two, three, four = mail
    found = converse(account, security, mail)
    assert found["errors"] == []
    assert found["secure"] is (security != "plain")
    assert found["compressed"] is ("COMPRESS=DEFLATE" in found["capabilities"])

    # Folders.
    assert found["createdAgain"] is False
    assert found["appended"] == [2, 3, 4]
    listed = {each["path"]: each for each in found["list"]}
    assert set(listed) == {"INBOX", "日本語", *_FOLDERS}
    assert {each["delimiter"] for each in found["list"]} == {"/"}
    assert listed["日本語/メール"]["subscribed"] is True
    status = {"messages": 4, "unseen": 3, "uidNext": 5}
    assert listed["INBOX"]["status"].items() >= status.items()
    assert listed["a&b"]["status"].items() >= {"messages": 0, "unseen": 0, "uidNext": 1}.items()
    assert found["status"].items() >= status.items()
    assert found["status"]["uidValidity"] > 0
    assert found["mailbox"] == {"exists": 4, "path": "INBOX"}

    # Messages.
    for number, (letter, got) in enumerate(zip(mail, found["messages"], strict=True), 1):
        assert (got["seq"], got["uid"], got["size"]) == (number, number, len(letter.octets))
        assert b64decode(got["source"]) == letter.octets
        assert got["envelope"]["messageId"] == letter.message_id
        assert got["envelope"]["subject"] == letter.subject
        assert got["envelope"]["from"] == [{"name": letter.sender, "address": "from@example.org"}]
        assert letter.message_id in got["headers"]
    first, second, third, _ = found["messages"]
    assert first["internalDate"] == "2020-02-03T04:05:06.000Z"
    assert {"\\Seen", "$Label"} <= set(first["flags"])
    assert first["bodyStructure"]["type"] == "text/plain"
    assert second["bodyStructure"]["childNodes"][0]["type"] == "multipart/alternative"
    assert third["bodyStructure"]["childNodes"][1]["type"] == "message/rfc822"
    assert b64decode(found["one"]) == one.octets[10:30]
    assert b64decode(found["whole"]) == two.octets
    for part, (name, octets) in enumerate(two.attachments, 2):
        for how in ("encoded", "binary"):
            download = found["downloads"][f"2/{part}/{how}"]
            assert (download["filename"], b64decode(download["content"])) == (name, octets)

    # Searches.
    assert found["search"] == {
        "seen": [1],
        "subject": [2],
        "id": [3],
        "or": [1, 3],
        "not": [2, 3, 4],
        "none": [],
    }

    # Flags, copies and moves.
    assert [set(flags) - {"\\Recent"} for flags in found["flags"]] == [
        {"$Label"},
        {"\\Flagged", "Mine"},
        set(),
        set(),
    ]
    assert found["copied"] == [[1, 1], [2, 2]]
    assert found["moved"] == [[1, 1]]
    assert found["left"] == [3, 4]

    # Afterwards.
    assert found["renamed"] == "Entwürfe 2"
    assert found["opened"] == 1
    assert account.mailboxes() == {"INBOX", "Entwürfe 2", "日本語", "日本語/メール"}
    assert [octets for _, octets in account.messages("INBOX")] == [three.octets, four.octets]
    assert account.messages("Entwürfe 2") == [
        (frozenset({"$Label"}), one.octets),
        (frozenset({"\\Flagged", "Mine"}), two.octets),
    ]
    assert account.messages("日本語/メール") == [(frozenset({"$Label"}), one.octets)]


def test_idle(converse: Callable[..., dict[str, Any]], account: Account, security: str) -> None:
    """While it idles it is told of new mail, of flags, and of what is gone."""
    (letter,) = letters(42, 1)
    account.fill("INBOX", letter.octets)
    found = converse(account, security, [letter], "idle")
    assert found["errors"] == []
    assert found["exists"]["count"] == 2
    assert found["told"]["seq"] == 1
    assert "\\Flagged" in found["told"]["flags"]
    assert found["expunge"]["seq"] == 1
    assert account.messages("INBOX") == [(frozenset(), letter.octets)]


def test_resynchronises(converse: Callable[..., dict[str, Any]], account: Account) -> None:
    """Coming back, it is told by QRESYNC what has vanished and by CONDSTORE what has changed."""
    *mail, new = letters(43, 5)
    account.fill("INBOX", *(letter.octets for letter in mail))
    found = converse(account, "tls", [new], "resynchronise")
    assert found["errors"] == []
    assert "QRESYNC" in found["enabled"]
    assert found["vanished"] == [{"uid": 2, "vanished": True, "earlier": True}]
    assert found["exists"] == 4
    changed = {each["uid"]: set(each["flags"]) - {"\\Recent"} for each in found["changed"]}
    assert changed == {3: {"\\Flagged"}, 5: set()}
    assert all(each["later"] for each in found["changed"])
    # Somebody else was there first: nothing is done.
    assert set(found["flags"]) - {"\\Recent"} == {"\\Flagged"}
