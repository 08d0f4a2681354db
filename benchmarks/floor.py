"""How far imapd is above the least that a server on Twisted, SQLite and files can cost.

The same commands are given to imapd and to `benchmarks.bare`, which does nothing but what it cannot do
without: that much is the floor, whatever is done in Python above it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from itertools import islice

from benchmarks.bare import BOXES, MESSAGES
from benchmarks.corpus import letters
from benchmarks.measuring import Client, Measured, Server

__all__ = ["measure"]

_FIGURES = b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
_FIELDS = b"(FROM TO SUBJECT DATE MESSAGE-ID)"
_RUNS = 7

#: How many operations, and what does them.
_Work = tuple[int, Callable[[], object]]


def measure(store: str, beside: Mapping[str, Measured]) -> list[dict[str, object]]:
    """The rows, by microseconds of CPU for one operation: the floor, imapd, and others beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        servers: dict[str, Measured] = {
            "floor": Server(f"{scratch}/bare", "benchmarks.bare"), "imapd": Server(store), **beside,
        }  # fmt: skip
        try:
            works = {}
            for name, server in servers.items():
                client = Client(server.port)
                if name != "floor":
                    _prepare(client)
                works[name] = _works(server, client)
            print(f"{'row':<48}" + "".join(f"{name:>12}" for name in servers))
            return [_row(name, servers, works) for name in works["floor"]]
        finally:
            for server in servers.values():
                server.close()


def _row(
    name: str, servers: Mapping[str, Measured], works: Mapping[str, Mapping[str, _Work]]
) -> dict[str, object]:
    best = dict.fromkeys(servers, float("inf"))
    for _ in range(_RUNS):
        for which, server in servers.items():
            count, work = works[which][name]
            before = server.quiet()
            work()
            best[which] = min(best[which], (server.used() - before) / count * 1e6)
    print(f"{name:<48}" + "".join(f"{each:>12.2f}" for each in best.values()), flush=True)
    return {"row": name, **best, "us": best["imapd"]}


def _prepare(client: Client) -> None:
    """What `benchmarks.bare` has from the start."""
    if b"* LIST" in client.answer(b'LIST "" box*'):
        return
    for number in range(BOXES):
        client.command(b"CREATE box%03d" % number)
    client.command(b"CREATE big")
    mail = islice(letters(MESSAGES), MESSAGES)
    while batch := list(islice(mail, 100)):
        client.command(_append(b"big", batch))


def _append(name: bytes, messages: list[bytes]) -> bytes:
    return b"APPEND %b" % name + b"".join(b" {%d+}\r\n%b" % (len(each), each) for each in messages)


def _works(server: Measured, client: Client) -> dict[str, _Work]:
    """By name."""
    some = list(islice(letters(100, seed=2), 100))
    noops = b"".join(b"n%d NOOP\r\n" % number for number in range(100))
    figures = b"".join(
        b"n%d STATUS box%03d %b\r\n" % (number, number, _FIGURES) for number in range(BOXES)
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
        "LIST with STATUS of 100 mailboxes, each": (
            20 * BOXES, each(20, lambda _: b'LIST "" * RETURN (STATUS %b)' % _FIGURES)),
        "APPEND": (100, each(100, lambda number: _append(b"INBOX", [some[number]]))),
        "APPEND of 100, each": (200, each(2, lambda _: _append(b"INBOX", some))),
        "SELECT": (100, each(100, lambda _: b"SELECT big")),
        "NOOP, selected": (1_000, each(1_000, lambda _: b"NOOP")),
        "FETCH CHANGEDSINCE, nothing changed": (
            200, each(200, lambda _: b"FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % (1 << 40))),
        "FETCH BODYSTRUCTURE, a message": (
            MESSAGES, each(1, lambda _: b"FETCH 1:%d BODYSTRUCTURE" % MESSAGES)),
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
