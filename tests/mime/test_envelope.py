"""ENVELOPE and the day of the Date field."""

from __future__ import annotations

import pytest

from imapd.mime.envelope import envelope

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
