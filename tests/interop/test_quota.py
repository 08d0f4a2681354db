"""Quotas as clients read and set them."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import pytest
from imapclient.exceptions import IMAPClientError
from imapclient.imapclient import MailboxQuotaRoots, Quota

from tests.interop.mail import letters
from tests.interop.running import Account, Server


@pytest.fixture(params=["memory", "maildir"])
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """A user of a server with two messages for each, whose administrator is root."""
    (tmp_path / "quota.toml").write_text(
        '[quota]\nstorage = 1000\nmessages = 2\nadministrators = ["root"]\n'
    )
    server = Server(request.param, tmp_path, options=("--config", "quota.toml"))
    server.start()
    yield Account(server, "user")
    server.assert_calm()
    assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


def test_imapclient(account: Account) -> None:
    """IMAPClient parses roots and limits; an administrator sets them; what is too much is refused."""
    message = letters(5, 1, ["plain"])[0].octets
    with account.client() as client:
        assert client.has_capability("QUOTA")
        client.append("INBOX", message)
        client.append("INBOX", message)
        with pytest.raises(IMAPClientError, match="OVERQUOTA"):
            client.append("INBOX", message)
        roots, quotas = client.get_quota_root("INBOX")
        assert roots == MailboxQuotaRoots("INBOX", ["user"])
        messages = Quota("user", "MESSAGE", 2, 2)
        assert messages in quotas
        assert messages in client.get_quota()
        with pytest.raises(IMAPClientError, match="NOPERM"):
            client.set_quota([Quota("user", "MESSAGE", None, 3)])
        with Account(account.server, "root").client() as root:
            assert root.set_quota([Quota("user", "MESSAGE", 0, 3)]) == [
                Quota("user", "MESSAGE", 2, 3)
            ]
        client.append("INBOX", message)


def test_imaplib(account: Account) -> None:
    """Python's imaplib, with the commands it has for quotas."""
    with imaplib.IMAP4(account.host, account.server.imap, timeout=20) as client:
        client.login("root", account.password)
        assert client.getquota("root") == ("OK", [b'"root" (STORAGE 0 1000 MESSAGE 0 2)'])
        assert client.getquotaroot("INBOX") == (
            "OK",
            [[b'INBOX "root"'], [b'"root" (STORAGE 0 1000 MESSAGE 0 2)']],
        )
        assert client.setquota("root", "(MAILBOX 7)") == ("OK", [b'"root" (MAILBOX 1 7)'])
