"""`imapd demo`: a server to look at, with everything it needs in one folder.

The folder is $IMAPD_HOME or ``./var``: ``mail/`` (a Maildir), ``passwords``, ``password``
(of the one account, to be printed again), ``cert.pem`` and ``key.pem``.  Nothing that is
there is made again.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from twisted.python.usage import Options, UsageError

from imapd.auth.passwdfile import PasswordFile, hashed
from imapd.cli.letters import letters
from imapd.cli.users import generated
from imapd.config import BadConfig, Config
from imapd.mime.facts import facts
from imapd.model.dates import from_datetime
from imapd.model.mailbox import INBOX
from imapd.server.tls import write_self_signed
from imapd.store.answers import settled
from imapd.store.interfaces import IMailStore, NewMessage
from imapd.store.readers import BytesReader

__all__ = ["DemoOptions", "Home", "demo"]

USER: Final = "demo"

MAILBOXES: Final = {
    "Archive": "\\Archive",
    "Drafts": "\\Drafts",
    "Junk": "\\Junk",
    "Sent": "\\Sent",
    "Trash": "\\Trash",
}


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return port


class DemoOptions(Options):
    """Where the demonstration lives."""

    synopsis = "[options]"
    optParameters = [
        ["home", None, None, "The folder for everything; otherwise $IMAPD_HOME, or ./var."],
        ["imap-port", None, 1143, "Port for IMAP with STARTTLS on 127.0.0.1.", _port],
        ["imaps-port", None, 1993, "Port for IMAPS on 127.0.0.1.", _port],
    ]


@frozen
class Home:
    """The folder and what is in it."""

    path: Path

    def furnish(self) -> str:
        """Make what is not there yet; the account's password."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.certificate.exists() and self.key.exists()):
            self.certificate.unlink(missing_ok=True)
            self.key.unlink(missing_ok=True)
            write_self_signed(self.certificate, self.key)
        secret = self.path / "password"
        if not secret.exists():
            descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(generated() + "\n")
        password = secret.read_text().strip()
        passwords = PasswordFile(self.passwords)
        if not self.passwords.exists() or USER not in passwords.users():
            passwords.set(USER, hashed(password))
        return password

    @property
    def certificate(self) -> Path:
        """Self-signed."""
        return self.path / "cert.pem"

    @property
    def key(self) -> Path:
        """Of the certificate."""
        return self.path / "key.pem"

    @property
    def passwords(self) -> Path:
        """With a hash for the one account."""
        return self.path / "passwords"

    def config(self, imap: int, imaps: int) -> Config:
        """A server on this folder."""
        return Config(
            store=f"maildir:{self.path / 'mail'}/%u",
            auth=(f"passwords:{self.passwords}",),
            imap=(f"tcp:{imap}:interface=127.0.0.1",),
            imaps=(f"tcp:{imaps}:interface=127.0.0.1",),
            certificate=str(self.certificate),
            key=str(self.key),
            mailboxes=MAILBOXES,
            log_level="warn",
        )


async def fill(store: IMailStore) -> None:
    """The account's first messages, if it never had any."""
    account = await settled(store.open_account(USER))
    try:
        inbox = await settled(account.open(INBOX))
        if (await settled(inbox.status())).uidnext == 1:
            now = datetime.now(timezone.utc).astimezone()
            await settled(
                inbox.append(
                    [
                        NewMessage(BytesReader(each), frozenset(), from_datetime(now), facts(each))
                        for each in letters(now)
                    ]
                )
            )
    finally:
        await settled(account.close())


def how_to_connect(home: Home, password: str, imap: str, imaps: str) -> str:
    """What a person reads when the server is up."""
    certificate = home.certificate
    host, _, port = imaps.rpartition(":")
    return f"""
imapd serves the account {USER!r}, password {password!r}.
IMAP with STARTTLS on {imap}, IMAPS on {imaps}, mail in {home.path}.  Ctrl-C ends it.

By hand:
    openssl s_client -quiet -crlf -CAfile {certificate} -connect {imaps}
    a login {USER} {password}
    b select inbox
    c fetch 1:* (envelope)
    d logout

In Thunderbird: Account Settings, Account Actions, Add Mail Account, Configure manually
    IMAP, host {host}, port {port}, SSL/TLS, normal password, user name {USER}
    (and confirm the exception: the certificate was made by this machine for itself)

In Python:
    import imaplib, ssl
    trust = ssl.create_default_context(cafile={str(certificate)!r})
    client = imaplib.IMAP4_SSL({host!r}, {port}, ssl_context=trust)
    client.login({USER!r}, {password!r})
    client.select()
    print(client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
"""


def demo(options: Any) -> int:
    """Serve until a signal comes; the exit status."""
    from twisted.internet import reactor

    from imapd.cli.running import run, start_logging
    from imapd.preparing import prepare
    from imapd.server.port import Listening
    from imapd.server.serving import MailService

    home = Home(Path(options["home"] or os.environ.get("IMAPD_HOME") or "var").absolute())
    try:
        password = home.furnish()
        config = home.config(options["imap-port"], options["imaps-port"])
        prepared = prepare(config, reactor)
    except (BadConfig, OSError) as error:
        raise UsageError(str(error)) from error
    service = MailService(prepared)

    def ready() -> None:
        imap, imaps = (each.address for each in service if isinstance(each, Listening))
        print(how_to_connect(home, password, imap, imaps))
        sys.stdout.flush()

    start_logging(config.log_level)
    return run(reactor, service, before=lambda: fill(prepared.store), ready=ready)
