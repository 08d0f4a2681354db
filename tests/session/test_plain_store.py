"""A store that has only what it must have: what it lacks, the engine does."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from imapd.session import content
from imapd.store import errors
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore


@pytest.fixture(params=[None, 0.1], ids=["at once", "slowly"])
def server(request: pytest.FixtureRequest) -> Server:
    """A server over such a store, near and far."""
    clock = Clock()
    store = DistantStore(clock, request.param)
    store.plain = True
    return Server(store, clock=clock)


@pytest.fixture
def client(server: Server) -> Dialogue:
    """A client that has selected a mailbox of three messages."""
    client = server.client()
    client.ok("CREATE other")
    client.append(letter("1"), flags="\\Seen $Work", date=" 1-Apr-1999 12:00:00 +0530")
    return client.append(letter("2"), letter("3")).select()


def test_listing(client: Dialogue) -> None:
    """Envelopes, structures and headers are made of the messages themselves."""
    same(
        client.do("FETCH 2 (UID ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Subject)])"),
        '* 2 FETCH (UID 2 ENVELOPE (NIL "2" (("Alice" NIL "alice" "example.org")) '
        '(("Alice" NIL "alice" "example.org")) (("Alice" NIL "alice" "example.org")) NIL NIL NIL '
        'NIL NIL) BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 8 1 '
        "NIL NIL NIL NIL) BODY[HEADER.FIELDS (Subject)] {14}",
        "Subject: 2",
        "",
        ")",
        "a OK FETCH completed",
    )
    same(client.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")


@pytest.mark.parametrize("more", [0, 5_000, 32_700, 32_800, 80_000])
def test_an_envelope_alone(client: Dialogue, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    """The body is not read for it, unless the header is longer than headers are."""
    client.append(b"X: %b\r\nSubject: long\r\n\r\n%b" % (b"x" * more, b"y" * 100_000))
    client.do("NOOP")
    read: list[int] = []
    whole = content.facts
    monkeypatch.setattr(content, "facts", lambda octets: read.append(len(octets)) or whole(octets))
    told = client.do("FETCH 4 (ENVELOPE RFC822.HEADER)")
    assert b'(NIL "long" NIL' in told
    assert b"RFC822.HEADER {%d}\r\nX: x" % (more + 22) in told or not more
    assert bool(read) is (more > 32_768)


def test_copy(client: Dialogue) -> None:
    """A message is copied by being read and appended, with flags and date."""
    same(client.do("COPY 1:2 other"), "a OK [COPYUID {{uidvalidity}} 1:2 1:2] COPY completed")
    client.select("other")
    same(
        client.do("FETCH 1 (FLAGS INTERNALDATE)"),
        '* 1 FETCH (FLAGS (\\Seen $Work) INTERNALDATE " 1-Apr-1999 12:00:00 +0530")',
        "a OK FETCH completed",
    )
    assert client.do("FETCH 2 BODY.PEEK[]").startswith(b"* 2 FETCH (BODY[] {55}\r\nFrom: Alice")


def test_move(client: Dialogue) -> None:
    r"""A message is moved by copy and removal, and \Deleted does not stick to the copy."""
    same(
        client.do("MOVE 1 other"),
        "* OK [COPYUID {{uidvalidity}} 1 1] Moved",
        "* 1 EXPUNGE",
        "a OK MOVE completed",
    )
    client.select("other")
    same(client.do("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS (\\Seen $Work))", "a OK FETCH completed")


def test_move_within(client: Dialogue) -> None:
    """Within one mailbox, too."""
    same(
        client.do("MOVE 1 INBOX"),
        "* OK [COPYUID {{uidvalidity}} 1 4] Moved",
        "* 1 EXPUNGE",
        "* 3 EXISTS",
        "* 0 RECENT",
        "a OK MOVE completed",
    )
    same(client.do("UID FETCH 1:* FLAGS"), "* 1 FETCH (UID 2 FLAGS ())", "* 2 FETCH (UID 3 FLAGS ())",
         "* 3 FETCH (UID 4 FLAGS (\\Seen $Work))", "a OK UID FETCH completed")  # fmt: skip


def test_of_what_is_gone(client: Dialogue, server: Server) -> None:
    """What another session expunged is not copied, and that is said."""
    other = server.client(select="INBOX")
    other.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    same(
        client.do("COPY 1 other"),
        "* 2 EXPUNGE",
        "* 1 EXPUNGE",
        "a OK [EXPUNGEISSUED] None of the messages exists any more",
    )
    same(client.do("UID COPY 1:3 other"), "a OK [COPYUID {{uidvalidity}} 3 1] UID COPY completed")


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
def test_all_or_none(client: Dialogue, server: Server, command: str) -> None:
    """When the copies cannot be kept, nothing has happened."""
    server.store.faults["append"] = errors.OverQuota()
    same(client.do(f"{command} 1:3 other"), "a NO [OVERQUOTA] Over quota")
    server.store.faults.clear()
    same(
        client.do("STATUS other (MESSAGES)"), "* STATUS other (MESSAGES 0)", "a OK STATUS completed"
    )
    same(client.do("SEARCH UNDELETED"), "* SEARCH 1 2 3", "a OK SEARCH completed")


def test_nobody_is_recent(client: Dialogue) -> None:
    r"""Without a store that keeps it there is no \Recent."""
    same(client.do("FETCH 1:* UID"), "* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)",
         "a OK FETCH completed")  # fmt: skip
    assert b"* 0 RECENT" in client.do("SELECT INBOX")
