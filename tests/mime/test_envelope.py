"""ENVELOPE and the day of the Date field."""

from __future__ import annotations

from datetime import date

import pytest

from imapd.mime.envelope import envelope, sent_day

#: RFC 9051, 8.
EXAMPLE = (
    b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
    b"From: Terry Gray <gray@cac.washington.edu>\r\n"
    b"Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
    b"To: imap@cac.washington.edu\r\n"
    b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
    b"Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n"
    b"\r\n"
)


def test_example_of_the_rfc() -> None:
    """RFC 9051, 8: the envelope that is shown there."""
    assert envelope(EXAMPLE) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'(("Terry Gray" NIL "gray" "cac.washington.edu")) '
        b'((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) '
        b'NIL NIL "<B27397-0100000@cac.washington.edu>")'
    )


@pytest.mark.parametrize(
    ("header", "wire"),
    [
        pytest.param(b"", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", id="nothing"),
        pytest.param(
            b"Date:\r\nSubject: \r\nFrom:\r\nTo: ,\r\nIn-Reply-To:\r\nMessage-ID:\r\n\r\n",
            b'("" "" NIL NIL NIL NIL NIL NIL "" "")',
            id="present but empty",
        ),
        pytest.param(
            b"From: a@b\r\nSender: c@d\r\nReply-To: <>\r\n\r\n",
            b'(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) '
            b'((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) NIL NIL NIL NIL NIL)',
            id="own sender",
        ),
        pytest.param(
            b"To: a@b\r\nSubject: one\r\nTO: c@d\r\nSubject: two\r\n\r\n",
            b'(NIL "one" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)',
            id="fields given twice",
        ),
        pytest.param(
            b"Subject: folded\r\n\ttext\r\nMessage-ID:\r\n <a@b>\r\n\r\n",
            b'(NIL "folded\ttext" NIL NIL NIL NIL NIL NIL NIL "<a@b>")',
            id="folded",
        ),
    ],
)
def test_envelope(header: bytes, wire: bytes) -> None:
    """RFC 9051, 7.5.2: NIL for absent, "" for empty, From for a missing Sender or Reply-To."""
    assert envelope(header) == wire


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("Fri, 21 Nov 1997 09:55:06 -0600", date(1997, 11, 21), id="rfc5322"),
        pytest.param("Thu,\r\n  13\r\n  Feb\r\n 1969\r\n 23:32 -0330 (NST)", date(1969, 2, 13),
                     id="rfc5322 folded"),
        pytest.param("21 Nov 97 09:55:06 GMT", date(1997, 11, 21), id="rfc5322 obsolete"),
        pytest.param("1 Jan 49 00:00 UT", date(2049, 1, 1), id="two digits"),
        pytest.param("1 Jan 100 00:00 UT", date(2000, 1, 1), id="three digits"),
        pytest.param("(c) Sat, 1 jan 2022", date(2022, 1, 1), id="comment, no time"),
        pytest.param("Wed Jul 17 02:23:25 1996", date(1996, 7, 17), id="asctime"),
        pytest.param("Wed Jul 17 02:23:25 PDT 1996", date(1996, 7, 17), id="asctime with zone"),
        pytest.param("Monday, 02-Sept-2024 10:00", date(2024, 9, 2), id="rfc850"),
        pytest.param("2024-02-29T00:00:00Z", date(2024, 2, 29), id="iso"),
        pytest.param("Tue,17 Sep 2024 23:59:59 -1200", date(2024, 9, 17), id="own day"),
        pytest.param("31 Feb 2024 00:00:00 +0000", None, id="no such day"),
        pytest.param("1 Foo 2024 00:00:00 +0000", None, id="no such month"),
        pytest.param("1 Jan 0000 00:00:00 +0000", None, id="no such year"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
    ],
)  # fmt: skip
def test_sent_day(text: str, day: date | None) -> None:
    """The sender's own day, whatever the time and zone."""
    expected = None if day is None else day.toordinal()
    assert sent_day(b"Date: " + text.encode() + b"\r\n\r\n") == expected


def test_sent_day_without_date() -> None:
    """No Date field, no day."""
    assert sent_day(b"Subject: x\r\n\r\n") is None
