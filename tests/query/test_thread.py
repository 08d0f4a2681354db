"""Threads of messages (RFC 5256, 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from itertools import chain, pairwise
from random import Random

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.query.criteria import MOMENT
from imapd.query.links import LINKS, SUBJECT
from imapd.query.references import Links, TooManyReferences
from imapd.query.subject import base_subject
from imapd.query.thread import ALGORITHMS, Searched, Threads, ordered
from tests.query import threading as model
from tests.query.threading import Letter

_MODELS: dict[str, Callable[[Sequence[Letter]], list[model._Node]]] = {
    "ORDEREDSUBJECT": model.ordered_subject,
    "REFERENCES": model.references,
    "REFS": model.refs,
}


def drive(pieces):  # type: ignore[no-untyped-def]
    """Do all the work, and give what comes of it."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


def columns(letters: Sequence[Letter]) -> Searched:
    """The same messages as columns."""
    numbers: dict[str, int] = {}
    subjects: dict[str, int] = {}

    def number(identifier: str | None) -> int:
        return 0 if identifier is None else numbers.setdefault(identifier, len(numbers) + 1)

    return Searched(
        links=links_of(
            [(number(each.identifier), *map(number, each.references)) for each in letters]
        ),
        subjects=[
            subjects.setdefault(each.subject, 2 * len(subjects) + 2) + each.replies
            if each.subject
            else None
            for each in letters
        ],
        sent=[each.sent for each in letters],
        arrived=[each.arrived for each in letters],
    )


def links_of(rows: Sequence[Sequence[int]]) -> Links:
    """The identifiers of messages, by message."""
    links = Links()
    links.add(map(len, rows), chain.from_iterable(rows))
    return links


def said(threads: Threads, letters: Sequence[Letter]) -> str:
    """The threads as a client reads them."""
    assert len(threads.shapes) == len(threads.sizes) == len(threads.heads)
    assert sum(threads.sizes) == len(threads.members)
    numbers = tuple(letters[place].number for place in threads.members)
    return (b"".join(threads.shapes) % numbers).decode()


def letters_from(
    rows: Sequence[tuple[str | None, Sequence[str], str, bool, int, int]],
) -> list[Letter]:
    """Messages numbered from 1."""
    return [Letter(number, *row) for number, row in enumerate(rows, 1)]


_IDENTIFIERS = st.sampled_from("abcdefgh")
_LETTERS = st.lists(
    st.tuples(
        st.none() | _IDENTIFIERS,
        st.lists(_IDENTIFIERS, max_size=5),
        st.sampled_from(["", "x", "x", "y", "z"]),
        st.booleans(),
        st.integers(0, 6),
        st.integers(0, 6),
    ),
    max_size=12,
).map(letters_from)


@pytest.mark.parametrize("name", _MODELS)
@settings(max_examples=600)
@given(letters=_LETTERS)
def test_as_the_rfc_reads(name: str, letters: list[Letter]) -> None:
    """Whatever messages say of each other, threads are what RFC 5256, 3 makes of them."""
    threads = drive(ALGORITHMS[name].threads(columns(letters)))
    assert said(threads, letters) == model.written(_MODELS[name](letters))


_MANY = 20_000
_DAY = 1_700_000_000


def _searched(links: Sequence[Sequence[int]], subject: int | None = None) -> Searched:
    count = len(links)
    sent = [_DAY + number for number in range(count)]
    return Searched(links_of(links), [subject] * count, sent, sent)


def _numbers(count: int) -> list[int]:
    shuffled = list(range(1, count + 1))
    Random(5).shuffle(shuffled)
    return shuffled


@pytest.mark.parametrize(
    "links",
    [
        [(number + 1, number) if number else (1,) for number in range(_MANY)],
        [(_MANY - number, _MANY - number - 1) for number in range(_MANY - 1)] + [(1,)],
        [(number, number - 1) if number > 1 else (1,) for number in _numbers(_MANY)],
    ],
    ids=["in order", "backwards", "shuffled"],
)
@pytest.mark.parametrize("name", ["REFERENCES", "REFS"])
def test_deep(name: str, links: list[tuple[int, ...]]) -> None:
    """All messages in one chain, in whatever order they lie, are one thread as deep as there are messages."""
    threads = drive(ALGORITHMS[name].threads(_searched(links)))
    assert threads.shapes == [b"(%b)" % b" ".join([b"%d"] * _MANY)]
    assert [links[place][0] for place in threads.members] == list(range(1, _MANY + 1))


@pytest.mark.parametrize(
    ("links", "shapes"),
    [
        ([(7,)] * _MANY, [b"(%d)"] * _MANY),
        ([(7, 7)] * _MANY, [b"(%%d %b)" % (b"(%d)" * (_MANY - 1))]),
        ([(number, number) for number in range(1, _MANY + 1)], [b"(%d)"] * _MANY),
        ([(0,)] * _MANY, [b"(%d)"] * _MANY),
        ([(0, 9)] * _MANY, [b"(%b)" % (b"(%d)" * _MANY)]),
        ([(0, *range(1, 2_000))] * 100, [b"(%b)" % (b"(%d)" * 100)]),
    ],
    ids=["one identifier", "referring to it", "to themselves", "none", "to one", "to thousands"],
)
def test_hostile(links: list[tuple[int, ...]], shapes: list[bytes]) -> None:
    """Mail made to confuse gives what the RFC says, in no time to speak of."""
    for name in ("REFERENCES", "REFS"):
        assert drive(ALGORITHMS[name].threads(_searched(links))).shapes == shapes


def test_circle() -> None:
    """A circle of thousands is cut in one place."""
    links = [(number, number - 1 or _MANY) for number in _numbers(_MANY)]
    threads = drive(ALGORITHMS["REFS"].threads(_searched(links)))
    assert threads.shapes == [b"(%b)" % b" ".join([b"%d"] * _MANY)]
    found = [links[place] for place in threads.members]
    assert all(child[1] == parent[0] for parent, child in pairwise(found))


def test_one_subject() -> None:
    """Thousands of one subject are the children of nobody, or of the one who did not reply."""
    links = [(0,)] * _MANY
    for subject in (2, 3):
        threads = drive(ALGORITHMS["REFERENCES"].threads(_searched(links, subject)))
        assert threads.shapes == [b"(%b)" % (b"(%d)" * _MANY)]
    searched = _searched(links, 3)
    subjects = [*searched.subjects[:-1], 2]
    threads = drive(ALGORITHMS["REFERENCES"].threads(evolve(searched, subjects=subjects)))
    assert threads.shapes == [b"(%%d %b)" % (b"(%d)" * (_MANY - 1))]
    assert threads.members == [_MANY - 1, *range(_MANY - 1)]


def test_too_many_references() -> None:
    """More references than memory has room for are not followed."""
    enough = evolve(_searched([(1, 2, 3), (4, 5, 6, 7)]), most=5)
    assert drive(ALGORITHMS["REFS"].threads(enough)).shapes == [b"(%d)", b"(%d)"]
    with pytest.raises(TooManyReferences):
        drive(ALGORITHMS["REFS"].threads(evolve(enough, most=4)))


@given(st.lists(st.integers(-(2**40), 2**40) | st.integers(_DAY, _DAY + 3), max_size=60))
def test_order_of_dates(dates: list[int]) -> None:
    """Whatever the dates, they come in order, and those of one date as they were."""
    assert drive(ordered(dates)) == sorted(range(len(dates)), key=dates.__getitem__)


def test_order_of_many_dates() -> None:
    """So do many: of one second, of near ones, of any time, and a few of any time among near ones."""
    random = Random(3)
    near = [_DAY + random.randrange(9_000) for _ in range(3 * _MANY)]
    anytime = [random.randrange(-(2**40), 2**40) for _ in range(2 * _MANY)]
    mixed = [each if at % 9 else anytime[at % len(anytime)] for at, each in enumerate(near)]
    few = [*near[:_MANY], *anytime[:9], *near[_MANY:]]
    for dates in ([_DAY] * _MANY, near, anytime, mixed, few, [0] * _MANY + anytime):
        assert drive(ordered(dates)) == sorted(range(len(dates)), key=dates.__getitem__)


def test_work_comes_in_pieces() -> None:
    """No piece of work is in proportion to all messages."""
    for name, algorithm in ALGORITHMS.items():
        pieces = sum(1 for _ in algorithm.threads(_searched([(0, 9)] * (4 * _MANY))))
        assert pieces >= 30, name


def _correspondence(seed: int) -> list[bytes]:
    """A mailing list: replies, forwards, mail without references, lost and copied mail."""
    random = Random(seed)
    topics = ["release", "Meeting", "[list] patch", "=?utf-8?q?caf=C3=A9?=", "CAFÉ", "", "Re:"]
    sent: list[tuple[str, list[str], str]] = []
    letters: list[bytes] = []
    for number in range(250):
        own = f"<{number}.{seed}@example.org>"
        references: list[str] = []
        subject = random.choice(topics) + random.choice(["", "", " 2", " 3"])
        if sent and random.random() < 0.7:
            parent, above, subject = random.choice(sent[-25:])
            references = [*above, parent]
            mark = random.choice(["Re: ", "re[2]: ", "RE: Re: ", "Fwd: ", "[list] Re: ", ""])
            subject = random.choice([mark + subject, f"[Fwd: {subject}]", subject + " (fwd)"])
        sent.append((own, references, subject))
        if random.random() < 0.25:
            continue
        shown = references[-random.choice([1, 3, 20]) :]
        day = random.randrange(1, 28) if random.random() < 0.2 else 1 + number * 27 // 250
        fields = [
            f"Subject: {subject}",
            f"Date: {day} Mar 2024 {random.randrange(24):02}:00:00 +0100",
        ]
        if random.random() < 0.95:
            fields.append("Message-ID: " + own.replace("<", '<"').replace("@", '"@', 1)
                          if random.random() < 0.1 else f"Message-ID: {own}")  # fmt: skip
        style = random.random()
        if shown and style < 0.7:
            fields.append("References: " + "\r\n\t".join(shown))
        elif shown and style < 0.9:
            fields.append(f'In-Reply-To: "your mail" {shown[-1]}')
        letter = "\r\n".join([*fields, "", ""]).encode()
        letters += [letter] * random.choice([1, 1, 1, 1, 1, 1, 2])
    return letters


def _read(letters: Sequence[bytes]) -> list[Letter]:
    """What the headers say, read by the standard library."""
    found = []
    for number, octets in enumerate(letters, 1):
        message = message_from_bytes(octets, policy=compat32)

        def ids(name: str, message: Message = message) -> list[str]:
            return re.findall(r"<([^<>\s]+@[^<>\s]+)>", (message[name] or "").replace('"', ""))

        text = "".join(
            part.decode(charset or "utf-8") if isinstance(part, bytes) else part
            for part, charset in decode_header(re.search(rb"Subject: (.*)\r", octets)[1].decode())  # type: ignore[index]
        )
        base, replies = base_subject(text)
        date = parsedate_to_datetime(message["Date"])
        found.append(
            Letter(
                number,
                (ids("Message-ID") or [None])[0],
                ids("References") or ids("In-Reply-To")[:1],
                base.upper(),
                replies,
                int(date.timestamp()),
                _DAY,
            )
        )
    return found


@pytest.mark.parametrize("name", _MODELS)
@pytest.mark.parametrize("seed", range(5))
def test_correspondence(name: str, seed: int) -> None:
    """The threads of mail as it comes are those of RFC 5256, 3."""
    octets = _correspondence(seed)
    letters = _read(octets)
    searched = Searched(
        links_of([LINKS.of(each) for each in octets]),
        [SUBJECT.of(each) for each in octets],
        [MOMENT.of(each) for each in octets],
        [_DAY] * len(octets),
    )
    threads = drive(ALGORITHMS[name].threads(searched))
    assert said(threads, letters) == model.written(_MODELS[name](letters))
    assert any(size > 10 for size in threads.sizes)
