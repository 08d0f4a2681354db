"""ID, from octets to octets (RFC 2971)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from tests.dialogue import Dialogue, Server, same

STRANGER = '* ID ("name" "imapd")'


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the server logs."""
    said: list[str] = []

    def observe(event: LogEvent) -> None:
        said.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield said
    globalLogPublisher.removeObserver(observe)


def _clients(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("client: ")]


def test_advertised(server: Server) -> None:
    """ID is in the list before and after log-in (3)."""
    client = server.connect()
    assert b" ID " in client.greeting or b" ID]" in client.greeting
    assert "ID" in client.log_in().command("CAPABILITY")[0].split()


def test_before_login(server: Server) -> None:
    """It is good in every state; a stranger is not told the version (3.1, 7)."""
    client = server.connect()
    same(client.do('ID ("name" "sodr" "version" "19.34")'), STRANGER, "a OK ID completed")


def test_after_login(server: Server) -> None:
    """A user is told the name and version (3.2)."""
    known = f'* ID ("name" "imapd" "version" "{version("imapd")}")'
    client = server.client()
    same(client.do("ID NIL"), known, "a OK ID completed")
    same(client.select().do("ID NIL"), known, "a OK ID completed")


@pytest.mark.parametrize(
    "arguments",
    [
        "NIL",
        "nil",
        "()",
        '("name" NIL)',
        '("name" "x" "version" NIL "os" "y")',
        '("NAME" "x")',
        '("x-anything" "y")',
        '("" "")',
        '("name" "x" "name" "y")',
        '( "name" "x" )',
        '("name" "\\"quoted\\" \\\\")',
        "(" + " ".join(f'"field{number}" "{"v" * 100}"' for number in range(60)) + ")",
        '("' + "n" * 40 + '" "' + "v" * 2_000 + '")',
    ],
)
def test_good(server: Server, arguments: str) -> None:
    """Lists, empty lists and NIL are taken, in all sizes that clients send (3.1)."""
    same(server.connect().do(f"ID {arguments}"), STRANGER, "a OK ID completed")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        " ",
        ' "name" "x"',
        ' ("name")',
        ' ("name" "x" "version")',
        " (name x)",
        ' (NIL "x")',
        ' ("name" x)',
        ' ("name" "x"',
        ' ("name" ("x"))',
        " NIL NIL",
        " NILS",
    ],
)
def test_bad(server: Server, arguments: str) -> None:
    """Anything else is BAD (3.1)."""
    assert server.connect().do(f"ID{arguments}").startswith(b"a BAD ")


def test_literals(server: Server) -> None:
    """Fields and values may be literals (4: string)."""
    client = server.connect()
    assert client.send(b"a ID ({4+}\r\nname {4}\r\n").startswith(b"+ ")
    same(client.send(b"s\r\nr)\r\n"), STRANGER, "a OK ID completed")


def test_thirty_kilobytes(server: Server) -> None:
    """A huge list is refused before log-in, taken afterwards, and the connection goes on."""
    huge = '("arguments" "' + "x" * 30_000 + '")'
    client = server.connect()
    same(client.do(f"ID {huge}"), "a BAD [TOOBIG] The command is too long")
    assert client.log_in().command(f"ID {huge}")[-1] == "a OK ID completed"


def test_logged(server: Server, lines: list[str]) -> None:
    """What a client is stands in the log when it logs in (7)."""
    client = server.connect()
    client.do('ID ("name" "sodr" "version" "19.34" "os" "PLAN9" "address" "Street 1")')
    assert _clients(lines) == []
    client.log_in()
    assert _clients(lines) == ["client: user='alice' name='sodr' version='19.34' os='PLAN9'"]


def test_logged_afterwards(server: Server, lines: list[str]) -> None:
    """So it does when it says it later."""
    server.client().do('ID ("name" "sodr")')
    assert _clients(lines) == ["client: user='alice' name='sodr'"]


def test_garbage_is_not_logged(server: Server, lines: list[str]) -> None:
    """Strangers cannot fill the log, and nobody can forge its lines (7)."""
    for _ in range(3):
        server.connect().do('ID ("name" "' + "x" * 10_000 + '")')
    assert _clients(lines) == []
    client: Dialogue = server.client()
    client.send(b'a ID ("name" {200}\r\n')
    client.send(b"x\r\nclient: user='root'\r\n" + b"y" * 176 + b")\r\n")
    assert _clients(lines) == [
        "client: user='alice' name=\"x\\r\\nclient: user='root'\\r\\nyyyyyyyyyyyyyyyy\""
    ]


def test_changes_nothing(server: Server) -> None:
    """Who a client says it is makes no difference (3)."""
    one, two = server.connect(), server.connect()
    one.do('ID ("name" "iPhone Mail")')
    told: list[Any] = [client.command("CAPABILITY") for client in (one, two)]
    assert told[0] == told[1]
