"""Reading files, converting them where lines end in LF."""

import errno
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed

from imapd.store.errors import MessageGone
from imapd.store.maildir import reader as module
from imapd.store.maildir.reader import (
    ConvertingReader,
    FileReader,
    Untold,
    all_of,
    converted,
    wire_size,
)


def here(call):
    """A thread that is done at once."""
    return succeed(call())


def value(answer):
    """The value of an answer that is there."""
    if isinstance(answer, Deferred):
        found = []
        answer.addCallback(found.append)
        return found[0]
    return answer


def opened(path, octets):
    """A file with these octets, opened."""
    path.write_bytes(octets)
    return os.open(path, os.O_RDONLY)


OCTETS = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a", b"bc" * 5])).map(b"".join)


@given(OCTETS)
def test_converted(octets):
    """Every LF has its CR, nothing else changes, and to convert twice is to convert once."""
    made = converted(octets)
    assert not re.search(rb"(?<!\r)\n", made)
    assert made.replace(b"\r\n", b"\n") == octets.replace(b"\r\n", b"\n")
    assert converted(made) == made


@settings(max_examples=60, deadline=None)
@given(
    OCTETS,
    st.integers(1, 7),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), max_size=8),
)
def test_any_part(tmp_path_factory, octets, chunk, parts):
    """Any part of a converted file, in any order, with chunks that begin anywhere."""
    descriptor = opened(tmp_path_factory.mktemp("m") / "m", octets)
    before = module._CHUNK
    module._CHUNK = chunk
    try:
        whole = converted(octets)
        assert wire_size(os.dup(descriptor)) == len(whole)
        reading = ConvertingReader(descriptor, len(whole), here)
        for offset, length in parts:
            assert value(reading.read(offset, length)) == whole[offset : offset + length]
        assert value(reading.read(0, len(whole))) == whole
        reading.close()
    finally:
        module._CHUNK = before


def test_as_it_is(tmp_path):
    """A file that needs no conversion."""
    reading = FileReader(opened(tmp_path / "m", b"a\nb\r\n"), 5, here)
    assert value(reading.read(0, 100)) == b"a\nb\r\n"
    assert value(reading.read(2, 1)) == b"b"
    assert value(reading.read(5, 1)) == b""
    assert bytes(reading.buffer()) == b"a\nb\r\n"
    reading.close()
    reading.close()
    for attempt in (lambda: reading.read(0, 1), reading.buffer):
        with pytest.raises(MessageGone):
            attempt()


def test_all_of_what_is_in_memory(tmp_path, monkeypatch):
    """A file of another size is another file; where it is not told what is in memory, one has to wait."""
    path = tmp_path / "m"
    path.write_bytes(b"octets")
    assert all_of(str(path), 6, waits=True) == b"octets"
    for size in (5, 7):
        assert all_of(str(path), size, waits=True) is None
    assert all_of(str(tmp_path / "absent"), 6, waits=False) is None

    def refusing(error):
        def refused(*_):
            raise OSError(error, "")

        return refused

    monkeypatch.setattr(os, "preadv", refusing(errno.EOPNOTSUPP))
    monkeypatch.setattr(module, "_NOWAIT", 8)
    with pytest.raises(Untold):
        all_of(str(path), 6, waits=False)
    monkeypatch.setattr(os, "preadv", refusing(errno.EAGAIN))
    assert all_of(str(path), 6, waits=False) is None
    monkeypatch.setattr(os, "read", refusing(errno.EIO))
    with pytest.raises(OSError, match=f"Errno {errno.EIO}"):
        all_of(str(path), 6, waits=True)


def test_closed_while_a_thread_reads(tmp_path, monkeypatch):
    """The file stays open for a thread that is reading it."""
    waiting = []

    def later(call):
        answer = Deferred()
        waiting.append(lambda: answer.callback(call()))
        return answer

    monkeypatch.setattr(module, "_at_once", lambda *args: None)
    plain = FileReader(opened(tmp_path / "a", b"octets"), 6, later)
    monkeypatch.setattr(module, "_QUICK", 0)
    converting = ConvertingReader(opened(tmp_path / "b", b"a\nb"), 4, later)
    answers = [plain.read(0, 6), converting.read(0, 4)]
    plain.close()
    converting.close()
    for go in waiting:
        go()
    assert [value(answer) for answer in answers] == [b"octets", b"a\r\nb"]
    assert converting._descriptor == -1


def test_a_large_one_is_mapped(tmp_path):
    """The octets of a large file are there without being read."""
    octets = b"0123456789" * 200_000
    reading = FileReader(opened(tmp_path / "m", octets), len(octets), here)
    mapped = reading.buffer()
    assert not isinstance(mapped, bytes)
    assert mapped[-10:] == b"0123456789"
    mapped.close()
    reading.close()
