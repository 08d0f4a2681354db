"""Words of messages: without an index, while it is made, with it at first and again; how large it is.

The mail is written as files that the server adopts, so the store must be a Maildir.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from pathlib import Path
from typing import Final

from benchmarks.corpus import COMMON, RARE, prose
from benchmarks.measuring import Client, Server

__all__ = ["measure"]

#: Without an index each is asked for in a process of its own.
_SEARCHES: Final = tuple(
    f"SEARCH {keys}".encode()
    for keys in (
        f"BODY {RARE}",
        f"TEXT {COMMON}",
        "BODY absent",
        f'BODY "{RARE} was here"',
        f'TEXT "the {COMMON}"',
        "BODY xylo",
        "HEADER X-Nothing here",
        f"NOT BODY {COMMON}",
    )
)
_UNINDEXED: Final = 2


def measure(store: str, count: int) -> list[dict[str, object]]:
    """The rows; a mailbox that has so many messages already is taken as it is."""
    kind, _, root = store.partition(":")
    if kind != "maildir":
        raise SystemExit("the mail is written as files: only the Maildir store can be measured")
    home = Path(root.replace("%u", "bench"))
    octets = _write(home, count)
    texts = home / "imapd" / "texts.sqlite"
    rows = _unindexed(store, texts)
    rows.append(_built(store, texts, count, octets))
    print(f"{'ms of server CPU, and of the longest turn':<44}{'after start':>16}{'again':>16}")
    for command in _SEARCHES:
        server = Server(store)
        try:
            client = Client(server.port)
            client.command(b"SELECT INBOX")
            first, again = (_cost(server, client, command) for _ in range(2))
        finally:
            server.close()
        name = command.decode()
        print(
            f"{name:<44}{first[0]:>9.2f}{first[1]:>7.1f}{again[0]:>9.2f}{again[1]:>7.1f}",
            flush=True,
        )
        rows.append({"row": name, "first_ms": first[0], "first_longest_turn_ms": first[1],
                     "again_ms": again[0], "again_longest_turn_ms": again[1]})  # fmt: skip
    return rows


def _write(home: Path, count: int) -> int:
    for part in ("cur", "new", "tmp"):
        (home / part).mkdir(parents=True, exist_ok=True)
    there = list((home / "cur").iterdir())
    if len(there) != count:
        for number, message in enumerate(prose(count)):
            (home / "cur" / f"{1_700_000_000 + number}.bench:2,").write_bytes(message)
        there = list((home / "cur").iterdir())
    octets = sum(path.stat().st_size for path in there)
    print(f"{count:,} messages, {octets / 1e6:,.0f} MB")
    return octets


def _cost(server: Server, client: Client, command: bytes) -> tuple[float, float]:
    before = server.ask(b"beat")[0]
    client.command(command)
    cpu, longest, _ = server.ask()
    return (cpu - before) * 1e3, longest * 1e3


def _unindexed(store: str, texts: Path) -> list[dict[str, object]]:
    """Nobody indexes while another process holds the lock."""
    texts.parent.mkdir(exist_ok=True)
    texts.unlink(missing_ok=True)
    rows: list[dict[str, object]] = []
    with open(f"{texts}-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in _SEARCHES[:_UNINDEXED]:
            server = Server(store)
            try:
                client = Client(server.port)
                client.command(b"SELECT INBOX")
                cpu, longest = _cost(server, client, command)
            finally:
                server.close()
            name = f"{command.decode()}, without an index"
            print(f"{name:<44}{cpu:>9,.0f} ms of CPU{longest:>8.1f} ms longest turn", flush=True)
            rows.append({"row": name, "ms": cpu, "longest_turn_ms": longest})
    return rows


def _built(store: str, texts: Path, count: int, octets: int) -> dict[str, object]:
    """Until all is indexed, while another session says NOOP."""
    server = Server(store)
    waits: list[float] = []
    try:
        client = Client(server.port)
        client.command(b"NOOP")
        before = server.ask(b"beat")[0]
        began = time.perf_counter()
        while _indexed(texts) < count:
            for _ in range(10):
                at = time.perf_counter()
                client.command(b"NOOP")
                waits.append((time.perf_counter() - at) * 1e3)
                time.sleep(0.01)
        seconds = time.perf_counter() - began
        cpu, longest, _ = server.ask()
    finally:
        server.close()
    size = texts.stat().st_size
    waits.sort()
    speed = octets / 1e6 / (cpu - before)
    worst = waits[len(waits) * 99 // 100]
    print(
        f"indexed in {seconds:.0f} s, {speed:.1f} MB for a second of CPU; {size / octets:.1%} of the"
        f" mail; longest turn {longest * 1e3:.1f} ms; NOOP meanwhile {waits[len(waits) // 2]:.2f} ms,"
        f" p99 {worst:.2f} ms"
    )
    return {"row": "indexing", "MB_per_cpu_second": speed, "seconds": seconds, "ratio": size / octets,
            "longest_turn_ms": longest * 1e3, "noop_p99_ms": worst}  # fmt: skip


def _indexed(texts: Path) -> int:
    if not texts.exists():
        return 0
    connection = sqlite3.connect(f"file:{texts}?mode=ro", uri=True)
    try:
        return int(
            connection.execute("SELECT coalesce(sum(messages), 0) FROM segments").fetchone()[0]
        )
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
