"""Searches over blocks: right whatever becomes of the messages, of the blocks, and of who makes them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from imapd.model.limits import Limits
from imapd.model.numset import EMPTY, NumSet
from imapd.query.columns import KEPT
from imapd.query.folded import SUBJECT
from imapd.server import flow
from imapd.session import (
    ahead,
    block_pieces,
    content,
    kept_image,
    kept_orders,
    kept_threads,
    orders,
    threads,
)  # fmt: skip
from imapd.session import blocks as module
from imapd.store.answers import settled
from imapd.store.arrivals import IArrivals
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IBlocksKept
from imapd.store.maildir import quiet
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore
from tests.sharing.houses import ALICES, opened_up, share

_T = TypeVar("_T")

_SPAN = 8
_WORDS = ["ab", "bc", "Über", "b", "a b"]
_EVERY = NumSet([(1, 1 << 32)])


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few messages fill blocks, a few blocks are asked for in several goes."""
    monkeypatch.setattr(block_pieces, "_SPAN", _SPAN)
    monkeypatch.setattr(module, "_TOGETHER", 2)
    monkeypatch.setattr(module, "_GROWN", 3)
    monkeypatch.setattr(content, "_VALUES", 2)


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
            gone = uids[at : at + self.source.randrange(2 * _SPAN)]
        for uid in gone:
            del self.messages[uid]
        named = ",".join(map(str, gone))
        if named:
            self.writer.ok(f"UID STORE {named} +FLAGS.SILENT (\\Deleted)")
            self.writer.ok("EXPUNGE")

    def forget(self) -> None:
        """Nothing is at hand any more, as after a start."""
        self.server.factory.policy.blocks.clear()

    def damage(self) -> None:
        """What the store keeps is lost, or other octets than were kept."""

        async def damage(keeper: IBlocksKept) -> None:
            for column in KEPT:
                kept = await settled(keeper.kept_blocks(column, _EVERY))
                for number, octets in kept.items():
                    if octets and self.source.random() < 0.5:
                        at = self.source.randrange(len(octets))
                        other = octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]
                        damaged = self.source.choice([other, octets[:at], octets * 2, b""])
                        await settled(keeper.keep_blocks({(column, number): damaged}, _EVERY))
            if self.source.random() < 0.2:
                await settled(keeper.keep_blocks({}, EMPTY))

        _with_keeper(self.server, damage)
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


def _with_keeper(server: Server, work: Callable[[IBlocksKept], Coroutine[Any, Any, _T]]) -> _T:
    async def done() -> _T:
        account = await settled(server.store.open_account("alice"))
        try:
            return await work(IBlocksKept(await settled(account.open("INBOX"))))
        finally:
            await settled(account.close())

    outcome: list[_T] = []
    Deferred.fromCoroutine(done()).addCallback(outcome.append)
    server.rest()
    return outcome[0]


def _kept(server: Server, column: str) -> dict[int, bytes]:
    async def kept(keeper: IBlocksKept) -> dict[int, bytes]:
        return dict(await settled(keeper.kept_blocks(column, _EVERY)))

    return _with_keeper(server, kept)


@pytest.mark.parametrize("seed", range(4))
def test_any_history(anywhere: Server, seed: int) -> None:
    """Messages come and go, blocks are lost and damaged: each search finds what a plain reading does."""
    history = _History(anywhere, seed)
    acts = [history.append, history.expunge, history.forget, history.damage, *[history.search] * 4]
    history.append()
    for _ in range(60):
        history.source.choice(acts)()


# What is made, and what is kept.


def _scans(monkeypatch: pytest.MonkeyPatch) -> list[NumSet]:
    """The UIDs of which values are made from here on."""
    made: list[NumSet] = []
    scanned = module.scanned

    def noted(mailbox: Any, uids: NumSet, *others: Any) -> Any:
        made.append(uids)
        return scanned(mailbox, uids, *others)

    monkeypatch.setattr(module, "scanned", noted)
    return made


def test_made_once(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made is not made again, not after a start either; of new messages it is."""
    client = anywhere.client().fill(2 * _SPAN + 1).select()
    made = _scans(monkeypatch)
    for _ in range(2):
        same(client.do("SEARCH SUBJECT 9"), "* SEARCH 9", "a OK SEARCH completed")
    assert made == [NumSet([(1, 8)]), NumSet([(9, 16)]), NumSet.of(17)]
    made.clear()
    anywhere.factory.policy.blocks.clear()
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
    anywhere.factory.policy.blocks.clear()
    client.ok("SEARCH SUBJECT x")
    assert made == []


def test_made_for_few(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks about one message of many does not wait for a block of them all."""
    monkeypatch.setattr(module, "_SPARSE", 4)
    client = server.client().fill(_SPAN).select()
    made = _scans(monkeypatch)
    same(client.do("SEARCH UID 3 SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    assert made == [NumSet.of(3)]
    assert _kept(server, SUBJECT.name) == {}


def test_texts_that_are_too_long(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the headers of messages are, what is made of them is bounded, and they are found."""
    monkeypatch.setattr(module, "_LARGE", 100)
    client = anywhere.client().fill(_SPAN).append(letter("x" * 101), letter("long x")).select()
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
    client = anywhere.client().fill(_SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    whole = _kept(anywhere, SUBJECT.name)
    assert list(whole) == [1]

    async def damage(keeper: IBlocksKept) -> None:
        await settled(keeper.keep_blocks({(SUBJECT.name, 1): whole[1][:-1] + b"?"}, _EVERY))

    _with_keeper(anywhere, damage)
    anywhere.factory.policy.blocks.clear()
    same(client.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    assert _kept(anywhere, SUBJECT.name) == whole


def test_what_is_gone_is_not_kept(anywhere: Server) -> None:
    """When messages are expunged, the next search lets the store forget what they said."""
    client = anywhere.client().fill(_SPAN).append(letter("secret"), *[letter("x")] * 9).select()
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
    client = server.client().fill(3 * _SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    at_hand = server.factory.policy.blocks
    size = at_hand.size
    assert size > 0
    server.advance(module._IDLE)
    client.ok("SEARCH SUBJECT 3")
    server.advance(module._IDLE)
    assert at_hand.size == size
    server.advance(module._IDLE)
    assert at_hand.size == 0
    same(client.do("SEARCH SUBJECT 3 UID 3"), "* SEARCH 3", "a OK SEARCH completed")


def test_no_more_than_so_much(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is searched, what is at hand is bounded; what was used last stays."""
    client = server.client().fill(6 * _SPAN).select()
    client.ok("SEARCH SUBJECT 3")
    at_hand = server.factory.policy.blocks
    most = at_hand.size // 2
    monkeypatch.setattr(module, "_MOST", most)
    client.ok("SEARCH FROM alice")
    assert 0 < at_hand.size <= most
    made = _scans(monkeypatch)
    same(client.do("SEARCH SUBJECT 13 FROM alice"), "* SEARCH 13", "a OK SEARCH completed")
    assert made == []
    assert 0 < at_hand.size <= most


# What is made before anybody asks.


def test_made_of_what_comes(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When many messages have come into a mailbox that was searched, the next search finds them made."""
    client = anywhere.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(3 * _SPAN)
    made = _scans(monkeypatch)
    anywhere.advance(5.0)
    assert made == [NumSet([(2, 8)]), NumSet([(9, 16)]), NumSet([(17, 24)])]
    made.clear()
    client.append(letter("x"))
    assert client.command("SEARCH SUBJECT x")[0] == "* SEARCH 26"
    assert made == [NumSet([(25, 26)])]


def test_not_made_for_nobody(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mailbox that nobody has searched, or has selected any more, nothing is made."""
    client = anywhere.client().select()
    made = _scans(monkeypatch)
    client.fill(_SPAN)
    anywhere.advance(5.0)
    client.ok("SEARCH SUBJECT 1")
    made.clear()
    client.fill(3 * _SPAN)
    client.ok("UNSELECT")
    anywhere.advance(5.0)
    assert made == []


def test_who_was_selected_leaves(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being made ends with the last session that has the mailbox selected."""
    client = anywhere.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(5 * _SPAN)
    made = _scans(monkeypatch)
    anywhere.advance(ahead._SOON + ahead._PAUSE / 2)
    client.hang_up()
    anywhere.advance(5.0)
    assert len(made) == 1


def test_stopped_while_it_is_made(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops listening leaves no timer behind, and makes nothing more."""
    client = server.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(5 * _SPAN)
    made = _scans(monkeypatch)
    server.advance(ahead._SOON + ahead._PAUSE / 2)
    client.fill(1)
    server.factory.stopFactory()
    server.advance(5.0)
    assert len(made) == 1


@pytest.fixture
def told(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server whose store says when messages have come, and that takes small mailboxes for large."""
    if not IArrivals.providedBy(anywhere.store):
        pytest.skip("the store says nothing")
    monkeypatch.setattr(quiet, "_DELAY", 2.0)
    monkeypatch.setattr(ahead, "_LARGE", 2 * _SPAN)
    monkeypatch.setattr(ahead, "_MANY", 3)
    for place in (ahead, kept_image, kept_orders, kept_threads, orders, threads):
        monkeypatch.setattr(place, "WORTH_KEEPING", 2 * _SPAN)
    monkeypatch.setattr(orders, "_LEAST", _SPAN)
    return anywhere


def test_made_of_what_nobody_looks_at(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large mailbox all is made soon after messages came: who selects and searches finds it."""
    client = told.client()
    client.ok("CREATE box")
    client.fill(3 * _SPAN, "box")
    told.advance(6.0)
    made = _scans(monkeypatch)
    client.select("box")
    for command in ("SEARCH SUBJECT 1", "SEARCH SENTSINCE 1-Jan-1990 LARGER 5", "SORT (DATE) UTF-8 ALL",
                    "THREAD REFERENCES UTF-8 ALL", "SEARCH FROM alice SINCE 1-Jan-1990"):  # fmt: skip
        client.ok(command)
    assert made == []
    assert client.command("SEARCH SUBJECT 1")[0].split()[2:] == [
        "1",
        *map(str, range(10, 20)),
        "21",
    ]


def test_made_after_who_wrote_has_left(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that puts messages there and goes has them prepared; what more comes is added."""
    for _ in range(2):
        client = told.client().fill(3 * _SPAN)
        client.hang_up()
        told.advance(6.0)
    made = _scans(monkeypatch)
    told.client().select().ok("SEARCH SUBJECT 1")
    assert made == []


def test_a_small_mailbox_is_not_prepared(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a large one for a few new messages."""
    made = _scans(monkeypatch)
    told.client().fill(_SPAN)
    told.advance(6.0)
    assert made == []
    told.client().fill(3 * _SPAN)
    told.advance(6.0)
    assert made
    made.clear()
    told.client().fill(2)
    told.advance(6.0)
    assert made == []


def test_nothing_is_prepared_while_more_come(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be in the way; but what never ends is not waited for."""
    made = _scans(monkeypatch)
    client = told.client()
    for _ in range(20):
        client.fill(_SPAN)
        told.advance(1.0)
    assert made == []
    for _ in range(20):
        client.fill(_SPAN)
        told.advance(1.0)
    assert made


def test_what_is_prepared_ends_with_the_account(
    told: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that closes meanwhile does not wait for it, and what was made is there next time."""
    monkeypatch.setattr(ahead, "_PAUSE", 60.0)
    monkeypatch.setattr(ahead, "_LONGEST", 60.0)
    client = told.client().fill(4 * _SPAN)
    client.hang_up()
    made = _scans(monkeypatch)
    told.advance(6.0)
    assert len(made) == 1
    told.advance(30.0)
    assert told.store._accounts == {}
    told.advance(60.0)
    assert len(made) == 1
    made.clear()
    told.client().select().ok("SEARCH SUBJECT 1")
    assert 0 < len(made) < 4


def test_what_ended_early_is_gone_on_with(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody opens the mailbox, though nothing more comes; what was made is not made again."""
    monkeypatch.setattr(ahead, "_PAUSE", 60.0)
    monkeypatch.setattr(ahead, "_LONGEST", 60.0)
    told.client().fill(4 * _SPAN).hang_up()
    made = _scans(monkeypatch)
    told.advance(40.0)
    assert told.store._accounts == {}
    begun = len(made)
    monkeypatch.setattr(ahead, "_PAUSE", 0.1)
    client = told.client().select()
    told.advance(6.0)
    assert begun > 0
    assert len(made) > begun
    assert len(made) == len({each.ranges[0] for each in made})
    made.clear()
    client.ok("SEARCH SUBJECT 1")
    assert made == []


def test_what_was_prepared_is_not_looked_at_again(
    told: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the mailbox, in a process of another day, finds that all was made."""
    told.client().fill(4 * _SPAN).hang_up()
    told.advance(40.0)
    told.factory._ahead._through.clear()
    asked = []
    begin = module.Blocks.ahead

    def noted(self: Any, *arguments: Any) -> Any:
        asked.append(arguments)
        return begin(self, *arguments)

    monkeypatch.setattr(module.Blocks, "ahead", noted)
    told.client().select()
    told.advance(6.0)
    assert asked == []
    told.client().fill(3)
    told.advance(6.0)
    assert len(asked) == 1


@pytest.mark.parametrize("octets", [b"", b"\0" * 12, b"\xff" * 12])
def test_a_damaged_mark_of_what_was_prepared(
    told: Server, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is looked at what there is."""
    client = told.client().fill(4 * _SPAN)
    mark = {(ahead._DONE, block_pieces.LAST): octets}

    async def damage(keeper: IBlocksKept) -> None:
        await settled(keeper.keep_blocks(mark, _EVERY))

    _with_keeper(told, damage)
    made = _scans(monkeypatch)
    told.advance(6.0)
    assert made
    made.clear()
    client.select().ok("SEARCH SUBJECT 1")
    assert made == []


def test_prepared_of_what_others_deliver(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that another program put into a large mailbox are looked through, too, when they are found."""
    client = told.client().fill(1).select()
    (account,) = told.store._accounts.values()
    new = Path(account.tree.root, "new")
    for number in range(3 * _SPAN - 1):
        (new / f"{number}.there").write_bytes(b"Subject: %d\n\nhello\n" % number)
    client.ok("NOOP")
    told.advance(8.0)
    made = _scans(monkeypatch)
    assert client.command("SEARCH SUBJECT 11")[0] == "* SEARCH 13"
    client.ok("SEARCH SENTSINCE 1-Jan-1990 LARGER 5")
    assert made == []


def test_prepared_while_what_was_asked_is_made(
    told: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One waits for the other, and both come to their end."""
    monkeypatch.setattr(quiet, "_DELAY", ahead._SOON + 3.05 * ahead._PAUSE)
    client = told.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    made = _scans(monkeypatch)
    client.fill(8 * _SPAN - 1)
    told.advance(30.0)
    made.clear()
    for command in ("SEARCH SUBJECT 1", "SEARCH LARGER 5", "SORT (DATE) UTF-8 ALL"):
        client.ok(command)
    assert made == []


#: Made before anybody asks.
_ANSWERS = (
    *[f"SORT ({order}) UTF-8 ALL" for order in
      ("ARRIVAL", "DATE", "SUBJECT", "REVERSE ARRIVAL", "REVERSE DATE")],
    "THREAD REFERENCES UTF-8 ALL",
)  # fmt: skip


def _asked(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """The columns that are asked for from here on."""
    asked: list[frozenset[str]] = []
    scan = module.Blocks.scan

    def noted(
        self: Any, mailbox: Any, known: Any, uids: Any, columns: Any, *rest: Any, **named: Any
    ) -> Any:
        asked.append(columns)
        return scan(self, mailbox, known, uids, columns, *rest, **named)

    monkeypatch.setattr(module.Blocks, "scan", noted)
    return asked


@pytest.mark.parametrize("work", [ahead._WORK, -1.0])
def test_answers_are_made(told: Server, work: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large mailbox the usual orders and threads are ready, in this process and in the next."""
    monkeypatch.setattr(ahead, "_WORK", work)
    monkeypatch.setattr(ahead, "_PAUSE", 0.01)
    count = 3 * _SPAN
    client = told.client().fill(count)
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.select()
    found = [client.command(text)[0] for text in _ANSWERS]
    assert asked == []
    numbers = range(1, count + 1)
    assert found[2] == "* SORT " + " ".join(map(str, sorted(numbers, key=str)))
    assert found[5] == "* THREAD " + "".join(f"({number})" for number in numbers)
    client.ok("UNSELECT")
    told.factory.policy.images._images.clear()
    client.select()
    assert [client.command(text)[0] for text in _ANSWERS] == found
    assert asked == []


def test_answers_are_made_again_when_much_has_come(
    told: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little beside what is there costs no more than it does to whoever asks."""
    monkeypatch.setattr(ahead, "_LITTLE", 4)
    client = told.client().fill(4 * _SPAN)
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.fill(_SPAN)
    told.advance(6.0)
    assert asked == []
    client.fill(_SPAN)
    told.advance(6.0)
    assert asked != []
    asked.clear()
    client.select().commands(_ANSWERS)
    assert asked == []


def test_answers_end_with_the_account(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun is left, and the rest is made the next time somebody opens the mailbox."""
    made: list[None] = []
    answers = ahead.usual_answers

    async def noted(*arguments: Any) -> AsyncIterator[None]:
        async for each in answers(*arguments):
            made.append(each)
            yield

    monkeypatch.setattr(ahead, "usual_answers", noted)
    monkeypatch.setattr(module.Blocks, "ahead", _nothing)
    monkeypatch.setattr(ahead, "_PAUSE", 20.0)
    monkeypatch.setattr(ahead, "_LONGEST", 20.0)
    told.client().fill(4 * _SPAN).hang_up()
    told.advance(40.0)
    assert told.store._accounts == {}
    assert 0 < len(made) < len(_ANSWERS)
    (image,) = told.factory.policy.images._images.values()
    assert image.watchers == {}
    monkeypatch.setattr(ahead, "_PAUSE", 0.1)
    client = told.client().select()
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.commands(_ANSWERS)
    assert asked == []


async def _nothing(*arguments: Any) -> AsyncIterator[None]:
    return
    yield


@pytest.mark.parametrize("limit", [{"messages": _SPAN}, {"thread_references": 1}])
def test_threads_that_nobody_may_ask_for(
    told: Server, limit: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not made, and nothing else is lacking."""
    told.factory._ahead._limits = evolve(Limits(), **limit)
    related = b"References: <a@x> <b@x>\r\nMessage-ID: <c@x>\r\n\r\n"
    client = told.client().append(*[related] * 3 * _SPAN)
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.select().commands(_ANSWERS[:-1])
    assert asked == []
    client.ok(_ANSWERS[-1])
    assert asked != []


# Who asks.


@pytest.fixture
def distant() -> tuple[Server, DistantStore]:
    """A server over a store that answers late."""
    clock = Clock()
    store = DistantStore(clock, 0.1)
    server = Server(store, clock=clock)
    server.client().fill(2 * _SPAN)
    return server, store


def test_two_at_once(distant: tuple[Server, DistantStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that need a block at one time have it made once."""
    server, _ = distant
    one, two = server.client(select="INBOX"), server.client(select="INBOX")
    made = _scans(monkeypatch)
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
    owner.fill(_SPAN, "open")
    guest.select(f'"{ALICES}open"')
    same(guest.do("SEARCH SUBJECT 3"), "* SEARCH 3", "a OK SEARCH completed")
    share(owner, "open", "l")
    assert guest.do("SEARCH SUBJECT 3").startswith(b"a NO ")
