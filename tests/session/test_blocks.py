"""Searches over blocks: right whatever becomes of the messages, of the blocks, and of who makes them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from imapd.model.numset import EMPTY, NumSet
from imapd.query.columns import KEPT
from imapd.query.folded import SUBJECT
from imapd.server import flow
from imapd.session import at_hand, content
from imapd.session import blocks as module
from imapd.store.answers import settled
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore
from tests.session.small_blocks import EVERY, SPAN, scans, with_keeper
from tests.sharing.houses import ALICES, opened_up, share

pytestmark = pytest.mark.usefixtures("small")

_WORDS = ["ab", "bc", "Über", "b", "a b"]


@frozen
class _Message:
    subject: str
    sender: str
    day: int
    size: int


class _History:
    """A mailbox that two clients change, and what a plain list of its messages says."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.source = random.Random(seed)
        self.reader, self.writer = server.client(select="INBOX"), server.client(select="INBOX")
        self.messages: dict[int, _Message] = {}
        self.uidnext = 1

    def append(self) -> None:
        """Some messages come."""
        for _ in range(self.source.randrange(1, 12)):
            subject, sender = self.source.choice(_WORDS), self.source.choice(["al", "bo"])
            body = "x" * self.source.randrange(9)
            octets = f"From: {sender}@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()
            day = self.source.randrange(1, 4)
            self.writer.append(octets, date=f"{day:2}-Mar-2001 12:00:00 +0000")
            self.messages[self.uidnext] = _Message(subject.lower(), sender, day, len(octets))
            self.uidnext += 1

    def expunge(self) -> None:
        """Some go: here and there, or neighbours."""
        if not self.messages:
            return
        uids = sorted(self.messages)
        if self.source.random() < 0.5:
            gone = [uid for uid in uids if self.source.random() < 0.1]
        else:
            at = self.source.randrange(len(uids))
            gone = uids[at : at + self.source.randrange(2 * SPAN)]
        for uid in gone:
            del self.messages[uid]
        named = ",".join(map(str, gone))
        if named:
            self.writer.ok(f"UID STORE {named} +FLAGS.SILENT (\\Deleted)")
            self.writer.ok("EXPUNGE")

    def forget(self) -> None:
        """Nothing is at hand any more, as after a start."""
        self.server.factory.policy.blocks.at_hand.clear()

    def damage(self) -> None:
        """What the store keeps is lost, or other octets than were kept."""

        async def damage(keeper: IBlocksKept) -> None:
            for column in KEPT:
                kept = await settled(keeper.kept_blocks(column, EVERY))
                for number, octets in kept.items():
                    if octets and self.source.random() < 0.5:
                        at = self.source.randrange(len(octets))
                        other = octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]
                        damaged = self.source.choice([other, octets[:at], octets * 2, b""])
                        await settled(keeper.keep_blocks({(column, number): damaged}, EVERY))
            if self.source.random() < 0.2:
                await settled(keeper.keep_blocks({}, EMPTY))

        with_keeper(self.server, damage)
        self.forget()

    def search(self) -> None:
        """One client knows what happened, the other perhaps not all."""
        word, day = self.source.choice(["b", "ab", "A B", "z", ""]), self.source.randrange(1, 5)
        low = self.source.randrange(1, self.uidnext + 1)
        high = self.source.randrange(low, self.uidnext + 1)
        size = self.source.randrange(40, 55)
        programs: list[tuple[str, Callable[[int, _Message], bool]]] = [
            (f'SUBJECT "{word}"', lambda _, m: word.lower() in m.subject),
            ("FROM bo SUBJECT b", lambda _, m: m.sender == "bo" and "b" in m.subject),
            (f'UID {low}:{high} SUBJECT "{word}"',
             lambda uid, m: low <= uid <= high and word.lower() in m.subject),
            (f"SINCE {day}-Mar-2001", lambda _, m: m.day >= day),
            (f"OR LARGER {size} ON {day}-Mar-2001", lambda _, m: m.size > size or m.day == day),
            (f"OR SMALLER {size} EMAILID nobody", lambda _, m: m.size < size),
            ("SENTSINCE 1-Jan-2000", lambda uid, m: False),
        ]  # fmt: skip
        program, holds = self.source.choice(programs)
        expected = {uid for uid, message in self.messages.items() if holds(uid, message)}
        if self.source.random() < 0.5:
            self.reader.ok("NOOP")
            assert _found(self.reader, f"UID SEARCH {program}") == expected
        else:
            # It has not been told of all that came; of what went it may say anything.
            found = _found(self.reader, f"UID SEARCH {program}") & self.messages.keys()
            assert found <= expected
        assert _found(self.writer, f"UID SEARCH {program}") == expected


def _found(client: Dialogue, command: str) -> set[int]:
    answer = client.ok(command)
    (line,) = [line for line in answer.split(b"\r\n") if line.startswith(b"* SEARCH")]
    return set(map(int, line.split()[2:]))


def _kept(server: Server, column: str) -> dict[int, bytes]:
    async def kept(keeper: IBlocksKept) -> dict[int, bytes]:
        return dict(await settled(keeper.kept_blocks(column, EVERY)))

    return with_keeper(server, kept)


@pytest.mark.parametrize("seed", range(4))
def test_any_history(anywhere: Server, seed: int) -> None:
    """Messages come and go, blocks are lost and damaged: each search finds what a plain reading does."""
    history = _History(anywhere, seed)
    acts = [history.append, history.expunge, history.forget, history.damage, *[history.search] * 4]
    history.append()
    for _ in range(60):
        history.source.choice(acts)()


# What is made, and what is kept.


def test_made_once(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made is not made again, not after a start either; of new messages it is."""
    client = anywhere.client().fill(2 * SPAN + 1).select()
    made = scans(monkeypatch)
    for _ in range(2):
        same(client.do("SEARCH SUBJECT 9"), "* SEARCH 9", "a OK SEARCH completed")
    assert made == [NumSet([(1, 8)]), NumSet([(9, 16)]), NumSet.of(17)]
    made.clear()
    anywhere.factory.policy.blocks.at_hand.clear()
    client.append(letter("99"))
    for _ in range(2):
        same(client.do("SEARCH SUBJECT 9"), "* SEARCH 9 18", "a OK SEARCH completed")
    # The last block has too few for it to be kept.
    assert made == [NumSet([(17, 18)])]
    made.clear()
    client.append(letter("x"))
    same(client.do("SEARCH SUBJECT x"), "* SEARCH 19", "a OK SEARCH completed")
    assert made == [NumSet.of(19)]
    made.clear()
    anywhere.factory.policy.blocks.at_hand.clear()
    client.ok("SEARCH SUBJECT x")
    assert made == []


def test_made_for_few(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks about one message of many does not wait for a block of them all."""
    monkeypatch.setattr(module, "_SPARSE", 4)
    client = server.client().fill(SPAN).select()
    made = scans(monkeypatch)
    same(client.do("SEARCH UID 3 SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    assert made == [NumSet.of(3)]
    assert _kept(server, SUBJECT.name) == {}


def test_texts_that_are_too_long(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the headers of messages are, what is made of them is bounded, and they are found."""
    monkeypatch.setattr(module, "_LARGE", 100)
    client = anywhere.client().fill(SPAN).append(letter("x" * 101), letter("long x")).select()
    same(client.do("SEARCH SUBJECT x"), "* SEARCH 9 10", "a OK SEARCH completed")
    same(client.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    assert list(_kept(anywhere, SUBJECT.name)) == [1]


def test_long_headers_are_work_for_a_thread(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header that takes long to be read keeps nobody waiting."""
    long: list[object] = []

    def at_once(work: Callable[[bytes], object], octets: bytes) -> Deferred[object]:
        long.append(len(octets))
        return succeed(work(octets))

    monkeypatch.setattr(content, "deferToThread", at_once)
    monkeypatch.setattr(content, "_LONG", 200)
    client = server.client().append(letter("one"), letter("x" * 200), letter("two x")).select()
    same(client.do("SEARCH SUBJECT x"), "* SEARCH 2 3", "a OK SEARCH completed")
    assert len(long) == 1


def test_damage_is_mended(anywhere: Server) -> None:
    """A damaged block is made again, and kept as it should be."""
    client = anywhere.client().fill(SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    whole = _kept(anywhere, SUBJECT.name)
    assert list(whole) == [1]

    async def damage(keeper: IBlocksKept) -> None:
        await settled(keeper.keep_blocks({(SUBJECT.name, 1): whole[1][:-1] + b"?"}, EVERY))

    with_keeper(anywhere, damage)
    anywhere.factory.policy.blocks.at_hand.clear()
    same(client.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    assert _kept(anywhere, SUBJECT.name) == whole


def test_what_is_gone_is_not_kept(anywhere: Server) -> None:
    """When messages are expunged, the next search lets the store forget what they said."""
    client = anywhere.client().fill(SPAN).append(letter("secret"), *[letter("x")] * 9).select()
    client.ok("SEARCH SUBJECT x")
    assert any(b"secret" in octets for octets in _kept(anywhere, SUBJECT.name).values())
    client.ok("STORE 1:9 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    assert _found(client, "UID SEARCH SUBJECT x") == set(range(10, 19))
    kept = _kept(anywhere, SUBJECT.name)
    assert not any(b"secret" in octets for octets in kept.values())
    # The last block has too few for it to be kept.
    assert list(kept) == [2]


# What is at hand.


def test_what_nobody_uses_is_forgotten(server: Server) -> None:
    """A process that has not searched for some minutes keeps nothing in memory."""
    client = server.client().fill(3 * SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    held = server.factory.policy.blocks.at_hand
    size = held.size
    assert size > 0
    server.advance(at_hand._IDLE)
    client.ok("SEARCH SUBJECT 3")
    server.advance(at_hand._IDLE)
    assert held.size == size
    server.advance(at_hand._IDLE)
    assert held.size == 0
    same(client.do("SEARCH SUBJECT 3 UID 3"), "* SEARCH 3", "a OK SEARCH completed")


def test_no_more_than_so_much(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is searched, what is at hand is bounded; what was used last stays."""
    client = server.client().fill(6 * SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    held = server.factory.policy.blocks.at_hand
    most = held.size // 2
    monkeypatch.setattr(held, "_most", most)
    client.ok("SEARCH FROM alice")
    assert 0 < held.size <= most
    made = scans(monkeypatch)
    same(client.do("SEARCH SUBJECT 13 FROM alice"), "* SEARCH 13", "a OK SEARCH completed")
    assert made == []
    assert 0 < held.size <= most


# Who asks.


@pytest.fixture
def distant() -> tuple[Server, DistantStore]:
    """A server over a store that answers late."""
    clock = Clock()
    store = DistantStore(clock, 0.1)
    server = Server(store, clock=clock)
    server.client().fill(2 * SPAN)
    return server, store


def test_two_at_once(distant: tuple[Server, DistantStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that need a block at one time have it made once."""
    server, _ = distant
    one, two = server.client(select="INBOX"), server.client(select="INBOX")
    made = scans(monkeypatch)
    one.post(b"a SEARCH SUBJECT 9\r\n")
    two.post(b"a SEARCH SUBJECT 11\r\n")
    server.rest()
    same(one.read(), "* SEARCH 9", "a OK SEARCH completed")
    same(two.read(), "* SEARCH 11", "a OK SEARCH completed")
    assert made == [NumSet([(1, 8)]), NumSet([(9, 16)])]


@pytest.mark.parametrize("fault", [None, "batch"])
def test_who_makes_it_leaves(distant: tuple[Server, DistantStore], fault: str | None) -> None:
    """Who waits for a block gets it when who makes it hangs up, and when that failed."""
    server, store = distant
    one, two = server.client(select="INBOX"), server.client(select="INBOX")
    one.post(b"a SEARCH SUBJECT 9\r\n")
    two.post(b"a SEARCH SUBJECT 11\r\n")
    if fault is not None:
        store.faults[fault] = StoreUnavailable("the disk is busy")
    server.advance(0.25)
    store.faults.clear()
    one.hang_up()
    server.rest()
    same(two.read(), "* SEARCH 11", "a OK SEARCH completed")


def test_who_makes_it_does_not_read(
    distant: tuple[Server, DistantStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that reads nothing of what it asked for does not keep another waiting."""
    monkeypatch.setattr(flow, "_SLICE", 0.0)
    server, _ = distant
    one, two = server.client(select="INBOX"), server.client(select="INBOX")
    one.post(b"a SEARCH SUBJECT 9\r\n")
    server.advance(0.25)
    one.protocol.pauseProducing()
    server.rest()
    assert one.read() == b""
    same(two.do("SEARCH SUBJECT 11"), "* SEARCH 11", "a OK SEARCH completed")


@pytest.mark.parametrize("fault", ["kept_blocks", "keep_blocks"])
def test_a_store_that_cannot(distant: tuple[Server, DistantStore], fault: str) -> None:
    """A store that cannot keep, or find, what was made, does not keep anybody from finding mail."""
    server, store = distant
    store.faults[fault] = StoreUnavailable("the disk is full")
    client = server.client(select="INBOX")
    same(client.do("SEARCH SUBJECT 9"), "* SEARCH 9", "a OK SEARCH completed")


def test_rights_hold_at_once(anywhere: Server) -> None:
    """Who may no longer read a mailbox finds nothing in it, though all is at hand."""
    opened_up(anywhere)
    owner, guest = anywhere.client(), anywhere.client("bob")
    share(owner, "open", "lr")
    owner.fill(SPAN, "open")
    guest.select(f'"{ALICES}open"')
    same(guest.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    share(owner, "open", "l")
    assert guest.do("SEARCH SUBJECT 3").startswith(b"a NO ")
