"""Rows of several workers: the mixed load of many clients, what idles, how soon others are told.

The server is the program itself, ``imapd serve --workers N``.  Capacity is told by CPU, for the
clients need the same cores: N workers could do N seconds' worth of commands in a second.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.corpus import messages
from benchmarks.measuring import Client

__all__ = ["measure"]

_CLIENTS = 20
_USERS = 5
_MAIL = 500
_SECONDS = 6.0
#: Descriptors that one process of idlers may have, with some to spare.
_IDLERS_EACH = 5_000


class _Server:
    """The program with so many workers; its own CPU and memory, and theirs."""

    def __init__(self, store: str, workers: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from imapd.cli import main; main()", "serve",
             "--imap", "tcp:0:interface=127.0.0.1:backlog=4000", "--store", store,
             "--auth", "static:testpass", "--workers", str(workers)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.pids = [self.process.pid]
        self.port = 0
        waiting = workers if workers > 1 else 0
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"listening on \S+:(\d+)$", line):
                self.port = int(found[1])
            elif found := re.search(r"serves, process (\d+)$", line):
                self.pids.append(int(found[1]))
            if self.port and len(self.pids) == waiting + 1:
                break
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for _ in self.process.stderr:
            pass

    def cpu(self) -> float:
        """Seconds used so far."""
        total = 0
        for pid in self.pids:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self) -> int:
        """Octets, each share of what several map counted once."""
        total = 0
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def measure(store: str, idlers: int) -> list[dict[str, object]]:
    """Print the table."""
    rows: list[dict[str, object]] = []
    for workers in (1, 2):
        server = _Server(store.replace("%u", f"{workers}/%u"), workers)
        try:
            rows.append(_mixed(server, workers))
        finally:
            server.close()
    gain = 2 * float(str(rows[0]["us"])) / float(str(rows[1]["us"]))
    print(f"{'capacity of two workers, by CPU, of one':<48}{gain:>12.2f}")
    rows.append({"row": "capacity of two workers", "of one": gain})
    server = _Server(store.replace("%u", "idle/%u"), 2)
    try:
        rows.append(_told(server))
    finally:
        server.close()
    server = _Server(store.replace("%u", "idlers/%u"), 2)
    try:
        rows.append(_idle(server, idlers))
    finally:
        server.close()
    return rows


def _mixed(server: _Server, workers: int) -> dict[str, object]:
    """Reading, listing, flags, appends... of clients that wait for each answer."""
    letters = list(messages(_MAIL))
    for number in range(_USERS):
        client = Client(server.port, b"user%d" % number)
        client.command(b"CREATE Drafts")
        for letter in letters:
            client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(letter), letter))
            client.wait(b"a OK")
    # What is done behind the answers is done first.
    time.sleep(15)
    until = time.perf_counter() + _SECONDS
    counts: list[int] = []
    threads = [
        threading.Thread(target=_commands, args=(server.port, number, until, counts))
        for number in range(_CLIENTS)
    ]
    before, started = server.cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu, taken = server.cpu() - before, time.perf_counter() - started
    done = sum(counts)
    name = f"mixed load of {_CLIENTS} clients, workers = {workers}"
    print(f"{name:<48}{done / taken:>12,.0f} {'op/s':<10}{cpu / done * 1e6:>10.0f} us", flush=True)
    return {"row": name, "rate": done / taken, "us": cpu / done * 1e6}


def _commands(port: int, number: int, until: float, counts: list[int]) -> None:
    chance = random.Random(number)
    client = Client(port, b"user%d" % (number % _USERS))
    client.command(b"SELECT INBOX")
    count = 0
    while time.perf_counter() < until:
        one = chance.randint(1, _MAIL - 50)
        kind = chance.random()
        if kind < 0.20:
            client.command(b"NOOP")
        elif kind < 0.40:
            client.command(
                b"FETCH %d:%d (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)" % (one, one + 49)
            )
        elif kind < 0.65:
            client.command(b"FETCH %d (UID BODY.PEEK[])" % one)
        elif kind < 0.80:
            client.command(b"STORE %d %bFLAGS (\\Seen)" % (one, chance.choice((b"+", b"-"))))
        elif kind < 0.85:
            client.send(
                b"t1 APPEND Drafts {8000+}\r\n%b\r\n" % (b"Subject: x\r\n\r\n".ljust(8000, b"."))
            )
            client.wait(b"t1 ")
        elif kind < 0.90:
            client.command(b"SEARCH UNSEEN")
        elif kind < 0.95:
            client.command(b"STATUS INBOX (MESSAGES UNSEEN)")
        else:
            client.command(b"SELECT INBOX")
        count += 1
    counts.append(count)


def _told(server: _Server) -> dict[str, object]:
    """From an append's answer in one worker to EXISTS at who idles in the other: the longest of 50."""
    # Connections are shared out evenly: these two are on different workers.
    idler, writer = Client(server.port), Client(server.port)
    idler.command(b"SELECT INBOX")
    idler.send(b"i IDLE\r\n")
    idler.wait(b"+ ")
    times = []
    for _ in range(50):
        writer.send(b"a APPEND INBOX {4+}\r\ntest\r\n")
        writer.wait(b"a OK")
        started = time.perf_counter()
        idler.wait(b"EXISTS")
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(0.02)
    times.sort()
    name = "APPEND to EXISTS at an idler of another worker"
    print(
        f"{name:<48}{times[25]:>12.1f} {'ms median':<10}{times[-1]:>10.1f} ms longest", flush=True
    )
    return {"row": name, "ms": times[25], "longest_ms": times[-1]}


def _idle(server: _Server, count: int) -> dict[str, object]:
    """Connections that idle in INBOX, on a hundred accounts, and the memory of each."""
    warm = [Client(server.port, b"idler%d" % (number % 100)) for number in range(200)]
    for client in warm:
        client.command(b"SELECT INBOX")
    before = server.memory()
    started = time.perf_counter()
    clients = []
    while count > 0:
        part = min(count, _IDLERS_EACH)
        clients.append(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.workers", str(server.port), str(part)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        count -= part
    stand = 0
    for each in clients:
        assert each.stdout is not None
        stand += int(each.stdout.readline())
    taken = time.perf_counter() - started
    memory = (server.memory() - before) / stand
    for each in clients:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    alive = sum(int(each.communicate()[0]) for each in clients)
    name = f"idle connections with two workers: {stand:,}"
    print(
        f"{name:<48}{stand / taken:>12,.0f} {'/s':<10}{memory / 1024:>10.1f} KB each,"
        f" {alive:,} still answer"
    )
    return {"row": name, "octets": memory, "alive": alive}


def _idlers() -> None:
    """Connect so many clients that idle; say how many, and later how many still answer."""
    port, count = map(int, sys.argv[1:])
    clients = []
    for number in range(count):
        client = Client(port, b"idler%d" % (number % 100))
        client.command(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        client.wait(b"+ ")
        clients.append(client)
    print(len(clients), flush=True)
    sys.stdin.readline()
    alive = 0
    for client in clients:
        client.send(b"DONE\r\n")
        alive += client.wait(b"i OK") > 0
    print(alive, flush=True)


if __name__ == "__main__":
    _idlers()
