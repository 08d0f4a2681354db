"""MULTIAPPEND (RFC 3502): several messages in one command, all or none."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from imapd import commands
from imapd.dialect import Dialect
from imapd.model.limits import Limits
from imapd.store.errors import OverQuota
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore

_FRED = b"""Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)
From: Fred Foobar <foobar@Blurdybloop.example.COM>
Subject: afternoon meeting
To: mooch@owatagu.example.net
Message-Id: <B27397-0100000@Blurdybloop.example.COM>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

Hello Joe, do you think we can meet at 3:30 tomorrow?
""".replace(b"\n", b"\r\n")
_JOE = b"""Date: Mon, 7 Feb 1994 22:43:04 -0800 (PST)
From: Joe Mooch <mooch@OWaTaGu.example.net>
Subject: Re: afternoon meeting
To: foobar@blurdybloop.example.com
Message-Id: <a0434793874930@OWaTaGu.example.net>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

3:30 is fine with me.
""".replace(b"\n", b"\r\n")


def _count(client: Dialogue, mailbox: str = "INBOX") -> bytes:
    """What STATUS says of the messages in a mailbox."""
    return client.ok(f"STATUS {mailbox} (MESSAGES UIDNEXT)")


def test_the_example(anywhere: Server) -> None:
    """RFC 3502's own example: two messages at once, and a mailbox that is not there."""
    client = anywhere.client()
    client.ok("CREATE saved-messages")
    same(
        client.send(b"A003 APPEND saved-messages (\\Seen) {%d}\r\n" % len(_FRED)),
        "+ Ready for the message",
    )
    same(
        client.send(_FRED + b' (\\Seen) " 7-Feb-1994 22:43:04 -0800" {%d}\r\n' % len(_JOE)),
        "+ Ready for the message",
    )
    same(
        client.send(_JOE + b"\r\n"),
        "A003 OK [APPENDUID {{uidvalidity}} 1:2] APPEND completed",
    )
    same(
        client.send(b"A004 APPEND bogusname (\\Flagged) {1023}\r\n"),
        "A004 NO [TRYCREATE] There is no such mailbox; create it first",
    )
    client.ok("EXAMINE saved-messages")
    answer = client.do("FETCH 1:2 (FLAGS INTERNALDATE BODY.PEEK[])")
    assert b'* 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE "' in answer
    assert (
        b'* 2 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE " 7-Feb-1994 22:43:04 -0800"'
        b" BODY[] {%d}\r\n%b)\r\n" % (len(_JOE), _JOE)
    ) in answer
    assert b"BODY[] {%d}\r\n%b)\r\n" % (len(_FRED), _FRED) in answer


def test_the_example_over_a_limit(anywhere: Server) -> None:
    """RFC 3502's own example of a failure: the second message is too much, and the first is not kept."""
    object.__setattr__(anywhere.factory.policy, "limits", Limits(message=35_402))
    client = anywhere.client()
    client.ok("CREATE test")
    first = letter("hmm...")
    same(
        client.send(b"A005 APPEND test (\\Flagged) {%d}\r\n" % len(first)),
        "+ Ready for the message",
    )
    same(
        client.send(first + b" {35403}\r\n"),
        "A005 NO [TOOBIG] The message is too large",
    )
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(client, "test")


def test_it_is_advertised(server: Server) -> None:
    """A client learns that it may send several."""
    assert b" MULTIAPPEND" in server.client().ok("CAPABILITY")


def test_uids_are_in_the_order_of_the_messages(anywhere: Server) -> None:
    """APPENDUID has as many UIDs as there were messages, and they are in that order."""
    client = anywhere.client(select="INBOX")
    client.fill(2)
    client.ok("STORE 2 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    same(
        client.send(
            b"a APPEND INBOX (First) {5+}\r\n1\r\n\r\n {5+}\r\n2\r\n\r\n (Third) {5+}\r\n3\r\n\r\n\r\n"
        ),
        "* 4 EXISTS",
        "* 4 RECENT",
        "a OK [APPENDUID {{uidvalidity}} 3:5] APPEND completed",
    )
    answer = client.do("UID FETCH 3:5 (FLAGS BODY.PEEK[])")
    assert b"UID 3 FLAGS (\\Recent First) BODY[] {5}\r\n1\r\n" in answer
    assert b"UID 4 FLAGS (\\Recent) BODY[] {5}\r\n2\r\n" in answer
    assert b"UID 5 FLAGS (\\Recent Third) BODY[] {5}\r\n3\r\n" in answer


@pytest.mark.parametrize("wait", ["", "+"])
def test_an_empty_message_cancels(anywhere: Server, wait: str) -> None:
    """A literal of no octets is NO, and what came before it in the command is not stored."""
    client = anywhere.client()
    same(
        client.send(
            b"a APPEND INBOX {5+}\r\n1\r\n\r\n {0%b}\r\n" % wait.encode() + b"\r\n" * bool(wait)
        ),
        "a NO A message without octets: nothing was stored",
    )
    same(client.do("APPEND INBOX {0}"), "a NO A message without octets: nothing was stored")
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(client)


@pytest.mark.parametrize(
    "rest",
    [b" x", b")", b" ()", b" (\\Seen)", b" {3+}\r\nabc x", b' "yesterday" {3+}\r\nabc', b"{3+}\r\nabc",
     b" (\\Foo) {20+}\r\nz APPEND INBOX {1}\r\n"],
)  # fmt: skip
def test_nothing_is_kept_of_a_bad_command(anywhere: Server, rest: bytes) -> None:
    """What is wrong anywhere takes back the messages before it; none of its octets run as commands."""
    client = anywhere.client()
    answer = client.send(b"a APPEND INBOX {5+}\r\n1\r\n\r\n {5+}\r\n2\r\n\r\n%b\r\n" % rest)
    assert answer.startswith(b"a BAD ")
    assert answer.count(b"\r\n") == 1
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(client)


def test_a_store_that_fails() -> None:
    """When the store has no room, the answer says so and there is nothing new."""
    clock = Clock()
    store = DistantStore(clock, None)
    client = Server(store, clock=clock).client()
    store.faults["append"] = OverQuota()
    same(
        client.send(b"a APPEND INBOX {1+}\r\na {1+}\r\nb\r\n"),
        "a NO [OVERQUOTA] Over quota",
    )
    del store.faults["append"]
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(client)


def test_they_are_one_change(anywhere: Server) -> None:
    """Another session sees all of them at once, when the last one has come."""
    client, other = anywhere.client(), anywhere.client(select="INBOX")
    client.send(b"a APPEND INBOX {1+}\r\na {1+}\r\nb {1+}\r\n")
    same(other.do("NOOP"), "a OK NOOP completed")
    client.send(b"c\r\n")
    assert b"* 3 EXISTS\r\n" in other.do("NOOP")


def test_a_client_that_goes_away(anywhere: Server) -> None:
    """Who hangs up between two messages has stored neither."""
    client = anywhere.client()
    client.send(b"a APPEND INBOX {1+}\r\na {5+}\r\nb")
    client.hang_up()
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(anywhere.client())


def test_more_than_memory_holds(anywhere: Server) -> None:
    """Messages that together are more than a command may hold are spooled, and come out as they came."""
    object.__setattr__(anywhere.factory.policy, "limits", Limits(spool=1_000))
    client = anywhere.client()
    messages = [letter(f"n{number}", f"{number}" * 300) for number in range(8)]
    parts = b"".join(b" {%d+}\r\n%b" % (len(message), message) for message in messages)
    client.step = 100
    answer = client.send(b"a APPEND INBOX%b\r\n" % parts)
    assert answer.startswith(b"a OK [APPENDUID "), answer
    client.step = 0
    client.select()
    fetched = client.do("FETCH 1:* BODY.PEEK[]")
    assert (
        fetched
        == b"".join(
            b"* %d FETCH (BODY[] {%d}\r\n%b)\r\n" % (number, len(message), message)
            for number, message in enumerate(messages, 1)
        )
        + b"a OK FETCH completed\r\n"
    )


def test_there_is_a_bound(anywhere: Server) -> None:
    """More messages than the limit allows are refused before they come, with all before them."""
    object.__setattr__(anywhere.factory.policy, "limits", Limits(append_messages=2))
    client = anywhere.client()
    same(
        client.send(b"a APPEND INBOX {1+}\r\na {1+}\r\nb {1}\r\n"),
        "a NO [LIMIT] Too many messages in one command",
    )
    assert b"(MESSAGES 0 UIDNEXT 1)" in _count(client)
    assert b"a OK " in client.send(b"a APPEND INBOX {1+}\r\na {1+}\r\nb\r\n")


def test_without_the_extension() -> None:
    """Where the extension is switched off, a second message is BAD and an empty one is a message."""
    server = Server(dialect=Dialect.of(commands.FEATURES))
    client = server.client()
    assert b"MULTIAPPEND" not in client.ok("CAPABILITY")
    same(
        client.send(b"a APPEND INBOX {1+}\r\na {1+}\r\nb\r\n"),
        "a BAD APPEND takes one message",
    )
    same(client.do("APPEND INBOX", b""), "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed")
