"""A program of ours in a process of its own, and what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import IO

__all__ = ["PROGRAMS", "Running", "running"]

_PATIENCE = 30.0

_TWISTD = "from twisted.scripts.twistd import run; run()"
_TWIST = "from twisted.application.twist._twist import Twist; Twist.main()"
_IMAPD = "from imapd.cli import main; main()"

#: Ways to start the service, each in the foreground; its options follow.
PROGRAMS: Mapping[str, Sequence[str]] = {
    "twistd": ("-c", _TWISTD, "-n", "--pidfile=", "imapd"),
    "twist": ("-c", _TWIST, "--log-format=text", "imapd"),
    "imapd": ("-c", _IMAPD, "serve"),
}


class Running:
    """The process; its output comes line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: Queue[str | None] = Queue()
        assert process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._thread.start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self._lines.put(line)
        self._lines.put(None)

    def expect(self, pattern: str) -> re.Match[str]:
        """The next line that has it; what was said before is in `said`."""
        while True:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except Empty:
                line = None
            if line is None:
                raise AssertionError(f"it never said {pattern!r}:\n{''.join(self.said)}")
            self.said.append(line)
            match = re.search(pattern, line)
            if match is not None:
                return match

    def ports(self, count: int) -> list[int]:
        """The ports it listens on, in the order of the options."""
        return [int(self.expect(r"listening on \S+:(\d+)$")[1]) for _ in range(count)]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until it has ended by itself; its exit status."""
        status = self.process.wait(_PATIENCE)
        self._thread.join(_PATIENCE)
        while True:
            try:
                line = self._lines.get_nowait()
            except Empty:
                return status
            if line is not None:
                self.said.append(line)

    @property
    def text(self) -> str:
        """All that was said up to now."""
        return "".join(self.said)


@contextmanager
def running(
    program: str, *options: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Start one of `PROGRAMS`, a file, or a command of `imapd`; it is ended in any case."""
    if program.endswith(".py"):
        arguments: Sequence[str] = (program,)
    else:
        arguments = PROGRAMS.get(program) or ("-c", _IMAPD, program)
    process = subprocess.Popen(
        [sys.executable, *arguments, *options],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    )
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(_PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
