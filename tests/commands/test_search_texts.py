"""Searches for what messages say: the same answers while an index is made behind them, and after."""

from __future__ import annotations

import random
import re

import pytest

from tests.dialogue import Dialogue, Server, letter

_WORDS = (
    "deadline", "dead", "line", "meeting", "caf\u00e9", "\u65e5\u672c\u8a9e", "x1", "a-b", "q" * 40,
)  # fmt: skip
_STRINGS = (
    "deadline", "adl", "dead line", "line dead", "caf", "CAF\u00c9 ", "\u672c", "\u65e5\u672c",
    "1 a", "-", "b.", "q" * 33, "qqq\r\n", "nowhere", "meeting a-b", "subject", "hello1",
)  # fmt: skip


def _letters(source: random.Random, count: int) -> list[tuple[str, str]]:
    """Subjects and bodies."""
    letters = []
    for _ in range(count):
        words = source.choices(_WORDS, k=source.randrange(6))
        body = source.choice((" ", "\r\n", ". ")).join(words) + ".\r\n"
        letters.append((f"hello{source.randrange(20)}", body))
    return letters


def _found(client: Dialogue, keys: str, string: str) -> list[int]:
    octets = string.encode("utf-8")
    answer = client.ok(f"SEARCH CHARSET UTF-8 {keys} {{{len(octets)}+}}\r\n".encode() + octets)
    found = re.search(rb"\* SEARCH([ 0-9]*)\r\n", answer)
    assert found is not None
    return [int(number) for number in found[1].split()]


def _check(client: Dialogue, letters: list[tuple[str, str]]) -> None:
    for string in _STRINGS:
        said = string.lower().replace("\u00e9", "e\u0301")
        bodies = [body.replace("\u00e9", "e\u0301") for _, body in letters]
        headers = [f"subject: {subject}\r\nfrom" for subject, _ in letters]
        in_body = [number for number, body in enumerate(bodies, 1) if said in body]
        assert _found(client, "BODY", string) == in_body, string
        everything = list(range(1, len(letters) + 1))
        assert _found(client, "NOT BODY", string) == [n for n in everything if n not in in_body], (
            string
        )
        if string in ("subject", "hello1", "deadline", "adl", "nowhere"):
            in_text = [n for n in everything if n in in_body or said in headers[n - 1]]
            assert _found(client, "TEXT", string) == in_text, string
            named = [n for n in everything if said in letters[n - 1][0]]
            assert _found(client, "HEADER Subject", string) == named, string


@pytest.mark.parametrize("seed", range(3))
def test_while_and_after(anywhere: Server, seed: int) -> None:
    """Messages come and go, some are indexed and some are not: each search finds what is there."""
    source = random.Random(seed)
    client = anywhere.client(select="INBOX")
    there: list[tuple[str, str]] = []
    for _ in range(3):
        for subject, body in _letters(source, 12):
            client.append(letter(subject, body, "Content-Type: text/plain; charset=utf-8"))
            there.append((subject, body))
        _check(client, there)
        for _ in range(source.choice((0, 12))):
            anywhere.advance(1)
        client.command("NOOP")
        _check(client, there)
        gone = sorted(source.sample(range(len(there)), k=6))
        numbers = ",".join(str(place + 1) for place in gone)
        client.ok(f"STORE {numbers} +FLAGS.SILENT (\\Deleted)")
        client.ok("EXPUNGE")
        there = [each for place, each in enumerate(there) if place not in gone]
        _check(client, there)
    # Another session has no memory of it in its view.
    _check(anywhere.client(select="INBOX"), there)


def test_another_mailbox(anywhere: Server) -> None:
    """What was moved or copied is found where it is."""
    client = anywhere.client(select="INBOX")
    client.ok("CREATE other")
    for subject, body in (("one", "deadline"), ("two", "nothing"), ("three", "a deadline")):
        client.append(letter(subject, body))
    for _ in range(12):
        anywhere.advance(1)
    client.ok("MOVE 1 other")
    client.ok("COPY 2 other")
    assert _found(client, "BODY", "deadline") == [2]
    for _ in range(2):
        client.ok("SELECT other")
        assert _found(client, "BODY", "deadline") == [1, 2]
        client.ok("SELECT INBOX")
        assert _found(client, "BODY", "nothing") == [1]
        for _ in range(12):
            anywhere.advance(1)
