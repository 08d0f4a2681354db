"""Header fields of many messages, asked for again and again: right whatever has become of the messages."""

from __future__ import annotations

import random
import re
import shutil
from contextlib import closing

import pytest

from imapd.commands import fetch_lasting, fetch_rows
from imapd.model.numset import NumSet
from imapd.session import at_hand, block_pieces
from tests.backends import MaildirBackend
from tests.dialogue import Dialogue, Server, letter, same
from tests.session.small_blocks import SPAN, scans
from tests.sharing.houses import ALICES, opened_up, share

_ROW = re.compile(rb"\* (\d+) FETCH \((.*?)\)\r\n(?=\* |a |\Z)", re.DOTALL)
_SUBJECT = re.compile(
    rb"BODY\[HEADER.FIELDS \(SUBJECT\)\] (?:NIL|\{(\d+)\}\r\nSubject: (\w+)\r\n\r\n)"
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few messages are many."""
    monkeypatch.setattr(block_pieces, "_SPAN", SPAN)
    monkeypatch.setattr(fetch_lasting, "_LEAST", 2)
    monkeypatch.setattr(fetch_lasting, "_DENSE", 1)
    monkeypatch.setattr(fetch_lasting, "_CHUNK", 3)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[NumSet]:
    """The UIDs of which FETCH asks the store for columns."""
    return scans(monkeypatch, fetch_rows)


def _header(subject: object) -> str:
    line = f"Subject: {subject}\r\n\r\n"
    return f"BODY[HEADER.FIELDS (SUBJECT)] {{{len(line)}}}\r\n{line}"


def _told(client: Dialogue, numbers: str = "1:*", items: str = "") -> dict[int, bytes | None]:
    """The subjects that a FETCH tells of, by UID; None where it is NIL."""
    asked = f"UID FETCH {numbers} ({items} BODY.PEEK[HEADER.FIELDS (SUBJECT)])".replace("( ", "(")
    answer = client.do(asked)
    found: dict[int, bytes | None] = {}
    for row in _ROW.finditer(answer):
        uid, subject = re.search(rb"\bUID (\d+)", row[2]), _SUBJECT.search(row[2])
        assert uid is not None, row
        assert subject is not None, row
        if subject[1] is not None:
            assert int(subject[1]) == len(b"Subject: \r\n\r\n" + subject[2])
        found[int(uid[1])] = subject[2]
    return found


class _History:
    """A mailbox that two clients change."""

    ITEMS = ("", "UID FLAGS", "RFC822.SIZE", "ENVELOPE INTERNALDATE", "FLAGS BODYSTRUCTURE")

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.source = random.Random(seed)
        self.reader, self.writer = server.client(select="INBOX"), server.client(select="INBOX")
        self.subjects: dict[int, bytes] = {}
        self.gone: dict[int, bytes] = {}
        self.uidnext = 1

    def append(self) -> None:
        """Some messages come."""
        for _ in range(self.source.randrange(1, SPAN)):
            subject = f"s{self.source.randrange(1_000)}"
            self.writer.append(letter(subject))
            self.subjects[self.uidnext] = subject.encode()
            self.uidnext += 1

    def expunge(self) -> None:
        """Some go."""
        gone = [uid for uid in self.subjects if self.source.random() < 0.2]
        if gone:
            self.writer.ok(f"UID STORE {','.join(map(str, gone))} +FLAGS.SILENT (\\Deleted)")
            self.writer.ok("EXPUNGE")
        for uid in gone:
            self.gone[uid] = self.subjects.pop(uid)

    def forget(self) -> None:
        """Nothing is at hand any more."""
        self.server.factory.policy.texts.clear()

    def fetch(self) -> None:
        """One client knows what happened, the other perhaps not all."""
        items = self.source.choice(self.ITEMS)
        low = self.source.randrange(1, self.uidnext)
        numbers = self.source.choice(("1:*", f"{low}:*", f"1:{low}", f"1:{low},{low + 3}:*"))
        wanted = {uid for uid in range(1, self.uidnext) if _within(uid, numbers, self.uidnext)}
        wanted |= {max(self.subjects, default=0)} if numbers.endswith("*") else set()
        expected = {uid: self.subjects[uid] for uid in self.subjects.keys() & wanted}
        assert _told(self.writer, numbers, items) == expected
        told = _told(self.reader, numbers, items)
        for uid, subject in told.items():
            assert subject in ({self.subjects.get(uid), self.gone.get(uid), None} - {b""})
            assert uid in self.gone or subject is not None
        if self.source.random() < 0.3:
            self.reader.ok("NOOP")
            assert _told(self.reader, numbers, items) == expected


def _within(uid: int, numbers: str, uidnext: int) -> bool:
    ends = [part.replace("*", str(uidnext)).split(":") for part in numbers.split(",")]
    return any(int(low) <= uid <= int(high) for low, high in ends)


@pytest.mark.parametrize("seed", range(4))
def test_any_history(anywhere: Server, seed: int) -> None:
    """Messages come and go, what is at hand is forgotten: each FETCH tells what is in the messages."""
    history = _History(anywhere, seed)
    acts = [history.append, history.expunge, history.forget, *[history.fetch] * 4]
    history.append()
    for _ in range(50):
        history.source.choice(acts)()


# What is read again, and what is not.


def test_made_once(anywhere: Server, read: list[NumSet]) -> None:
    """What was told once is not read again, by no other client either; what has come since is."""
    alice, other = anywhere.client().fill(SPAN + 2).select(), anywhere.client().select()
    expected = {uid: b"%d" % uid for uid in range(1, SPAN + 3)}
    assert _told(alice) == expected
    assert read == [NumSet([(1, 8)]), NumSet([(9, 10)])]
    read.clear()
    assert _told(alice, items="FLAGS") == expected
    assert _told(other) == expected
    assert read == []
    alice.append(letter("new"))
    assert _told(alice) == {**expected, 11: b"new"}
    assert read == [NumSet.of(11)]


def test_whole_rows(anywhere: Server) -> None:
    """What changes is told as it is now, beside what never does."""
    alice = anywhere.login(enable="IMAP4rev2").fill(2).select()
    asked = "FETCH 1:2 (FLAGS RFC822.SIZE UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
    size = len(letter("1"))
    for flags in ("", "\\Flagged"):
        alice.ok(f"STORE 1 FLAGS.SILENT ({flags})")
        same(
            alice.do(asked),
            *f"* 1 FETCH (FLAGS ({flags}) UID 1 RFC822.SIZE {size} {_header(1)})".split("\r\n"),
            *f"* 2 FETCH (FLAGS () UID 2 RFC822.SIZE {size} {_header(2)})".split("\r\n"),
            "a OK FETCH completed",
        )


def test_other_items(anywhere: Server) -> None:
    """What is at hand is told to who asks for the same, and to nobody else."""
    alice = anywhere.client().fill(3).select()
    for asked, told in (
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]", b"Subject: 2\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS.NOT (FROM)]", b"Subject: 2\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS (FROM)]", b"From: Alice <alice@example.org>\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.4>", b"Subj"),
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.7>", b"Subject"),
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]<4.3>", b"ect"),
    ):
        for _ in range(2):
            answer = alice.ok(f"FETCH 1:3 {asked}")
            assert b"* 2 FETCH (BODY" in answer
            assert b" {%d}\r\n%b)\r\n* 3 FETCH" % (len(told), told) in answer


def test_other_mailboxes(anywhere: Server) -> None:
    """What is at hand is of one mailbox of one user, though UIDs are the same elsewhere."""
    alice, bob = anywhere.client().fill(3).select(), anywhere.client("bob")
    assert _told(alice) == {1: b"1", 2: b"2", 3: b"3"}
    bob.append(letter("a"), letter("b"), letter("c")).select()
    assert _told(bob) == {1: b"a", 2: b"b", 3: b"c"}
    alice.ok("CREATE other")
    alice.append(letter("x"), letter("y"), letter("z"), mailbox="other").select("other")
    assert _told(alice) == {1: b"x", 2: b"y", 3: b"z"}
    alice.ok("RENAME other third")
    alice.ok("CREATE other")
    alice.append(letter("p"), letter("q"), mailbox="other").select("other")
    assert _told(alice) == {1: b"p", 2: b"q"}


def test_a_copied_maildir(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whose Maildir was copied with all that is kept of it, to the octet, is told of his own mail."""
    backend = MaildirBackend(tmp_path_factory)
    with closing(backend):
        server = backend.server()
        server.client().append(letter("one"), letter("two")).hang_up()
        # Nobody has it open any more.
        server.advance(600)
        place = backend.store._template.place
        shutil.copytree(place("alice"), place("bob"))
        alice, bob = server.client(), server.client("bob")
        alice.append(letter("secret")).select()
        bob.append(letter("own")).select()
        assert _told(alice) == {1: b"one", 2: b"two", 3: b"secret"}
        assert _told(bob) == {1: b"one", 2: b"two", 3: b"own"}
        server.close()


@pytest.mark.parametrize("items", ["PREVIEW (LAZY)", "BODY.PEEK[TEXT]", "SAVEDATE", "EMAILID"])
def test_beside_others(anywhere: Server, items: str) -> None:
    """What else is asked for is told as it is without header fields, again and again."""
    alice = anywhere.client().fill(3).select()
    _told(alice)
    for _ in range(2):
        alone = alice.ok(f"FETCH 2 ({items})").removeprefix(b"* 2 FETCH (").removesuffix(b")\r\n")
        answer = alice.ok(f"FETCH 1:3 ({items} BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert b"* 2 FETCH (" in answer
        assert alone in answer
        assert _header(2).encode() in answer
        alice.ok("FETCH 1:3 PREVIEW")


def test_previews(server: Server) -> None:
    """A preview that was not at hand is told when it has been made (RFC 8970, 3.2)."""
    alice = server.client().fill(3).select()
    (account,) = server.store._accounts.values()
    account._mailboxes["INBOX"]._columns["preview"] = [None] * 3
    asked = "FETCH 1:3 (PREVIEW (LAZY) BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
    assert alice.ok(asked).count(b"PREVIEW NIL") == 3
    alice.ok("FETCH 1:3 PREVIEW")
    assert alice.ok(asked).count(b'PREVIEW "Hello."') == 3


def test_marks_as_read(anywhere: Server) -> None:
    r"""Who asks without PEEK has read them: \Seen is set, whatever is at hand (RFC 9051, 6.4.5)."""
    alice = anywhere.client().fill(3).select()
    _told(alice)
    answer = alice.ok("FETCH 1:3 BODY[HEADER.FIELDS (SUBJECT)]")
    assert answer.count(b"FLAGS (\\Seen") == 3
    assert alice.do("SEARCH SEEN").startswith(b"* SEARCH 1 2 3\r\n")


def test_uid_rows(anywhere: Server) -> None:
    """A client that has enabled UIDONLY gets UIDFETCH (RFC 9586)."""
    alice = anywhere.login(enable="UIDONLY").fill(2).select()
    for _ in range(2):
        same(
            alice.do("UID FETCH 1:2 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"),
            *f"* 1 UIDFETCH ({_header(1)})".split("\r\n"),
            *f"* 2 UIDFETCH ({_header(2)})".split("\r\n"),
            "a OK UID FETCH completed",
        )


# What is at hand is bounded, and nobody's who may not have it.


def test_forgotten(server: Server, read: list[NumSet]) -> None:
    """After some minutes in which nobody asks, no memory is taken."""
    alice = server.client().fill(3).select()
    _told(alice)
    assert server.factory.policy.texts.size > 3 * len(_header(1))
    server.advance(2 * at_hand._IDLE)
    assert server.factory.policy.texts.size == 0
    read.clear()
    assert _told(alice) == {1: b"1", 2: b"2", 3: b"3"}
    assert read == [NumSet([(1, 3)])]


def test_too_large(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the fields are, no more is had at hand than so much of some messages."""
    monkeypatch.setattr(fetch_lasting, "_LARGE", 200)
    alice = anywhere.client().append(letter("x" * 201), letter("y"), letter("z")).select()
    for _ in range(2):
        assert _told(alice) == {1: b"x" * 201, 2: b"y", 3: b"z"}
    assert anywhere.factory.policy.texts.size == 0


def test_scattered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where few messages are left of many, texts are not had at hand: each span would be read alone."""
    alice = server.client().fill(3 * SPAN).select()
    alice.ok("STORE 2:23 FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    monkeypatch.setattr(fetch_lasting, "_DENSE", 2)
    assert _told(alice) == {1: b"1", 24: b"24"}
    assert server.factory.policy.texts.size == 0


def test_what_is_gone_is_not_kept(anywhere: Server) -> None:
    """When messages are expunged, the next FETCH forgets what they said."""
    alice = anywhere.client().append(letter("x" * 5_000), letter("y"), letter("z")).select()
    _told(alice)
    assert anywhere.factory.policy.texts.size > 5_000
    alice.ok("STORE 1 FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    assert _told(alice) == {2: b"y", 3: b"z"}
    assert 0 < anywhere.factory.policy.texts.size < 5_000


@pytest.mark.parametrize("most", [2, 3])
def test_too_many(server: Server, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Of more messages than so many nothing is had at hand."""
    monkeypatch.setattr(fetch_lasting, "_MOST", most)
    alice = server.client().fill(3).select()
    assert _told(alice) == {1: b"1", 2: b"2", 3: b"3"}
    assert (server.factory.policy.texts.size > 0) == (most == 3)


def test_long_questions(server: Server) -> None:
    """Nobody fills the memory with what he asks for."""
    alice = server.client().fill(3).select()
    names = " ".join(f"X-{number}" for number in range(500))
    assert alice.ok(f"FETCH 1:3 BODY.PEEK[HEADER.FIELDS ({names})]").count(b"{2}") == 3
    assert server.factory.policy.texts.size == 0


def test_vanished(anywhere: Server) -> None:
    """Of one that another client has expunged, and that is not at hand, there is NIL (RFC 2180, 4.1.3)."""
    alice, other = anywhere.client().fill(3).select(), anywhere.client().select()
    other.ok("STORE 2 FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    for _ in range(2):
        answer = alice.do("FETCH 1:3 BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        assert b"* 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] NIL)\r\n" in answer
        assert _header(3).encode() in answer
        assert b"a OK [EXPUNGEISSUED]" in answer


def test_rights_hold_at_once(anywhere: Server) -> None:
    """Who may no longer read a mailbox is told nothing of it, though all is at hand."""
    opened_up(anywhere)
    owner, guest = anywhere.client(), anywhere.client("bob")
    share(owner, "open", "lr")
    owner.fill(3, "open")
    guest.select(f'"{ALICES}open"')
    for _ in range(2):
        assert _told(guest) == {1: b"1", 2: b"2", 3: b"3"}
    share(owner, "open", "l")
    assert guest.do("FETCH 1:3 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").startswith(b"a NO ")
