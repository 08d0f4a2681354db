"""APPEND (RFC 9051, 6.3.12): what goes in comes out."""

from __future__ import annotations

import pytest

from imapd.model.limits import Limits
from tests.dialogue import Server, letter, same
from tests.distant import DistantStore


def test_append(anywhere: Server) -> None:
    """A message is kept to the octet, with its flags and its date."""
    client = anywhere.client()
    message = letter("one", "Hello\r\n\r\n\r\nbye")
    same(
        client.do('APPEND INBOX (\\Seen $Work) "17-Jul-1996 02:44:25 -0700"', message),
        "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed",
    )
    client.select()
    same(
        client.do("FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"),
        "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent $Work) INTERNALDATE "
        f'"17-Jul-1996 02:44:25 -0700" RFC822.SIZE {len(message)} BODY[] {{{len(message)}}}',
        message + b")",
        "a OK FETCH completed",
    )


def test_to_the_selected_mailbox(anywhere: Server) -> None:
    """A message that is put into the selected mailbox is told before the command ends."""
    client = anywhere.client(select="INBOX")
    same(
        client.do("APPEND inbox", letter()),
        "* 1 EXISTS",
        "* 1 RECENT",
        "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed",
    )


@pytest.mark.parametrize("name", ["nowhere", "&garbage", '"no such/box"'])
def test_nowhere(anywhere: Server, name: str) -> None:
    """To a mailbox that is not there: NO [TRYCREATE], before the message is sent."""
    client = anywhere.client()
    same(
        client.do(f"APPEND {name} {{20}}"),
        "a NO [TRYCREATE] There is no such mailbox; create it first",
    )
    same(
        client.send(f"a APPEND {name} {{10+}}\r\nz LOGOUT\r\n\r\n".encode()),
        "a NO [TRYCREATE] There is no such mailbox; create it first",
    )
    same(client.do("NOOP"), "a OK NOOP completed")


@pytest.mark.parametrize(
    "arguments",
    ["INBOX () {2+}", "INBOX (\\seen) {2+}", "{5+}\r\ninbox {2+}",
     '"INBOX" " 1-Jan-2020 00:00:00 +0000" {2+}',
     "INBOX  (\\Draft)  {2+}", 'INBOX (a b c) "01-feb-2020 23:59:60 +1400" {2+}'],
)  # fmt: skip
def test_forms(anywhere: Server, arguments: str) -> None:
    """Flags and date may be there or not; the mailbox may be a literal."""
    answer = anywhere.client().send(f"a APPEND {arguments}\r\n\r\n\r\n".encode())
    same(answer, "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [("", ""), (" INBOX", ""), (" INBOX (\\Seen)", ""), (" INBOX (\\Foo) {5}", ""),
     (' INBOX "yesterday" {5}', "not a date-time"),
     (' INBOX "31-Feb-2020 00:00:00 +0000" {5}', "not a date-time"),
     (" INBOX x {5}", ""), (" INBOX (\\Seen {5}", ""), (" (\\Seen) {5}", ""), (" {5+}\r\nINBOX", "")],
)  # fmt: skip
def test_bad(server: Server, arguments: str, text: str) -> None:
    """What is no APPEND is BAD, and the message is not asked for."""
    client = server.client()
    answer = client.do("APPEND" + arguments)
    assert answer.startswith(b"a BAD " + text.encode())
    assert answer.count(b"\r\n") == 1
    assert b"no such command" not in answer
    same(client.do("NOOP"), "a OK NOOP completed")


@pytest.mark.parametrize("rest", [" x", ")", " {-1}", ' "more"'])
def test_more_than_a_message(anywhere: Server, rest: str) -> None:
    """What follows the message is refused, with all that belongs to it, and nothing is kept."""
    client = anywhere.client(select="INBOX")
    answer = client.send(f"a APPEND INBOX {{2+}}\r\n\r\n{rest}\r\n".encode())
    assert answer.startswith(b"a BAD ")
    assert answer.count(b"\r\n") == 1
    same(client.do("NOOP"), "a OK NOOP completed")


def test_not_before_login(server: Server) -> None:
    """A stranger's message is swallowed."""
    client = server.connect()
    same(
        client.send(b"a APPEND INBOX {10+}\r\nb LOGOUT\r\n\r\n"),
        "a BAD APPEND is not for this state",
    )
    same(client.send(b"a APPEND INBOX {10}\r\n"), "a BAD APPEND is not for this state")
    same(client.do("NOOP"), "a OK NOOP completed")


def test_too_big() -> None:
    """A message over the limit is refused before it comes, or swallowed when it does not wait."""
    server = Server(limits=Limits(message=1_000))
    client = server.client()
    same(client.do("APPEND INBOX {1001}"), "a NO [TOOBIG] The message is too large")
    same(
        client.send(b"a APPEND INBOX {1001+}\r\n" + b"b LOGOUT\r\n" * 100 + b"x\r\n"),
        "a NO [TOOBIG] The message is too large",
    )
    same(client.do("NOOP"), "a OK NOOP completed")


def test_large_messages_go_by_way_of_the_disk(anywhere: Server) -> None:
    """A message too large for memory is the same when it comes out."""
    message = letter("large", "0123456789abcdef\r\n" * 12_000)
    limits = Limits(spool=1_000)
    object.__setattr__(anywhere.factory.policy, "limits", limits)
    client = anywhere.client()
    client.step = 5_000
    client.append(message).select()
    answer = client.do("FETCH 1 BODY.PEEK[]")
    assert answer == b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\na OK FETCH completed\r\n" % (
        len(message),
        message,
    )


@pytest.mark.parametrize(
    "message", [b"\r\n", b"x", b"\r", b"\n", b"a: b", b"\xff\xfe", b"a: b\n\nc\n"]
)
def test_strange_messages(anywhere: Server, message: bytes) -> None:
    """Whatever it is that was stored, it is there, and can be looked at in every way."""
    client = anywhere.client()
    anywhere.deliver(message)
    client.select()
    answer = client.do(
        "FETCH 1 (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY BODY[] BODY[HEADER] BODY[TEXT] BODY[1])"
    )
    assert answer.endswith(b"a OK FETCH completed\r\n")
    size = answer.partition(b"RFC822.SIZE ")[2].split()[0]
    assert b"BODY[] {%b}\r\n" % size in answer


def test_nul_in_a_message(anywhere: Server) -> None:
    """A literal cannot hold NUL; a message that has some is still served, and BINARY has them all."""
    client = anywhere.client()
    client.append(b"A: b\r\n\r\n\0").select()
    same(
        client.do("FETCH 1 BODY.PEEK[TEXT]"),
        b"* 1 FETCH (BODY[TEXT] {1}",
        b"\x80)",
        "a OK FETCH completed",
    )
    same(
        client.do("FETCH 1 BINARY.PEEK[1]"),
        b"* 1 FETCH (BINARY[1] ~{1}",
        b"\0)",
        "a OK FETCH completed",
    )


def test_a_slow_store() -> None:
    """A message goes into a store that takes its time, and the next command waits."""
    from twisted.internet.task import Clock

    clock = Clock()
    server = Server(DistantStore(clock), clock=clock)
    client = server.client()
    same(
        client.send(b"a APPEND INBOX {2+}\r\n\r\n\r\nb STATUS INBOX (MESSAGES)\r\n"),
        "a OK [APPENDUID 1700000000 1] APPEND completed",
        "* STATUS INBOX (MESSAGES 1)",
        "b OK STATUS completed",
    )
