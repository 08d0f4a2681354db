"""The server of a drill: started, killed with -9, started again."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL, Signals

from attrs import define, field

__all__ = ["PASSWORD", "USER", "Forked", "Fresh"]

PASSWORD, USER = "testpass", "drill"

_PATIENCE = 30.0
_SERVING = re.compile(r"listening on \S+:(\d+)$", re.MULTILINE)
#: What no log may hold.
_COMPLAINT = re.compile(r"Traceback \(most recent call last\)|Unhandled|#(error|critical)\]")
_IMAPD = "from imapd.cli import main; main()"


@define
class Fresh:
    """``imapd serve`` in a process of its own each time."""

    folder: Path
    options: Sequence[str] = ()
    port: int = field(init=False, default=0)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _since: int = field(init=False, default=0)

    @property
    def lmtp(self) -> str:
        """Where mail comes in."""
        return str(self.folder / "lmtp")

    @property
    def root(self) -> Path:
        """The account."""
        return self.folder / "mail" / USER

    @property
    def log(self) -> str:
        """What was said since the last start."""
        path = self.folder / "log"
        return path.read_bytes()[self._since :].decode("utf-8", "replace") if path.exists() else ""

    @property
    def arguments(self) -> list[str]:
        """What `imapd` is told."""
        return [
            "serve", "--imap", "tcp:0:interface=127.0.0.1", "--lmtp", "unix:lmtp",
            "--store", f"maildir:{self.folder}/mail/%u{''.join(self.options)}",
            "--auth", f"static:{PASSWORD}",
        ]  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it serves."""
        log = self.folder / "log"
        self._since = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as output:
            self._begin(output.fileno())
        until = time.monotonic() + _PATIENCE
        while "lmtp" not in self.log or not (serving := _SERVING.search(self.log)):
            assert time.monotonic() < until, f"it did not start:\n{self.log}"
            select.select([], [], [], 0.005)
        self.port = int(serving[1])

    def kill(self, signal: Signals = SIGKILL) -> None:
        """End the process that was started here."""
        if self._process is not None:
            self._process.send_signal(signal)
            self._process.wait(_PATIENCE)
            self._process = None

    def calm(self) -> list[str]:
        """What the log of this start should not say."""
        return [self.log] if _COMPLAINT.search(self.log) else []

    def close(self) -> None:
        """End all."""
        self.kill()

    def _begin(self, output: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IMAPD, *self.arguments],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip


@define
class Forked(Fresh):
    """The same program, loaded once; `lie` is what it does wrong."""

    lie: str = ""
    _nursery: subprocess.Popen[str] | None = field(init=False, default=None)
    _pid: int = field(init=False, default=0)

    def kill(self, signal: Signals = SIGKILL) -> None:
        """As `Fresh`."""
        if self._pid:
            os.kill(self._pid, signal)
            assert self._said() == "ended"
            self._pid = 0

    def close(self) -> None:
        """As `Fresh`."""
        self.kill()
        if self._nursery is not None:
            self._nursery.communicate()
            self._nursery = None

    def _begin(self, output: int) -> None:
        if self._nursery is None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.drills.nursery", *filter(None, [self.lie])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
            )  # fmt: skip
        assert self._nursery.stdin is not None
        print(json.dumps(self.arguments), file=self._nursery.stdin, flush=True)
        self._pid = int(self._said().removeprefix("started "))

    def _said(self) -> str:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()


def connected(server: Fresh, lmtp: bool) -> socket.socket:
    """A connection to it."""
    if lmtp:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(_PATIENCE)
        sock.connect(server.lmtp)
        return sock
    sock = socket.create_connection(("127.0.0.1", server.port), _PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
