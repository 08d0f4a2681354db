"""DEFLATE without I/O: everything arrives, nothing grows without bound."""

from __future__ import annotations

import random
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from imapd.wire.deflate import BadStream, Deflater, Inflater


def _read(inflater: Inflater, most: int = 65_536) -> bytes:
    found = b""
    while inflater.pending:
        found += inflater.inflate(most)
    return found


def _sent(*texts: bytes, level: int = 6) -> bytes:
    """What a client sends that flushes after each."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return b"".join(stream.compress(each) + stream.flush(zlib.Z_SYNC_FLUSH) for each in texts)


@given(some.lists(some.binary(max_size=2_000), max_size=5), some.integers(1, 50))
def test_both_ways(texts: list[bytes], step: int) -> None:
    """What one side compresses the other reads, however it is split on the way."""
    deflater, inflater = Deflater(), Inflater()
    sent = b"".join(deflater.deflate(text) for text in texts)
    found = b""
    for at in range(0, len(sent), step):
        inflater.receive_data(sent[at : at + step])
        found += _read(inflater)
    assert found == b"".join(texts)


def test_whole_at_once() -> None:
    """Each answer can be read as soon as it is sent: a client need not wait for the next."""
    stream = zlib.decompressobj(-15)
    deflater = Deflater()
    for text in (b"* OK first\r\n", b"* OK second\r\n"):
        assert stream.decompress(deflater.deflate(text)) == text


def test_repetition_is_short() -> None:
    """The window lasts from answer to answer: what was sent before costs little again."""
    deflater = Deflater()
    row = random.Random(1).randbytes(500)
    assert len(deflater.deflate(row)) > 500
    assert len(deflater.deflate(row)) < 30


def test_rest() -> None:
    """A compressor that let go of its memory goes on, and the other side notices nothing."""
    stream = zlib.decompressobj(-15)
    deflater = Deflater()
    first = stream.decompress(deflater.deflate(b"* OK first\r\n"))
    deflater.rest()
    deflater.rest()
    second = stream.decompress(deflater.deflate(b"* OK first\r\n"))
    assert (first, second) == (b"* OK first\r\n", b"* OK first\r\n")


def test_a_piece_at_a_time() -> None:
    """However little was received, no more comes out at once than was asked for."""
    inflater = Inflater()
    inflater.receive_data(_sent(b"x" * 1_000_000))
    pieces = []
    while inflater.pending:
        pieces.append(len(inflater.inflate(1_000)))
    assert sum(pieces) == 1_000_000
    assert max(pieces) == 1_000


def test_exactly_as_much() -> None:
    """What fits exactly into a piece is followed by nothing."""
    inflater = Inflater()
    inflater.receive_data(_sent(b"x" * 1_000))
    assert inflater.inflate(1_000) == b"x" * 1_000
    assert _read(inflater) == b""


def test_stops_at_a_flush() -> None:
    """Pieces end where the client flushed, so that what follows can be something else."""
    inflater = Inflater()
    inflater.receive_data(_sent(b"a NOOP\r\n", b"b NOOP\r\n"))
    assert inflater.inflate(65_536) == b"a NOOP\r\n"
    assert inflater.inflate(65_536) == b"b NOOP\r\n"
    assert not inflater.pending


@pytest.mark.parametrize("mode", [zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_any_flush(mode: int) -> None:
    """Clients flush as they like; whatever has come is given out."""
    inflater = Inflater()
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    for text in (b"a NOOP\r\n", b"b NOOP\r\n"):
        inflater.receive_data(stream.compress(text) + stream.flush(mode))
        assert _read(inflater) == text


def test_stored_blocks() -> None:
    """Level 0 is DEFLATE too."""
    inflater = Inflater()
    inflater.receive_data(_sent(b"a NOOP\r\n", level=0))
    assert _read(inflater) == b"a NOOP\r\n"


def test_plain_text() -> None:
    """A client that forgot to compress is told."""
    inflater = Inflater()
    inflater.receive_data(b"a NOOP\r\n")
    with pytest.raises(BadStream):
        inflater.inflate(65_536)


def test_behind_the_end() -> None:
    """Nothing can follow the end of a stream."""
    stream = zlib.compressobj(wbits=-15)
    inflater = Inflater()
    inflater.receive_data(stream.compress(b"a LOGOUT\r\n") + stream.flush() + b"more")
    assert inflater.inflate(65_536) == b"a LOGOUT\r\n"
    with pytest.raises(BadStream):
        inflater.inflate(65_536)


@given(some.binary(max_size=500))
def test_any_octets(data: bytes) -> None:
    """Any octets give something or `BadStream`, and come to an end."""
    inflater = Inflater()
    inflater.receive_data(data)
    with suppress(BadStream):
        assert len(_read(inflater)) < 1_000_000


@pytest.mark.parametrize(
    "end", [b"", b"\x03\x00", b"\x01\x00\x00\xff\xff"], ids=["nothing", "fixed", "stored"]
)
def test_end(end: bytes) -> None:
    """What came behind the last flush is plain text, with or without an end of the stream."""
    inflater = Inflater()
    inflater.receive_data(_sent(b"a UNAUTHENTICATE\r\n") + end + b"b LOGIN x y\r\n")
    assert inflater.inflate(65_536) == b"a UNAUTHENTICATE\r\n"
    assert inflater.end() == b"b LOGIN x y\r\n"


def test_end_of_a_finished_stream() -> None:
    """So it is when the client finished its stream without a flush."""
    stream = zlib.compressobj(wbits=-15)
    inflater = Inflater()
    inflater.receive_data(stream.compress(b"a UNAUTHENTICATE\r\n") + stream.flush() + b"b NOOP\r\n")
    assert inflater.inflate(65_536) == b"a UNAUTHENTICATE\r\n"
    assert inflater.end() == b"b NOOP\r\n"
