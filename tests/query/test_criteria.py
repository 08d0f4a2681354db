"""The values that SORT compares."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from imapd.query.criteria import ADDRESSES, BASE_SUBJECT, DISPLAYED, MOMENT


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X: y", ""),
        ("Subject:", ""),
        ("Subject: Re: Hello", "HELLO"),
        ("Subject: Re:\r\n\t[list]  Hello (fwd)\r\nSubject: Other", "HELLO"),
        ("Subject: =?utf-8?q?Re:_=C3=A9t=C3=A9?=", "E\u0301TE\u0301"),
        ("Subject: =?utf-8?q?a=00b=0Ac?=", "A B C"),
    ],
)
def test_base_subject(header: str, value: str) -> None:
    """The first Subject, decoded, without what replies and lists add, without case."""
    assert BASE_SUBJECT.of(header.encode() + b"\r\n\r\n") == value


@pytest.mark.parametrize(
    ("header", "address", "displayed"),
    [
        ("X: y", "", ""),
        ("From:", "", ""),
        ("From: Al Archer <Al.Archer@Example.org>", "AL.ARCHER", "AL ARCHER"),
        ('From: "Al, Archer" <a@b>, Zoe <z@b>', "A", "AL, ARCHER"),
        ("From: A@B", "A", "A@B"),
        ("From: <a@b> (Al)", "A", "AL"),
        ("From: =?utf-8?q?=C3=89ve?= <e@b>", "E", "E\u0301VE"),
        ('From: "=?utf-8?q??=" <e@b>', "E", "E@B"),
        ("From: Friends: a@b;", "FRIENDS", "FRIENDS"),
        ("From: a\r\nFrom: z", "A", "A@MISSING_DOMAIN"),
        ("From:\r\nFrom: z@b", "", ""),
        ("From: j\u00f6rg@b", "JO\u0308RG", "JO\u0308RG@B"),
    ],
)
def test_from(header: str, address: str, displayed: str) -> None:
    """The first address of ENVELOPE: its mailbox (RFC 5256), and what is shown of it (RFC 5957)."""
    block = header.encode() + b"\r\n\r\n"
    assert (ADDRESSES[b"from"].of(block), DISPLAYED[b"from"].of(block)) == (address, displayed)


def test_several_fields() -> None:
    """Several To, or Cc, are one list, as in ENVELOPE."""
    block = b"To: \r\nTo: Zoe <z@b>, y@b\r\nCc: Al <a@b>\r\nCc: Bob <b@b>\r\n\r\n"
    assert (ADDRESSES[b"to"].of(block), DISPLAYED[b"to"].of(block)) == ("Z", "ZOE")
    assert ADDRESSES[b"cc"].of(block) == "A"


def test_moment() -> None:
    """The Date in UTC (RFC 5256, 2.2), None without one."""
    wanted = datetime(2001, 1, 1, 0, 1, 33, tzinfo=timezone.utc).timestamp()
    assert MOMENT.of(b"Date: 31 Dec 2000 16:01:33 -0800\r\n\r\n") == wanted
    assert MOMENT.of(b"X: y\r\n\r\n") is None
