"""LMTP as a mail transport and its users see it, over every kind of store."""

from __future__ import annotations

import re

import pytest

from imapd.model.limits import Limits
from imapd.model.quota import Allowance
from imapd.store.errors import StoreUnavailable
from imapd.store.memory import MemoryStore
from imapd.store.memory.account import MemoryAccount
from tests.delivery.transporting import connect, factory, message_of
from tests.dialogue import Dialogue, Server

_TRACE = (
    b"Return-Path: <bob@example.com>\r\n"
    b"Delivered-To: alice@example.org\r\n"
    b"Received: from relay.example ([127.0.0.1])\r\n"
    b"\tby mail.example.org (imapd) with LMTP id ID\r\n"
    b"\tfor <alice@example.org>;\r\n"
    b"\tSun, 09 Sep 2001 01:46:40 +0000\r\n"
)


def _codes(answer: bytes) -> list[bytes]:
    """Code and status of each line."""
    assert answer.endswith(b"\r\n"), answer
    return [b" ".join(line.split(b" ")[:2]) for line in answer[:-2].split(b"\r\n")]


def _bodies(client: Dialogue, mailbox: str = "INBOX") -> list[bytes]:
    """Every message of a mailbox, with the transaction's id made the same."""
    client.ok(f"EXAMINE {mailbox}")
    answer = (
        client.ok("FETCH 1:* BODY.PEEK[]")
        if b"* 0 EXISTS" not in client.do(f"EXAMINE {mailbox}")
        else b""
    )
    found = []
    while match := re.match(rb"\* \d+ FETCH \(BODY\[\] \{(\d+)\}\r\n", answer):
        size = int(match[1])
        octets = answer[match.end() : match.end() + size]
        found.append(re.sub(rb"LMTP(S?) id [0-9a-f]{16}", rb"LMTP\1 id ID", octets))
        answer = answer[match.end() + size + 3 :]
    return found


def test_the_greeting_and_what_is_spoken(anywhere: Server) -> None:
    """A client hears what it may use; HELO and EHLO are of another protocol (RFC 2033, 4.1)."""
    client = connect(anywhere, hello=False)
    assert client.greeting == b"220 mail.example.org LMTP imapd ready\r\n"
    assert _codes(client.send(b"EHLO x\r\nHELO x\r\nMAIL FROM:<>\r\n")) == [
        b"500 5.5.1", b"500 5.5.1", b"503 5.5.1",
    ]  # fmt: skip
    assert client.send(b"LHLO relay.example\r\n").decode().split("\r\n")[:-1] == [
        "250-mail.example.org",
        "250-PIPELINING",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-ENHANCEDSTATUSCODES",
        f"250-SIZE {Limits().message}",
        "250-CHUNKING",
        "250 BINARYMIME",
    ]


def test_a_message_arrives(anywhere: Server) -> None:
    """What was accepted is in INBOX, octet for octet, behind how it came."""
    mail = connect(anywhere)
    text = b"Subject: hello\r\n\r\n..a dot\r\nlone \n and \r, \xff\r\n"
    assert _codes(mail.send(message_of(text))) == [
        b"250 2.1.0", b"250 2.1.5", b"354 Go", b"250 2.0.0",
    ]  # fmt: skip
    assert _bodies(anywhere.client()) == [_TRACE + text.replace(b"..a", b".a")]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_pieces(server: Server, step: int) -> None:
    """However the octets come, it is the same dialogue."""
    mail = connect(server)
    mail.step = step
    assert _codes(mail.send(message_of(b"Subject: x\r\n\r\n..\r\n") * 2 + b"QUIT\r\n")) == [
        *[b"250 2.1.0", b"250 2.1.5", b"354 Go", b"250 2.0.0"] * 2,
        b"221 2.0.0",
    ]
    assert not mail.open
    assert _bodies(server.client()) == [_TRACE + b"Subject: x\r\n\r\n.\r\n"] * 2


def test_one_answer_for_each_recipient(anywhere: Server) -> None:
    """RFC 2033, 4.2: who is not known is refused at once, and the others each have their answer."""
    mail = connect(anywhere)
    to = [b"alice@example.org", b"nobody@example.org", b"bob", b"BOB@Example.Org"]
    assert mail.send(message_of(b"Subject: x\r\n\r\n\r\n", to)).split(b"\r\n")[1:-1] == [
        b"250 2.1.5 OK",
        b"550 5.1.1 <nobody@example.org> is nobody here",
        b"250 2.1.5 OK",
        b"250 2.1.5 OK",
        b"354 Go on; a dot on a line ends the message",
        b"250 2.0.0 <alice@example.org> is in the mailbox",
        b"250 2.0.0 <bob> is in the mailbox",
        b"250 2.0.0 <BOB@Example.Org> is in the mailbox",
    ]
    # Twice in one envelope is still one message; and the header betrays no one else.
    (got,) = _bodies(anywhere.client("bob"))
    assert got.startswith(b"Return-Path: <bob@example.com>\r\nDelivered-To: bob\r\nReceived:")
    assert b"alice" not in got
    assert b"for <" not in got


def test_detail(anywhere: Server) -> None:
    """``user+mailbox`` is for that mailbox if it is there, else for INBOX."""
    client = anywhere.client()
    client.ok("CREATE lists/twisted")
    mail = connect(anywhere)
    for to in (b"alice+lists/twisted@x", b"alice+gone@x", b"alice+@x", b'"alice+../../bob"@x'):
        assert _codes(mail.send(message_of(b"S: x\r\n\r\n", [to])))[-1] == b"250 2.0.0"
    assert len(_bodies(client, "lists/twisted")) == 1
    assert len(_bodies(client, "INBOX")) == 3
    assert len(_bodies(anywhere.client("bob"))) == 0


def test_an_idler_hears_of_it(anywhere: Server) -> None:
    """A delivered message shows in a session that idles."""
    client = anywhere.client(select="INBOX")
    client.send(b"b IDLE\r\n")
    connect(anywhere).send(message_of(b"S: x\r\n\r\n"))
    assert b"* 1 EXISTS\r\n" in client.read()


def test_chunks(anywhere: Server) -> None:
    """BDAT takes octets as they are, NUL and lone dots too (RFC 3030, 2 and 3)."""
    mail = connect(anywhere)
    sent = (
        b"MAIL FROM:<bob@example.com> BODY=BINARYMIME\r\nRCPT TO:<alice@example.org>\r\n"
        b"BDAT 14\r\nSubject: x\r\n\r\nBDAT 5\r\n\r\n.\r\nBDAT 3 LAST\r\na\nb"
    )
    answer = mail.send(sent)
    assert answer.split(b"\r\n")[2:4] == [b"250 2.0.0 14 octets taken", b"250 2.0.0 5 octets taken"]
    assert _codes(answer)[-1] == b"250 2.0.0"
    assert _bodies(anywhere.client()) == [_TRACE + b"Subject: x\r\n\r\n\r\n.\r\na\nb"]


def test_chunks_that_nobody_gets(server: Server) -> None:
    """Their octets are taken and never read as commands."""
    mail = connect(server)
    assert _codes(mail.send(b"BDAT 6\r\nQUIT\r\nNOOP\r\n")) == [b"503 5.5.1", b"250 2.0.0"]
    assert _codes(mail.send(b"BDAT x\r\nNOOP\r\n")) == [b"501 5.5.4"]
    assert not mail.open


def test_binary_is_for_chunks(server: Server) -> None:
    """RFC 3030, 3: DATA cannot carry a binary message; RSET begins anew."""
    mail = connect(server)
    answer = mail.send(
        b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<alice>\r\nDATA\r\nRSET\r\nDATA\r\n"
    )
    assert _codes(answer)[2:] == [b"503 5.5.1", b"250 2.0.0", b"503 5.5.1"]


def test_the_order_of_commands(server: Server) -> None:
    """MAIL, then RCPT, then DATA; without a recipient DATA is refused (RFC 2033, 4.2)."""
    mail = connect(server)
    assert _codes(
        mail.send(
            b"RCPT TO:<alice>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nRCPT TO:<nobody>\r\n"
            b"DATA\r\nVRFY alice\r\nNOOP\r\nLHLO again\r\nRCPT TO:<alice>\r\n"
        )
    ) == [
        b"503 5.5.1", b"503 5.5.1", b"250 2.1.0", b"503 5.5.1", b"550 5.1.1", b"503 5.5.1", b"252 2.5.0",
        b"250 2.0.0", *[b"250-mail.example.org", b"250-PIPELINING", b"250-8BITMIME", b"250-SMTPUTF8",
                        b"250-ENHANCEDSTATUSCODES", b"250-SIZE %d" % Limits().message, b"250-CHUNKING",
                        b"250 BINARYMIME"],
        b"503 5.5.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (b"MAIL FROM:<a@b> SIZE=x", b"501 5.5.4"),
        (b"MAIL FROM:<a@b> SIZE", b"501 5.5.4"),
        (b"MAIL FROM:<a@b> SIZE=99999999999999999999", b"552 5.3.4"),
        (b"MAIL FROM:<a@b> BODY=9BIT", b"501 5.5.4"),
        (b"MAIL FROM:<a@b> RET=FULL", b"555 5.5.4"),
        (b"MAIL FROM:<j\xc3\xb6rg@b>", b"553 5.6.7"),
        (b"MAIL FROM:<a b@c>", b"501 5.1.7"),
        (b"MAIL a@b", b"501 5.5.4"),
        (b"STARTTLS", b"500 5.5.1"),
        (b"AUTH PLAIN", b"500 5.5.1"),
        (b"", b"500 5.5.1"),
        (b"\0\xff", b"500 5.5.1"),
        (b"LHLO", b"501 5.5.4"),
        (b"LHLO a\0b", b"501 5.5.4"),
        (b"NOOP" + b" x" * 3000, b"500 5.5.2"),
    ],
)
def test_what_is_refused(server: Server, command: bytes, status: bytes) -> None:
    """A wrong command is answered, and the next is read."""
    mail = connect(server)
    assert _codes(mail.send(command + b"\r\nNOOP\r\n")) == [status, b"250 2.0.0"]


def test_other_characters(anywhere: Server) -> None:
    """RFC 6531: after SMTPUTF8 an address may have any letters; the header says how it came."""
    mail = connect(anywhere)
    answer = mail.send(
        "MAIL FROM:<bjørn@eksempel.no> SMTPUTF8\r\nRCPT TO:<jörg@exämple.org>\r\n"
        "DATA\r\nSubject: ø\r\n\r\n\r\n.\r\n".encode()
    )
    assert answer.endswith("250 2.0.0 <jörg@exämple.org> is in the mailbox\r\n".encode())


def test_too_large(anywhere: Server) -> None:
    """A message beyond the limit is taken off the wire and refused; the next one arrives."""
    mail = connect(anywhere, factory(anywhere, Limits(message=1000)))
    large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 20
    assert _codes(mail.send(message_of(large)))[-1] == b"552 5.3.4"
    assert _codes(mail.send(b"MAIL FROM:<a@b> SIZE=1001\r\n")) == [b"552 5.3.4"]
    assert _codes(mail.send(message_of(b"S: x\r\n\r\n")))[-1] == b"250 2.0.0"
    assert len(_bodies(anywhere.client())) == 1


def test_a_large_message_goes_by_the_disk(anywhere: Server) -> None:
    """What is too much for memory arrives all the same, at several recipients."""
    mail = connect(anywhere, factory(anywhere, Limits(spool=1000)))
    text = b"Subject: large\r\n\r\n" + (b"y" * 70 + b"\r\n") * 500
    assert _codes(mail.send(message_of(text, [b"alice", b"bob"])))[-2:] == [b"250 2.0.0"] * 2
    for user in ("alice", "bob"):
        (got,) = _bodies(anywhere.client(user))
        assert got.endswith(b"\r\n" + text)


@pytest.mark.parametrize(("permanent", "status"), [(False, b"452 4.2.2"), (True, b"552 5.2.2")])
def test_over_quota(anywhere: Server, permanent: bool, status: bytes) -> None:
    """A full mailbox says so, and its owner alone misses the message."""
    anywhere.store.allow_each(Allowance(messages=1))
    mail = connect(anywhere, factory(anywhere, full_is_permanent=permanent))
    assert _codes(mail.send(message_of(b"S: 1\r\n\r\n")))[-1] == b"250 2.0.0"
    answer = _codes(mail.send(message_of(b"S: 2\r\n\r\n", [b"alice", b"bob"])))
    assert answer[-2:] == [status, b"250 2.0.0"]
    assert len(_bodies(anywhere.client())) == 1
    assert len(_bodies(anywhere.client("bob"))) == 1


class _Full(MemoryStore):
    """A store whose disk is full."""

    def open_account(self, user: str) -> MemoryAccount:
        """As `IMailStore`."""
        raise StoreUnavailable("the disk is full")


def test_a_store_in_trouble() -> None:
    """What may become better by waiting is answered so that the client tries again."""
    mail = connect(Server(_Full()))
    assert _codes(mail.send(message_of(b"S: x\r\n\r\n")))[-1] == b"451 4.3.0"


def test_many_recipients(server: Server) -> None:
    """RFC 5321, 4.5.3.1.10: the rest is to be sent later."""
    mail = connect(server, factory(server, Limits(recipients=2)))
    answer = _codes(mail.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<alice>\r\n" * 3))
    assert answer[1:] == [b"250 2.1.5", b"250 2.1.5", b"452 4.5.3"]


def test_a_client_that_talks_nonsense(server: Server) -> None:
    """It is told goodbye, as are those who say nothing for too long."""
    mail = connect(server)
    answer = mail.send(b"GET / HTTP/1.1\r\n" * 50)
    assert _codes(answer)[-1] == b"421 4.7.0"
    assert not mail.open
    silent = connect(server)
    server.clock.advance(Limits().lmtp_timeout + 1)
    assert _codes(silent.read()) == [b"421 4.4.2"]
    server.clock.advance(1)
    assert not silent.open


def test_a_client_that_goes_away(anywhere: Server) -> None:
    """A message that is not whole is nobody's."""
    mail = connect(anywhere)
    mail.send(message_of(b"S: x\r\n\r\n")[:-3])
    mail.hang_up()
    assert _bodies(anywhere.client()) == []


def test_a_client_that_does_not_read(server: Server) -> None:
    """Answers do not pile up for it: its commands wait."""
    mail = connect(server)
    mail.stop_reading()
    mail.send(b"NOOP\r\n" * 100_000)
    assert mail.unsent > 0
    assert len(mail.transport.out) < 200_000
    answer = mail.read_on()
    while mail.unsent:
        answer += mail.send(b"")
    assert answer.count(b"250 2.0.0") == 100_000


def test_a_client_that_never_reads(server: Server) -> None:
    """It is not waited for longer than `Limits.write_timeout`; one that reads in time is."""
    made = factory(server)
    never, late = connect(server, made), connect(server, made)
    for mail in (never, late):
        mail.stop_reading()
        mail.send(b"NOOP\r\n" * 100_000)
    server.clock.advance(Limits().write_timeout - 1)
    late.read_on()
    server.clock.advance(2)
    server.clock.advance(1)
    assert not never.open
    assert late.open
    assert made.connections == 1


def test_starttls(server: Server) -> None:
    """What came before the handshake is forgotten, also what was said (RFC 3207, 4.2)."""

    class _Certificate:
        def options(self) -> str:
            return "options"

    mail = connect(server, factory(server, tls=_Certificate()))
    answer = mail.send(b"MAIL FROM:<>\r\nSTARTTLS\r\nRCPT TO:<alice>\r\n")
    assert _codes(answer) == [b"250 2.1.0", b"220 2.0.0"]
    assert mail.transport.handshakes == ["options"]
    assert _codes(mail.send(b"MAIL FROM:<>\r\n")) == [b"503 5.5.1"]
    assert b"STARTTLS" not in mail.send(b"LHLO relay.example\r\n")
    mail.send(message_of(b"S: x\r\n\r\n", [b"alice@example.org"]))
    (got,) = _bodies(server.client())
    assert b"with LMTPS id ID" in got


def test_the_end(server: Server) -> None:
    """When the server ends, clients are told; of a message that is not whole nothing is kept."""
    made = factory(server)
    idle, busy = connect(server, made), connect(server, made)
    busy.send(message_of(b"S: x\r\n\r\n")[:-3])
    done: list[None] = []
    made.shutdown().addCallback(done.append)
    for client in (idle, busy):
        assert _codes(client.read()) == [b"421 4.3.2"]
    server.clock.advance(1)
    assert not idle.open
    assert not busy.open
    assert done == [None]
    assert _bodies(server.client()) == []
