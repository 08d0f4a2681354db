"""The shipped program in a process of its own, and what its log says.

Rules of this file:

* The server is started as a user would: `twistd -n imapd`, in an empty folder.
* It is ended by the process that was started here, and by nothing else.
"""

from __future__ import annotations

import os
import re
import select
import socket
import ssl
import subprocess
import sysconfig
import time
from pathlib import Path

from attrs import define, field
from imapclient import IMAPClient

from imapd.server.tls import write_self_signed

__all__ = ["PASSWORD", "Account", "Server"]

#: With ``--auth static:`` every user name has it.
PASSWORD = "testpass"

_HOST = "127.0.0.1"
_READY = re.compile(r"IMAPFactory( \(TLS\))? starting on (\d+)")
#: What no log may hold: an error that nobody handled, or one we call an error.
_COMPLAINT = re.compile(r"Traceback \(most recent call last\)|Unhandled|#(error|critical)\]")
_PATIENCE = 20.0


@define
class Server:
    """One running server: a store, a port with STARTTLS and a port with TLS."""

    store: str
    folder: Path
    #: Options besides.
    options: tuple[str, ...] = ()
    imap: int = field(init=False, default=0)
    imaps: int = field(init=False, default=0)
    _process: subprocess.Popen[bytes] = field(init=False, repr=False)

    @property
    def certificate(self) -> Path:
        """What a client has to trust."""
        return self.folder / "cert.pem"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start it and wait until both ports answer."""
        key = self.folder / "key.pem"
        if not key.exists():
            write_self_signed(self.certificate, key)
        store = f"maildir:{self.folder}/mail/%u" if self.store == "maildir" else "memory:"
        since = self.log_size() if self._log.exists() else 0
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [
                    str(Path(sysconfig.get_path("scripts"), "twistd")), "-n", "--pidfile=", "imapd",
                    "--imap", f"tcp:{self.imap}:interface={_HOST}",
                    "--imaps", f"ssl:{self.imaps}:privateKey=key.pem:certKey=cert.pem"
                    f":interface={_HOST}",
                    "--store", store,
                    "--auth", f"static:{PASSWORD}",
                    *self.options,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        while len(ports := dict(_READY.findall(self.log(since)))) < 2:
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the server did not start:\n{self.log()}")
            select.select([], [], [], 0.02)
        self.imap, self.imaps = int(ports[""]), int(ports[" (TLS)"])

    def stop(self) -> int:
        """Ask it to end, as `kill` does; what it ended with is by that signal, as Twisted has it."""
        self._process.terminate()
        return self._process.wait(_PATIENCE)

    def log(self, since: int = 0) -> str:
        """What it has said, from an octet of its log on."""
        return self._log.read_bytes()[since:].decode("utf-8", "replace")

    def log_size(self) -> int:
        """Where its log ends now."""
        return self._log.stat().st_size

    def assert_calm(self, since: int = 0) -> None:
        """It is up, and its log holds no traceback and no error."""
        assert self._process.poll() is None, f"the server has ended:\n{self.log(since)}"
        # What it was told before this conversation has been dealt with after it.
        with IMAPClient(_HOST, self.imap, ssl=False, timeout=_PATIENCE) as client:
            client.noop()
        said = self.log(since)
        assert not _COMPLAINT.search(said), said

    def assert_ended(self) -> None:
        """Its whole log says that it ended in order, and nothing that went wrong."""
        said = self.log()
        assert "Server Shut Down." in said, said
        assert not _COMPLAINT.search(said), said

    def context(self) -> ssl.SSLContext:
        """TLS as a careful client has it: this certificate, for this host, and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


@define
class Account:
    """A user nobody else has, on a server."""

    server: Server
    user: str
    host: str = _HOST
    password: str = PASSWORD
    #: A proxy that records what is said without TLS.
    recorded: int = 0

    def port(self, security: str) -> int:
        """Where ``plain``, ``starttls`` or ``tls`` is spoken."""
        if self.recorded and security == "plain":
            return self.recorded
        return self.server.imaps if security == "tls" else self.server.imap

    def client(self) -> IMAPClient:
        """A logged-in `IMAPClient`: a second pair of eyes, which decodes names."""
        client = IMAPClient(self.host, self.server.imap, ssl=False, timeout=_PATIENCE)
        # It writes a message and its line end apart, and would wait 40 ms in between.
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.login(self.user, self.password)
        return client

    def fill(self, mailbox: str, *letters: bytes, flags: tuple[str, ...] = ()) -> None:
        """Put messages into a mailbox, which is made if there is none."""
        with self.client() as client:
            if not client.folder_exists(mailbox):
                client.create_folder(mailbox)
            for letter in letters:
                client.append(mailbox, letter, flags)

    def messages(self, mailbox: str) -> list[tuple[frozenset[str], bytes]]:
        """The flags (Recent left out) and octets of a mailbox, in its order."""
        with self.client() as client:
            client.select_folder(mailbox, readonly=True)
            fetched = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[]"])
        return [
            (
                frozenset(flag.decode() for flag in got[b"FLAGS"]) - {"\\Recent"},
                got[b"BODY[]"],
            )
            for _, got in sorted(fetched.items())
        ]

    def mailboxes(self) -> set[str]:
        """The names there are."""
        with self.client() as client:
            return {name for _, _, name in client.list_folders()}
