"""Rows of work that mail clients do, by the server's CPU: ``python -m benchmarks [--store NAME:ARG]``.

``python -m benchmarks door`` has those of messages that come in and are changed,
``python -m benchmarks finding`` those of SEARCH in a mailbox of 100,000 messages,
``python -m benchmarks floor`` how far some rows are above what Twisted, SQLite and files cost,
``python -m benchmarks fairness`` what others notice while one client asks for all of such a mailbox,
``python -m benchmarks resync`` those of a client that comes back to such a mailbox,
``python -m benchmarks large`` those of an account of 1,000 mailboxes and 1,000,000 messages,
``python -m benchmarks texts`` those for words of messages (32,000 of them are 1 GB),
``python -m benchmarks workers`` those of several processes; of 20,000 connections some idle.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks import door, fairness, finding, floor, large, resync, texts, workers
from benchmarks.comparing import compare, pace, stored
from benchmarks.corpus import messages
from benchmarks.measuring import Beside, Client, Measured, Server, row

_MESSAGES = 10_000
_IDLERS = 500
_WOKEN = 1_000
_MAILBOXES = {
    "fairness": fairness.measure,
    "finding": finding.measure,
    "large": large.measure,
    "resync": resync.measure,
    "texts": texts.measure,
    "workers": lambda store, idlers: workers.measure(store, min(idlers, 20_000)),
}


def _load(client: Client) -> None:
    """Messages by the hundred; each third is unseen."""
    mail = enumerate(messages(_MESSAGES))
    while batch := list(islice(mail, 100)):
        parts = [
            b" %b {%d+}\r\n%b" % (b"(\\Seen)" if number % 3 else b"()", len(message), message)
            for number, message in batch
        ]
        client.command(b"APPEND INBOX" + b"".join(parts))


def _beside(argument: str) -> tuple[str, Measured]:
    name, _, place = argument.partition("=")
    port, _, pid = place.partition(":")
    return name, Beside(int(port), int(pid))


def main() -> None:
    """Print the table; with --json write it too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("all", "door", "floor", *_MAILBOXES), default="all"
    )
    parser.add_argument(
        "--store",
        default="maildir",
        help="memory: or maildir:DIR/%%u; maildir alone is in a scratch folder",
    )
    parser.add_argument(
        "--messages", type=int, default=100_000, help="in the mailbox, if it is not all"
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME=PORT:PID",
        help="of floor: another server on this machine, where bench may log in with testpass",
    )
    parser.add_argument("--json", type=Path, help="where to store what was measured")
    parser.add_argument("--compare", type=Path, help="what was stored so, to be shown beside it")
    options = parser.parse_args()
    earlier = None if options.compare is None else stored(options.compare)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with tempfile.TemporaryDirectory() as scratch:
        store = f"maildir:{scratch}/%u" if options.store == "maildir" else options.store
        large = _MAILBOXES.get(options.what)
        if options.what == "floor":
            rows = floor.measure(store, dict(map(_beside, options.beside)))
        elif large is not None:
            rows = large(store, options.messages)
        else:
            rows = door.measure(store) if options.what == "door" else _all(store)
    run = {"store": options.store, "pace_ms": pace(), "rows": rows}
    if earlier is not None:
        print(*compare(earlier, run), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(run, indent=1) + "\n")


def _all(store: str) -> list[dict[str, object]]:
    rows = door.measure(store)
    for measure in (
        _measure,
        lambda server: [_idle(server)],
        lambda server: [_wakes(server)],
    ):
        server = Server(store)
        try:
            rows += measure(server)
        finally:
            server.close()
    return rows


def _measure(server: Server) -> list[dict[str, object]]:
    client = Client(server.port)
    started = time.perf_counter()
    before = server.ask()[0]
    _load(client)
    cpu = server.ask()[0] - before
    seconds = time.perf_counter() - started
    print(
        f"loaded {_MESSAGES:,} messages in {seconds:.1f} s, {cpu / _MESSAGES * 1e6:.0f} us of CPU each"
    )
    print(f"{'row':<48}{'by server CPU':>12} {'':<10}{'each':>13}{'longest turn':>13}")
    client.command(b"SELECT INBOX")

    def noops() -> None:
        for _ in range(5000):
            client.command(b"NOOP")

    rows = [
        row(server, "FETCH 1:* (UID FLAGS)", _MESSAGES, "msg",
             lambda: client.command(b"FETCH 1:* (UID FLAGS)")),
        row(server, "FETCH 1:* (ENVELOPE INTERNALDATE RFC822.SIZE)", _MESSAGES, "msg",
             lambda: client.command(b"FETCH 1:* (ENVELOPE INTERNALDATE RFC822.SIZE)")),
        row(server, "FETCH 1:* (BODYSTRUCTURE)", _MESSAGES, "msg",
             lambda: client.command(b"FETCH 1:* (BODYSTRUCTURE)")),
        row(server, "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (...)])", _MESSAGES, "msg",
             lambda: client.command(
                 b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])")),
        row(server, "FETCH 1:2000 (BODY.PEEK[])", 2000, "msg",
             lambda: client.command(b"FETCH 1:2000 (BODY.PEEK[])")),
        row(server, "STORE 1:* +FLAGS.SILENT, then -FLAGS.SILENT", 2 * _MESSAGES, "msg",
             lambda: (client.command(b"STORE 1:* +FLAGS.SILENT (\\Flagged)"),
                      client.command(b"STORE 1:* -FLAGS.SILENT (\\Flagged)"))),
        row(server, "SEARCH UNSEEN", 1, "op", lambda: client.command(b"SEARCH UNSEEN")),
        row(server, "SEARCH SINCE 1-Jan-2020 BEFORE 1-Jan-2021", 1, "op",
             lambda: client.command(b"SEARCH SINCE 1-Jan-2020 BEFORE 1-Jan-2021")),
        row(server, "SELECT of the 10,000", 1, "op", lambda: client.command(b"SELECT INBOX")),
        row(server, "NOOP, selected, one at a time", 5000, "op", noops),
    ]  # fmt: skip
    rows += _resync(server, client)
    client.command(b"UNSELECT")
    rows.append(row(server, "NOOP, one at a time", 5000, "op", noops))
    return rows


def _resync(server: Server, client: Client) -> list[dict[str, object]]:
    """What a client that was away asks for, after the flags of 1 % changed."""
    client.command(b"ENABLE QRESYNC")
    answer = client.answer(b"SELECT INBOX")
    validity = re.search(rb"UIDVALIDITY (\d+)", answer)
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", answer)
    assert validity is not None
    assert modseq is not None
    changed = b",".join(b"%d" % number for number in range(1, _MESSAGES, 100))
    client.command(b"STORE %b +FLAGS.SILENT (\\Answered)" % changed)
    since = b"FETCH 1:* (FLAGS) (CHANGEDSINCE %b)" % modseq[1]
    select = b"SELECT INBOX (QRESYNC (%b %b))" % (validity[1], modseq[1])
    return [
        row(server, "FETCH CHANGEDSINCE, 1 % changed", 1, "op", lambda: client.command(since)),
        row(server, "SELECT QRESYNC, 1 % changed", 1, "op", lambda: client.command(select)),
    ]


def _wakes(server: Server) -> dict[str, object]:
    """From a message's coming in to the last of many idlers having been told, and the CPU of all that."""
    writer = Client(server.port)
    writer.command(b"NOOP")
    idlers = [Client(server.port) for _ in range(_WOKEN)]
    for idler in idlers:
        idler.command(b"SELECT INBOX")
        idler.send(b"i IDLE\r\n")
        idler.wait(b"+ ")
    cpu = slowest = float("inf")
    longest = 0.0
    for number in range(5):
        if number == 4:
            server.ask(b"beat")
        before = 0.0 if number == 4 else server.ask()[0]
        started = time.perf_counter()
        writer.send(b"a APPEND INBOX {4+}\r\ntest\r\n")
        for idler in idlers:
            idler.wait(b"EXISTS")
        taken = time.perf_counter() - started
        writer.wait(b"a OK")
        if number == 4:
            longest = server.ask()[1]
        else:
            cpu = min(cpu, server.ask()[0] - before)
            slowest = min(slowest, taken)
    each = f"{cpu / _WOKEN * 1e6:>10.2f} us{longest * 1000:>10.1f} ms"
    name = f"APPEND to EXISTS at {_WOKEN:,} idlers"
    print(f"{name:<48}{slowest * 1000:>12,.1f} {'ms to all':<10}{each}")
    return {
        "row": name,
        "ms": slowest * 1000,
        "us": cpu / _WOKEN * 1e6,
        "longest_turn_ms": longest * 1000,
    }


def _idle(server: Server) -> dict[str, object]:
    """Memory of an idle connection, where others use what the start has left free."""
    first = Client(server.port)
    first.send(b"a APPEND INBOX {4+}\r\ntest\r\n")
    first.wait(b"a OK")
    idlers = _idlers(server)
    before = server.ask(b"memory")[2]
    idlers += _idlers(server)
    each = (server.ask(b"memory")[2] - before) / _IDLERS
    print(f"{'memory of an idle connection, INBOX selected':<48}{each / 1024:>12,.1f} KB")
    return {"row": "idle connection", "octets": each}


def _idlers(server: Server) -> list[Client]:
    idlers = [Client(server.port) for _ in range(_IDLERS)]
    for idler in idlers:
        idler.command(b"SELECT INBOX")
        idler.send(b"i IDLE\r\n")
        idler.wait(b"+ ")
    return idlers


if __name__ == "__main__":
    main()
