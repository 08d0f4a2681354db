"""Segments of an index: against the texts themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.model.text import Place, Sought, Told
from imapd.query import segment as module
from imapd.query.fold import fold
from imapd.query.segment import Draft, Segment
from imapd.query.words import words_of

#: A message of a test: its texts by place; None: one that has too many words.
_Message = tuple[str, str, str]

_alphabet = st.sampled_from("ab é1-_ \n日本がßx")
_text = st.one_of(
    st.text(_alphabet, max_size=12),
    st.text(st.sampled_from("abcd"), min_size=10, max_size=80),
    st.sampled_from(["", "deadline tomorrow", "a b", "the deadline"]),
)
_messages = st.lists(st.none() | st.tuples(_text, _text, _text), max_size=40)


def _written(messages: Sequence[_Message | None], first: int = 1) -> Segment:
    draft = Draft()
    for place, message in enumerate(messages):
        words = None if message is None else [words_of(fold(text)) for text in message]
        draft.add(first + 2 * place, words)
    return _read(draft)


def _read(draft: Draft) -> Segment:
    head, body = draft.octets()
    return Segment(head, lambda start, length: body[start : start + length])


def _meets(message: _Message, sought: Sought) -> bool:
    return any(
        all(string in fold(message[place]) for string in sought.strings) for place in sought.places
    )


def _check(told: Told | None, messages: dict[int, _Message | None], sought: Sought) -> None:
    """Nothing is told that is not so."""
    if told is None:
        return
    assert list(told.uids) == sorted(messages)
    assert not set(told.holds) & set(told.may)
    for uid, message in messages.items():
        if message is None:
            assert uid in told.may
        elif uid in told.holds:
            assert sought.enough
            assert _meets(message, sought)
        elif uid not in told.may:
            assert not _meets(message, sought)


_sought = st.builds(
    Sought,
    st.lists(st.sampled_from(Place), min_size=1, max_size=3, unique=True).map(tuple),
    st.lists(_text.map(fold), min_size=1, max_size=2).map(tuple),
    st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(_messages, _sought, st.sampled_from([1, 3, 4_000]), st.data())
def test_nothing_false_is_told(
    messages: list[_Message | None], sought: Sought, most: int, data: st.DataObject
) -> None:
    """What holds, holds; what is not named does not; whatever the texts, the strings, the bounds."""
    with_text = [message for message in messages if message]
    if with_text and data.draw(st.booleans()):
        text = fold("".join(data.draw(st.sampled_from(with_text))))
        start = data.draw(st.integers(min_value=0, max_value=len(text)))
        sought = Sought(sought.places, (text[start : start + data.draw(st.integers(1, 30))],))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MATCHES", most)
        told = _written(messages).told(sought)
    by_uid = {2 * place + 1: message for place, message in enumerate(messages)}
    _check(told, by_uid, sought)


@settings(max_examples=100, deadline=None)
@given(_messages, _messages, st.sets(st.integers(min_value=0, max_value=200)), _sought)
def test_segments_are_joined(
    left: list[_Message | None], right: list[_Message | None], gone: set[int], sought: Sought
) -> None:
    """Joined, they tell of all that are still there what each told of its own."""
    by_uid = {
        uid: message
        for first, messages in ((1, left), (101, right))
        for uid, message in ((first + 2 * place, each) for place, each in enumerate(messages))
        if uid not in gone
    }
    draft = Draft()
    for first, messages in ((1, left), (101, right)):
        draft.join(_written(messages, first), set(by_uid), lambda: None)
    told = _read(draft).told(sought)
    _check(told, by_uid, sought)
    alone = _written([])
    assert alone.told(sought) is None or told is not None


def _many() -> Segment:
    messages: list[_Message | None] = [
        ("subject: hello", "", f"w{number} of {number % 300} deadline" if number % 2 else "other")
        for number in range(3_000)
    ]
    return _written(messages)


@pytest.mark.parametrize(
    ("place", "string", "count"),
    [
        (Place.BODY, "deadline", 1_500),  # of many
        (Place.BODY, "adlin", 1_500),
        (Place.BODY, "w77", 6),  # w77, w771, w773, w775, w777, w779
        (Place.BODY, "w2999", 1),  # of one
        (Place.BODY, "absent", 0),
        (Place.HEADER, "deadline", 0),
        (Place.HEADER, "subject", 3_000),
    ],
)
def test_a_word_is_decided(place: Place, string: str, count: int) -> None:
    """Whether a message has one word, or a part of one, needs no look at it."""
    told = _many().told(Sought((place,), (string,)))
    assert told is not None
    assert (len(told.holds), len(told.may)) == (count, 0)


def test_several_words_narrow() -> None:
    """Of several words it is not known whether they stand together: few are to be opened."""
    told = _many().told(Sought((Place.BODY,), ("w77 of 77",)))
    assert told is not None
    assert (len(told.holds), list(told.may)) == (0, [155])


@pytest.mark.parametrize("string", ["", "-- ", "\n\t."])
def test_nothing_to_look_up(string: str) -> None:
    """Of what has no word in it, nothing is known."""
    assert _many().told(Sought((Place.BODY,), (string,))) is None


def test_little_is_read() -> None:
    """To look up a word, the lists of others are not read."""
    source = random.Random(7)
    draft = Draft()
    for uid in range(1, 4_001):
        words = {b"%d" % source.randrange(4_000) for _ in range(150)}
        draft.add(uid, [(), (), words])
    head, body = draft.octets()
    read: list[int] = []

    def piece(start: int, length: int) -> bytes:
        read.append(length)
        return body[start : start + length]

    told = Segment(head, piece).told(Sought((Place.BODY,), ("3999",)))
    assert told is not None
    assert len(told.holds) > 50
    assert sum(read) < len(body) / 10
