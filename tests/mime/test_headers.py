"""Splitting a header block, and HEADER.FIELDS."""

from __future__ import annotations

import pytest

from imapd.mime.headers import Field, fields, first, select, unfold

HEADER = (
    b"From: a@example.com\r\n"
    b"Subject: one\r\n two\r\n\tthree\r\n"
    b"no field at all\r\n"
    b"SUBJECT : again\r\n"
    b"Subject-Not: no\r\n"
    b"To: b@example.com\r\n"
    b"\r\n"
)


def test_fields_in_order() -> None:
    """Every field with its folded text and its place; what is no field is passed over."""
    assert list(fields(HEADER)) == [
        Field(b"From", b" a@example.com\r", 0, 21),
        Field(b"Subject", b" one\r\n two\r\n\tthree\r", 21, 49),
        Field(b"SUBJECT", b" again\r", 66, 83),
        Field(b"Subject-Not", b" no\r", 83, 100),
        Field(b"To", b" b@example.com\r", 100, 119),
    ]


def test_mbox_line_is_no_field() -> None:
    """A "From " line of an mbox is not taken for a From field."""
    header = b"From a@b Mon Jan  1 00:00:00 2024\r\nTo: c\r\n\r\n"
    assert [field.name for field in fields(header)] == [b"To"]


@pytest.mark.parametrize(
    ("value", "unfolded"),
    [
        pytest.param(b" one\r\n two\r", b"one two", id="crlf"),
        pytest.param(b" one\n\ttwo", b"one\ttwo", id="lf and tab"),
        pytest.param(b"  \r", b"", id="empty"),
        pytest.param(b"a\r\n \r\n b", b"a  b", id="line of spaces"),
    ],
)
def test_unfold(value: bytes, unfolded: bytes) -> None:
    """Folding vanishes, its space stays."""
    assert unfold(value) == unfolded


def test_first() -> None:
    """The first field of a name counts, whatever its case."""
    assert first(HEADER, b"subject") == b"one two\tthree"
    assert first(HEADER, b"cc") is None


@pytest.mark.parametrize(
    ("names", "exclude", "chosen"),
    [
        pytest.param(
            (b"subject",),
            False,
            b"Subject: one\r\n two\r\n\tthree\r\nSUBJECT : again\r\n\r\n",
            id="every field of the name",
        ),
        pytest.param(
            (b"TO", b"FROM", b"FROM"),
            False,
            b"From: a@example.com\r\nTo: b@example.com\r\n\r\n",
            id="in the order of the message",
        ),
        pytest.param((b"Cc",), False, b"\r\n", id="none such"),
        pytest.param((b"Sub", b"ubject", b""), False, b"\r\n", id="names are whole"),
        pytest.param((), False, b"\r\n", id="no names"),
        pytest.param((b".*", b"To: b", b"a\nb"), False, b"\r\n", id="names are no patterns"),
        pytest.param(
            (b"subject", b"from"),
            True,
            b"no field at all\r\nSubject-Not: no\r\nTo: b@example.com\r\n\r\n",
            id="all but",
        ),
        pytest.param((), True, HEADER, id="all but none"),
        pytest.param(
            (b"from", b"subject", b"subject-not", b"to"),
            True,
            b"no field at all\r\n\r\n",
            id="all but all",
        ),
    ],
)
def test_select(names: tuple[bytes, ...], exclude: bool, chosen: bytes) -> None:
    """HEADER.FIELDS and HEADER.FIELDS.NOT give fields as they stand, and the blank line."""
    assert select(HEADER, names, exclude) == chosen
    many = (*names, *(b"x-%d" % number for number in range(100)))
    assert select(HEADER, many, exclude) == chosen


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        pytest.param(b"", b"\r\n", id="nothing"),
        pytest.param(b"\r\n", b"\r\n", id="only a blank line"),
        pytest.param(b"A: 1", b"A: 1\r\n\r\n", id="no line end"),
        pytest.param(b"A: 1\r\n", b"A: 1\r\n\r\n", id="no blank line"),
        pytest.param(b"A: 1\n 2\nB: 3\n\n", b"A: 1\r\n 2\r\n\r\n", id="bare LF"),
        pytest.param(b"B: 3\r\nA: 1\n\r\n", b"A: 1\r\n\r\n", id="mixed"),
        pytest.param(b" lost\r\nA: 1\r\n\r\n", b"A: 1\r\n\r\n", id="continuation of nothing"),
        pytest.param(b"A: \xff\0\r\n\r\n", b"A: \xff\0\r\n\r\n", id="octets"),
    ],
)
def test_select_from_damage(header: bytes, chosen: bytes) -> None:
    """Whatever was stored, lines end with CRLF and the blank line is there."""
    assert select(header, (b"a",)) == chosen
