"""Header fields as searches compare them."""

from __future__ import annotations

import pytest

from imapd.query.folded import ADDRESSES, FIELDS, SUBJECT


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (b"From: a@example.org\r\n\r\n", None),
        (b"Subject:\r\n\r\n", ""),
        (b"Subject: One\r\n\tTwo\r\n\r\n", "one two"),
        (b"Subject: One\r\nX: y\r\nsubject: Two\r\n\r\n", "one\ntwo"),
        (b"Subject: =?utf-8?Q?=C3=84=0AB=00C?=\r\n\r\n", "a\u0308 b c"),
    ],
)
def test_subject(block: bytes, text: str | None) -> None:
    """Every Subject field is a line: none in it ends one, and none at all is None."""
    assert SUBJECT.of(block) == text


def test_addresses() -> None:
    """An address is there as it was written and as clients show it, once where that is the same."""
    sent_from = ADDRESSES[b"from"].of
    assert sent_from(b"From: al@example.org\r\n\r\n") == "al@example.org"
    assert sent_from(b'From: "Smith, J" <js@example.org>\r\n\r\n').split("\n") == [
        '"smith, j" <js@example.org>',
        "smith, j <js@example.org>",
    ]
    assert "a.b@example.org" in sent_from(b"From: a . b @ example.org\r\n\r\n")


def test_fields() -> None:
    """A field that HEADER names is there as it was written, and nothing else is."""
    block = b'Message-ID: <A@b>\r\nFrom: "Smith, J" <js@example.org>\r\nX-From: no\r\n\r\n'
    assert FIELDS[b"message-id"].of(block) == "<a@b>"
    assert FIELDS[b"from"].of(block) == '"smith, j" <js@example.org>'
    assert FIELDS[b"references"].of(block) is None
