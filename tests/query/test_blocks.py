"""Columns packed into blocks: what goes in comes out, and is looked through as a plain reading would."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query.blocks import LEAST, MOST, Damaged, Packed, between, holding, joined, pack, unpack
from imapd.query.columns import DERIVED
from imapd.query.derived import Form

_texts = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", codec=None)))
_few = st.lists(st.none() | st.text("aé\n\ud800", max_size=3))
_numbers = st.lists(
    st.none() | st.integers(LEAST, MOST) | st.integers(-3, 3) | st.sampled_from([LEAST, MOST])
)
_tuples = st.lists(st.none() | st.lists(st.integers(0, (1 << 64) - 1), max_size=3).map(tuple))
_columns = st.one_of(
    st.tuples(st.just(Form.TEXT), _texts),
    st.tuples(st.just(Form.NUMBER), _numbers),
    st.tuples(st.just(Form.NUMBERS), _tuples),
)


def _uids(values: Sequence[Any]) -> array[int]:
    return array("I", range(7, 7 + len(values)))


def _packed(form: Form, values: Sequence[Any]) -> Packed:
    return unpack(form, pack(form, _uids(values), 0, values)).values


@given(_columns, st.integers(0, (1 << 32) - 1))
def test_what_goes_in_comes_out(column: tuple[Form, list[Any]], through: int) -> None:
    """Values of each form, and None, are what they were, whole, one by one and in part."""
    form, values = column
    block = unpack(form, pack(form, _uids(values), through, values))
    assert (block.uids, block.through) == (_uids(values), through)
    assert list(block.values) == block.values.listed() == values
    assert len(block.values) == len(values)
    assert [block.values[row] for row in range(len(values))] == values
    assert block.values[1:3] == values[1:3]


@given(
    st.one_of(
        *(
            st.tuples(st.just(form), st.lists(values.filter(bool), min_size=1, max_size=4))
            for form, values in (
                (Form.TEXT, _few),
                (Form.NUMBER, st.lists(st.none() | st.integers(-1, 70_000)) | _numbers),
                (Form.NUMBERS, _tuples),
            )
        )
    )
)
def test_joined(parts: tuple[Form, list[list[Any]]]) -> None:
    """Columns one after the other are the column of all values, and are looked through as such."""
    form, columns = parts
    values = [value for column in columns for value in column]
    found = joined([_packed(form, column) for column in columns])
    assert list(found) == values
    if form is Form.TEXT:
        assert holding(found, "a") == holding(values, "a")
    if form is Form.NUMBER:
        for ends in ((0, 40_000), (1, MOST), (LEAST, 300)):
            assert between(found, *ends) == between(values, *ends)


@given(_few, st.text("aé\n\ud800", max_size=2))
def test_holding(texts: list[str | None], wanted: str) -> None:
    """A text is found in each message that has it and in no other; "" in each that has any text."""
    expected = [text is not None and wanted in text for text in texts]
    assert list(holding(texts, wanted)) == expected
    assert list(holding(_packed(Form.TEXT, texts), wanted)) == expected


def test_holding_is_of_one_message() -> None:
    """What is looked for does not begin in one message and end in the next."""
    assert list(holding(_packed(Form.TEXT, ["ab", "cd", None]), "bc")) == [False] * 3
    assert list(holding(_packed(Form.TEXT, ["ab", "cd"]), "b\0c")) == [False] * 2


@given(_numbers, st.integers(-4, 4) | st.just(LEAST), st.integers(-4, 4) | st.just(MOST))
def test_between(numbers: list[int | None], least: int, most: int) -> None:
    """A number lies between two others, itself included; None does not."""
    expected = [number is not None and least <= number <= most for number in numbers]
    assert list(between(numbers, least, most)) == expected
    assert list(between(_packed(Form.NUMBER, numbers), least, most)) == expected


@given(_columns, st.data())
def test_damage_is_noticed(column: tuple[Form, list[Any]], data: st.DataObject) -> None:
    """Octets that are missing, too many or others are no block, whatever they look like."""
    form, values = column
    octets = pack(form, _uids(values), 0, values)
    at = data.draw(st.integers(0, len(octets) - 1))
    other = octets[:at] + bytes((octets[at] ^ data.draw(st.integers(1, 255)),)) + octets[at + 1 :]
    for damaged in (octets[:at], octets + b"\0", other):
        with pytest.raises(Damaged):
            unpack(form, damaged)


def test_another_form() -> None:
    """What was packed as one form is no block of another."""
    octets = pack(Form.TEXT, _uids([""]), 0, [""])
    with pytest.raises(Damaged):
        unpack(Form.NUMBER, octets)


@given(st.binary(max_size=200))
def test_texts_have_no_nul(block: bytes) -> None:
    """Whatever a header holds, the texts made of it can be packed."""
    for column in DERIVED.values():
        if column.form is Form.TEXT:
            text = column.of(b"Subject:" + block + b"\nFrom:" + block + b"\nBcc: \0=?utf-8?Q?=00?=")
            assert _packed(Form.TEXT, [text, text])[1] == text


def test_nul_is_refused() -> None:
    """A text with NUL would be taken for two."""
    with pytest.raises(ValueError, match="NUL"):
        pack(Form.TEXT, _uids(["a", "b"]), 0, ["a\0b", "c"])
