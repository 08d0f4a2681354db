"""The evaluator: against a plain reading of the RFC, and how little it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.commands.search_keys import KEYS, search_keys
from imapd.dialect import Dialect, Feature
from imapd.mime.facts import facts
from imapd.mime.parse import parse
from imapd.model.flags import FLAGGED, SEEN, Flags, interned
from imapd.model.limits import Limits
from imapd.model.message import (
    FLAGS,
    HEADER,
    INTERNAL_DATE,
    MODSEQ,
    SENT,
    SIZE,
    Batch,
    Column,
)  # fmt: skip
from imapd.model.numset import NumSet, SequenceSet
from imapd.model.search import And, Cost, Key, Not, Or, Program, Recent, SequenceNumbers
from imapd.model.text import Place, Sought, Told
from imapd.query import search as module
from imapd.query.arrived import ARRIVED_DAY
from imapd.query.columns import DERIVED
from imapd.query.folded import ADDRESSES, SUBJECT
from imapd.query.keys import body, flag, header, larger
from imapd.query.search import search
from imapd.query.source import Numbers, Span, values
from imapd.query.text import HEADER_TEXT, MessageText, header_text
from imapd.query.verdicts import Verdicts
from imapd.wire.cursor import Cursor

_T = TypeVar("_T")
_DIALECT = Dialect.of([Feature("test", 0, search_keys=KEYS)])


def _program(text: str) -> Program:
    return search_keys(Cursor(text.encode("utf-8"), Limits(), vocabulary=_DIALECT))


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        work.send(None)
    except StopIteration as stop:
        value: _T = stop.value
        return value
    raise AssertionError("nothing here waits")


_NONE = interned(())


@frozen
class _Message:
    """A message as a test thinks of it."""

    flags: Flags = _NONE
    day: int = 1
    sent: int | None = 1
    subject: str | None = "hello"
    name: str = "Al"
    body: str = "text"
    recent: bool = False
    gone: bool = False

    @property
    def lines(self) -> list[str]:
        """Its header."""
        lines = [f'From: "{self.name}" <al@example.org>', f"X-Name: {self.name}"]
        if self.subject is not None:
            lines.append(f"Subject: {self.subject}")
        if self.sent is not None:
            lines.append(f"Date: {self.sent} Mar 2001 12:00:00 +0000")
        return [*lines, "Content-Type: text/plain; charset=utf-8"]

    @property
    def octets(self) -> bytes:
        """All of it."""
        return "\r\n".join([*self.lines, "", self.body]).encode("utf-8")


@define
class _Source:
    """Messages of a test; notes what was asked for."""

    messages: Sequence[_Message]
    step: int = 3
    scanned: list[tuple[frozenset[Column], str]] = field(factory=list)
    read: list[int] = field(factory=list)
    turns: int = 0
    verdicts: Verdicts = field(factory=Verdicts)
    #: UIDs that an index knows; of every third it knows nothing for certain.
    index: Sequence[int] = ()
    sought: list[Sought] = field(factory=list)

    @property
    def uids(self) -> Sequence[int]:
        """UIDs with holes."""
        return [2 * place + 10 + place // 4 for place in range(len(self.messages))]

    def spans(self, numbers: Numbers) -> Iterable[Span]:
        """As `Source`."""
        if isinstance(numbers, Recent):
            called: Sequence[int] = [1 if message.recent else 0 for message in self.messages]
            meant = NumSet.of(1)
        elif isinstance(numbers, SequenceNumbers):
            called = range(1, len(self.messages) + 1)
            meant = numbers.numbers.resolve(len(called))
        else:
            called = self.uids
            meant = numbers.numbers.resolve(called[-1] if called else 0)
        return [(place, place + 1) for place, each in enumerate(called) if each in meant]

    def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
        """As `Source`."""
        if column == MODSEQ:
            return list(range(start, stop))
        assert column == FLAGS
        return [message.flags for message in self.messages[start:stop]]

    async def scan(self, uids: NumSet, columns: frozenset[Column]) -> AsyncIterator[Batch]:
        """As `Source`."""
        self.scanned.append((columns, uids.wire().decode("ascii")))
        there = [
            (uid, message)
            for uid, message in zip(self.uids, self.messages)
            if uid in uids and not message.gone
        ]
        for at in range(0, len(there) + 1, self.step):  # the last one may be empty
            batch = there[at : at + self.step]
            yield Batch(
                [uid for uid, _ in batch],
                {name: [_entry(name, message) for _, message in batch] for name in columns},
            )

    async def told(self, sought: Sought, low: int, high: int) -> AsyncIterator[Told]:
        """As `Source`."""
        self.sought.append(sought)
        for at in range(0, len(self.index), 3):
            uids = list(self.index[at : at + 3])
            yield _told(sought, uids, [self.messages[self.uids.index(uid)] for uid in uids])

    async def message(self, uid: int) -> MessageText | None:
        """As `Source`."""
        self.read.append(uid)
        message = self.messages[self.uids.index(uid)]
        octets = message.octets
        return None if message.gone else MessageText(octets, parse(octets))

    async def turn(self) -> None:
        """As `Source`."""
        self.turns += 1


def _told(sought: Sought, uids: Sequence[int], messages: Sequence[_Message]) -> Told:
    """What an index tells that compares as searches do."""
    holds, may = [], []
    for uid, message in zip(uids, messages):
        text = MessageText(message.octets, parse(message.octets))
        there = {
            Place.HEADER: [header_text(facts(message.octets).header)],
            Place.PARTS: text.part_headers(),
            Place.BODY: list(text.bodies()),
        }
        # The field's name is sought at the beginning of a line.
        found = any(
            all(string in "\n" + each for string in sought.strings)
            for place in sought.places
            for each in there[place]
        )
        if uid % 3 == 0 or (found and not sought.enough):
            may.append(uid)
        elif found:
            holds.append(uid)
    return Told(uids, holds, may)


def _entry(column: Column, message: _Message) -> Any:
    if column in DERIVED:
        derived = DERIVED[column]
        return derived.of(_entry(derived.source, message))
    known = facts(message.octets)
    return {
        INTERNAL_DATE: b"%2d-Mar-2001 23:59:59 -1200" % message.day,
        SIZE: known.size,
        SENT: known.sent,
        HEADER: known.header,
    }[column]


# The model: a program is a tuple, read as the RFC says, and written as a client would.

_WORDS = ["a", "A", "ab", "ж", "Ж", "b a", ""]


def _text_of(spec: tuple[Any, ...]) -> str:
    name, *rest = spec
    if name == "()":
        return "(" + " ".join(map(_text_of, rest)) + ")"
    if name == "OR":
        return f"OR {_text_of(rest[0])} {_text_of(rest[1])}"
    if name == "NOT":
        return f"NOT {_text_of(rest[0])}"
    if name == "SET":
        return str(rest[0])
    return " ".join([name, *map(str, rest)])


def _holds(spec: tuple[Any, ...], place: int, source: _Source) -> bool:
    name, *rest = spec
    message = source.messages[place]
    if name == "()":
        return all(_holds(each, place, source) for each in rest)
    if name == "OR":
        return any(_holds(each, place, source) for each in rest)
    if name == "NOT":
        return not _holds(rest[0], place, source)
    if name in ("SET", "UID"):
        number = source.uids[place] if name == "UID" else place + 1
        last = source.uids[-1] if name == "UID" else len(source.messages)
        low, _, high = rest[0].partition(":")
        ends = [last if end == "*" else int(end) for end in (low, high or low)]
        return min(ends) <= number <= max(ends)
    string = str(rest[-1]).strip('"').lower() if rest else ""
    as_written = f'"{message.name}" <al@example.org>'.lower()
    holds: dict[str, Any] = {
        "ALL": lambda: True,
        "SEEN": lambda: SEEN in message.flags,
        "UNSEEN": lambda: SEEN not in message.flags,
        "FLAGGED": lambda: FLAGGED in message.flags,
        "KEYWORD": lambda: "$Junk" in message.flags,
        "UNKEYWORD": lambda: "$Junk" not in message.flags,
        "RECENT": lambda: message.recent,
        "OLD": lambda: not message.recent,
        "NEW": lambda: message.recent and SEEN not in message.flags,
        "BEFORE": lambda: message.day < _day(rest[0]),
        "ON": lambda: message.day == _day(rest[0]),
        "SINCE": lambda: message.day >= _day(rest[0]),
        "SENTBEFORE": lambda: message.sent is not None and message.sent < _day(rest[0]),
        "SENTON": lambda: message.sent is not None and message.sent == _day(rest[0]),
        "SENTSINCE": lambda: message.sent is not None and message.sent >= _day(rest[0]),
        "LARGER": lambda: len(message.octets) > rest[0],
        "SMALLER": lambda: len(message.octets) < rest[0],
        "SUBJECT": lambda: message.subject is not None and string in message.subject.lower(),
        "FROM": lambda: string in as_written or string in as_written.replace('"', ""),
        "HEADER": lambda: string in message.name.lower(),
        "BODY": lambda: string in message.body.lower(),
        "TEXT": lambda: string in "\n".join([*message.lines, message.body]).lower(),
    }
    return bool(holds[name]())


def _day(text: str) -> int:
    return int(text.partition("-")[0])


_string = st.sampled_from(_WORDS).map(lambda word: f'"{word}"')
_set = st.sampled_from(["1", "2:4", "*", "3:*", "12", "30:11", "90", "*:80"])
_date = st.sampled_from(["1-Mar-2001", '"2-Mar-2001"', "3-mar-2001"]).map(lambda d: d.strip('"'))
_size = st.integers(min_value=85, max_value=140)
_leaf = st.one_of(
    st.tuples(st.sampled_from(["ALL", "SEEN", "UNSEEN", "FLAGGED", "RECENT", "OLD", "NEW"])),
    st.tuples(st.sampled_from(["KEYWORD", "UNKEYWORD"]), st.just("$junk")),
    st.tuples(st.sampled_from(["SET", "UID"]), _set),
    st.tuples(
        st.sampled_from(["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"]), _date
    ),
    st.tuples(st.sampled_from(["LARGER", "SMALLER"]), _size),
    st.tuples(st.sampled_from(["SUBJECT", "FROM", "BODY", "TEXT"]), _string),
    st.tuples(st.just("HEADER"), st.just("X-Name"), _string),
)
_specs = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.tuples(st.just("OR"), inner, inner),
        st.tuples(st.just("NOT"), inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda keys: ("()", *keys)),
    ),
    max_leaves=8,
)
_messages = st.builds(
    _Message,
    flags=st.sampled_from(["", "\\Seen", "\\Flagged", "\\Seen $Junk", "$Junk"]).map(
        lambda names: interned(names.split())
    ),
    day=st.integers(min_value=1, max_value=3),
    sent=st.none() | st.integers(min_value=1, max_value=3),
    subject=st.none() | st.sampled_from(_WORDS),
    name=st.sampled_from(["a", "Ж b"]),
    body=st.sampled_from(["", "ab", "b Ж"]),
    recent=st.booleans(),
    gone=st.integers(min_value=0, max_value=9).map(lambda number: number == 0),
)


@contextmanager
def _small_steps(block: int, rows: int) -> Iterator[None]:
    """Blocks and turns so short that a few messages need several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        patch.setattr(module, "_BLOCK_LEAST", 1)
        patch.setattr(module, "_BLOCK_FIRST", 2)
        patch.setattr(module, "_FEW", 0)
        patch.setattr(module, "_ROWS", dict.fromkeys(Cost, rows))
        yield


@settings(max_examples=400, deadline=None)
@given(
    _specs,
    st.lists(_messages, max_size=12),
    st.sampled_from([1, 3, 5, 100]),
    st.sampled_from([1, 2, 100]),
    st.none() | st.integers(min_value=1, max_value=3),
    st.sets(st.integers(min_value=0, max_value=12)),
    st.booleans(),
)
def test_as_the_rfc_says(
    spec: tuple[Any, ...],
    messages: list[_Message],
    block: int,
    rows: int,
    most: int | None,
    indexed: set[int],
    again: bool,
) -> None:
    """Every program finds what a plain reading of the RFC finds, however the work is cut up.

    So it is whatever an index knows of some of the messages, and when the same was asked before.

    Of a message that vanished meanwhile, the view still knows the flags and numbers; it
    matches if those decide, and otherwise not, whatever the program.
    """
    with _small_steps(block, rows):
        source = _Source(messages)
        source.index = [uid for place, uid in enumerate(source.uids) if place in indexed]
        if again:
            _run(search(_program(_text_of(spec)), source, most))
        found = list(_run(search(_program(_text_of(spec)), source, most)))
    expected = [place for place in range(len(messages)) if _holds(spec, place, source)]
    assert found == sorted(set(found))
    there = [place for place in found if not messages[place].gone]
    if most is None:
        assert there == [place for place in expected if not messages[place].gone]
    else:
        assert len(found) <= most
        stays = [place for place in expected if not messages[place].gone]
        assert there == stays[: len(there)]
        assert len(found) == most or there == stays
    assert {place for place in found if messages[place].gone} <= set(expected)


def _all(count: int, **known: Any) -> _Source:
    return _Source([_Message(**known) for _ in range(count)], step=100)


def test_the_view_is_enough() -> None:
    """A search for flags and numbers asks the store for nothing."""
    source = _all(10)
    assert list(_run(search(_program("UNSEEN 2:3 UID 1:* NOT KEYWORD x"), source))) == [1, 2]
    assert (source.scanned, source.read) == ([], [])


def test_cheap_keys_first() -> None:
    """However the keys are ordered, dear ones are asked only about who is left."""
    source = _Source(
        [
            _Message(),
            _Message(flags=interned((SEEN,))),
            _Message(flags=interned((SEEN,)), day=2),
            _Message(flags=interned((SEEN,)), day=2, subject="other"),
        ],
        step=100,
    )
    program = _program("BODY text SUBJECT hello ON 2-Mar-2001 SEEN")
    assert list(_run(search(program, source))) == [2]
    assert source.scanned == [
        (frozenset({ARRIVED_DAY.name}), "12:16"),
        (frozenset({SUBJECT.name}), "14:16"),
    ]
    assert source.read == [14]


def test_or_opens_few_messages() -> None:
    """A message that matches by its header is not opened (TEXT is header or body)."""
    source = _Source([_Message(subject="a"), _Message(subject="b", body="a")])
    assert list(_run(search(_program("TEXT a"), _Source([])))) == []
    assert list(_run(search(_program("OR SUBJECT a BODY a"), source))) == [0, 1]
    assert source.read == [12]


def test_an_index_saves_opening() -> None:
    """Only messages of which the index knows nothing for certain are opened."""
    source = _Source([_Message(body="a"), _Message(body="b"), _Message(body="a"), _Message()])
    source.index = source.uids[:3]
    assert source.uids == [10, 12, 14, 16]
    assert list(_run(search(_program("NOT BODY b"), source))) == [0, 2, 3]
    assert source.read == [12, 16]
    assert source.scanned == []


def test_a_few_messages_are_opened() -> None:
    """An index is not asked about so few messages that they are looked at sooner."""
    source = _Source([_Message(body="a"), _Message(body="b"), _Message()])
    source.index = source.uids
    assert list(_run(search(_program("1:2 NOT BODY b"), source))) == [0]
    assert (source.read, source.sought) == ([10, 12], [])
    assert list(_run(search(_program("OR BODY a BODY b"), source))) == [0, 1]
    assert source.read == [10, 12, 10, 14]
    assert source.sought == []


def test_an_index_is_asked_last() -> None:
    """Nothing is asked of the index about messages that columns decide."""
    source = _Source([_Message(), _Message()])
    source.index = source.uids
    assert list(_run(search(_program("TEXT a SEEN"), source))) == []
    assert list(_run(search(_program("BODY text ON 2-Mar-2001"), source))) == []
    assert source.sought == []


def test_what_was_found_out_is_remembered() -> None:
    """The same words a second time, in whatever program, open no message and read no header."""
    source = _Source([_Message(body="a"), _Message(subject="a"), _Message()])
    assert list(_run(search(_program("TEXT aaa"), source))) == []
    assert list(_run(search(_program("TEXT a HEADER X-Name A"), source))) == [0, 1, 2]
    source.read.clear()
    source.scanned.clear()
    assert list(_run(search(_program("NOT TEXT aaa UNSEEN"), source))) == [0, 1, 2]
    assert list(_run(search(_program("OR (HEADER x-name a) TEXT a"), source))) == [0, 1, 2]
    assert (source.read, source.scanned) == ([], [])


def test_an_abandoned_search_is_remembered() -> None:
    """What was found out before the client went away is not lost."""

    @define
    class _Abandoned(_Source):
        async def turn(self) -> None:
            if len(self.read) == 2:
                raise EOFError

    source = _Abandoned([_Message() for _ in range(4)])
    with pytest.raises(EOFError):
        _run(search(body("absent"), source))
    assert source.read == [10, 12]
    assert list(_run(search(body("absent"), source))) == []
    assert source.read == [10, 12, 14, 16]


def test_one_scan_for_all_keys_of_a_cost() -> None:
    """Keys of one cost are answered by one reading."""
    source = _all(5)
    _run(search(_program("OR (LARGER 1 ON 5-Mar-2001) OR SUBJECT x FROM y"), source))
    assert [columns for columns, _ in source.scanned] == [
        frozenset({SIZE, ARRIVED_DAY.name}),
        frozenset({SUBJECT.name, ADDRESSES[b"from"].name}),
    ]


def test_a_header_is_decoded_once() -> None:
    """However many strings are looked for in whole headers, each header is decoded once."""
    source = _all(3)
    program = _program(" ".join(f"OR TEXT hell TEXT absent{number}" for number in range(20)))
    assert list(_run(search(program, source))) == [0, 1, 2]
    assert source.scanned == [(frozenset({HEADER_TEXT.name}), "10:14")]


@pytest.mark.parametrize(("length", "portions"), [(1, 1), (50_000, 4), (300_000, 8)])
def test_long_headers_in_short_turns(length: int, portions: int) -> None:
    """Of long headers only a few are looked through in a row."""
    source = _all(8, name="x" * length)
    assert list(_run(search(header(b"x-name", "y"), source))) == []
    assert source.turns == portions + 1


def test_a_few_gaps_are_read_over() -> None:
    """When nearly all messages of a range are wanted, the range is asked for."""
    messages = [_Message(flags=interned((SEEN,) if place == 5 else ())) for place in range(10)]
    source = _Source(messages, step=100)
    assert list(_run(search(_program("UNSEEN ON 1-Mar-2001"), source))) == [
        0, 1, 2, 3, 4, 6, 7, 8, 9,
    ]  # fmt: skip
    assert source.scanned == [(frozenset({ARRIVED_DAY.name}), "10:30")]


def test_many_gaps_are_left_out() -> None:
    """When few messages of a range are wanted, only they are asked for."""
    messages = [
        _Message(flags=interned((SEEN,) if place in (0, 19) else ())) for place in range(20)
    ]
    source = _Source(messages, step=100)
    assert list(_run(search(_program("SEEN ON 1-Mar-2001"), source))) == [0, 19]
    assert source.scanned == [
        (frozenset({ARRIVED_DAY.name}), f"{source.uids[0]},{source.uids[19]}")
    ]


def test_the_first_is_enough() -> None:
    """Who wants the first match does not wait for the others."""
    with _small_steps(100, 100):
        source = _all(10)
        assert list(_run(search(body("text"), source, 1))) == [0]
        assert len(source.read) == 2


@pytest.mark.parametrize(
    ("program", "last"),
    [
        ("1:5", [4]),
        ("3,20:22,900:901 NOT 901", [899]),
        ("200:300,41:43,40 UNSEEN SUBJECT hello", [299]),
        ("OR 7 8 UNSEEN", [7]),
        ("NOT 7:1000", [5]),
        ("RECENT", [102]),
        ("NOT RECENT", [999]),
        ("2000 UNSEEN", []),
    ],
)
def test_the_last_is_enough(program: str, last: list[int]) -> None:
    """Who wants the last match gets it, in whatever part of the mailbox its number is."""
    source = _Source([_Message(recent=place in (5, 102)) for place in range(1_000)])
    with _small_steps(64, 64):
        assert list(_run(search(_program(program), source, -1))) == last
        every = list(_run(search(_program(program), source)))
        assert list(_run(search(_program(program), source, -20))) == every[-20:]


def test_many_numbers_many_turns() -> None:
    """Looking up many numbers from the last on lets others have their turn."""
    source = _all(10_000)
    program = _program(",".join(map(str, range(1, 10_000, 2))))
    assert list(_run(search(program, source, -2))) == [9_996, 9_998]
    assert source.turns == 2


def test_a_set_is_looked_up_once() -> None:
    """A set of numbers that is named many times is one set."""
    asked: list[Numbers] = []

    @define
    class _Noting(_Source):
        def spans(self, numbers: Numbers) -> Iterable[Span]:
            asked.append(numbers)
            return [(0, 10)]

    source = _Noting([_Message()] * 100)
    assert len(_run(search(_program(" ".join(["1:10"] * 500)), source))) == 10
    assert asked == [SequenceNumbers(SequenceSet(((1, 10),)))]


def test_many_messages_many_turns() -> None:
    """A long search lets others have their turn, in blocks of the view and rows of headers."""
    source = _all(1_000)
    _run(search(header(b"subject", "x"), source))
    assert source.turns >= 5
    source = _all(100)
    _run(search(And(tuple(flag(SEEN) for _ in range(module._TESTS))), source))
    assert source.turns == 2


def test_the_client_is_gone() -> None:
    """A search that nobody waits for any more ends at its next turn."""

    class _Gone(Exception):
        pass

    @define
    class _Abandoned(_Source):
        async def turn(self) -> None:
            raise _Gone

    source = _Abandoned([_Message(), _Message()])
    with pytest.raises(_Gone):
        _run(search(body("absent"), source))
    assert source.read == [10]


def test_nothing_and_everything() -> None:
    """An empty AND is ALL; an empty OR is nothing; an empty mailbox has no answer."""
    assert list(_run(search(And(()), _all(3)))) == [0, 1, 2]
    assert list(_run(search(Or(()), _all(3)))) == []
    assert list(_run(search(Not(Or(())), _all(3)))) == [0, 1, 2]
    assert list(_run(search(And(()), _all(0)))) == []


def test_columns_of_extensions() -> None:
    """A key of a feature may ask any column that the view has, or several of the store."""
    modseq = Key("MODSEQ", Cost.VIEW, (MODSEQ,), lambda modseq: modseq >= 2)
    assert list(_run(search(modseq, _all(4)))) == [2, 3]
    both = Key("BOTH", Cost.COLUMN, (SIZE, SENT), lambda size, sent: size < sent)
    assert list(_run(search(And((larger(1), both)), _all(2)))) == [0, 1]


def test_a_batch_of_nothing() -> None:
    """A store may have nothing left of what it was asked for."""
    source = _Source([_Message(gone=True)], step=1)
    assert list(_run(search(_program("LARGER 1"), source))) == []
    assert list(_run(search(_program("NOT LARGER 1"), source))) == []


def test_a_large_mailbox() -> None:
    """Places are right across blocks."""
    flags = [interned((SEEN,) if place % 3 else ()) for place in range(20_000)]

    @define
    class _Many(_Source):
        @property
        def uids(self) -> Sequence[int]:
            return range(1, 20_001)

        def known(self, column: Column, start: int, stop: int) -> Sequence[Any]:
            return flags[start:stop]

    found = list(_run(search(Not(flag(SEEN)), _Many([]))))
    assert found == list(range(0, 20_000, 3))
    rare = _program("1,2,8192:8194,20000 UNSEEN")
    assert list(_run(search(rare, _Many([_Message()] * 20_000)))) == [0, 8_193]
    assert list(_run(search(flag("x"), _Many([])))) == []


def test_values_of_many() -> None:
    """Columns of any places come as one; who is gone is left out."""
    source = _Source([_Message(subject=str(place), gone=place == 4) for place in range(9)])
    whole = _run(values(source, range(1, 9), (SUBJECT.name, ARRIVED_DAY.name)))
    assert list(whole.places) == [1, 2, 3, 5, 6, 7, 8]
    assert whole.columns[SUBJECT.name] == ["1", "2", "3", "5", "6", "7", "8"]
    assert len(whole.columns[ARRIVED_DAY.name]) == 7
    some = _run(values(source, [0, 2, 4, 7], [SUBJECT.name]))
    assert (list(some.places), some.columns) == ([0, 2, 7], {SUBJECT.name: ["0", "2", "7"]})
    far = _run(
        values(
            _Source([_Message(subject=str(place)) for place in range(99)]), [3, 90], [SUBJECT.name]
        )
    )
    assert (list(far.places), far.columns) == ([3, 90], {SUBJECT.name: ["3", "90"]})
    none = _run(values(source, [], [SUBJECT.name]))
    assert (list(none.places), none.columns) == ([], {SUBJECT.name: []})
