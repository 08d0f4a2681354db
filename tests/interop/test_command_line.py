"""curl and openssl: what people try a mail server with at the command line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.mail import letters
from tests.interop.running import Account

Find = Callable[..., str]


@pytest.fixture
def curl(program: Find, account: Account, security: str) -> Callable[..., bytes]:
    """Run curl with a path of the server's, and get what it printed."""
    path = program("curl", "apt-get install curl")
    scheme = "imaps" if security == "tls" else "imap"

    def run(target: str, *options: str) -> bytes:
        done = subprocess.run(
            [
                path, "-sS", "--max-time", "20", "--user", f"{account.user}:{account.password}",
                "--cacert", str(account.server.certificate),
                *(["--ssl-reqd"] if security == "starttls" else []),
                *options,
                f"{scheme}://localhost:{account.port(security)}/{target}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def test_curl(curl: Callable[..., bytes], account: Account, tmp_path: Path) -> None:
    """It lists, uploads, downloads whole messages and parts, searches, and gives commands."""
    one, two = letters(81, 2, ["attachments", "plain"])
    for letter in (one, two):
        path = tmp_path / "letter"
        path.write_bytes(letter.octets)
        curl("INBOX", "-T", str(path))
    assert [octets for _, octets in account.messages("INBOX")] == [one.octets, two.octets]
    assert curl("").split() == rb'* LIST (\HasNoChildren) "/" INBOX'.split()
    assert curl("INBOX;UID=1") == one.octets
    assert curl("INBOX;MAILINDEX=2") == two.octets
    header, _, text = one.octets.partition(b"\r\n\r\n")
    assert curl("INBOX;UID=1;SECTION=TEXT") == text
    assert curl("INBOX;UID=1;SECTION=HEADER") == header + b"\r\n\r\n"
    assert curl("INBOX?SUBJECT%2081.1").split() == [b"*", b"SEARCH", b"2"]
    assert curl("", "-X", "CREATE Work") == b""
    assert curl("INBOX", "-X", r"STORE 1 +Flags \Deleted").startswith(b"* 1 FETCH (FLAGS (")
    assert b"* 1 EXPUNGE" in curl("INBOX", "-X", "EXPUNGE")
    assert account.mailboxes() == {"INBOX", "Work"}
    assert [octets for _, octets in account.messages("INBOX")] == [two.octets]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("starttls", [True, False])
def test_openssl(program: Find, account: Account, version: str, starttls: bool) -> None:
    """A session typed into `openssl s_client` works, and LOGOUT ends the connection at once."""
    openssl = program("openssl", "apt-get install openssl")
    port = account.server.imap if starttls else account.server.imaps
    done = subprocess.run(
        [
            openssl, "s_client", "-quiet", "-crlf", "-connect", f"localhost:{port}", version,
            *(["-starttls", "imap"] if starttls else []),
            "-CAfile", str(account.server.certificate), "-verify_return_error",
            "-verify_hostname", "localhost",
        ],
        # With -quiet it goes on reading after its input has ended.
        input=f"a login {account.user} {account.password}\nb select inbox\nc logout\n".encode(),
        capture_output=True,
        timeout=5,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert [line.split(" ", 2)[:2] for line in lines if line[:2] in {"a ", "b ", "c "}] == [
        ["a", "OK"], ["b", "OK"], ["c", "OK"],
    ]  # fmt: skip
    assert "* 0 EXISTS" in lines
    assert lines[-2].startswith("* BYE ")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_tls_is_refused(program: Find, account: Account, version: str) -> None:
    """TLS 1.0 and 1.1 get no connection, and leave no traceback."""
    openssl = program("openssl", "apt-get install openssl")
    done = subprocess.run(
        [
            openssl, "s_client", "-connect", f"localhost:{account.server.imaps}", version,
            "-cipher", "DEFAULT@SECLEVEL=0",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
    )  # fmt: skip
    assert done.returncode != 0
