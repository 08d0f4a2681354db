"""Addresses and parameters of MAIL and RCPT."""

from __future__ import annotations

import re

import pytest

from imapd.delivery.paths import Path, read_path
from imapd.delivery.replies import Rejected


@pytest.mark.parametrize(
    ("text", "local", "domain", "shown"),
    [
        ("<bob@example.org>", "bob", "example.org", "bob@example.org"),
        (" <bob@example.org>", "bob", "example.org", "bob@example.org"),
        ("<bob+lists@Example.Org.>", "bob+lists", "Example.Org", "bob+lists@Example.Org"),
        ("<postmaster>", "postmaster", "", "postmaster"),
        ('<"b o\\"b"@[127.0.0.1]>', 'b o"b', "[127.0.0.1]", '"b o\\"b"@[127.0.0.1]'),
        ("<@relay.example,@b.example:bob@example.org>", "bob", "example.org", "bob@example.org"),
        ("<jörg@exämple.org>", "jörg", "exämple.org", "jörg@exämple.org"),
        ('<"a.b"@x>', "a.b", "x", "a.b@x"),
    ],
)
def test_addresses(text: str, local: str, domain: str, shown: str) -> None:
    """An address is its local part and its domain, and is written as an address again."""
    path, parameters = read_path(b"TO:" + text.encode(), b"TO", empty=False)
    assert path == Path(local, domain)
    assert str(path) == shown
    assert parameters == {}


def test_parameters() -> None:
    """Parameters have names without case, and perhaps a value."""
    assert read_path(b"from:<> size=100 SMTPUTF8  ", b"FROM", empty=True) == (
        Path("", ""),
        {"SIZE": "100", "SMTPUTF8": None},
    )


@pytest.mark.parametrize(
    "argument",
    [
        b"", b"TO", b"TO:", b"TO:bob@example.org", b"TO:<>", b"TO:<bob@>", b"TO:<@example.org>",
        b"TO:<bob@-x>", b"TO:<bob@example..org>", b"TO:<.bob@example.org>", b"TO:<b b@example.org>",
        b"TO:<bob@example.org", b"TO:<bob@example.org>x", b"TO:<bob@example.org> =1",
        b"TO:<bob@example.org> A=1 A=2", b"TO:<bob@example.org> A=", b"TO:<b\xffb@example.org>",
        b"TO:<b\0b@example.org>", b"TO:<b\rb@example.org>", b'TO:<"b\nb"@example.org>',
        b"FROM:<bob@example.org>", b"TO:<" + b"a" * 600 + b"@example.org>",
    ],
)  # fmt: skip
def test_what_is_no_address(argument: bytes) -> None:
    """Whatever else stands there is refused: nothing of it gets into a header."""
    with pytest.raises(Rejected) as refused:
        read_path(argument, b"TO", empty=False)
    assert re.fullmatch(rb"501 5\.\d\.\d [ -~]+\r\n", refused.value.reply.wire())


@pytest.mark.parametrize(
    "argument",
    [
        b"TO:<" + b"a." * 2000 + b"@", b"TO:<" + b"@a," * 1000, b'TO:<"' + b"\\a" * 2000,
        b"TO:<a@" + b"a-" * 2000 + b">", b"TO:<a@b>" + b" A=b" * 1000, b"TO:<a@" + b"a." * 2000,
    ],
)  # fmt: skip
def test_a_hostile_line_costs_little(argument: bytes) -> None:
    """Reading takes time in proportion to the line: with more than that, this would not end."""
    with pytest.raises(Rejected):
        read_path(argument, b"TO", empty=False)
