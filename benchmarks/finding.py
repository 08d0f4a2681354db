"""Finding, sorting, threading 100,000 messages: the first time ever, the first after a start, and again."""

from __future__ import annotations

from itertools import islice
from typing import Final

from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server
from imapd.model.dates import from_timestamp

__all__ = ["measure"]

_TOGETHER: Final = 200
#: INTERNALDATEs run over three years from 2022 on.
_FIRST: Final = 1_640_995_200
_SECONDS: Final = 3 * 365 * 86_400

#: Answers of many numbers, of few and of none.
_SEARCHES: Final = (
    b"SEARCH UNSEEN",
    b"UID SEARCH UNSEEN",
    b"SEARCH ALL",
    b"SEARCH FLAGGED",
    b"UID SEARCH UID 40000:60000 UNSEEN",
    b"SEARCH SINCE 1-Mar-2023 BEFORE 1-Apr-2023",
    b"SEARCH BEFORE 1-Jul-2023",
    b"SEARCH SENTSINCE 20-Mar-2024",
    b"SEARCH LARGER 900",
    b'SEARCH SUBJECT "budget train"',
    b"SEARCH SUBJECT holiday",
    b"SEARCH FROM dieter",
    b"SEARCH FROM bobbaker17@",
    b"SEARCH TO nobody@example.com",
    b"SEARCH HEADER Message-ID 4711.",
    b"SEARCH HEADER X-Mailer nobody",
    b"SEARCH OLDER 31536000",
    b'SEARCH FUZZY SUBJECT "budgt trains"',
    b"ESEARCH IN (personal) RETURN (COUNT) UNSEEN",
    b"SORT (REVERSE DATE) UTF-8 ALL",
    b"UID SORT (SUBJECT) UTF-8 ALL",
    b"SORT (SUBJECT REVERSE DATE) UTF-8 UNSEEN",
    b"UID SORT RETURN (PARTIAL 1:100) (DISPLAYFROM) UTF-8 ALL",
    b"THREAD REFERENCES UTF-8 ALL",
    b"UID THREAD REFERENCES UTF-8 ALL",
    b"UID THREAD REFS UTF-8 ALL",
    b"UID THREAD ORDEREDSUBJECT UTF-8 ALL",
    b"UID THREAD REFERENCES UTF-8 UNSEEN",
)


def measure(store: str, count: int) -> list[dict[str, object]]:
    """The rows; a mailbox that has so many messages already is taken as it is."""
    if store.startswith("memory"):
        raise SystemExit("a mailbox of the memory store does not outlive a start")
    server = Server(store)
    try:
        client = Client(server.port)
        if b"* %d EXISTS" % count not in client.answer(b"EXAMINE INBOX"):
            before = server.ask()[0]
            _load(client, count)
            each = (server.ask()[0] - before) / count * 1e6
            print(f"loaded {count:,} messages, {each:.0f} us of CPU each")
    finally:
        server.close()
    print(f"{'ms of server CPU, and of the longest turn':<44}{'first ever':>16}"
          f"{'after start':>16}{'again':>16}")  # fmt: skip
    return [_row(store, command) for command in _SEARCHES]


def _row(store: str, command: bytes) -> dict[str, object]:
    first, _ = _after_start(store, command)
    started, again = _after_start(store, command)
    columns = "".join(
        f"{cpu * 1e3:>9.2f}{turn * 1e3:>7.1f}" for cpu, turn in (first, started, again)
    )
    name = command.decode()
    print(f"{name:<44}{columns}", flush=True)
    names = ("first_ever", "after_start", "again")
    return {"row": name} | {
        f"{name}_{what}": value * 1e3
        for name, times in zip(names, (first, started, again))
        for what, value in zip(("ms", "longest_turn_ms"), times)
    }


def _after_start(store: str, command: bytes) -> tuple[tuple[float, float], tuple[float, float]]:
    """CPU and longest turn of the first time in a process, and of later times, the best of seven."""
    server = Server(store)
    try:
        client = Client(server.port)
        client.command(b"SELECT INBOX")
        first = _cost(server, client, command)
        times = [_cost(server, client, command) for _ in range(7)]
        again = min(cpu for cpu, _ in times), min(turn for _, turn in times)
    finally:
        server.close()
    return first, again


def _cost(server: Server, client: Client, command: bytes) -> tuple[float, float]:
    before = server.ask(b"beat")[0]
    client.command(command)
    cpu, longest, _ = server.ask()
    return cpu - before, longest


def _load(client: Client, count: int) -> None:
    mail = enumerate(letters(count))
    while batch := list(islice(mail, _TOGETHER)):
        parts = [b"t1 APPEND INBOX"]
        for number, message in batch:
            flags = b"" if number % 3 else b"\\Seen"
            if number % 100 == 0:
                flags += b" \\Flagged"
            date = from_timestamp(_FIRST + _SECONDS * number // count)
            parts.append(b' (%b) "%b" {%d+}\r\n%b' % (flags.strip(), date, len(message), message))
        client.send(b"".join([*parts, b"\r\n"]))
        client.wait(b"t1 OK")
