"""What is made of new messages before anybody asks: when, for whom, and that it is right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from imapd.model.limits import Limits
from imapd.model.numset import NumSet
from imapd.session import (
    ahead,
    block_pieces,
    kept_image,
    kept_orders,
    kept_threads,
    orders,
    threads,
)
from imapd.session import blocks as module
from imapd.session.image import Image
from imapd.store.answers import settled
from imapd.store.arrivals import IArrivals
from imapd.store.interfaces import IBlocksKept
from imapd.store.maildir import quiet
from tests.dialogue import Server, letter
from tests.session.small_blocks import EVERY, SPAN, scans, with_keeper

pytestmark = pytest.mark.usefixtures("small")


def test_made_of_what_comes(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When many messages have come into a mailbox that was searched, the next search finds them made."""
    client = anywhere.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(3 * SPAN)
    made = scans(monkeypatch)
    anywhere.advance(5.0)
    assert made == [NumSet([(2, 8)]), NumSet([(9, 16)]), NumSet([(17, 24)])]
    made.clear()
    client.append(letter("x"))
    assert client.command("SEARCH SUBJECT x")[0] == "* SEARCH 26"
    assert made == [NumSet([(25, 26)])]


def test_not_made_for_nobody(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mailbox that nobody has searched, or has selected any more, nothing is made."""
    client = anywhere.client().select()
    made = scans(monkeypatch)
    client.fill(SPAN)
    anywhere.advance(5.0)
    client.ok("SEARCH SUBJECT 1")
    made.clear()
    client.fill(3 * SPAN)
    client.ok("UNSELECT")
    anywhere.advance(5.0)
    assert made == []


def test_who_was_selected_leaves(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being made ends with the last session that has the mailbox selected."""
    client = anywhere.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(5 * SPAN)
    made = scans(monkeypatch)
    anywhere.advance(ahead._SOON + ahead._PAUSE / 2)
    client.hang_up()
    anywhere.advance(5.0)
    assert len(made) == 1


def test_stopped_while_it_is_made(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops listening leaves no timer behind, and makes nothing more."""
    client = server.client().fill(1).select()
    client.ok("SEARCH SUBJECT 1")
    client.fill(5 * SPAN)
    made = scans(monkeypatch)
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
    monkeypatch.setattr(ahead, "_LARGE", 2 * SPAN)
    monkeypatch.setattr(ahead, "_MANY", 3)
    for place in (ahead, kept_image, kept_orders, kept_threads, orders, threads):
        monkeypatch.setattr(place, "WORTH_KEEPING", 2 * SPAN)
    monkeypatch.setattr(orders, "_LEAST", SPAN)
    monkeypatch.setattr(orders, "_SINGLY", 2)
    return anywhere


def test_made_of_what_nobody_looks_at(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large mailbox all is made soon after messages came: who selects and searches finds it."""
    client = told.client()
    client.ok("CREATE box")
    client.fill(3 * SPAN, "box")
    told.advance(6.0)
    made = scans(monkeypatch)
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


def test_kept_for_the_next_process(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that was filled here, and selected by nobody, is not read by who opens it first elsewhere."""
    told.client().fill(3 * SPAN).hang_up()
    told.advance(6.0)

    def never(*arguments: object) -> None:
        raise AssertionError("all of it was read")

    monkeypatch.setattr(Image, "_read", never)
    elsewhere = Server(told.store, clock=told.clock, pump=told._pump).login()
    assert f"* {3 * SPAN} EXISTS".encode() in elsewhere.ok("SELECT INBOX")
    elsewhere.hang_up()


def test_made_after_who_wrote_has_left(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that puts messages there and goes has them prepared; what more comes is added."""
    for _ in range(2):
        client = told.client().fill(3 * SPAN)
        client.hang_up()
        told.advance(6.0)
    made = scans(monkeypatch)
    told.client().select().ok("SEARCH SUBJECT 1")
    assert made == []


def test_a_small_mailbox_is_not_prepared(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a large one for a few new messages."""
    made = scans(monkeypatch)
    told.client().fill(SPAN)
    told.advance(6.0)
    assert made == []
    told.client().fill(3 * SPAN)
    told.advance(6.0)
    assert made
    made.clear()
    told.client().fill(2)
    told.advance(6.0)
    assert made == []


def test_nothing_is_prepared_while_more_come(told: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be in the way; but what never ends is not waited for."""
    made = scans(monkeypatch)
    client = told.client()
    for _ in range(20):
        client.fill(SPAN)
        told.advance(1.0)
    assert made == []
    for _ in range(20):
        client.fill(SPAN)
        told.advance(1.0)
    assert made


def test_what_is_prepared_ends_with_the_account(
    told: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that closes meanwhile does not wait for it, and what was made is there next time."""
    monkeypatch.setattr(ahead, "_PAUSE", 60.0)
    monkeypatch.setattr(ahead, "_LONGEST", 60.0)
    client = told.client().fill(4 * SPAN)
    client.hang_up()
    made = scans(monkeypatch)
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
    told.client().fill(4 * SPAN).hang_up()
    made = scans(monkeypatch)
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
    told.client().fill(4 * SPAN).hang_up()
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
    client = told.client().fill(4 * SPAN)
    mark = {(ahead._DONE, block_pieces.LAST): octets}

    async def damage(keeper: IBlocksKept) -> None:
        await settled(keeper.keep_blocks(mark, EVERY))

    with_keeper(told, damage)
    made = scans(monkeypatch)
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
    for number in range(3 * SPAN - 1):
        (new / f"{number}.there").write_bytes(b"Subject: %d\n\nhello\n" % number)
    client.ok("NOOP")
    told.advance(8.0)
    made = scans(monkeypatch)
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
    made = scans(monkeypatch)
    client.fill(8 * SPAN - 1)
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
    count = 3 * SPAN
    client = told.client().fill(count)
    told.advance(6.0)
    (image,) = told.factory.policy.images._images.values()
    # Memory is for those who look.
    assert image.kept == {}
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
    client = told.client().fill(4 * SPAN)
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.fill(SPAN)
    told.advance(6.0)
    assert asked == []
    client.fill(SPAN)
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
    told.client().fill(4 * SPAN).hang_up()
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


@pytest.mark.parametrize("limit", [{"messages": SPAN}, {"thread_references": 1}])
def test_threads_that_nobody_may_ask_for(
    told: Server, limit: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not made, and nothing else is lacking."""
    told.factory._ahead._limits = evolve(Limits(), **limit)
    related = b"References: <a@x> <b@x>\r\nMessage-ID: <c@x>\r\n\r\n"
    client = told.client().append(*[related] * 3 * SPAN)
    told.advance(6.0)
    asked = _asked(monkeypatch)
    client.select().commands(_ANSWERS[:-1])
    assert asked == []
    client.ok(_ANSWERS[-1])
    assert asked != []
