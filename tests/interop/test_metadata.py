"""Annotations, rights and quotas, as administrators and web mail have them: Cyrus's cyradm and Roundcube."""

from __future__ import annotations

import imaplib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest

from tests.interop.mail import letters
from tests.interop.running import PASSWORD, Account, Server

_HERE = Path(__file__).parent
_LIBRARY = "usr/share/roundcube/program/lib/Roundcube"
_COMMENT = "Grüße von hier"
_CONFIGURATION = f"""
[sharing]
account = "public"
[quota]
storage = 1000
[metadata]
comment = "{_COMMENT}"
"""


@pytest.fixture(params=["memory", "maildir"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The shipped program with sharing, quotas and a comment; its log must hold nothing that went wrong."""
    folder = tmp_path_factory.mktemp("metadata")
    (folder / "imapd.toml").write_text(_CONFIGURATION, "utf-8")
    server = Server(request.param, folder, ("--config", "imapd.toml"))
    server.start()
    yield server
    server.assert_calm()
    assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


def _run(*command: str, **given: Any) -> Mapping[str, Any]:
    done = subprocess.run(
        command, input=json.dumps(given).encode(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def _annotation(server: Server, entry: str) -> bytes:
    """What a third client is told of one entry of alice's mailbox."""
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=20) as client:
        client.login("alice", PASSWORD)
        assert client.xatom("GETMETADATA", "Work", entry)[0] == "OK"
        _, (told,) = client.response("METADATA")
        assert isinstance(told, bytes)
        return told


def test_cyradm(program: Callable[..., str], shared: Server) -> None:
    """What cyradm configures is what it reads: comments, ACLs and quotas."""
    perl = program("perl", "apt-get install perl")
    if subprocess.run([perl, "-MCyrus::IMAP::Admin", "-e", "1"], capture_output=True).returncode:
        pytest.skip("install with: apt-get install libcyrus-imap-perl")
    account = Account(shared, "alice")
    account.fill("INBOX", letters(61, 1)[0].octets)
    found = _run(
        perl,
        str(_HERE / "cyrus_client.pl"),
        port=shared.imap,
        user="alice",
        password=PASSWORD,
    )
    shared_comment = {"/mailbox//shared/comment": "ours, for all"}
    private = {
        "/mailbox//private/comment": "mine alone",
        "/mailbox//private/vendor/cmu/colour": "#ff8800",
    }
    assert found["set"] == {"Work": {"shared": shared_comment, "private": private}}
    assert found["left"] == {"Work": {"shared": shared_comment}}
    # It knows of no charset.
    assert found["server"] == {"": {"shared": {"/server//shared/comment": _octets(_COMMENT)}}}
    assert found["refused"].startswith("[NOPERM] ")
    everything = "lrswipkxtencda"
    assert found["acl"] == {"alice": everything, "bob": "lrs", "carol": "lrs"}
    assert found["acl_left"] == {"alice": everything, "bob": "lrs"}
    assert found["quota"] == ["alice", "STORAGE", ["1", "1000"]]
    assert _annotation(shared, "/private/vendor/cmu/colour") == (
        b'Work (/private/vendor/cmu/colour "#ff8800")'
    )
    assert _annotation(shared, "/private/comment") == b"Work (/private/comment NIL)"


def _octets(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


def test_roundcube(program: Callable[..., str], shared: Server) -> None:
    """What Roundcube sets is what it reads: annotations with any text in them, ACLs and quotas."""
    php = program("php", "apt-get install php-cli")
    places = [Path("/", _LIBRARY), _HERE / "roundcube" / _LIBRARY]
    place = next((each for each in places if each.is_dir()), None)
    if place is None:
        pytest.skip("install with: apt-get install roundcube-core")
    account = Account(shared, "alice")
    account.fill("INBOX", letters(62, 1)[0].octets)
    with Account(shared, "carol").client() as carol:
        carol.create_folder("box")
        carol._command_and_check("setacl", "box", "alice", "lr")
    values = {
        "/private/comment": 'Zwei Zeilen:\r\n"Größe" \\ 日本語',
        "/shared/comment": "",
        "/private/vendor/kolab/color": "ff8800",
        "/private/vendor/kolab/displayname": 'My "own" folder',
    }
    found = _run(
        php,
        str(_HERE / "roundcube_client.php"),
        str(place),
        port=shared.imap,
        user="alice",
        password=PASSWORD,
        shared="Other Users/carol/box",
        values=values,
    )
    assert found["set"] == {"Work": values}
    below = {entry: values[entry] for entry in values if entry.startswith("/private/vendor/kolab/")}
    assert found["deep"] == {"Work": below}
    small = {entry: value for entry, value in values.items() if len(value) <= 8}
    assert found["small"] == {"Work": small}
    assert found["left"] == {"Work": {"/shared/comment": ""}}
    assert found["server"] == {"": {"/shared/comment": _COMMENT}}
    assert found["refused"] == "NOPERM"
    assert found["acl"] == {"alice": "lrswipkxtencda", "bob": "lrs"}
    assert found["mine"] == "lr"
    assert found["grantable"] == {"granted": [], "optional": list("lrswipkxtencda")}
    assert found["quota"]["all"] == {"alice": {"storage": {"used": 1, "total": 1000}}}
    assert _annotation(shared, "/private/vendor/kolab/displayname") == (
        b'Work (/private/vendor/kolab/displayname "My \\"own\\" folder")'
    )
