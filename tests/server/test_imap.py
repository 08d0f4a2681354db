"""The protocol: order, limits, timeouts, back-pressure, and ends of connections."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IWriteDescriptor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Line, Server, letter, same
from tests.distant import DistantStore


def _distant(**options: object) -> Server:
    clock = Clock()
    return Server(DistantStore(clock), clock=clock, **options)  # type: ignore[arg-type]


# Greeting.


def test_greeting(server: Server) -> None:
    """The greeting says what the server can do, so that clients need not ask."""
    client = server.connect()
    assert client.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 IMAP4rev2 ")
    assert client.greeting.endswith(b"] imapd ready\r\n")
    assert b" AUTH=PLAIN" in client.greeting
    assert b" LITERAL+" in client.greeting
    assert b"LOGINDISABLED" not in client.greeting


def test_greeting_from_afar(server: Server) -> None:
    """From another machine and without TLS, no password is asked for."""
    client = server.connect("192.0.2.1")
    assert b" LOGINDISABLED" in client.greeting
    assert b" AUTH=" not in client.greeting


# Order.


def test_pipelined_commands_keep_their_order() -> None:
    """Commands sent in one write are answered in their order, each in its state, by a slow store too."""
    server = _distant()
    server.client().fill(2).ok("CREATE other")
    client = server.client()
    answer = client.send(
        b"a SELECT INBOX\r\nb FETCH 1 UID\r\nc SELECT other\r\nd FETCH 1 UID\r\ne CLOSE\r\nf FETCH 1 UID\r\n"
        b"g SELECT INBOX\r\nh FETCH 2 UID\r\n"
    )
    tagged = [line for line in answer.split(b"\r\n") if line[1:2] == b" " and line[:1] != b"*"]
    assert tagged == [
        b"a OK [READ-WRITE] Selected",
        b"b OK FETCH completed",
        b"c OK [READ-WRITE] Selected",
        b"d BAD There is no message of that number",
        b"e OK CLOSE completed",
        b"f BAD FETCH is not for this state",
        b"g OK [READ-WRITE] Selected",
        b"h OK FETCH completed",
    ]
    fetched = [line for line in answer.split(b"\r\n") if b" FETCH (" in line]
    assert fetched == [b"* 1 FETCH (UID 1)", b"* 2 FETCH (UID 2)"]


def test_one_command_at_a_time() -> None:
    """The second of two commands does not begin before the first has been answered."""
    server = _distant()
    client = server.client(select="INBOX")
    server.store.calls.clear()
    client.post(b"a STATUS INBOX (MESSAGES)\r\nb APPEND INBOX {2+}\r\n\r\n\r\n")
    server.advance(0.06)
    assert "append" not in server.store.calls
    server.rest()
    same(
        client.read(),
        "* STATUS INBOX (MESSAGES 0)",
        "a OK STATUS completed",
        "* 1 EXISTS",
        "* 1 RECENT",
        "b OK [APPENDUID 1700000000 1] APPEND completed",
    )


def test_an_answer_does_not_wait_for_the_next_command() -> None:
    """What has been answered is sent, though the command behind it takes its time."""
    server = _distant()
    client = server.client()
    client.post(b"a NOOP\r\nb STATUS INBOX (MESSAGES)\r\n")
    server.advance(0.01)
    same(client.read(), "a OK NOOP completed")
    server.rest()
    same(client.read(), "* STATUS INBOX (MESSAGES 0)", "b OK STATUS completed")


def test_fifty_commands_in_one_write(server: Server) -> None:
    """Mbsync sends up to fifty commands at once; all are answered in order."""
    client = server.client(select="INBOX")
    answer = client.send(b"".join(b"t%d NOOP\r\n" % n for n in range(50)))
    assert answer == b"".join(b"t%d OK NOOP completed\r\n" % n for n in range(50))


@pytest.mark.parametrize("step", [1, 2, 7])
def test_in_small_pieces(server: Server, step: int) -> None:
    """It makes no difference in which pieces octets come."""
    client = server.connect()
    client.step = step
    same(
        client.send(b"a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\nb SELECT INBOX\r\nc CLOSE\r\n"),
        "a OK [CAPABILITY {{*}}] Logged in",
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        "* 0 EXISTS",
        "* 0 RECENT",
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] {{*}}",
        "* OK [UIDNEXT 1] {{*}}",
        "* OK [UIDVALIDITY 1700000000] {{*}}",
        "* OK [HIGHESTMODSEQ 1] {{*}}",
        "* OK [ANNOTATIONS 65536] {{*}}",
        "* OK [MAILBOXID ({{*}})] {{*}}",
        "b OK [READ-WRITE] Selected",
        "c OK CLOSE completed",
    )


# What is not IMAP.


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"a\r\n", b"a BAD Not a command\r\n"),
        (b"a XYZZY\r\n", b"a BAD There is no such command\r\n"),
        (b"a FETCH 1 UID\r\n", b"a BAD FETCH is not for this state\r\n"),
        (b"a UID FETCH 1 UID\r\n", b"a BAD UID FETCH is not for this state\r\n"),
        (b"a UID NOOP\r\n", b"a BAD There is no such command\r\n"),
        (b"a NOOP x\r\n", b"a BAD expected the end of the command at octet 0\r\n"),
        (b"\x16\x03\x01\x02\x00\n", b"* BAD Not a command\r\n"),
        (b"\r\n\r\n", b""),
        (b"a NOOP \r\n", b"a OK NOOP completed\r\n"),
        (b"a LOGIN {20000}\r\n", b"a BAD [TOOBIG] The command is too long\r\n"),
        (b"a LOGIN {20000+}\r\n" + b"b LOGOUT\r\n" * 2000 + b"\r\n",
         b"a BAD [TOOBIG] The command is too long\r\n"),
    ],
)  # fmt: skip
def test_bad(server: Server, octets: bytes, answer: bytes) -> None:
    """What makes no sense is BAD, and the conversation goes on."""
    client = server.connect()
    assert client.send(octets) == answer
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"


def test_too_many_bad_commands(server: Server) -> None:
    """Who talks no IMAP at all, such as a web browser, is shown out."""
    client = server.connect()
    answer = client.send(b"GET / HTTP/1.1\r\n" + b"Host: mail.example.org\r\n" * 40)
    lines = answer.split(b"\r\n")
    assert lines[0] == b"GET BAD Not a command"
    assert lines[-2:] == [b"* BYE Too many bad commands", b""]
    assert len(lines) == 22
    assert not client.open


def test_bad_commands_are_forgiven(server: Server) -> None:
    """A good command wipes the slate."""
    client = server.connect()
    for _ in range(5):
        client.send(b"x\r\n" * 19)
        assert client.do("NOOP") == b"a OK NOOP completed\r\n"
    assert client.open


def test_after_goodbye_nothing_runs(server: Server) -> None:
    """Commands behind LOGOUT are not run."""
    client = server.client()
    answer = client.send(b"a LOGOUT\r\nb CREATE box\r\n")
    assert answer == b"* BYE Logging out\r\na OK LOGOUT completed\r\n"
    assert not client.open
    assert server.client().do("SELECT box") == b"a NO [NONEXISTENT] there is no mailbox box\r\n"


def test_goodbye_then_a_flood(server: Server) -> None:
    """Who is being shown out and goes on sending is not listened to."""
    client = server.client()
    client.stop_reading()
    client.send(b"a LOGOUT\r\n")
    for _ in range(50):
        client.send(b"x" * 100_000)
    assert client.protocol.connection.waiting == 0


# Time.


def test_login_takes_too_long(server: Server) -> None:
    """A client that does not log in within a minute is shown out."""
    client = server.connect()
    server.advance(59)
    assert client.open
    server.advance(1)
    assert client.read() == b"* BYE Too long without a command\r\n"
    assert not client.open


def test_login_takes_too_long_though_commands_come(server: Server) -> None:
    """NOOP does not buy a stranger more than that minute."""
    client = server.connect()
    for _ in range(5):
        server.advance(11)
        assert client.do("NOOP") == b"a OK NOOP completed\r\n"
    server.advance(5)
    assert not client.open


def test_login_takes_too_long_inside_an_exchange(server: Server) -> None:
    """Nor does an exchange that is begun and not ended."""
    client = server.connect()
    client.do("AUTHENTICATE LOGIN")
    server.advance(30)
    client.send(b"YWxpY2U=\r\n")
    client.send(b"c2Vj")
    server.advance(30)
    assert not client.open


def test_idle_too_long(server: Server) -> None:
    """After half an hour without a command (RFC 9051, 5.4: no less) the connection ends."""
    client = server.client(select="INBOX")
    server.advance(1_800)
    assert client.open
    server.advance(60)
    assert client.read() == b"* BYE Too long without a command\r\n"
    assert not client.open


def test_each_command_begins_the_wait_anew(server: Server) -> None:
    """A client that says NOOP now and then stays."""
    client = server.client()
    for _ in range(4):
        server.advance(1_700)
        assert client.do("NOOP") == b"a OK NOOP completed\r\n"


def test_idle_ends_by_itself(server: Server) -> None:
    """A client that forgot its IDLE is shown out, after half an hour."""
    client = server.client(select="INBOX")
    assert client.do("IDLE") == b"+ idling\r\n"
    server.advance(1_800)
    assert client.open
    server.advance(60)
    assert client.read() == b"* BYE Too long without a command\r\n"
    assert not client.open


def test_half_a_message(server: Server) -> None:
    """Who stops in the middle of a message is shown out, and nothing is kept."""
    client = server.client()
    client.do("APPEND INBOX {100+}")
    client.send(b"only this")
    server.advance(1_860)
    assert client.read() == b"* BYE Too long without a command\r\n"
    assert not client.open
    same(
        server.client().do("STATUS INBOX (MESSAGES)"),
        "* STATUS INBOX (MESSAGES 0)",
        "a OK STATUS completed",
    )


def test_a_slow_store_is_no_idle_client() -> None:
    """However long a store takes, the client that waits for it is not shown out."""
    clock = Clock()
    store = DistantStore(clock, 0.1)
    server = Server(store, clock=clock)
    client = server.client(select="INBOX")
    store.delay = 1_500.0
    client.post(b"a STATUS INBOX (MESSAGES)\r\n")
    server.advance(3_000)
    assert client.read() == b"* STATUS INBOX (MESSAGES 0)\r\na OK STATUS completed\r\n"
    store.delay = 0.1


# Flow.


def _long(server: Server, count: int = 200) -> Dialogue:
    """A mailbox whose bodies are some megabytes."""
    client = server.client()
    big = letter("big", "x" * 70 + "\r\n")[:-2] + (b"y" * 76 + b"\r\n") * 250
    client.append(*[big] * count)
    return client.select()


def test_a_client_that_does_not_read(server: Server) -> None:
    """A FETCH waits for a client that does not read; the server holds little of it meanwhile."""
    client = _long(server)
    client.stop_reading()
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    held = len(client.transport.out)
    assert held < 400_000
    server.advance(100)
    assert len(client.transport.out) == held
    answer = client.read_on()
    assert answer.endswith(b"a OK FETCH completed\r\n")
    assert answer.count(b" FETCH (") == 200
    assert len(answer) > 3_500_000


def test_others_are_served_meanwhile(server: Server) -> None:
    """One client's coffee break is no other's."""
    client = _long(server)
    client.stop_reading()
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    assert server.client().do("STATUS INBOX (MESSAGES)").endswith(b"a OK STATUS completed\r\n")


def test_a_client_that_never_reads_again(server: Server) -> None:
    """After five minutes its connection is cut."""
    client = _long(server)
    client.stop_reading()
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    server.advance(299)
    assert client.open
    server.advance(1)
    assert not client.open


def test_a_client_that_leaves_in_the_middle(server: Server) -> None:
    """A connection that breaks in the middle of an answer is no failure of the server's."""
    client = _long(server)
    client.stop_reading()
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\nb NOOP\r\n")
    client.hang_up()
    assert not client.open


def test_a_client_that_sends_without_end() -> None:
    """Megabytes of pipelined commands wait in the network, not in the server, and are all answered."""
    server = _distant()
    client = server.client()
    command = b"a STATUS INBOX (MESSAGES)\r\n"
    client.post(command * 40_000)
    assert client.protocol.connection.waiting < 300_000
    assert client.unsent > 500_000
    server.store.delay = None
    server.rest()
    assert client.read().count(b"a OK STATUS completed\r\n") == 40_000


def test_shutdown(server: Server) -> None:
    """When the server stops, every client is told, and the factory says when all have gone."""
    clients = [server.connect(), server.client(), server.client(select="INBOX")]
    clients[2].do("IDLE")
    gone: list[object] = []
    server.factory.shutdown().addCallback(gone.append)
    server.settle()
    assert [client.read() for client in clients] == [b"* BYE The server is shutting down\r\n"] * 3
    assert gone == [None]


def test_shutdown_does_not_cut_an_answer_short(server: Server) -> None:
    """A client that is in the middle of an answer gets all of it, then BYE."""
    client = _long(server)
    client.stop_reading()
    client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    server.factory.shutdown()
    answer = client.read_on()
    assert answer.endswith(b")\r\na OK FETCH completed\r\n* BYE The server is shutting down\r\n")
    assert answer.count(b" FETCH (") == 200
    assert not client.open


@pytest.mark.parametrize("limit", [1_000, 100_000])
def test_answers_to_many_commands(limit: int) -> None:
    """Answers that a client leaves unread are bounded, whatever the commands."""
    server = Server(limits=Limits(output=limit))
    client = server.client()
    client.stop_reading()
    client.post(b"a CAPABILITY\r\n" * 20_000)
    server.settle()
    assert len(client.transport.out) < 500_000
    assert client.read_on().count(b"a OK CAPABILITY completed\r\n") == 20_000


def test_a_peer_that_never_reads_the_goodbye(server: Server) -> None:
    """After LOGOUT a connection that does not come to its end is cut in the end."""
    client = server.client()
    client.transport.loseConnection = lambda: None  # type: ignore[method-assign]
    client.do("LOGOUT")
    server.advance(Limits().write_timeout - 1)
    assert client.open
    server.advance(2)
    assert client.transport.aborted
    assert not client.open


def test_an_answer_does_not_wait_for_the_reactor() -> None:
    """Over TCP, an answer is on its way as soon as there is one."""
    server = Server()
    line = Line(server.clock, "127.0.0.1")
    written: list[bytes] = []
    line.doWrite = lambda: written.append(bytes(line.out))  # type: ignore[attr-defined]
    directlyProvides(line, IWriteDescriptor)
    protocol = server.factory.buildProtocol(line.peerAddr)
    line.protocol = protocol
    protocol.makeConnection(line)
    line.out.clear()
    protocol.dataReceived(b"a NOOP\r\n")
    assert written == [b"a OK NOOP completed\r\n"]
    protocol.connectionLost(Failure(ConnectionDone()))
