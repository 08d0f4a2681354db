"""Octets as IMAP strings."""

from __future__ import annotations

import pytest

from imapd.mime.strings import nstring


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        pytest.param(None, b"NIL", id="nil"),
        pytest.param(b"", b'""', id="empty"),
        pytest.param(b"NIL", b'"NIL"', id="the word"),
        pytest.param(b'say "\\"', rb'"say \"\\\""', id="specials"),
        pytest.param(b"\x01\t\x7f", b'"\x01\t\x7f"', id="controls"),
        pytest.param(b"a\0b", b'"ab"', id="NUL"),
        pytest.param(b"a\rb\nc", b'"a b c"', id="line ends"),
        pytest.param(b"\xc3\xa9", b"{2}\r\n\xc3\xa9", id="8-bit"),
        pytest.param(b"\xc3\0\r", b"{2}\r\n\xc3 ", id="8-bit and damage"),
        pytest.param(b"x" * 1000, b'"' + b"x" * 1000 + b'"', id="longest in quotes"),
        pytest.param(b"x" * 1001, b"{1001}\r\n" + b"x" * 1001, id="too long for quotes"),
    ],
)
def test_nstring(value: bytes | None, wire: bytes) -> None:
    """Quoted where the grammar lets it be, else a literal, never with NUL or a line end."""
    assert nstring(value) == wire
