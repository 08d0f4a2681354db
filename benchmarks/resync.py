"""Coming back to mailboxes of two sizes (RFC 7162): the work is that of the changes, not of the mailbox.

As many messages have changed in both, and then 1 % of each.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server, row

__all__ = ["fill", "measure"]

#: Messages that are appended; the rest are copies of them.
_APPENDED: Final = 1_000
_TOGETHER: Final = 200


def measure(store: str, count: int) -> list[dict[str, object]]:
    """The rows of a mailbox with a tenth of `count` messages, and of one with `count`."""
    rows: list[dict[str, object]] = []
    for size in (count // 10, count):
        server = Server(store)
        try:
            client = Client(server.port)
            client.command(b"ENABLE QRESYNC")
            fill(client, b"of%d" % size, size)
            for changes in sorted({count // 1_000, size // 100}):
                rows += _away(server, client, size, changes)
        finally:
            server.close()
        if not store.startswith("memory"):
            rows.append(_first(store, size))
    return rows


def fill(client: Client, name: bytes, size: int) -> None:
    """A mailbox of so many messages."""
    client.command(b"CREATE %b" % name)
    client.command(b"CREATE source%d" % size)
    mail = iter(letters(_APPENDED))
    while batch := list(islice(mail, _TOGETHER)):
        parts = [b" (\\Seen) {%d+}\r\n%b" % (len(each), each) for each in batch]
        client.command(b"APPEND source%d" % size + b"".join(parts))
    client.command(b"SELECT source%d" % size)
    for _ in range(size // _APPENDED):
        client.command(b"COPY 1:* %b" % name)


def _away(server: Server, client: Client, size: int, changes: int) -> list[dict[str, object]]:
    """What a client asks for that was away while so many flags changed."""
    answer = client.answer(b"SELECT of%d" % size)
    validity = re.search(rb"UIDVALIDITY (\d+)", answer)
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", answer)
    assert validity is not None
    assert modseq is not None
    changed = b",".join(b"%d" % number for number in range(1, size, size // changes))
    for change in (b"+", b"-"):
        client.command(b"STORE %b %bFLAGS.SILENT (\\Answered)" % (changed, change))
    since = b"FETCH 1:* (FLAGS) (CHANGEDSINCE %b)" % modseq[1]
    select = b"SELECT of%d (QRESYNC (%b %b))" % (size, validity[1], modseq[1])
    of = f"{changes:,} of {size:,} changed"
    return [
        row(server, f"FETCH CHANGEDSINCE, {of}", 1, "op", lambda: client.command(since)),
        row(server, f"SELECT QRESYNC, {of}", 1, "op", lambda: client.command(select)),
    ]


def _first(store: str, size: int) -> dict[str, object]:
    """The first SELECT of a mailbox in a process."""
    times = []
    for _ in range(3):
        server = Server(store)
        try:
            client = Client(server.port)
            client.command(b"NOOP")
            before = server.ask()[0]
            client.command(b"SELECT of%d" % size)
            times.append(server.ask()[0] - before)
        finally:
            server.close()
    name = f"SELECT of {size:,}, the first after a start"
    print(f"{name:<48}{1 / min(times):>12,.0f} {'op/s':<10}{min(times) * 1e6:>10.2f} us")
    return {"row": name, "us": min(times) * 1e6}
