"""The strict reader that the other tests rely on: it must refuse what is wrong."""

from __future__ import annotations

import pytest

from .wire_grammar import NotInGrammar, read_body, read_envelope

GOOD = b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)'


def test_example_of_the_rfc() -> None:
    """RFC 9051, 7.5.2: the example of a simple text."""
    assert read_body(GOOD, extended=False) == {
        "kind": "text",
        "type": b"TEXT",
        "subtype": b"PLAIN",
        "params": ((b"CHARSET", b"US-ASCII"),),
        "id": None,
        "description": None,
        "encoding": b"7BIT",
        "octets": 2279,
        "lines": 48,
    }


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(GOOD[:-1], id="no end"),
        pytest.param(GOOD + b" ", id="more than one"),
        pytest.param(GOOD.replace(b" 48", b""), id="text without lines"),
        pytest.param(GOOD.replace(b'("CHARSET" "US-ASCII")', b"()"), id="empty parameters"),
        pytest.param(GOOD.replace(b'"PLAIN"', b"NIL"), id="no subtype"),
        pytest.param(GOOD.replace(b"PLAIN", b"PL\xc3\xa4N"), id="8-bit in quotes"),
        pytest.param(GOOD.replace(b'"PLAIN"', b"{5}\r\nPL\0IN"), id="NUL in a literal"),
        pytest.param(GOOD.replace(b'"TEXT"', b"{4}\r\nTEXT"), id="TEXT as a literal"),
        pytest.param(GOOD.replace(b"2279", b"4294967296"), id="number too large"),
        pytest.param(b'( "MIXED")', id="multipart without parts"),
        pytest.param(b'("MULTIPART" "MIXED" NIL NIL NIL "7BIT" 0)', id="multipart as a leaf"),
        pytest.param(b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 0)', id="message as a leaf"),
        pytest.param(GOOD.replace(b")", b" NIL)", 1), id="extension data"),
    ],
)
def test_refuses(octets: bytes) -> None:
    """What a client could not read is refused."""
    with pytest.raises(NotInGrammar):
        read_body(octets, extended=False)


def test_refuses_empty_address_list() -> None:
    """A list of addresses has one or is NIL."""
    with pytest.raises(NotInGrammar):
        read_envelope(b"(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)")
