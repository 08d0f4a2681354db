"""BODYSTRUCTURE and BODY: examples, and a corpus of mail that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from imapd.mime.bodystructure import body, bodystructure
from imapd.mime.facts import facts
from imapd.mime.parse import parse

from .wire_grammar import read_body, read_envelope

CORPUS = Path(__file__).with_name("corpus")
NAMES = sorted(path.stem for path in CORPUS.glob("*.eml"))


def test_corpus_is_there() -> None:
    """The tests below have something to test."""
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_corpus(name: str) -> None:
    """Each message has the envelope and structure that lie beside it."""
    found = facts((CORPUS / f"{name}.eml").read_bytes())
    assert found.envelope + b"\n" == (CORPUS / f"{name}.envelope").read_bytes()
    assert found.bodystructure + b"\n" == (CORPUS / f"{name}.bodystructure").read_bytes()
    read_envelope(found.envelope)
    read_body(found.bodystructure, extended=True)


@pytest.mark.parametrize("name", NAMES)
def test_body_has_no_extension_data(name: str) -> None:
    """RFC 9051, 7.5.2: never returned with BODY."""
    octets = (CORPUS / f"{name}.eml").read_bytes()
    read_body(body(octets, parse(octets)), extended=False)


def test_example_of_the_rfc() -> None:
    """RFC 9051, 7.5.2: a text and an attachment."""
    message = (
        b"Content-Type: multipart/MIXED; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
        + b"x" * 48 + b"\r\n" + b"\r\n" * 22 + b"\r\n--b\r\n"
        b"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\r\n"
        b"Content-ID: <960723163407.20117h@cac.washington.edu>\r\n"
        b"Content-Description: Compiler diff\r\n"
        b"Content-Transfer-Encoding: BASE64\r\n\r\nYQ==\r\n\r\n--b--\r\n"
    )  # fmt: skip
    assert body(message, parse(message)) == (
        b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 94 23)'
        b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff")'
        b' "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 6 1) "MIXED")'
    )


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        pytest.param(b"Content-Language: en", b'NIL NIL ("en") NIL', id="one language"),
        pytest.param(b"Content-Language: ,", b"NIL NIL NIL NIL", id="no language"),
        pytest.param(b"Content-Disposition: ;", b"NIL NIL NIL NIL", id="no disposition"),
        pytest.param(b"Content-Location:", b'NIL NIL NIL ""', id="empty location"),
        pytest.param(b"Content-MD5: \xff", b"{1}\r\n\xff NIL NIL NIL", id="8-bit"),
    ],
)
def test_extension_data(field: bytes, wire: bytes) -> None:
    """MD5, disposition, language and location, in this order."""
    message = b"Content-Type: a/b\r\n" + field + b"\r\n\r\n"
    expected = b'("a" "b" NIL NIL NIL "7BIT" 0 ' + wire + b")"
    assert bodystructure(message, parse(message)) == expected
