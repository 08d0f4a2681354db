"""A client that waits, the server that is measured, and what a row costs."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Beside", "Client", "Measured", "Server", "row"]

#: Seconds with next to no CPU, after which a server is quiet; and that are waited for it at most.
_QUIET: Final = 0.3
_LONGEST: Final = 10.0


class Client:
    """A blocking connection that waits for the tagged answer."""

    def __init__(self, port: int, user: bytes = b"bench") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._read_until(b"\r\n")
        self.command(b"LOGIN %b testpass" % user)

    def _read_until(self, end: bytes) -> int:
        size = 0
        tail = b""
        while True:
            data = self._socket.recv(1 << 20)
            if not data:
                raise ConnectionError(tail)
            size += len(data)
            tail = (tail + data)[-4096:]
            if end in tail and tail.endswith(b"\r\n"):
                return size

    def command(self, text: bytes) -> int:
        """Octets of the whole answer."""
        self._socket.sendall(b"t1 " + text + b"\r\n")
        return self._read_until(b"t1 OK")

    def answer(self, text: bytes) -> bytes:
        """A short answer."""
        self._socket.sendall(b"t1 " + text + b"\r\n")
        answer = b""
        while b"t1 OK" not in answer:
            answer += self._socket.recv(65536)
        return answer

    def send(self, data: bytes) -> None:
        """Octets as they are."""
        self._socket.sendall(data)

    def wait(self, end: bytes) -> int:
        """Read until `end` has come at a line's end."""
        return self._read_until(end)


class Measured(ABC):
    """A server, whoever started it."""

    port: int

    @abstractmethod
    def used(self) -> float:
        """CPU seconds until now."""

    def quiet(self) -> float:
        """Wait until nothing is done behind the answers any more; the CPU seconds used so far."""
        until, used = time.monotonic() + _LONGEST, self.used()
        while True:
            time.sleep(_QUIET)
            before, used = used, self.used()
            if used - before < _QUIET / 100 or time.monotonic() > until:
                return used

    def close(self) -> None:  # noqa: B027  (who started it ends it)
        """It is not needed any more."""


class Beside(Measured):
    """A server of others that runs already: a process, and all that it has started (Linux)."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self._pid = port, pid

    def used(self) -> float:
        """As `Measured`."""
        parents: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        seconds = 0.0
        for process in parents:
            above = process
            while above not in (self._pid, 0):
                above = parents.get(above, 0)
            if above:
                for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
                    with suppress(OSError):
                        seconds += int(path.read_text().split()[0]) / 1e9
        return seconds


class Server(Measured):
    """The measured process."""

    def __init__(self, store: str, module: str = "benchmarks.serve") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, store], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port, control = map(int, self._process.stdout.readline().split())
        self._control = socket.create_connection(("127.0.0.1", control)).makefile("rwb")

    def ask(self, word: bytes = b"rest") -> tuple[float, float, int]:
        """CPU seconds, longest turn in seconds, octets of memory."""
        self._control.write(word + b"\r\n")
        self._control.flush()
        cpu, longest, memory = self._control.readline().split()
        return float(cpu), float(longest), int(memory)

    def used(self) -> float:
        """As `Measured`."""
        return self.ask()[0]

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


def row(
    server: Server,
    name: str,
    count: int,
    unit: str,
    work: Callable[[], object],
    ready: Callable[[], object] | None = None,
    settle: bool = False,
) -> dict[str, object]:
    """The best of several runs by CPU; the longest turn from one more run with the heart beating.

    What makes `ready` for a run is not measured.  With `settle` the server is quiet before each
    run, and what it does behind the answers is told apart.
    """
    best = behind = float("inf")
    for run in range(3 if settle else 5):
        if ready is not None:
            ready()
        before = server.quiet() if settle and (run == 0 or ready is not None) else server.ask()[0]
        work()
        after = server.ask()[0]
        best = min(best, after - before)
        if settle:
            behind = min(behind, server.quiet() - after)
    if ready is not None:
        ready()
    server.ask(b"beat")
    work()
    longest = server.ask()[1]
    rate = count / best
    each = f"{best / count * 1e6:>10.2f} us{longest * 1000:>10.1f} ms"
    found = {"row": name, "rate": rate, "us": best / count * 1e6, "longest_turn_ms": longest * 1000}
    if settle:
        found["us_behind"] = behind / count * 1e6
        each += f"{behind / count * 1e6:>10.2f} us behind"
    print(f"{name:<48}{rate:>12,.0f} {unit + '/s':<10}{each}", flush=True)
    return found
