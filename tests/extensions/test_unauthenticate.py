"""UNAUTHENTICATE, from octets to octets (RFC 8437)."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from tests.dialogue import UIDVALIDITY, Server, same
from tests.extensions.test_compress import Compressed

DONE = "a OK You are nobody now"


def test_advertised(server: Server) -> None:
    """It is said after log-in (3)."""
    client = server.connect()
    assert b"UNAUTHENTICATE" not in client.greeting
    assert "UNAUTHENTICATE" in client.log_in().command("CAPABILITY")[0].split()


@pytest.mark.parametrize("select", [None, "INBOX"])
def test_nobody(anywhere: Server, select: str | None) -> None:
    """From either state it leads back before log-in (3, transition 7)."""
    client = anywhere.client(select=select)
    same(client.do("UNAUTHENTICATE"), DONE)
    same(client.do("SELECT INBOX"), "a BAD SELECT is not for this state")
    assert client.log_in("bob").command("STATUS INBOX (MESSAGES)")[-1] == "a OK STATUS completed"


def test_another_user(anywhere: Server) -> None:
    """The next user has their own mail, and nothing of the one before (8)."""
    client = anywhere.client().fill(2).select()
    client.ok("UNAUTHENTICATE")
    client.log_in("bob")
    same(
        client.do("STATUS INBOX (MESSAGES)"),
        "* STATUS INBOX (MESSAGES 0)",
        "a OK STATUS completed",
    )
    assert b"MESSAGES 2" in anywhere.client().ok("STATUS INBOX (MESSAGES)")


def test_same_user(server: Server) -> None:
    """The same user finds what they left, deleted messages too: nothing was expunged (3)."""
    client = server.client().fill(2).select()
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    same(client.do("UNAUTHENTICATE"), DONE)
    assert b"* 2 EXISTS\r\n" in client.log_in().ok("SELECT INBOX")


def test_no_expunge_is_told(server: Server) -> None:
    """What others removed meanwhile is not told any more (3)."""
    client = server.client().fill(2).select()
    server.client(select="INBOX").commands(["STORE 1 +FLAGS (\\Deleted)", "EXPUNGE"])
    same(client.do("UNAUTHENTICATE"), DONE)


def test_before_login(server: Server) -> None:
    """Who is nobody is BAD (3)."""
    client = server.connect()
    same(client.do("UNAUTHENTICATE"), "a BAD UNAUTHENTICATE is not for this state")


def test_argument(server: Server) -> None:
    """It takes nothing (6), and a BAD changes nothing."""
    client = server.client()
    assert client.do("UNAUTHENTICATE alice").startswith(b"a BAD ")
    assert client.command('LIST "" INBOX')[-1] == "a OK LIST completed"


def test_pipelined(server: Server) -> None:
    """The next log-in may be on its way already (3)."""
    told = server.client().send(b"a UNAUTHENTICATE\r\nb LOGIN bob secret\r\nc SELECT INBOX\r\n")
    assert told.startswith(b"a OK You are nobody now\r\nb OK [CAPABILITY ")
    assert told.endswith(b"c OK [READ-WRITE] Selected\r\n")


def test_enabled(server: Server) -> None:
    """What was enabled is not any more (4.1)."""
    client = server.login(enable="IMAP4rev2 CONDSTORE")
    client.ok("UNAUTHENTICATE")
    client.log_in()
    told = client.ok("SELECT INBOX")
    assert b" RECENT\r\n" in told
    client.fill(1)
    client.ok("CREATE Entw&APw-rfe")
    assert b"Entw&APw-rfe" in client.ok('LIST "" "Entw*"')
    same(client.do("ENABLE IMAP4rev2"), "* ENABLED IMAP4rev2", "a OK ENABLE completed")


def test_condstore(server: Server) -> None:
    """No CONDSTORE-enabling command was ever issued (4.1)."""
    client = server.login(enable="CONDSTORE").fill(1).select()
    assert b"MODSEQ" in client.ok("STORE 1 +FLAGS (\\Seen)")
    client.ok("UNAUTHENTICATE")
    client.log_in().select()
    assert b"MODSEQ" not in client.ok("STORE 1 -FLAGS (\\Seen)")


def test_saved_search(server: Server) -> None:
    """``$`` is empty again (4.1)."""
    client = server.client().fill(2).select()
    client.ok("SEARCH RETURN (SAVE) ALL")
    client.ok("UNAUTHENTICATE")
    client.log_in().select()
    same(client.do("FETCH $ UID"), "a OK FETCH completed")


def test_command_length(server: Server) -> None:
    """A stranger's commands are short again."""
    client = server.client()
    client.ok("UNAUTHENTICATE")
    same(client.do("LOGIN x " + "y" * 20_000), "a BAD [TOOBIG] The command is too long")


def test_a_minute(server: Server) -> None:
    """A stranger has a minute to log in, again."""
    client = server.client()
    client.ok("UNAUTHENTICATE")
    server.advance(59)
    assert client.open
    server.advance(2)
    same(client.read(), "* BYE Too long without a command")


def test_half_an_hour(server: Server) -> None:
    """Who logged in again has the time that everybody has."""
    client = server.client()
    client.ok("UNAUTHENTICATE")
    client.log_in("bob")
    server.advance(1_800)
    same(client.do("NOOP"), "a OK NOOP completed")


def test_failures_count(server: Server) -> None:
    """Passwords cannot be guessed for longer by logging in and out in between."""
    client = server.client()
    for _ in range(4):
        assert client.do("UNAUTHENTICATE LOGIN").startswith(b"a BAD")
        client.ok("UNAUTHENTICATE")
        assert client.do("LOGIN bob wrong").startswith(b"a NO")
        client.log_in()
    client.ok("UNAUTHENTICATE")
    assert b"* BYE " in client.do("LOGIN bob wrong")


def test_logged_out(server: Server) -> None:
    """The account is let go of: changes in it reach nobody."""
    client = server.client(select="INBOX")
    client.ok("UNAUTHENTICATE")
    server.client().fill(1)
    same(client.do("NOOP"), "a OK NOOP completed")


def test_store_that_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no NO: what cannot be undone ends the connection (3)."""

    def fail(*_: Any) -> None:
        raise RuntimeError("no way out")

    client = server.client()
    monkeypatch.setattr(client.protocol.session, "_logout", fail)
    same(client.do("UNAUTHENTICATE"), DONE, "* BYE Logging out failed")
    assert not client.open
    server.logged("no way out")


@pytest.mark.parametrize("end", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
def test_compression_ends(server: Server, end: int) -> None:
    """Compression ends in both directions behind the line, also for what is pipelined (4.1)."""
    compressed = Compressed(server.client())
    client = compressed.client
    told = client.send(compressed.packed(b"a UNAUTHENTICATE\r\n", end) + b"b LOGIN bob secret\r\n")
    before, _, rest = told.partition(b"b OK")
    same(compressed.back.decompress(before), DONE)
    assert rest.startswith(b" [CAPABILITY ")
    same(client.do("NOOP"), "a OK NOOP completed")


def test_compression_anew(server: Server) -> None:
    """The next user can compress again."""
    first = Compressed(server.client())
    assert first.send(b"a UNAUTHENTICATE\r\n") == b"a OK You are nobody now\r\n"
    first.client.log_in("bob")
    same(Compressed(first.client).send(b"c NOOP\r\n"), "c OK NOOP completed")


def test_id_stays(server: Server) -> None:
    """What the client said by ID is remembered for the log (3: as we like)."""
    client = server.connect()
    client.do('ID ("name" "gateway")')
    client.log_in().ok("UNAUTHENTICATE")
    assert client.protocol.session.identity == "name='gateway'"


def test_tls_stays() -> None:
    """TLS goes on (3)."""

    class Tls:
        def options(self) -> object:
            return self

    client = Server(tls=Tls()).connect("192.0.2.1")
    client.ok("STARTTLS")
    client.log_in().ok("UNAUTHENTICATE")
    assert "STARTTLS" not in client.command("CAPABILITY")[0].split()
    client.log_in("bob")


def test_uidvalidity(server: Server) -> None:
    """A mailbox selected again is the same mailbox."""
    client = server.client(select="INBOX")
    client.ok("UNAUTHENTICATE")
    assert b"[UIDVALIDITY %d]" % UIDVALIDITY in client.log_in().ok("SELECT INBOX")
