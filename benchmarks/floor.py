"""How far imapd is above the least that a server on Twisted, SQLite and files can cost.

The same commands are given to imapd and to `benchmarks.bare`, which does nothing but what it cannot do
without: that much is the floor, whatever is done in Python above it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import islice

from benchmarks.bare import BOXES, MESSAGES
from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server

__all__ = ["measure"]

_FIELDS = b"(FROM TO SUBJECT DATE MESSAGE-ID)"
_RUNS = 7


def measure(store: str) -> list[dict[str, object]]:
    """The rows, by microseconds of CPU for one operation: the floor, and imapd."""
    with tempfile.TemporaryDirectory() as scratch:
        servers = Server(f"{scratch}/bare", "benchmarks.bare"), Server(store)
        try:
            clients = [Client(server.port) for server in servers]
            _prepare(clients[1])
            print(f"{'row':<48}{'floor':>10}{'imapd':>10}{'':>8}")
            rows = []
            works = [_works(server, client) for server, client in zip(servers, clients)]
            for name, (count, _) in works[0].items():
                best = [float("inf")] * 2
                for _ in range(_RUNS):
                    for which, server in enumerate(servers):
                        before = server.quiet()
                        works[which][name][1]()
                        best[which] = min(best[which], (server.ask()[0] - before) / count * 1e6)
                print(
                    f"{name:<48}{best[0]:>10.2f}{best[1]:>10.2f}{best[1] / best[0]:>7.1f}x",
                    flush=True,
                )
                rows.append({"row": name, "floor": best[0], "us": best[1]})
            return rows
        finally:
            for server in servers:
                server.close()


def _prepare(client: Client) -> None:
    """What `benchmarks.bare` has from the start."""
    for number in range(BOXES):
        client.command(b"CREATE box%03d" % number)
    client.command(b"CREATE big")
    mail = islice(letters(MESSAGES), MESSAGES)
    while batch := list(islice(mail, 100)):
        client.command(_append(b"big", batch))


def _append(name: bytes, messages: list[bytes]) -> bytes:
    return b"APPEND %b" % name + b"".join(b" {%d+}\r\n%b" % (len(each), each) for each in messages)


def _works(server: Server, client: Client) -> dict[str, tuple[int, Callable[[], object]]]:
    """By name: how many operations, and what does them."""
    some = list(islice(letters(100, seed=2), 100))
    noops = b"".join(b"n%d NOOP\r\n" % number for number in range(100))
    figures = b"".join(
        b"n%d STATUS box%03d (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\r\n" % (number, number)
        for number in range(BOXES)
    )

    def each(many: int, command: Callable[[int], bytes]) -> Callable[[], None]:
        def work() -> None:
            for number in range(many):
                client.command(command(number))

        return work

    def together(commands: bytes) -> Callable[[], None]:
        def work() -> None:
            for _ in range(20):
                client.send(commands)
                client.wait(b"n99 OK")

        return work

    def log_in_and_out() -> None:
        for _ in range(50):
            Client(server.port).command(b"LOGOUT")

    return {
        "login and logout": (50, log_in_and_out),
        "NOOP, one at a time": (1_000, each(1_000, lambda _: b"NOOP")),
        "NOOP, a hundred in one write": (2_000, together(noops)),
        "STATUS of 100 mailboxes in one write": (20 * BOXES, together(figures)),
        "LIST of 100 mailboxes, each": (20 * BOXES, each(20, lambda _: b'LIST "" *')),
        "APPEND": (100, each(100, lambda number: _append(b"INBOX", [some[number]]))),
        "APPEND of 100, each": (200, each(2, lambda _: _append(b"INBOX", some))),
        "SELECT": (100, each(100, lambda _: b"SELECT big")),
        "NOOP, selected": (1_000, each(1_000, lambda _: b"NOOP")),
        "FETCH of five header fields, a message": (
            MESSAGES, each(1, lambda _: b"FETCH 1:%d (BODY.PEEK[HEADER.FIELDS %b])" % (MESSAGES, _FIELDS))),
        "FETCH BODY[] of one": (
            200, each(200, lambda number: b"FETCH %d BODY.PEEK[]" % (number * 7 + 1))),
        "FETCH BODY[] of all, a message": (
            MESSAGES, each(1, lambda _: b"FETCH 1:%d BODY.PEEK[]" % MESSAGES)),
        "STORE of one": (
            100, each(100, lambda number: b"STORE %d %bFLAGS (\\Flagged)" % (
                number // 2 + 1, b"-" if number % 2 else b"+"))),
        "STORE of all, a message": (
            2 * MESSAGES, each(2, lambda number: b"STORE 1:%d %bFLAGS (\\Draft)" % (
                MESSAGES, b"-" if number else b"+"))),
    }  # fmt: skip
