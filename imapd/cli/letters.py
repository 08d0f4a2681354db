"""The messages that a demonstration begins with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

__all__ = ["letters"]

_WELCOME = """\
Welcome.

You are reading this through your own IMAP server.  What to try next:

* Flag this message, answer it, move it: a second client that is connected sees it at once.
* Look at the folder the server printed: mail/demo is a plain Maildir, one file a message.
  Drop a message into its new/ and it appears here.
* Serve your own mail:

      imapd user --file passwords add you
      twistd -n imapd --imap tcp:143 --imaps tcp:993 \\
          --certificate fullchain.pem --key privkey.pem \\
          --store maildir:/var/mail/%u --auth passwords:passwords

* Every setting is in etc/imapd.toml; `imapd sample-config` prints it.
* To serve something else than mail, see docs/embedding.rst: a store is one small class.

This demonstration listens on 127.0.0.1 only.  To begin anew, stop it and remove its folder.
"""

_FIGURES = "\r\n".join(
    ["command,octets sent", "CAPABILITY,14", "SELECT,16", "FETCH,39", "LOGOUT,10", ""]
)

_HTML = """\
<html><body><p>The same list as a <b>table</b> is attached, so that you can see
how your client shows a message with an attachment.</p></body></html>
"""

_JAPANESE = """\
こんにちは。

このメールは、件名も差出人も本文も日本語で書かれています。
文字化けせずに読めれば、サーバーとメールソフトは正しく動いています。

今日もよい一日を。
"""


def letters(now: datetime) -> Sequence[bytes]:
    """A welcome, one with an attachment, one in another script; the welcome is the newest."""
    return [
        _japanese(now - timedelta(minutes=2)),
        _attached(now - timedelta(minutes=1)),
        _welcome(now),
    ]


def _new(date: datetime, name: str, sender: str, subject: str) -> EmailMessage:
    message = EmailMessage(SMTP)
    message["From"] = f"{name} <{sender}@localhost>"
    message["To"] = "demo@localhost"
    message["Subject"] = subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = f"<{int(date.timestamp())}.{sender}@localhost>"
    return message


def _welcome(date: datetime) -> bytes:
    message = _new(date, "imapd", "imapd", "Welcome to your IMAP server")
    message.set_content(_WELCOME)
    return message.as_bytes()


def _attached(date: datetime) -> bytes:
    message = _new(date, "imapd", "imapd", "A message with an attachment")
    message.set_content("The same list as a table is attached.\n")
    message.add_alternative(_HTML, subtype="html")
    message.add_attachment(
        _FIGURES.encode(), maintype="text", subtype="csv", filename="commands.csv"
    )
    return message.as_bytes()


def _japanese(date: datetime) -> bytes:
    message = _new(date, "山田太郎", "yamada", "はじめまして")
    message.set_content(_JAPANESE)
    return message.as_bytes()
