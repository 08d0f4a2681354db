"""What is fuzzed: each target takes any octets, and raises AssertionError for what must not be.

A seed of a target is a file in ``corpus/TARGET/``; what once broke it is kept there too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from attrs import evolve

from imapd import commands, extensions
from imapd.dialect import Dialect
from imapd.mime.facts import facts
from imapd.model.limits import Limits
from imapd.wire.connection import Connection
from imapd.wire.cursor import BadSyntax, Cursor
from imapd.wire.deflate import BadStream, Inflater
from imapd.wire.events import Chunk, CommandReceived, Event, TooLong, UploadLine, UploadStarted
from imapd.wire.url import BadURL, message_url
from tests.answers import read_answers
from tests.delivery.transporting import connect, factory, message_of
from tests.dialogue import Dialogue, Server, letter
from tests.mime.wire_grammar import read_body, read_envelope
from tests.sharing.houses import opened_up

__all__ = ["CORPUS", "TARGETS", "seeds"]

CORPUS = Path(__file__).parent / "corpus"

_LIMITS = Limits(
    line=300, literal=200, command=500, command_before_login=400, exchange_line=200, message=2_000,
    spool=1_000, nesting=8, list_length=20, set_ranges=20, bad_commands=10_000, bad_logins=10_000,
    mime_parts=50, mime_depth=8, mime_header=2_000,
)  # fmt: skip


@cache
def _dialect() -> Dialect:
    return Dialect.of([*commands.FEATURES, *extensions.FEATURES])


def framer(data: bytes) -> None:
    """Whole, in halves and octet by octet, octets give the same events; little is held."""
    if not data:
        return
    accept, utf8_or_line, octets = data[0] & 1, data[0] & 2, data[1:]
    half = len(octets) // 2
    whole = _events([octets], accept, utf8_or_line)
    assert _events([octets[:half], octets[half:]], accept, utf8_or_line) == whole
    singly = [octets[at : at + 1] for at in range(len(octets))]
    assert _events(singly, accept, utf8_or_line) == whole


def _events(pieces: list[bytes], accept: int, line: int) -> list[Event]:
    connection = Connection(_LIMITS, _dialect().upload_arguments)
    if line:
        connection.expect_line()
    events: list[Event] = []
    for piece in pieces:
        connection.receive_data(piece)
        while (event := connection.next_event()) is not None:
            if isinstance(event, UploadStarted) or (
                isinstance(event, UploadLine) and event.literal is not None
            ):
                if accept:
                    connection.accept()
                else:
                    connection.abandon()
            if isinstance(event, Chunk) and events and isinstance(events[-1], Chunk):
                events[-1] = Chunk(events[-1].data + event.data)
            else:
                events.append(event)
            if isinstance(event, TooLong):
                return events
        assert connection.waiting <= _LIMITS.line + _LIMITS.literal
    return events


def grammar(data: bytes) -> None:
    """The arguments of every command are taken, or refused as BadSyntax, whatever they are."""
    connection = Connection(Limits(), {})
    connection.receive_data(data[1:] + b"\r\n")
    while (event := connection.next_event()) is not None:
        if isinstance(event, CommandReceived):
            command = _dialect().commands.get(event.name)
            if command is not None:
                cursor = Cursor(event.arguments, _LIMITS, bool(data[0] & 1), _dialect())
                try:
                    command.grammar(cursor)
                    cursor.end()
                except BadSyntax as error:
                    assert str(error)  # noqa: PT017  (its text goes to the client)


def mime(data: bytes) -> None:
    """Whatever was stored, its envelope and structure parse under RFC 9051's grammar."""
    found = facts(data)
    read_envelope(found.envelope)
    read_body(found.bodystructure, True)
    assert data.startswith(found.header)
    assert found.size == len(data)


def url(data: bytes) -> None:
    """What is given as a URL is one, or refused with a text for the client."""
    try:
        found = message_url(data, _LIMITS)
    except BadURL as error:
        assert str(error)  # noqa: PT017  (its text goes to the client)
    else:
        assert data.startswith(found.rump)


def inflater(data: bytes) -> None:
    """Octets in halves give what they give whole, in pieces no larger than asked for, or `BadStream`."""
    half = len(data) // 2
    assert _inflated([data]) == _inflated([data[:half], data[half:]])


def _inflated(pieces: list[bytes]) -> bytes:
    inflater = Inflater()
    found = b""
    for piece in pieces:
        inflater.receive_data(piece)
        try:
            while inflater.pending and len(found) < 1_000_000:
                data = inflater.inflate(1_000)
                assert len(data) <= 1_000
                found += data
        except BadStream:
            # What came out before it depends on where it was looked for.
            return b""
    return found


def greeted(data: bytes) -> None:
    """A client that has not logged in sends anything at all."""
    _server(data, lambda server: server.connect())


def logged_in(data: bytes) -> None:
    """A client that has logged in, and can see mailboxes of others, does."""
    _server(data, lambda server: opened_up(server).client())


def selected(data: bytes) -> None:
    """A client that has selected a mailbox does."""

    def begin(server: Server) -> Dialogue:
        client = server.client()
        client.append(letter("one"), letter("two", "\0\r\n--x"), _MULTIPART)
        return client.select()

    _server(data, begin)


def idling(data: bytes) -> None:
    """A client that idles does, while messages come and go."""

    def begin(server: Server) -> Dialogue:
        client = server.client("alice", "INBOX")
        client.do("IDLE")
        server.client().fill(2)
        return client

    _server(data, begin)


def leaving(data: bytes) -> None:
    """A client that has said LOGOUT goes on talking."""

    def begin(server: Server) -> Dialogue:
        client = server.client()
        client.post(b"a LOGOUT\r\n")
        return client

    _server(data, begin)


def delivering(data: bytes) -> None:
    """A mail transport sends anything at all by LMTP: every line of the answers is one, and mail goes on."""
    if not data:
        return
    server = Server()
    made = factory(server, evolve(_LIMITS, lmtp_line=300, recipients=5), tls=_Certificate())
    mail = connect(server, made, hello=bool(data[0] & 1))
    mail.step = 3 if data[0] & 2 else 0
    answers = mail.send(data[1:] + b"\r\n.\r\n")
    assert re.fullmatch(rb"(?:[2345]\d\d[ -][^\r\n]+\r\n)*", answers), answers
    assert not mail.open or mail.unsent == 0
    other = connect(server, made)
    assert other.send(message_of(b"S: x\r\n\r\n")).endswith(b"is in the mailbox\r\n")
    server.close()


class _Certificate:
    """STARTTLS is there; the handshake is only noted."""

    def options(self) -> None:
        """As `imapd.server.tls`."""


_MULTIPART = b"""From: a@b.c\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=x\r
\r
--x\r
\r
one\r
--x\r
Content-Type: message/rfc822\r
Content-Transfer-Encoding: base64\r
\r
Subject: inner\r
\r
two\r
--x--\r
"""


def _server(data: bytes, begin: Callable[[Server], Dialogue]) -> None:
    """Everything answered is in the grammar, nothing is logged as a failure, another client is served."""
    if not data:
        return
    server = Server(limits=_LIMITS, tls=_Certificate())
    other = server.client()
    client = begin(server)
    if data[0] & 1 and client.open and not data[0] & 4:
        client.do("ENABLE IMAP4rev2")
    client.step = 3 if data[0] & 2 else 0
    answers = client.send(data[1:])
    answers += client.send(b"\r\nDONE\r\n*\r\n")
    read_answers(answers, utf8=True)
    assert not client.open or client.unsent == 0
    if client.open:
        answers = client.send(b"\r\nz NOOP\r\nz NOOP\r\n")
        read_answers(answers, utf8=True)
    assert other.do("NOOP").endswith(b"a OK NOOP completed\r\n")
    server.close()


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        framer,
        grammar,
        inflater,
        mime,
        url,
        greeted,
        logged_in,
        selected,
        idling,
        leaving,
        delivering,
    )
}


def seeds(target: str) -> list[Path]:
    """The files of a target's corpus."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.is_file())
