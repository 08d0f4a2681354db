"""Mail::IMAPClient (Perl), on which imapsync is built."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import CORRESPONDENCE, letters
from tests.interop.running import Account

_PROGRAM = Path(__file__).with_name("perl_client.pl")
_INSTALL = "apt-get install libmail-imapclient-perl libio-socket-ssl-perl libparse-recdescent-perl"


def test_conversation(program: Callable[..., str], account: Account, security: str) -> None:
    """Its methods for folders, messages, flags, copies and searches give what is there."""
    perl = program("perl", "apt-get install perl")
    modules = ["-MMail::IMAPClient", "-MIO::Socket::SSL", "-MParse::RecDescent"]
    if subprocess.run([perl, *modules, "-e", "1"], capture_output=True).returncode:
        pytest.skip(f"install with: {_INSTALL}")
    mail = letters(71, 3, ["plain", "attachments", "8-bit"])
    one, two, three = mail
    given = {
        "port": account.port(security),
        "security": security,
        "certificate": str(account.server.certificate),
        "user": account.user,
        "password": account.password,
        "mail": [b64encode(letter.octets).decode() for letter in mail],
        "correspondence": [b64encode(each).decode() for each in CORRESPONDENCE],
    }
    done = subprocess.run(
        [perl, str(_PROGRAM)], input=json.dumps(given).encode(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert "IMAP4REV1" in {each.upper() for each in found["capabilities"]}
    assert found["folders"] == ["INBOX", "Work", "Work/2025"]
    assert found["subscribed"] == ["Work/2025"]
    assert found["separator"] == "/"
    assert found["exists"] == 1
    assert [int(uid) for uid in found["appended"]] == [1, 2, 3]
    assert (int(found["count"]), int(found["unseen"])) == (3, 3)
    assert [b64decode(each) for each in found["messages"]] == [each.octets for each in mail]
    assert found["sizes"] == [len(letter.octets) for letter in mail]
    assert found["headers"]["Message-ID"] == [one.message_id]
    assert found["structure"] == "MULTIPART"
    assert {"1", "1.1", "1.2", "2"} <= set(map(str, found["parts"]))
    assert found["envelope"] == one.message_id
    assert found["seen"] == [1, 2, 3]
    assert found["search"] == [1]
    assert found["sorted"] == sorted((1, 2, 3), key=lambda uid: -len(mail[uid - 1].octets))
    by_reference = [["1", ["2", "3"], ["4"]], ["5"]]
    assert found["threads"] == [by_reference, by_reference, [["1", ["2"], ["4"]], ["3"], ["5"]]]
    assert [set(flags) - {"\\Recent"} for flags in found["flags"]] == [
        {"\\Seen", "\\Flagged"},
        set(),
        {"\\Seen"},
    ]
    assert found["left"] == [1]
    assert int(found["copied"]) == 3
    assert account.mailboxes() == {"INBOX", "Work", "Work/2026"}
    assert [octets for _, octets in account.messages("Work/2026")] == [
        one.octets, two.octets, three.octets,
    ]  # fmt: skip
