"""APPENDLIMIT (RFC 7889): how large a message may be."""

from __future__ import annotations

import pytest
from attrs import evolve

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, letter, same


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Who has logged in to a server that takes messages of 257,890 octets."""
    anywhere.factory.policy = evolve(anywhere.factory.policy, limits=Limits(message=257_890))
    return anywhere.client()


def test_it_is_told_before_and_after_log_in(server: Server) -> None:
    """The capability has the limit as its value (RFC 7889, 2 (a)), for everybody."""
    server.factory.policy = evolve(server.factory.policy, limits=Limits(message=257_890))
    client = server.connect()
    assert b" APPENDLIMIT=257890 " in client.greeting
    assert b" APPENDLIMIT=257890 " in client.ok("CAPABILITY")
    assert b" APPENDLIMIT=257890 " in client.log_in().ok("CAPABILITY").replace(b"\r\n", b" ")


def test_status(client: Dialogue) -> None:
    """RFC 7889, 3.1: its own example, also with other items and in small letters."""
    same(client.ok("STATUS INBOX (APPENDLIMIT)"), "* STATUS INBOX (APPENDLIMIT 257890)")
    same(
        client.ok("STATUS INBOX (messages appendlimit)"),
        "* STATUS INBOX (MESSAGES 0 APPENDLIMIT 257890)",
    )


def test_list(client: Dialogue) -> None:
    """RFC 7889, 3.2: LIST tells it of each mailbox."""
    client.ok("CREATE Drafts")
    same(
        client.ok('LIST "" % RETURN (STATUS (APPENDLIMIT))'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        "* STATUS INBOX (APPENDLIMIT 257890)",
        '* LIST (\\HasNoChildren) "/" Drafts',
        "* STATUS Drafts (APPENDLIMIT 257890)",
    )


def test_a_message_of_that_size_is_taken(client: Dialogue) -> None:
    """The limit itself is allowed."""
    head = letter("x", "")
    client.ok("APPEND INBOX", head + b"x" * (257_890 - len(head)))
    same(
        client.ok("STATUS INBOX (SIZE MESSAGES)"),
        "* STATUS INBOX (SIZE 257890 MESSAGES 1)",
    )


def test_a_larger_message_is_refused(client: Dialogue) -> None:
    """RFC 7889, 4: NO [TOOBIG], before the octets are sent; nothing is stored."""
    same(
        client.send(b"a APPEND INBOX {257891}\r\n"),
        "a NO [TOOBIG] The message is too large",
    )
    same(
        client.send(b"a APPEND INBOX {257891+}\r\n" + b"x" * 257_891 + b"\r\n"),
        "a NO [TOOBIG] The message is too large",
    )
    same(client.ok("STATUS INBOX (MESSAGES)"), "* STATUS INBOX (MESSAGES 0)")


def test_a_limit_beyond_32_bits(server: Server) -> None:
    """What a ``number`` of the grammar cannot say is told as the largest it can."""
    server.factory.policy = evolve(server.factory.policy, limits=Limits(message=1 << 40))
    client = server.client()
    assert b" APPENDLIMIT=4294967295 " in client.ok("CAPABILITY").replace(b"\r\n", b" ")
    same(client.ok("STATUS INBOX (APPENDLIMIT)"), "* STATUS INBOX (APPENDLIMIT 4294967295)")


def test_switched_off() -> None:
    """Without it STATUS knows no such item."""
    client = Server(without=["APPENDLIMIT"]).client()
    assert b"APPENDLIMIT" not in client.ok("CAPABILITY")
    same(client.do("STATUS INBOX (APPENDLIMIT)"), "a BAD STATUS has no such item")
