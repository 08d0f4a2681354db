"""Coming in and changing, a message or a command at a time: by the server's CPU for each.

What is done behind the answers is told apart: what the server still uses until it is quiet.
The messages are letters of 8 KB, the median of mail.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count, islice
from typing import Final

from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server, row
from imapd.mime.facts import facts

__all__ = ["measure"]

_OCTETS: Final = 8_192
_CLIENTS: Final = 8
_BOXES: Final = 100
#: Messages of a mailbox that is copied, moved, changed and expunged.
_MESSAGES: Final = 2_000
#: Of the mailboxes into which messages come: what one costs is not to hang on it.
_SMALL: Final = 2_000
_LARGE: Final = 20_000
_FIGURES: Final = b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"


def measure(store: str) -> list[dict[str, object]]:
    """The rows."""
    rows = _facts()
    for part in (_commands, _appends, _changes, _names):
        server = Server(store)
        try:
            rows += part(server)
        finally:
            server.close()
    return rows


def _letters(many: int, octets: int = _OCTETS) -> list[bytes]:
    return [_longer(letter, octets) for letter in islice(letters(many), many)]


def _longer(letter: bytes, octets: int) -> bytes:
    """With more of its own lines, up to so many octets."""
    header, _, body = letter.partition(b"\r\n\r\n")
    lines = (body or b"Yours.\r\n") * (octets // max(1, len(body)) + 1)
    return (header + b"\r\n\r\n" + lines)[: octets - 2] + b"\r\n"


def _facts() -> list[dict[str, object]]:
    """What is found out about a message at the door; of a longer one, in proportion."""
    rows: list[dict[str, object]] = []
    for octets in (_OCTETS, 16 * _OCTETS, 256 * _OCTETS):
        some = _letters(max(2, 200 * _OCTETS // octets), octets)
        best = float("inf")
        for _ in range(7):
            before = time.thread_time()
            for each in some:
                facts(each)
            best = min(best, (time.thread_time() - before) / len(some))
        name = f"facts of a message of {octets // 1024:,} KB"
        print(f"{name:<48}{1 / best:>12,.0f} {'msg/s':<10}{best * 1e6:>10.2f} us")
        rows.append({"row": name, "us": best * 1e6})
    return rows


def _commands(server: Server) -> list[dict[str, object]]:
    client = Client(server.port)
    pipelined = b"".join(b"n%d NOOP\r\n" % number for number in range(100))

    def log_in_and_out() -> None:
        for _ in range(50):
            Client(server.port).command(b"LOGOUT")

    def noops() -> None:
        for _ in range(1_000):
            client.command(b"NOOP")

    def together() -> None:
        for _ in range(20):
            client.send(pipelined)
            client.wait(b"n99 OK")

    return [
        row(server, "login and logout", 50, "op", log_in_and_out),
        row(server, "NOOP, one at a time", 1_000, "op", noops),
        row(server, "NOOP, a hundred in one write", 2_000, "op", together),
    ]


def _append(name: bytes, *messages: bytes) -> bytes:
    return b"APPEND %b" % name + b"".join(b" {%d+}\r\n%b" % (len(each), each) for each in messages)


def _filled(client: Client, name: bytes, many: int) -> None:
    """A mailbox with so many small messages."""
    client.command(b"CREATE %b" % name)
    client.command(_append(name, *_letters(min(many, 200), 1_024)))
    client.command(b"SELECT %b" % name)
    have = min(many, 200)
    while have < many:
        some = min(have, many - have)
        client.command(b"COPY 1:%d %b" % (some, name))
        have += some
    client.command(b"UNSELECT")


def _appends(server: Server) -> list[dict[str, object]]:
    some = _letters(100)
    clients = [Client(server.port, b"bench%d" % number) for number in range(_CLIENTS)]

    def one_by_one() -> None:
        for each in some[:20]:
            clients[0].command(_append(b"INBOX", each))

    def all_at_once() -> None:
        for each in some[:10]:
            for client in clients:
                client.send(b"t1 " + _append(b"INBOX", each) + b"\r\n")
            for client in clients:
                client.wait(b"t1 OK")

    rows = [
        row(server, "APPEND of 8 KB, one client", 20, "msg", one_by_one, settle=True),
        row(server, f"APPEND of 8 KB, {_CLIENTS} clients", 10 * _CLIENTS, "msg", all_at_once,
            settle=True),
    ]  # fmt: skip
    for size in (_SMALL, _LARGE):
        name = b"of%d" % size
        _filled(clients[0], name, size)
        rows.append(
            row(server, f"MULTIAPPEND of 100, 8 KB, to {size:,}", 100, "msg",
                lambda name=name: clients[0].command(_append(name, *some)), settle=True)
        )  # fmt: skip
    return rows


def _changes(server: Server) -> list[dict[str, object]]:
    client = Client(server.port)
    _filled(client, b"source", _MESSAGES)
    client.command(b"SELECT source")
    numbers = count()
    place: list[bytes] = []

    def single() -> None:
        for number in range(0, _MESSAGES, _MESSAGES // 50):
            for sign in (b"+", b"-"):
                client.command(b"STORE %d %bFLAGS (\\Flagged)" % (number + 1, sign))

    def every() -> None:
        for sign in (b"+", b"-"):
            client.command(b"STORE 1:* %bFLAGS (\\Draft)" % sign)

    def warm() -> None:
        for _ in range(20):
            client.command(b"SELECT INBOX")
            client.command(b"SELECT source")

    def there(*then: bytes) -> Callable[[], None]:
        """Another mailbox with all of it, selected; and `here`, an empty one."""

        def prepare() -> None:
            number = next(numbers)
            for name in (b"there%d", b"here%d"):
                client.command(b"CREATE " + name % number)
            if then:
                client.command(b"SELECT source")
                client.command(b"COPY 1:* there%d" % number)
                client.command(b"SELECT there%d" % number)
                for command in then:
                    client.command(command)
            place[:] = [b"here%d" % number]

        return prepare

    deleted = b"STORE 1:* +FLAGS.SILENT (\\Deleted)"
    return [
        row(server, "STORE of one message", 100, "msg", single, settle=True),
        row(server, "STORE 1:*", 2 * _MESSAGES, "msg", every, settle=True),
        row(server, "SELECT, warm", 40, "op", warm),
        row(server, "COPY 1:*", _MESSAGES, "msg", lambda: client.command(b"COPY 1:* " + place[0]),
            ready=there(), settle=True),
        row(server, "MOVE 1:*", _MESSAGES, "msg", lambda: client.command(b"MOVE 1:* " + place[0]),
            ready=there(b"NOOP"), settle=True),
        row(server, "EXPUNGE of all", _MESSAGES, "msg", lambda: client.command(b"EXPUNGE"),
            ready=there(deleted), settle=True),
    ]  # fmt: skip


def _names(server: Server) -> list[dict[str, object]]:
    client = Client(server.port, b"names")
    some = _letters(20, 1_024)
    for number in range(_BOXES):
        client.command(b"CREATE box%03d" % number)
        if number % 10 == 0:
            client.command(_append(b"box%03d" % number, *some))
    figures = b"".join(b"s%d STATUS box%03d %b\r\n" % (n, n, _FIGURES) for n in range(_BOXES))

    def status() -> None:
        client.send(figures)
        client.wait(b"s%d OK" % (_BOXES - 1))

    return [
        row(server, f"STATUS of {_BOXES} mailboxes in one write", _BOXES, "mailbox", status),
        row(server, "LIST", _BOXES, "mailbox", lambda: client.command(b'LIST "" *')),
        row(server, "LIST RETURN (STATUS)", _BOXES, "mailbox",
            lambda: client.command(b'LIST "" * RETURN (STATUS %b)' % _FIGURES)),
    ]  # fmt: skip
