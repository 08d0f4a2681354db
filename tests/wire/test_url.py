"""URLs of messages (RFC 5092): what they say, and what is none."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.model.limits import Limits
from imapd.model.structure import Partial, Section
from imapd.wire.url import Access, BadURL, MessageURL, Who, message_url

_LIMITS = Limits()
_MINBARI = b"imap://minbari.example.org/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024"
_FRED = b"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred"
_TOKEN = b"91354a473744909de610943775f92038"


def _url(octets: bytes) -> MessageURL:
    return message_url(octets, _LIMITS)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER",
         MessageURL(20, "Drafts", 385759045, Section((), "HEADER", (), b"HEADER"))),
        (b"/Drafts/;UID=3002", MessageURL(3002, "Drafts")),
        (b";UID=20", MessageURL(20)),
        (b";uid=20/;Section=1.4", MessageURL(20, section=Section((1, 4), "", (), b"1.4"))),
        (_MINBARI, MessageURL(20, "gray-council", 385759045, partial=Partial(0, 1024), absolute=True)),
        (b"imap://;AUTH=GSSAPI@minbari.example.org/gray-council/;uid=20/;section=1.2",
         MessageURL(20, "gray-council", section=Section((1, 2), "", (), b"1.2"), absolute=True)),
        (b"imap://john;AUTH=*@[2001:db8::1]:143/inbox/;UID=1",
         MessageURL(1, "INBOX", absolute=True, user="john")),
        (b"IMAP://j%C3%B6rg%40x@h/a%20b/%E6%97%A5/;UID=1",
         MessageURL(1, "a b/\u65e5", absolute=True, user="j\u00f6rg@x")),
        (b"/foo/;UID=20/;PARTIAL=5", MessageURL(20, "foo", partial=Partial(5, (1 << 63) - 1))),
        (b"/x/../foo/./;UID=20", MessageURL(20, "foo")),
        (b"/..;UIDVALIDITY=385759045/;UID=20", MessageURL(20, "..", 385759045)),
        (b"/a%2F..%2Fb/;UID=20", MessageURL(20, "a/../b")),
        (b"/foo/;UID=1/;SECTION=2.HEADER.FIELDS%20(Subject%20To)",
         MessageURL(1, "foo", section=Section((2,), "HEADER.FIELDS", (b"SUBJECT", b"TO"),
                                              b"2.HEADER.FIELDS (Subject To)"))),
    ],
)  # fmt: skip
def test_what_it_says(octets: bytes, expected: MessageURL) -> None:
    """Mailbox, message, part and range, with the examples of RFC 5092, 9 and RFC 4469."""
    url = _url(octets)
    assert url.rump == octets
    assert MessageURL(*(getattr(url, name) for name in ("uid", "mailbox", "uidvalidity", "section",
                        "partial", "absolute", "user"))) == expected  # fmt: skip
    assert (url.expire, url.access, url.mechanism, url.token) == (None, None, "", b"")


@pytest.mark.parametrize(
    ("octets", "access"),
    [
        (_FRED, Access(Who.SUBMIT, "fred")),
        (b"imap://joe@h/INBOX/;uid=20;URLAUTH=USER+%66red", Access(Who.USER, "fred")),
        (b"imap://joe@h/INBOX/;uid=20;URLAUTH=Anonymous", Access(Who.ANONYMOUS)),
        (b"imap://joe@h/INBOX/;uid=20;urlauth=authuser", Access(Who.AUTHUSER)),
    ],
)
def test_authorization(octets: bytes, access: Access) -> None:
    """Whom it lets in; what vouches for it is apart, and the rest is kept to the octet."""
    assert _url(octets).access == access
    assert (_url(octets).rump, _url(octets).mechanism) == (octets, "")
    url = _url(octets + b":internal:" + _TOKEN)
    assert (url.rump, url.mechanism, url.token, url.access) == (octets, "INTERNAL", _TOKEN, access)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"2030-01-02T03:04:05Z", datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        (b"2030-01-02t03:04:05.75-07:30", datetime(2030, 1, 2, 10, 34, 5, tzinfo=timezone.utc)),
        (b"2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        (b"2030-01-02T03:04:05+05:00", datetime(2030, 1, 1, 22, 4, 5, tzinfo=timezone.utc)),
    ],
)
def test_expire(text: bytes, expected: datetime) -> None:
    """The moment after which it is no good (RFC 3339)."""
    assert _url(b"imap://joe@h/x/;uid=20;EXPIRE=%b;URLAUTH=anonymous" % text).expire == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"/", b"imap://h", b"imap://h/", b"imap://h/INBOX", b"/INBOX?SUBJECT%20x",
        b"/INBOX;UIDVALIDITY=1",
        b"imap://h/;UID=1", b"/;UID=1", b"//h/INBOX/;UID=1", b"http://h/INBOX/;UID=1", b"INBOX/;UID=1",
        b"/INBOX/;UID=0", b"/INBOX/;UID=4294967296", b"/INBOX/;UID=x", b"/INBOX/;UID=",
        b"/INBOX;UIDVALIDITY=0/;UID=1",
        b"/INBOX/;UID=1/;SECTION=", b"/INBOX/;UID=1/;SECTION=MIME", b"/INBOX/;UID=1/;SECTION=1.0",
        b"/INBOX/;UID=1/;SECTION=1]x", b"/INBOX/;UID=1/;SECTION=1%5D", b"/INBOX/;UID=1/;PARTIAL=1.0",
        b"/INBOX/;UID=1/;PARTIAL=x", b"/INBOX/;UID=1/;PARTIAL=0.9223372036854775808", b"/IN BOX/;UID=1",
        b"/%FF/;UID=1", b"/%4/;UID=1", b"/INBOX/;UID=20/..", b"/INBOX/;UID=1\0", b"/INBOX/;UID=1\r\n",
        b"/INBOX/;UID=1/;PARTIAL=0.1/;SECTION=1", b"imap://joe@h/INBOX/;uid=1;URLAUTH=somebody",
        b"imap://joe@h/INBOX/;uid=1;URLAUTH=user+", b"imap://joe@h/INBOX;URLAUTH=anonymous",
        b"imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:internal:" + _TOKEN[1:],
        b"imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:internal:" + _TOKEN + b"x",
        b"imap://joe@h/INBOX/;uid=1;EXPIRE=2030-01-02T03:04:05Z",
        b"imap://joe@h/INBOX/;uid=1;EXPIRE=2030-13-02T03:04:05Z;URLAUTH=anonymous",
        b"imap://joe@h/INBOX/;uid=1;EXPIRE=2030-01-02T03:04:61Z;URLAUTH=anonymous",
        b"imap://joe@h/INBOX/;uid=1;EXPIRE=2030-01-02T03:04:05+99:99;URLAUTH=anonymous",
        b"imap://j:oe@h/INBOX/;uid=1",
    ],
)  # fmt: skip
def test_no_url(octets: bytes) -> None:
    """Servers, mailboxes, searches, other schemes, and what cannot be."""
    with pytest.raises(BadURL):
        _url(octets)


_PIECES = st.sampled_from(
    [b"imap://", b"joe", b"@", b"h", b"/", b";UID=", b"1", b"INBOX", b";UIDVALIDITY=", b"/;SECTION=",
     b"HEADER",
     b"/;PARTIAL=", b".", b"..", b"%20", b"%FF", b"%", b";EXPIRE=", b"2030-01-02T03:04:05Z", b";URLAUTH=",
     b"user+", b"anonymous", b":internal:", _TOKEN, b"\0", b"\xff", b"(", b"{3}\r\nabc"]
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(_PIECES).map(b"".join)))
def test_any_octets(octets: bytes) -> None:
    """Whatever is sent as a URL is one, or BadURL with a text for the client."""
    try:
        url = _url(octets)
    except BadURL as error:
        assert str(error)  # noqa: PT017  (its text goes to the client)
    else:
        assert octets.startswith(url.rump)
