"""COMPRESS=DEFLATE, from octets to octets (RFC 4978)."""

from __future__ import annotations

import random
import zlib

import pytest

from imapd.model.limits import Limits
from imapd.wire.deflate import Inflater
from tests.dialogue import Dialogue, Server, letter, same


class Compressed:
    """A client that has begun to compress."""

    def __init__(self, client: Dialogue, window: int = -15) -> None:
        same(client.do("COMPRESS DEFLATE"), "a OK DEFLATE active")
        self.client = client
        self.out = zlib.compressobj(6, zlib.DEFLATED, window)
        self.back = zlib.decompressobj(-15)

    def packed(self, data: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
        """As it goes over the line."""
        return self.out.compress(data) + self.out.flush(flush)

    def send(self, data: bytes) -> bytes:
        """What came, inflated."""
        return self.back.decompress(self.client.send(self.packed(data)))

    def read(self) -> bytes:
        """What came meanwhile."""
        return self.back.decompress(self.client.read())


@pytest.fixture
def client(server: Server) -> Compressed:
    """One that has logged in."""
    return Compressed(server.client())


def test_advertised(server: Server) -> None:
    """The server says what it can do to whoever has logged in."""
    client = server.connect()
    assert b"COMPRESS" not in client.greeting
    assert "COMPRESS=DEFLATE" in client.log_in().command("CAPABILITY")[0].split()


def test_from_the_ok_on(client: Compressed) -> None:
    """The tagged OK is plain, and everything behind it compressed (3)."""
    same(client.send(b"b NOOP\r\n"), "b OK NOOP completed")
    same(client.send(b"c NOOP\r\n"), "c OK NOOP completed")


def test_any_case(server: Server) -> None:
    """The algorithm's name may be written in any case (5)."""
    same(server.client().do("compress deflate"), "a OK DEFLATE active")


def test_behind_the_command(server: Server) -> None:
    """What arrives together with the command, behind it, is compressed already."""
    stream = zlib.compressobj(wbits=-15)
    told = server.client().send(
        b"a COMPRESS DEFLATE\r\n" + stream.compress(b"b NOOP\r\n") + stream.flush(zlib.Z_SYNC_FLUSH)
    )
    plain, _, packed = told.partition(b"\r\n")
    assert plain == b"a OK DEFLATE active"
    same(zlib.decompressobj(-15).decompress(packed), "b OK NOOP completed")


def test_injected(server: Server) -> None:
    """A plain command behind COMPRESS is never run: it is no DEFLATE (3)."""
    client = server.client()
    told = client.send(b"a COMPRESS DEFLATE\r\nb DELETE INBOX\r\n")
    plain, _, packed = told.partition(b"\r\n")
    assert plain == b"a OK DEFLATE active"
    said = zlib.decompressobj(-15).decompress(packed)
    same(said, "* BYE What you sent is not compressed by DEFLATE")
    assert not client.open


def test_twice(client: Compressed) -> None:
    """A second time there is nothing more to compress (3)."""
    told = client.send(b"b COMPRESS DEFLATE\r\n")
    same(told, "b NO [COMPRESSIONACTIVE] DEFLATE is active already")
    same(client.send(b"c NOOP\r\n"), "c OK NOOP completed")


@pytest.mark.parametrize("argument", ["", " GZIP", " DEFLATE DEFLATE", ' "DEFLATE"', " DEFLATE=9"])
def test_unknown_algorithm(server: Server, argument: str) -> None:
    """Another algorithm, or none, is BAD, and nothing is compressed then (3)."""
    client = server.client()
    assert client.do(f"COMPRESS{argument}").startswith(b"a BAD ")
    same(client.do("NOOP"), "a OK NOOP completed")


def test_before_login(server: Server) -> None:
    """It is a command for after log-in (5: command-auth)."""
    client = server.connect()
    same(client.do("COMPRESS DEFLATE"), "a BAD COMPRESS is not for this state")


def test_news_before_it(server: Server) -> None:
    """What is told before the OK is plain (3)."""
    client = server.client(select="INBOX")
    server.client().fill(1)
    same(client.do("COMPRESS DEFLATE"), "* 1 EXISTS", "* 1 RECENT", "a OK DEFLATE active")


@pytest.mark.parametrize("step", [1, 7])
def test_split(server: Server, step: int) -> None:
    """Octets may come in any portions."""
    client = Compressed(server.client())
    client.client.step = step
    same(
        client.send(b"b NOOP\r\nc NOOP\r\n"),
        "b OK NOOP completed",
        "c OK NOOP completed",
    )


@pytest.mark.parametrize("mode", [zlib.Z_PARTIAL_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_flushes(client: Compressed, mode: int) -> None:
    """Whatever way a client flushes, its command is answered."""
    for number in range(3):
        sent = client.packed(b"b%d NOOP\r\n" % number, mode)
        told = client.back.decompress(client.client.send(sent))
        same(told, f"b{number} OK NOOP completed")


def test_small_window(server: Server) -> None:
    """Clients with little memory may use a smaller window."""
    same(Compressed(server.client(), -9).send(b"b NOOP\r\n"), "b OK NOOP completed")


def test_append_and_fetch(anywhere: Server) -> None:
    """A message goes in and comes out as it was."""
    client = Compressed(anywhere.client())
    text = letter("big", "All work and no play makes Jack a dull boy.\r\n" * 4_000)
    assert client.send(b"b APPEND INBOX {%d}\r\n" % len(text)).startswith(b"+ ")
    assert b"b OK [APPENDUID " in client.send(text + b"\r\n")
    assert client.send(b"c SELECT INBOX\r\n").endswith(b"c OK [READ-WRITE] Selected\r\n")
    told = client.send(b"d FETCH 1 BODY.PEEK[]\r\n")
    same(
        told,
        b"* 1 FETCH (BODY[] {%d}\r\n%b)" % (len(text), text),
        "d OK FETCH completed",
    )


def test_compresses(server: Server) -> None:
    """A list of a thousand messages is less than a quarter of itself."""
    client = server.client().fill(1_000).select()
    plain = len(client.do("FETCH 1:* (UID FLAGS ENVELOPE)"))
    other = Compressed(server.client(select="INBOX"))
    packed = len(other.client.send(other.packed(b"b FETCH 1:* (UID FLAGS ENVELOPE)\r\n")))
    assert packed < plain / 4


def test_idle(server: Server) -> None:
    """Changes are shown as they happen, each flushed; DONE is compressed too."""
    client = Compressed(server.client(select="INBOX"))
    same(client.send(b"b IDLE\r\n"), "+ idling")
    other = server.client()
    for count in (1, 2):
        other.fill(1)
        told = client.read()
        assert told.startswith(b"* %d EXISTS\r\n" % count), told
    same(client.send(b"DONE\r\n"), "b OK IDLE ended")


def test_done_with_idle(client: Compressed) -> None:
    """DONE may be on its way already when IDLE begins."""
    told = client.send(b"b IDLE\r\nDONE\r\nc NOOP\r\n")
    same(told, "+ idling", "b OK IDLE ended", "c OK NOOP completed")


def test_done_by_itself(client: Compressed) -> None:
    """So it may when each line is flushed by itself."""
    sent = client.packed(b"b IDLE\r\n") + client.packed(b"DONE\r\n")
    same(client.back.decompress(client.client.send(sent)), "+ idling", "b OK IDLE ended")


def test_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gigabytes that cost a client nothing cost the server no memory: an endless line is dropped."""
    held = []

    class Watched(Inflater):
        def inflate(self, most: int) -> bytes:
            data = super().inflate(most)
            held.append(len(data) + client.client.protocol.connection.waiting)
            return data

    monkeypatch.setattr("imapd.server.intake.Inflater", Watched)
    client = Compressed(Server(limits=Limits(input=4_096, line=1_000)).client())
    line = client.packed(b"b NOOP " + b"x" * 10_000_000)
    assert len(line) < 11_000
    told = client.back.decompress(client.client.send(line))
    same(told, "b BAD [TOOBIG] The line is too long")
    assert sum(held) > 10_000_000
    assert max(held) <= 4_096 + 1_000
    same(client.send(b"\r\nc NOOP\r\n"), "c OK NOOP completed")


def test_back_pressure(server: Server) -> None:
    """While a client does not read, what it sends compressed is not taken without end."""
    client = Compressed(
        server.client().append(b"\r\n" + random.Random(1).randbytes(60_000).hex().encode()).select()
    )
    client.client.stop_reading()
    client.client.send(client.packed(b"b FETCH 1 BODY.PEEK[]\r\n" * 9))
    noops = b"".join(b"%d NOOP\r\n" % number for number in range(200_000))
    sent = client.packed(noops)
    assert len(sent) > 2 * server.factory.policy.limits.input
    client.client.post(sent)
    assert client.client.unsent > 0
    told = client.back.decompress(client.client.read_on())
    assert told.endswith(b"199999 OK NOOP completed\r\n")
    assert told.count(b"b OK FETCH completed\r\n") == 9


@pytest.mark.parametrize("where", ["waiting", "idling", "uploading"])
def test_corrupt(server: Server, where: str) -> None:
    """A stream that cannot be read ends the connection, with a word."""
    client = Compressed(server.client(select="INBOX"))
    if where == "idling":
        client.send(b"b IDLE\r\n")
    elif where == "uploading":
        client.send(b"b APPEND INBOX {100}\r\n")
    told = client.back.decompress(client.client.send(b"\xff" * 20))
    same(told, "* BYE What you sent is not compressed by DEFLATE")
    assert not client.client.open


@pytest.mark.parametrize("command", [b"b IDLE\r\n", b"b APPEND INBOX {100+}\r\n"])
def test_corrupt_behind_a_command(server: Server, command: bytes) -> None:
    """So it does when the command that waits for more came in the same portion."""
    client = Compressed(server.client())
    told = client.back.decompress(client.client.send(client.packed(command) + b"\xff" * 20))
    assert told.endswith(b"* BYE What you sent is not compressed by DEFLATE\r\n")
    assert not client.client.open


def test_logout(client: Compressed) -> None:
    """The last words are compressed as well."""
    same(client.send(b"b LOGOUT\r\n"), "* BYE Logging out", "b OK LOGOUT completed")
    assert not client.client.open


def test_finished(client: Compressed) -> None:
    """A client may end its stream with its last command."""
    told = client.client.send(client.packed(b"b LOGOUT\r\n", zlib.Z_FINISH))
    same(client.back.decompress(told), "* BYE Logging out", "b OK LOGOUT completed")


def test_hang_up(client: Compressed) -> None:
    """A client that goes in the middle of a stream leaves nothing behind."""
    client.client.post(client.packed(b"b APPEND INBOX {1000000+}\r\n" + bytes(1_000)))
    client.client.hang_up()
