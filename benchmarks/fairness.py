"""What others notice while one client asks for much: how long a NOOP takes, and the longest turn.

And what a client costs that asks for everything and reads nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server
from benchmarks.resync import fill

__all__ = ["measure"]

_LETTER: Final = next(iter(letters(1)))
#: As many as the server takes in one APPEND.
_TOGETHER: Final = 200
#: Seconds between two NOOPs.
_PAUSE: Final = 0.004
#: Seconds in which a client reads nothing.
_STALLED: Final = 5.0


def measure(store: str, count: int) -> list[dict[str, object]]:
    """The rows of a mailbox with `count` messages."""
    server = Server(store)
    try:
        client = Client(server.port)
        fill(client, b"large", count)
        client.command(b"SELECT large")
        append = b"APPEND INBOX" + b" {%d+}\r\n%b" % (len(_LETTER), _LETTER) * _TOGETHER
        rows = [
            _beside(server, client, name, commands)
            for name, commands in (
                ("FETCH 1:* (BODY.PEEK[])", [b"FETCH 1:* (BODY.PEEK[])"]),
                ("FETCH 1:* (ENVELOPE)", [b"FETCH 1:* (ENVELOPE)"]),
                ("SEARCH BODY", [b"SEARCH BODY nothing-of-the-kind"]),
                ("THREAD", [b"THREAD REFERENCES UTF-8 ALL"]),
                ("APPEND of 1,000 messages", [append] * (1_000 // _TOGETHER)),
            )
        ]
        return [*rows, _unread(server)]
    finally:
        server.close()


def _beside(
    server: Server, client: Client, name: str, commands: Sequence[bytes]
) -> dict[str, object]:
    other = Client(server.port)
    taken: list[float] = []
    server.ask(b"beat")
    working = threading.Thread(target=lambda: [client.command(each) for each in commands])
    working.start()
    while working.is_alive():
        started = time.perf_counter()
        other.command(b"NOOP")
        taken.append((time.perf_counter() - started) * 1000)
        time.sleep(_PAUSE)
    working.join()
    longest = server.ask()[1] * 1000
    taken.sort()
    late = taken[int(len(taken) * 0.99)]
    print(f"NOOP beside {name:<36}{late:>12,.1f} {'ms (99 %)':<10}{'':>13}{longest:>10.1f} ms")
    return {"row": f"NOOP beside {name}", "ms": late, "longest_turn_ms": longest}


def _unread(server: Server) -> dict[str, object]:
    client = Client(server.port)
    client.command(b"SELECT large")
    before = server.ask(b"memory")[2]
    client.send(b"".join(b"u%d FETCH 1:* (BODY.PEEK[])\r\n" % number for number in range(100)))
    time.sleep(_STALLED)
    grown = server.ask(b"memory")[2] - before
    name = "memory of a client that reads nothing"
    print(f"{name:<48}{grown / 1024:>12,.1f} KB")
    return {"row": name, "octets": grown}
