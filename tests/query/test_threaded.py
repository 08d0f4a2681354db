"""Threads that are kept while messages come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.model.message import Batch, Column
from imapd.model.numset import NumSet
from imapd.query import threaded as engine
from imapd.query.arrived import ARRIVED
from imapd.query.criteria import MOMENT
from imapd.query.links import LINKS, SUBJECT
from imapd.query.packed_threads import pack, unpack
from imapd.query.pieces import done
from imapd.query.source import Numbers, Span
from imapd.query.text import MessageText
from imapd.query.thread import ALGORITHMS
from imapd.query.threaded import Threaded, positions, threaded

_T = TypeVar("_T")


@pytest.fixture(scope="module", autouse=True)
def _never_anew() -> Iterator[None]:
    """However much of a mailbox changes, what is known of it is used."""
    many, stale = engine._MANY, engine._STALE
    engine._MANY, engine._STALE = 0, 1_000
    yield
    engine._MANY, engine._STALE = many, stale


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """What comes of something that does not wait."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result


@define
class Mail:
    """A mailbox: columns by UID."""

    rows: dict[int, dict[Column, Any]] = field(factory=dict)
    #: Messages that are gone, which the client has not been told.
    gone: frozenset[int] = frozenset()
    #: Of how many messages columns were asked for.
    asked: int = 0
    turns: int = 0

    @property
    def uids(self) -> Sequence[int]:
        """As `Source`."""
        return sorted(self.rows)

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """As `Source`; not asked for."""
        raise AssertionError

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """As `Source`; not asked for."""
        raise AssertionError

    async def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Source`."""
        there = [uid for uid in self.uids if uid in uids and uid not in self.gone]
        self.asked += len(there)
        yield Batch(there, {name: [self.rows[uid][name] for uid in there] for name in columns})

    async def message(self, uid: int) -> MessageText | None:
        """As `Source`; not asked for."""
        raise AssertionError

    async def turn(self) -> None:
        """As `Source`."""
        self.turns += 1


def row(
    own: int, references: Sequence[int], subject: int | None, sent: int | None, arrived: int
) -> dict[Column, Any]:
    """A message."""
    return {
        LINKS.name: (own, *references),
        SUBJECT.name: subject,
        MOMENT.name: sent,
        ARRIVED.name: arrived,
    }


def said(answer: Threaded) -> str:
    """What a client reads."""
    parts = [shape % tuple(answer.members[some]) for shape, some in answer.written()]
    return b"".join(parts).decode()


_ROWS = st.builds(
    row,
    st.integers(0, 9),
    st.lists(st.integers(1, 12), max_size=3),
    st.none() | st.integers(2, 9),
    st.none() | st.integers(0, 6),
    st.integers(0, 6),
)
#: Messages that come and go, and the part that is threaded then.
_UIDS = st.integers(1, 30)
_STEPS = st.lists(
    st.tuples(st.lists(_ROWS, max_size=4), st.sets(_UIDS, max_size=3), st.sets(_UIDS)),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("name", ALGORITHMS)
@settings(max_examples=400)
@given(
    first=st.lists(_ROWS, max_size=20),
    steps=_STEPS,
    part=st.booleans(),
    gone=st.sets(st.integers(1, 20), max_size=2),
    stored=st.booleans(),
)
def test_kept(
    name: str, first: list[Any], steps: list[Any], part: bool, gone: set[int], stored: bool
) -> None:
    """What is kept and brought up to date says what threading everything says.

    So it does if it is left with a store each time and found again.
    """
    algorithm = ALGORITHMS[name]
    mail = Mail(dict(enumerate(first, 1)))
    answer = run(threaded(mail, range(len(first)), algorithm))
    for come, goes, left_out in steps:
        last = max(mail.rows, default=0)
        mail.rows.update(enumerate(come, last + 1))
        for uid in goes:
            mail.rows.pop(uid, None)
        mail.gone = frozenset(gone)
        places = [at for at, uid in enumerate(mail.uids) if not (part and uid in left_out)]
        if stored:
            octets = run(done(pack(answer), mail.turn))
            answer = run(done(unpack(algorithm, octets), mail.turn))
            assert answer.changed == 0
        answer = run(threaded(mail, places, algorithm, answer))
        mail.gone = frozenset()
        fresh = run(threaded(mail, [mail.uids.index(uid) for uid in answer.uids], algorithm))
        assert said(answer) == said(fresh)
        at = run(positions(mail, answer))
        assert [answer.uids[each] for each in at] == list(answer.members)
        assert {mail.uids[place] for place in places}.difference(answer.uids) <= gone
