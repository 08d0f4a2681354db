"""An account of 1,000 mailboxes and 1,000,000 messages: what does not grow with it, and what does.

It is made by the store's own means, without a server; its messages are links to one file.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from benchmarks.measuring import Client, Server, row
from imapd.model.flags import interned
from imapd.model.quota import Allowance
from imapd.store.maildir import ceiling, namespace
from imapd.store.maildir.edit import Edit, Entry
from imapd.store.maildir.filename import FileName
from imapd.store.maildir.founding import opened
from imapd.store.maildir.index import Index
from imapd.store.maildir.tree import Tree, modified
from imapd.store.maildir.turn import transaction

__all__ = ["measure"]

_MAILBOXES: Final = 1_000
#: Messages of INBOX for one of any other mailbox.
_SHARE: Final = 111
_TOGETHER: Final = 10_000
#: Links to one file: fewer than file systems allow.
_LINKS: Final = 10_000
_OCTETS: Final = b"From: a@example.org\r\nSubject: large\r\n\r\nbody\r\n"
_DATE: Final = b"17-Jul-1996 02:44:25 -0700"
_IDLE: Final = 10.0


def measure(store: str, count: int) -> list[dict[str, object]]:
    """The rows, with `count` messages in INBOX and nine times as many in all others together."""
    if not store.startswith("maildir:"):
        raise SystemExit("it is about Maildirs")
    tree = Tree(store.removeprefix("maildir:").replace("%u", "bench"))
    _make(tree, count)
    # Words of the messages are not what is measured: no server is to index them.
    lock = os.open(tree.texts + "-lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        return _first(store, count) + _warm(store, count)
    finally:
        os.close(lock)


def _make(tree: Tree, count: int) -> None:
    began = time.perf_counter()
    presence = opened(tree.root, fs=False).presence
    index = Index(tree.index, wait=1.0, checkpoints=True)
    names = [f"lists/{number // 30}/{number}" for number in range(_MAILBOXES)]
    for name in names:
        if index.named(name) is None:
            namespace.create(index, tree, [], name, frozenset(), Allowance())
    for box in index.mailboxes():
        if not box.messages:
            _fill(tree, index, box.number, count if box.name == "INBOX" else count // _SHARE)
    index.checkpoint()
    (total,) = index.sql("SELECT sum(messages) FROM mailboxes").fetchone()
    mailboxes = len(index.mailboxes())
    index.close()
    presence.end()
    seconds = time.perf_counter() - began
    print(f"{mailboxes:,} mailboxes and {total:,} messages made in {seconds:.0f} s")


def _fill(tree: Tree, index: Index, number: int, count: int) -> None:
    seen, unseen = (index.flagsets.number(interned(each)) for each in (["\\Seen"], ["work"]))
    size = len(_OCTETS)
    for first in range(0, count, _TOGETHER):
        with transaction(index, tree, False) as turn:
            edit = Edit(turn, index.mailbox(number))
            directory = turn.touch(number)
            entries = []
            for place in range(first, min(first + _TOGETHER, count)):
                flags = unseen if place % 7 == 0 else seen
                uid = edit.take_uid()
                letters = index.flagsets.letters(flags)
                name = str(FileName(f"{place}.large", size, size, uid, letters))
                path = tree.file(directory, name)
                if place % _LINKS == 0:
                    source = path
                    Path(path).write_bytes(_OCTETS)
                else:
                    os.link(source, path)
                entries.append(Entry(uid, flags, size, _DATE, name, size, 0, os.urandom(16), None))
            edit.enter(entries)
            edit.finish()
            index.set_meta(f"facts/{number}", edit.uidnext - 1)
    directory = index.directory(number)
    index.sql(
        "UPDATE mailboxes SET tidied = modseq, new_stamp = ?, cur_stamp = ? WHERE number = ?",
        (modified(tree.part(directory, "new")), modified(tree.part(directory)), number),
    )
    assert ceiling.read(tree.folder(directory)) is not None


def _first(store: str, count: int) -> list[dict[str, object]]:
    """What a process does first, and the memory that it takes."""
    rows: list[dict[str, object]] = []
    for name, command in (
        ("LIST", b'LIST "" *'),
        (f"SELECT of {count // _SHARE:,}", b"SELECT lists/0/1"),
        (f"SELECT of {count:,}", b"SELECT INBOX"),
    ):
        times, grown = [], 0
        for _ in range(3):
            server = Server(store)
            try:
                client = Client(server.port)
                client.command(b"NOOP")
                memory, before = server.ask(b"memory")[2], server.quiet()
                client.command(command)
                times.append(server.ask()[0] - before)
                grown = server.ask(b"memory")[2] - memory
            finally:
                server.close()
        best = min(times)
        print(
            f"{name + ', the first after a start':<48}{1 / best:>12,.0f} {'op/s':<10}"
            f"{best * 1e6:>10.2f} us{grown / (1 << 20):>10.2f} MB"
        )
        rows.append({"row": name + ", first", "us": best * 1e6, "octets": grown})
    return rows


def _warm(store: str, count: int) -> list[dict[str, object]]:
    server = Server(store)
    try:
        client, other = Client(server.port), Client(server.port)
        commands = {
            "LIST of all": b'LIST "" *',
            "LIST RETURN (STATUS) of all": b'LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))',
            "STATUS of one": b"STATUS lists/0/1 (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ)",
            f"SELECT of {count:,}": b"SELECT INBOX",
            f"SELECT of {count // _SHARE:,}": b"SELECT lists/0/1",
            "NOOP": b"NOOP",
            "APPEND to another mailbox": b"APPEND lists/0/2 {4+}\r\ntest",
        }  # fmt: skip
        rows = [
            row(server, name, 1, "op", lambda command=command: client.command(command))
            for name, command in commands.items()
        ]
        client.send(b"i IDLE\r\n")
        client.wait(b"+ ")
        rows.append(_idle(server, "one idles, nothing happens", lambda: None))
        append = lambda: other.command(b"APPEND lists/0/3 {4+}\r\ntest")  # noqa: E731
        rows.append(_idle(server, "one idles, an APPEND a second elsewhere", append))
    finally:
        server.close()
    return rows


def _idle(server: Server, name: str, once: object) -> dict[str, object]:
    """CPU of a second."""
    before, end = server.quiet(), time.monotonic() + _IDLE
    while time.monotonic() < end:
        once()  # type: ignore[operator]
        time.sleep(1.0)
    each = (server.ask()[0] - before) / _IDLE
    print(f"{name:<48}{each * 1e3:>12,.2f} ms of CPU a second")
    return {"row": name, "us": each * 1e6}
