"""REPLACE (RFC 8508): a message in the place of another, in one step."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock
from zope.interface import classImplementsOnly, implementedBy

from imapd.model.flags import DELETED
from imapd.store.errors import OverQuota, StoreUnavailable
from imapd.store.interfaces import IServerReplace
from imapd.store.memory import MemoryAccount, MemoryMailbox, MemoryStore
from tests.dialogue import UIDVALIDITY, Dialogue, Server, same
from tests.distant import DistantStore

_NEW_YEAR = b"""Date: Thu, 1 Jan 2015 00:05:00 -0500 (EST)
From: Fritz Schmidt <fritz.ze@example.org>
Subject: happy new year !!
To: miss.mitzy@example.org
Message-Id: <B238822388-0100000@example.org>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

Just saw the best fireworks show. Wish you were here.
""".replace(b"\n", b"\r\n")


def _drafts(server: Server, count: int = 4) -> Dialogue:
    """A client with that many messages in Drafts, selected."""
    client = server.client()
    client.ok("CREATE Drafts")
    return client.fill(count, "Drafts").select("Drafts")


def _subjects(client: Dialogue) -> list[bytes]:
    """What the subjects of the selected messages are."""
    client.ok("NOOP")
    answer = client.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    return [line[9:] for line in answer.split(b"\r\n") if line.startswith(b"Subject: ")]


def test_the_examples(anywhere: Server) -> None:
    """RFC 8508's own examples of REPLACE and UID REPLACE; then CATENATE of what is replaced."""
    client = _drafts(anywhere)
    same(
        client.send(b"A003 REPLACE 4 Drafts (\\Seen \\Draft) {%d}\r\n" % len(_NEW_YEAR)),
        "+ Ready for the message",
    )
    same(
        client.send(_NEW_YEAR + b"\r\n"),
        "* OK [APPENDUID {{uidvalidity}} 5] The replacement is there",
        "* 4 EXPUNGE",
        "* 4 EXISTS",
        "* {{*}} RECENT",
        "A003 OK REPLACE completed",
    )
    more = _NEW_YEAR + b"Hopefully next year you can join us.\r\n"
    same(
        client.send(b"A004 UID REPLACE 5 Drafts (\\Seen \\Draft) {%d}\r\n" % len(more)),
        "+ Ready for the message",
    )
    same(
        client.send(more + b"\r\n"),
        "* OK [APPENDUID {{uidvalidity}} 6] The replacement is there",
        "* 4 EXPUNGE",
        "* 4 EXISTS",
        "* {{*}} RECENT",
        "A004 OK UID REPLACE completed",
    )
    head = b"To: Mitzy <miss.mitzy@example.org>\r\nSubject: My view of the fireworks\r\n"
    same(
        client.send(b"A011 UID REPLACE 6 Drafts CATENATE (TEXT {%d}\r\n" % len(head)),
        "+ Ready for the message",
    )
    same(
        client.send(head + b' URL "/Drafts/;UID=6")\r\n'),
        "* OK [APPENDUID {{uidvalidity}} 7] The replacement is there",
        "* 4 EXPUNGE",
        "* 4 EXISTS",
        "* {{*}} RECENT",
        "A011 OK UID REPLACE completed",
    )
    whole = head + more
    assert b"BODY[] {%d}\r\n%b)" % (len(whole), whole) in client.ok("UID FETCH 7 BODY.PEEK[]")
    assert _subjects(client) == [
        b"1",
        b"2",
        b"3",
        b"My view of the fireworks",
        b"happy new year !!",
    ]


def test_nothing_is_inherited(anywhere: Server) -> None:
    """RFC 8508, 1: flags and date are those of the command, not those of the message replaced."""
    client = _drafts(anywhere, 2)
    client.ok("STORE 1 +FLAGS (\\Flagged $Old)")
    answer = client.send(b'a REPLACE 1 Drafts ($New) " 7-Feb-1994 22:43:04 -0800" {4+}\r\na: b\r\n')
    assert answer.endswith(b"a OK REPLACE completed\r\n")
    same(
        client.do("UID FETCH 3 (FLAGS INTERNALDATE)"),
        "* FLAGS {{*}}",
        '* 2 FETCH (UID 3 FLAGS (\\Recent $New) INTERNALDATE " 7-Feb-1994 22:43:04 -0800")',
        "a OK UID FETCH completed",
    )


def test_only_that_message(anywhere: Server) -> None:
    r"""Other messages with \Deleted stay, and nothing is told of \Deleted (RFC 8508, 3.4)."""
    client = _drafts(anywhere, 3)
    client.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)")
    answer = client.send(b"a UID REPLACE 2 Drafts {4+}\r\na: b\r\n")
    assert b"FETCH" not in answer
    same(
        client.do("UID FETCH 1:3 UID"),
        "* 1 FETCH (UID 1)",
        "* 2 FETCH (UID 3)",
        "a OK UID FETCH completed",
    )
    assert b"(MESSAGES 3)" in client.ok("STATUS Drafts (MESSAGES)")


def test_to_another_mailbox(anywhere: Server) -> None:
    """RFC 8508, 3.4: a draft becomes a message in another mailbox, and goes from its own."""
    client = _drafts(anywhere, 2)
    client.ok("CREATE Sent")
    other = anywhere.client(select="Sent")
    same(
        client.send(b"a REPLACE 1 Sent (\\Seen) {%d+}\r\n%b\r\n" % (len(_NEW_YEAR), _NEW_YEAR)),
        "* OK [APPENDUID {{uidvalidity}} 1] The replacement is there",
        "* 1 EXPUNGE",
        "a OK REPLACE completed",
    )
    assert _subjects(client) == [b"2"]
    assert _subjects(other) == [b"happy new year !!"]


def test_another_session_is_told(anywhere: Server) -> None:
    """Who has the mailbox selected sees one message go and one come, at once."""
    client = _drafts(anywhere, 2)
    other = anywhere.client(select="Drafts")
    client.send(b"a REPLACE 1 Drafts {4+}\r\na: b")
    same(other.do("NOOP"), "a OK NOOP completed")
    client.send(b"\r\n")
    answer = other.do("NOOP")
    assert b"* 1 EXPUNGE\r\n" in answer
    assert b"* 2 EXISTS\r\n" in answer


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("REPLACE 5 Drafts {4+}\r\na: b", "BAD There is no message of that number"),
        ("REPLACE * nowhere {4+}\r\na: b", "NO [TRYCREATE] There is no such mailbox; create it first"),
        ("UID REPLACE 17 Drafts {4+}\r\na: b", "NO [NONEXISTENT] There is no such message"),
        ("REPLACE 1:2 Drafts {4+}\r\na: b", "BAD one message is replaced at a time"),
        ("REPLACE 1,2 Drafts {4+}\r\na: b", "BAD one message is replaced at a time"),
        ("REPLACE $ Drafts {4+}\r\na: b", "BAD one message is replaced at a time"),
        ("REPLACE 1 Drafts {4+}\r\na: b {4+}\r\na: b", "BAD one message is replaced by one"),
        ("REPLACE 1 Drafts {0+}\r\n", "NO A message without octets: nothing was stored"),
        ('REPLACE 1 Drafts CATENATE (URL "/Drafts/;UID=9")',
         'NO [BADURL "/Drafts/;UID=9"] There is no such message'),
    ],
)  # fmt: skip
def test_refused(anywhere: Server, command: str, answer: str) -> None:
    """What cannot be replaced, or not by that, is refused, and everything stays (RFC 8508, 3.4)."""
    client = _drafts(anywhere)
    same(client.send(f"a {command}\r\n".encode()), f"a {answer}")
    assert b"(MESSAGES 4 UIDNEXT 5)" in client.ok("STATUS Drafts (MESSAGES UIDNEXT)")


@pytest.mark.parametrize(
    "arguments",
    [b"", b" 1", b" 1 Drafts", b" Drafts {4+}\r\na: b", b" 1 {6+}\r\nDrafts", b" x Drafts {4+}\r\na: b",
     b" 1 Drafts x {4+}\r\na: b", b" 1 Drafts {4+}\r\na: b x", b" {6+}\r\nDrafts", b" 0 Drafts {4+}\r\na: b"],
)  # fmt: skip
def test_bad_grammar(server: Server, arguments: bytes) -> None:
    """What is no REPLACE is BAD, whole: none of it runs as a command."""
    client = _drafts(server)
    answer = client.send(b"a REPLACE%b\r\n" % arguments)
    assert answer.startswith(b"a BAD ")
    assert answer.count(b"\r\n") == 1
    assert b"no such command" not in answer
    assert b"(MESSAGES 4 UIDNEXT 5)" in client.ok("STATUS Drafts (MESSAGES UIDNEXT)")


def test_the_name_may_be_a_literal(anywhere: Server) -> None:
    """Before the message, a literal is the name of the mailbox; words are in any case."""
    client = _drafts(anywhere, 1)
    same(client.send(b"a uid replace 1 {6}\r\n"), "+ Go ahead")
    same(client.send(b"Drafts (\\seen) {4}\r\n"), "+ Ready for the message")
    assert client.send(b"a: b\r\n").endswith(b"a OK UID REPLACE completed\r\n")


def test_only_when_selected(server: Server) -> None:
    """RFC 8508, 3.5: both forms are for the selected state only."""
    client = server.client()
    for name in ("REPLACE", "UID REPLACE"):
        same(
            client.send(f"a {name} 1 INBOX {{10+}}\r\nb LOGOUT\r\n\r\n".encode()),
            f"a BAD {name} is not for this state",
        )
    same(client.do("NOOP"), "a OK NOOP completed")


def test_not_when_selected_read_only(anywhere: Server) -> None:
    """A mailbox that is only examined is not changed."""
    client = _drafts(anywhere, 1)
    client.ok("EXAMINE Drafts")
    same(
        client.do("REPLACE 1 Drafts {4}"),
        "a NO [NOPERM] The mailbox is selected read-only",
    )


def test_a_message_that_has_gone(anywhere: Server) -> None:
    """When another session removes the message meanwhile, nothing is added."""
    client = _drafts(anywhere, 2)
    other = anywhere.client(select="Drafts")
    client.send(b"a REPLACE 1 Drafts {4}\r\n")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    same(
        client.send(b"a: b\r\n"),
        "* 1 EXPUNGE",
        "a NO [EXPUNGEISSUED] there is no message 1",
    )
    assert b"(MESSAGES 1 UIDNEXT 3)" in client.ok("STATUS Drafts (MESSAGES UIDNEXT)")


def test_a_client_that_goes_away(anywhere: Server) -> None:
    """Who hangs up in the middle of the new message keeps the old one."""
    client = _drafts(anywhere, 1)
    client.send(b"a REPLACE 1 Drafts {40}\r\na: b")
    client.hang_up()
    assert _subjects(anywhere.client(select="Drafts")) == [b"1"]


def test_a_store_that_fails() -> None:
    """When the store has no room, the old message stays."""
    clock = Clock()
    store = DistantStore(clock, None)
    client = _drafts(Server(store, clock=clock), 2)
    store.faults["replace"] = OverQuota()
    same(client.send(b"a REPLACE 1 Drafts {4+}\r\na: b\r\n"), "a NO [OVERQUOTA] Over quota")
    assert _subjects(client) == [b"1", b"2"]


def test_qresync(anywhere: Server) -> None:
    """RFC 8508, 4.5: to a client of QRESYNC it is as if the message went by UID EXPUNGE."""
    client = _drafts(anywhere, 2)
    client.ok("ENABLE QRESYNC")
    same(
        client.send(b"a REPLACE 1 Drafts {4+}\r\na: b\r\n"),
        "* OK [APPENDUID {{uidvalidity}} 3] The replacement is there",
        "* VANISHED 1",
        "* 2 EXISTS",
        "* {{*}} RECENT",
        "a OK [HIGHESTMODSEQ {{modseq}}] REPLACE completed",
    )


def test_uidonly(server: Server) -> None:
    """A client without sequence numbers has UID REPLACE only (RFC 9586, 3.2)."""
    client = _drafts(server, 1)
    client.ok("ENABLE UIDONLY")
    same(
        client.send(b"a REPLACE 1 Drafts {10+}\r\nb LOGOUT\r\n\r\n"),
        "a BAD [UIDREQUIRED] There are no sequence numbers here",
    )
    answer = client.send(b"a UID REPLACE 1 Drafts {4+}\r\na: b\r\n")
    assert b"* VANISHED 1\r\n" in answer
    assert b"completed\r\n" in answer


def test_it_is_advertised(server: Server) -> None:
    """RFC 8508, 3.1."""
    assert b"REPLACE" in server.client().ok("CAPABILITY").split()


class _Simple(MemoryMailbox):
    """A mailbox of a store that cannot replace; `fails` says what it refuses."""

    fails = ""

    def expunge(self, uids: Any) -> Any:
        if self.fails == "expunge" and uids.ranges[0][0] <= 2:
            raise StoreUnavailable
        return super().expunge(uids)

    async def append(self, messages: Any) -> Any:
        if self.fails == "append":
            raise OverQuota
        return await MemoryMailbox.append(self, messages)


classImplementsOnly(
    _Simple, *(each for each in implementedBy(MemoryMailbox) if each is not IServerReplace)
)


class _SimpleAccount(MemoryAccount):
    def _make(self, name: str, special_use: frozenset[str] = frozenset()) -> MemoryMailbox:
        mailbox = _Simple(self._new_uidvalidity(), self._tell, special_use)
        self._mailboxes[name] = mailbox
        return mailbox


class _SimpleStore(MemoryStore):
    def open_account(self, user: str) -> MemoryAccount:
        if user not in self._accounts:
            self._accounts[user] = _SimpleAccount(self._new_uidvalidity)
        return self._accounts[user]


@pytest.fixture
def simple() -> Dialogue:
    """A client of a store without `IServerReplace`, with two messages selected."""
    assert IServerReplace(_Simple(1, lambda hint: None), None) is None
    return _drafts(Server(_SimpleStore(lambda: UIDVALIDITY)), 2)


def test_a_store_that_cannot(simple: Dialogue) -> None:
    """The engine adds and removes by itself; the client sees the same."""
    same(
        simple.send(b"a REPLACE 1 Drafts (\\Seen) {%d+}\r\n%b\r\n" % (len(_NEW_YEAR), _NEW_YEAR)),
        "* OK [APPENDUID {{uidvalidity}} 3] The replacement is there",
        "* 1 EXPUNGE",
        "* 2 EXISTS",
        "* {{*}} RECENT",
        "a OK REPLACE completed",
    )
    assert _subjects(simple) == [b"2", b"happy new year !!"]


@pytest.mark.parametrize(("fails", "code"), [("expunge", b"UNAVAILABLE"), ("append", b"OVERQUOTA")])
def test_a_store_that_cannot_and_fails(simple: Dialogue, fails: str, code: bytes) -> None:
    r"""When one half cannot be done, the other is taken back, and no \Deleted is left."""
    _Simple.fails = fails
    try:
        answer = simple.send(b"a REPLACE 1 Drafts {%d+}\r\n%b\r\n" % (len(_NEW_YEAR), _NEW_YEAR))
    finally:
        _Simple.fails = ""
    assert b"\r\na NO [%b] " % code in b"\r\n" + answer
    assert _subjects(simple) == [b"1", b"2"]
    assert DELETED.encode() not in simple.ok("FETCH 1:* FLAGS")
