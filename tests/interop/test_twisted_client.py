"""Twisted's own `IMAP4Client`, whose parser knows nothing of our code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.interop.mail import letters
from tests.interop.running import Account

_PROGRAM = Path(__file__).with_name("twisted_client.py")


def _converse(account: Account, security: str, mail: list[bytes]) -> dict[str, Any]:
    """What the program found."""
    done = subprocess.run(
        [
            sys.executable, str(_PROGRAM), account.host, str(account.port(security)), security,
            str(account.server.certificate), account.user, account.password,
        ],
        input=json.dumps([octets.decode("latin-1") for octets in mail]).encode(),
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_conversation(account: Account, security: str) -> None:
    """Every method of Twisted's client works and gives what was stored."""
    one, two, three = letters(21, 3, ["plain", "attachments", "nested"])
    found = _converse(account, security, [one.octets, two.octets, three.octets])
    assert "IMAP4rev1" in found["capabilities"]
    assert {"INBOX", "Ärger", "Ärger/日本"} <= set(found["list"])
    assert found["lsub"] == ["Ärger/日本"]
    assert found["status"] == {"MESSAGES": 3, "UIDNEXT": "4", "UNSEEN": 2}
    assert found["select"]["EXISTS"] == 3
    assert found["select"]["READ-WRITE"] is True
    assert found["flags"]["1"] == {"FLAGS": ["\\Seen", "\\Recent"]}
    assert found["uids"] == {str(n): {"UID": str(n)} for n in (1, 2, 3)}
    assert found["sizes"] == {
        str(n): {"RFC822.SIZE": str(len(letter.octets))}
        for n, letter in enumerate((one, two, three), 1)
    }
    # Its grammar gives a day of one digit with a space or with a zero.
    assert found["dates"]["1"]["INTERNALDATE"].lstrip(" 0") == "3-Feb-2001 04:05:06 +0000"
    header, _, body = two.octets.decode("latin-1").partition("\r\n\r\n")
    assert found["messages"]["2"]["RFC822"] == two.octets.decode("latin-1")
    assert found["headers"]["2"]["RFC822.HEADER"] == header + "\r\n\r\n"
    assert found["bodies"]["2"]["RFC822.TEXT"] == body
    ids = {n: each["ENVELOPE"][-1] for n, each in found["envelopes"].items()}
    assert ids == {str(n): letter.message_id for n, letter in enumerate((one, two, three), 1)}
    assert found["structures"]["1"]["BODYSTRUCTURE"][:2] == ["text", "plain"]
    parts = found["structures"]["2"]["BODYSTRUCTURE"]
    assert len([each for each in parts if isinstance(each, list)]) >= 1 + len(two.attachments)
    assert found["some"]["1"][0][-1] == f"Message-ID: {one.message_id}\r\n\r\n"
    for name in ("all", "fast", "full"):
        assert [each["RFC822.SIZE"] for each in found[name].values()] == [
            str(len(letter.octets)) for letter in (one, two, three)
        ]
    assert found["search"] == [1, 2, 3]
    assert found["search not"] == [3]
    assert set(found["added"]["1"]["FLAGS"]) == {"\\Seen", "\\Flagged", "Mine", "\\Recent"}
    assert found["set"] == {"2": {"FLAGS": ["\\Deleted", "\\Recent"]}}
    assert found["expunged"] == [2]
    assert found["examine"]["EXISTS"] == 2
    assert found["examine"]["READ-WRITE"] is False
    assert [octets for _, octets in account.messages("INBOX")] == [one.octets, three.octets]
    assert account.mailboxes().isdisjoint({"Elsewhere", "Ärger/日本"})
