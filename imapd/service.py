"""The server as a service for `twistd imapd`, `twist imapd` and `imapd serve`.

What runs is `imapd.server.serving.MailService` or, with more than one worker,
`imapd.server.workers.Workers`; `imapd.preparing` makes it of what was said here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from imapd.config import BadConfig, Config, configured, stated
from imapd.preparing import prepare
from imapd.server.serving import MailService, Prepared
from imapd.server.workers import Workers

__all__ = ["Options", "makeService"]


def _number(text: str) -> int | str:
    """A number if it is one; what else it is, the key's own words say is wrong."""
    return int(text) if text.isascii() and text.isdigit() else text


class Options(UsageOptions, AuthOptionMixin):
    """What can be said on the command line; it overrides the file."""

    supportedInterfaces = (IUsernamePassword,)
    synopsis = "[options]"
    longdesc = (
        "An IMAP server.  Every key of the configuration file is in etc/imapd.toml, which"
        " `imapd sample-config` prints.  To try it:  --imap tcp:1143:interface=127.0.0.1"
        " --store memory: --auth static:PASSWORD"
    )
    optParameters = [
        ["config", "c", None, "The configuration file, in TOML."],
        ["store", None, None, "Where mail is kept: maildir:DIRECTORY/%u or memory:"],
        ["certificate", None, None, "PEM file of the certificate, its chain behind it."],
        ["key", None, None, "PEM file of the certificate's key."],
        ["workers", None, None, "How many processes serve."],
    ]
    optFlags = [
        ["plaintext-login", None, "Take passwords from other machines without TLS."],
    ]
    #: Options that may be given more than once, by key.
    _lists = {
        "imap": "listen.imap",
        "imaps": "listen.imaps",
        "lmtp": "listen.lmtp",
        "auth": "auth",
    }
    _texts = {"store": "store", "certificate": "tls.certificate", "key": "tls.key"}

    def __init__(self) -> None:
        UsageOptions.__init__(self)  # type: ignore[no-untyped-call]
        for name in self._lists:
            self[name] = []

    def opt_imap(self, endpoint: str) -> None:
        """Serve IMAP on a Twisted endpoint, such as tcp:143; may be given again."""
        self["imap"].append(endpoint)

    def opt_imaps(self, endpoint: str) -> None:
        """Serve IMAP inside TLS on an endpoint, such as tcp:993; may be given again."""
        self["imaps"].append(endpoint)

    def opt_lmtp(self, endpoint: str) -> None:
        """Take mail by LMTP on an endpoint, such as unix:/run/imapd/lmtp; may be given again."""
        self["lmtp"].append(endpoint)

    def opt_auth(self, description: str) -> None:
        """Who may log in: passwords:FILE, or another of --help-auth; may be given again."""
        self["auth"].append(description)

    def postOptions(self) -> None:
        """Make the server, so that what is wrong is said before anything starts."""
        from twisted.internet import reactor

        try:
            self["configuration"] = self.config()
            self["prepared"] = prepare(self["configuration"], reactor)
        except BadConfig as error:
            raise UsageError(str(error)) from error

    def config(self) -> Config:
        """The file's and the options' configuration.  Raises `BadConfig`."""
        said: dict[str, Any] = {key: self[name] for name, key in self._lists.items() if self[name]}
        said |= {key: self[name] for name, key in self._texts.items() if self[name] is not None}
        if self["workers"] is not None:
            said["workers"] = _number(self["workers"])
        if self["plaintext-login"]:
            said["login.plaintext"] = True
        return configured(Path(self["config"]) if self["config"] else None, said)


def makeService(options: Options) -> MailService | Workers:
    """As `IServiceMaker`."""
    config: Config = options["configuration"]
    if config.workers == 1:
        return MailService(options["prepared"])
    # What was made to see whether it can be is not kept: no mail is opened here.
    prepared: Prepared = options.pop("prepared")
    return Workers(
        prepared.reactor,
        [*prepared.listeners, *prepared.doors],
        config.workers,
        (sys.executable, "-c", "from imapd.cli.worker import main; main()"),
        {
            "reactor": type(prepared.reactor).__module__,
            "values": stated(config),
            "origins": config.origins,
        },
    )
