"""Any octets at all have facts, and the facts agree with one another."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.mime import (
    UnknownEncoding,
    body,
    decoded_text,
    facts,
    find,
    parse,
    preview,
    select,
    span,
)
from imapd.mime.facts import header_facts
from imapd.mime.transfer import decode
from imapd.model.limits import Limits

from .wire_grammar import read_body, read_envelope

CORPUS = Path(__file__).with_name("corpus")
MESSAGES = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]
SMALL = Limits(mime_parts=6, mime_depth=3, mime_header=200)

FRAGMENTS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b"\xff", b"\xc3\xa9", b"--b", b"--b--",
    b"--c", b"--c--", b"\r\n--b\r\n", b"\r\n--c\r\n", b"\r\n--b--\r\n", b"\n--b\n", b";", b":", b",",
    b"(", b")", b"<", b">", b"@", b'"', b"\\", b"[", b"=", b"*", b"?", b"'", b"%", b"a", b"text",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: multipart/digest; boundary=c\r\n",
    b"Content-Type: message/rfc822\r\n", b"Content-Type: message/global\r\n",
    b"Content-Type: text/html; charset=utf-7\r\n", b"Content-Type: ", b"Content-Type: a/b",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Transfer-Encoding: ", b"Content-Disposition: attachment; filename*0*=utf-8''x; filename*1=y",
    b"Content-Language: ", b"Content-Location: ", b"Content-ID: ", b"Content-MD5: ",
    b"Content-Description: ", b"From: ", b"To: ", b"Reply-To: ", b"Cc: a:", b"Bcc: x <y@z>\r\n",
    b"Subject: ", b"=?utf-8?q?=E9?=", b"=?x?b?!?=", b"Date: Wed, 17 Jul 1996 02:23:25", b"Date: ",
    b"In-Reply-To: ", b"Message-ID: <x>\r\n", b"<p>", b"<script>", b"<!--", b"&amp;",
]  # fmt: skip

mail = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=40).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message of the corpus, cut and patched."""
    octets = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(octets)))
        stop = draw(st.integers(at, min(len(octets), at + 30)))
        octets = octets[:at] + draw(mail) + octets[stop:]
    return octets


def specifiers(
    structure: dict[str, Any], numbers: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Every part number that a client would derive from a BODYSTRUCTURE of a message."""
    if structure["kind"] == "multipart":
        children = enumerate(structure["parts"], 1)
    else:
        children = enumerate([structure], 1)
    for number, child in children:
        yield (*numbers, number), child
        if child["kind"] == "message":
            yield from specifiers(child["body"], (*numbers, number))
        elif child["kind"] == "multipart":
            yield from specifiers(child, (*numbers, number))


def check(octets: bytes, limits: Limits) -> None:
    """All that is told of a message is in the grammar and agrees."""
    found = facts(octets, limits)
    assert found.size == len(octets)
    assert found.header == octets[: found.header_size]
    read_envelope(found.envelope)
    structure = read_body(found.bodystructure, extended=True)
    root = parse(octets, limits)
    read_body(body(octets, root), extended=False)
    assert span(root, (), None) == (0, len(octets))
    assert span(root, (), "HEADER") == (0, found.header_size)
    assert span(root, (), "TEXT") == (found.header_size, len(octets))
    assert span(root, (), "MIME") is None
    for numbers, told in specifiers(structure):
        part = find(root, numbers)
        assert part is not None
        assert part.kind.name.lower() == told["kind"]
        start, stop = span(root, numbers, None) or (-1, -1)
        assert 0 <= start <= stop <= len(octets)
        if told["kind"] != "multipart":
            assert told["octets"] == stop - start
        if told["kind"] in ("text", "message"):
            assert told["lines"] == octets.count(b"\n", start, stop)
        mime = span(root, numbers, "MIME")
        assert mime is not None
        assert mime[1] == start
        header, text = span(root, numbers, "HEADER"), span(root, numbers, "TEXT")
        if told["kind"] == "message":
            assert header is not None
            assert text is not None
            assert (start, stop, header[1]) == (header[0], text[1], text[0])
        else:
            assert (header, text) == (None, None)
    outside = structure["parts"] if structure["kind"] == "multipart" else [structure]
    assert find(root, (len(outside) + 1,)) is None


@settings(max_examples=250, deadline=None)
@given(st.binary(max_size=200) | mail | mutated(), st.sampled_from([Limits(), SMALL]))
def test_any_octets(octets: bytes, limits: Limits) -> None:
    """Whatever was stored, what is told is in the grammar, and every section told is there."""
    check(octets, limits)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200) | mail | mutated(),
    st.integers(0, 300),
    st.sampled_from([Limits(), SMALL]),
)
def test_the_first_octets(octets: bytes, length: int, limits: Limits) -> None:
    """What a header says is known from it alone; and without its end, that it is not known."""
    whole, start = facts(octets, limits), header_facts(octets[:length], limits)
    if start is None:
        assert len(octets[:length]) <= whole.header_size
    else:
        told = (start.header_size, start.envelope, start.header, start.sent)
        assert told == (whole.header_size, whole.envelope, whole.header, whole.sent)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | mail | mutated())
def test_text_of_any_octets(octets: bytes) -> None:
    """Search text and previews are text that can be sent."""
    root = parse(octets)
    for text in decoded_text(octets, root):
        text.encode("utf-8")
    words = preview(octets, root)
    assert len(words) <= 200
    assert not set(words) & set(map(chr, range(32)))
    words.encode("utf-8")


@settings(max_examples=150, deadline=None)
@given(mail | mutated(), st.lists(st.sampled_from([b"From", b"to", b"SUBJECT", b"X"])))
def test_fields_and_the_others(header: bytes, names: list[bytes]) -> None:
    """HEADER.FIELDS ends with a blank line, has whole lines, and what it gives it gives again."""
    for exclude in (False, True):
        chosen = select(header, names, exclude)
        assert chosen.endswith(b"\r\n")
        assert chosen.count(b"\n") == chosen.count(b"\r\n")
        assert select(chosen, names, exclude) == chosen


@settings(max_examples=100, deadline=None)
@given(mail, st.sampled_from([b"base64", b"quoted-printable", b"7bit", b"x"]))
def test_any_encoded_octets(octets: bytes, encoding: bytes) -> None:
    """Decoding gives no more octets than there were, or says that it cannot."""
    try:
        assert len(decode(octets, encoding)) <= len(octets)
    except UnknownEncoding:
        assert encoding == b"x"


HOSTILE = [
    pytest.param(name + b": " + text * (1_000_000 // len(text)) + b"\r\n\r\n", id=f"{name!r} {text!r}")
    for name in (b"From", b"Content-Type: a/b; c")
    for text in (b"x", b" ", b"(", b'"', b'"\\', b"<", b":", b"a,", b"; a=", b" a=b", b"; a=x (", b"\r\n ")
]  # fmt: skip


@pytest.mark.parametrize("octets", HOSTILE)
def test_header_of_a_megabyte(octets: bytes) -> None:
    """A header of a megabyte of anything is told in bounded space."""
    found = facts(octets)
    read_body(found.bodystructure, extended=True)
    assert len(found.envelope) + len(found.bodystructure) < 4_000_000


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
                     id="parts"),
        pytest.param(b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                              for n in range(10_000)), id="multiparts"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 10_000, id="messages"),
    ],
)  # fmt: skip
def test_many_parts(octets: bytes) -> None:
    """Parts without number are told up to the limits, in the grammar."""
    check(octets, Limits())


def test_mapped_file(tmp_path: Path) -> None:
    """A mapped file has the facts of its octets."""
    path = tmp_path / "message"
    path.write_bytes(MESSAGES[-1])
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert facts(mapped) == facts(MESSAGES[-1])
