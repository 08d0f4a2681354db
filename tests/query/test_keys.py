"""Each key of RFC 9051, 6.4.4: which messages it matches."""

from __future__ import annotations

from datetime import date

import pytest

from imapd.mime.parse import parse
from imapd.model.flags import SEEN, interned
from imapd.model.search import And, Cost, Key, Or, Program
from imapd.query import keys
from imapd.query.arrived import ARRIVED_DAY
from imapd.query.columns import DERIVED
from imapd.query.keys import Relation
from imapd.query.text import MessageText

_DAY = date(1996, 7, 17).toordinal()


def _matches(program: Program, octets: bytes) -> bool:
    """Whether a message matches a program of keys for its text."""
    if isinstance(program, And):
        return all(_matches(each, octets) for each in program.programs)
    if isinstance(program, Or):
        return any(_matches(each, octets) for each in program.programs)
    assert isinstance(program, Key)
    part = parse(octets)
    if program.cost <= Cost.HEADER and DERIVED.keys() >= {*program.columns}:
        (column,) = program.columns
        return program.test(DERIVED[column].of(octets[: part.body_start]))
    if program.cost is Cost.HEADER:
        return program.test(octets[: part.body_start])
    return program.test(MessageText(octets, part))


def test_flag() -> None:
    """A system flag is there or not."""
    seen = keys.flag(SEEN)
    assert seen.test(interned(("\\Seen", "x"))) is True
    assert seen.test(interned(())) is False


def test_keyword_case() -> None:
    """A keyword is found however it is spelt."""
    forwarded = keys.keyword("$forwarded")
    assert forwarded.test(interned(("$Forwarded",))) is True
    assert forwarded.test(interned(("$Forwarded2", "\\Seen"))) is False


@pytest.mark.parametrize(
    ("relation", "matching"),
    [
        (Relation.BEFORE, [True, False, False]),
        (Relation.ON, [False, True, False]),
        (Relation.SINCE, [False, True, True]),
    ],
)
def test_dates(relation: Relation, matching: list[bool]) -> None:
    """BEFORE is earlier, ON is the day, SINCE the day or later; time and zone are disregarded."""
    dates = [
        b"16-Jul-1996 23:59:59 -0700",
        b"17-Jul-1996 00:00:00 +1400",
        b"18-Jul-1996 00:00:00 +0000",
    ]
    key = keys.internal_date(relation, _DAY)
    assert [key.test(ARRIVED_DAY.of(each)) for each in dates] == matching
    sent = keys.sent(relation, _DAY)
    assert [sent.test(day) for day in (_DAY - 1, _DAY, _DAY + 1)] == matching


@pytest.mark.parametrize("relation", list(Relation))
def test_no_date(relation: Relation) -> None:
    """A message without a Date was sent at no time at all."""
    assert keys.sent(relation, _DAY).test(None) is False


def test_sizes() -> None:
    """LARGER and SMALLER leave the size itself out."""
    assert [keys.larger(10).test(size) for size in (9, 10, 11)] == [False, False, True]
    assert [keys.smaller(10).test(size) for size in (9, 10, 11)] == [True, False, False]


_HEADER = (
    b"From: \"Smith, John\" <js@example.com>\r\n"
    b"To: Friends: Al <al@example.org>, bo@example.org (Bo Peep);,\r\n"
    b"\t=?iso-8859-1?Q?J=F6rg?= <j.m@example.net>\r\n"
    b"Cc: a . b @ example.com, <@relay.example,@b.example:routed@example.com>\r\n"
    b"Subject: =?utf-8?B?0J/RgNC40LLQtdGC?= =?utf-8?Q?_=D0=BC=D0=B8=D1=80?= and\r\n"
    b"\tmore\r\n"
    b"X-Empty:\r\n"
    b"X-Twice: one\r\n"
    b"x-twice: two\r\n"
    b"X-Raw: caf\xc3\xa9\r\n"
    b"\r\n"
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "string", "matching"),
    [
        (b"subject", "привет МИР", True),
        (b"Subject", "and more", True),  # folded by a tab
        (b"subject", "and\tmore", True),
        (b"subject", "and  more", False),
        (b"subject", "=?utf-8?", False),  # it is decoded before it is compared
        (b"subject", "", True),
        (b"subject", "and\nmore", True),  # whatever a client puts between two words
        (b"x-empty", "", True),
        (b"x-empty", "a", False),
        (b"x-absent", "", False),
        (b"X-TWICE", "two", True),
        (b"x-twice", "one", True),
        (b"x-twice", "onetwo", False),
        (b"x-raw", "CAFÉ", True),
        (b"x-raw", "cafe", True),  # RFC 5051 decomposes, and then it is a part of it
        (b"x-raw", "cafes", False),
        (b"x-ra", "", False),  # the whole name
        (b"x raw", "", False),  # no field is called so
        (b"x-raw:", "", False),
        (b"", "", False),
        (b"x.raw", "", False),  # not a pattern
    ],
)
def test_header(name: bytes, string: str, matching: bool) -> None:
    """A field's decoded, unfolded text contains the string; an empty one asks for the field."""
    assert _matches(keys.header(name, string), _HEADER) is matching


@pytest.mark.parametrize(
    ("name", "string", "matching"),
    [
        (b"from", "smith", True),
        (b"from", "JS@EXAMPLE", True),
        (b"from", "smith, john <js@example.com>", True),
        (b"from", '"smith, john"', True),
        (b"from", "", True),
        (b"from", "bo", False),
        (b"to", "friends", True),  # the group
        (b"to", "bo peep", True),  # a comment
        (b"to", "bo peep <bo@example.org>", True),
        (b"to", "jörg <j.m@", True),
        (b"to", "al <al@example.org>", True),
        (b"cc", "a.b@example.com", True),  # spaces that mean nothing
        (b"cc", "routed@example.com", True),
        (b"bcc", "", False),
    ],
)
def test_address(name: bytes, string: str, matching: bool) -> None:
    """Names, mailboxes, comments and groups match, as written and as a client shows them."""
    assert _matches(keys.address(name, string), _HEADER) is matching


_MESSAGE = (
    b"Subject: outer words\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n"
    b"\r\n"
    b"the preamble\r\n"
    b"--b\r\n"
    b"Content-Type: text/plain; charset=koi8-r\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"8NLJ18XU\r\n"
    b"--b\r\n"
    b"Content-Type: text/html\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"<p>bold <b>wo</b>rd, caf=C3=A9 &amp; tea, soft=\r\n"
    b"ened</p><script>hidden</script>\r\n"
    b"--b\r\n"
    b"Content-Type: application/octet-stream\r\n"
    b'Content-Disposition: attachment; filename="report.bin"\r\n'
    b"\r\n"
    b"binary stuff\r\n"
    b"--b\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: =?utf-8?Q?inn=C3=A9r?=\r\n"
    b"\r\n"
    b"deep text\r\n"
    b"--b--\r\n"
)


@pytest.mark.parametrize(
    ("string", "in_body", "in_text"),
    [
        pytest.param("привет", True, True, id="base64 and a charset"),
        pytest.param("bold word", True, True, id="html without markup"),
        pytest.param("CAFÉ & tea", True, True, id="quoted-printable and entities"),
        pytest.param("softened", True, True, id="soft line break"),
        pytest.param("hidden", False, False, id="scripts are no text"),
        pytest.param("binary stuff", False, False, id="attachments are no text"),
        pytest.param("report.bin", False, True, id="MIME header of a part"),
        pytest.param("innér", True, True, id="header of a message inside"),
        pytest.param("deep text", True, True, id="text of a message inside"),
        pytest.param("outer words", False, True, id="header"),
        pytest.param("subject: outer", False, True, id="header field with its name"),
        pytest.param("mime-version", False, True, id="field name"),
        pytest.param("nowhere", False, False, id="nowhere"),
        pytest.param("", True, True, id="empty"),
    ],
)
def test_text(string: str, in_body: bool, in_text: bool) -> None:
    """BODY sees the decoded text of text parts; TEXT sees headers, those of parts too."""
    assert _matches(keys.body(string), _MESSAGE) is in_body
    assert _matches(keys.text(string), _MESSAGE) is in_text


def test_decoded_once() -> None:
    """Several keys that look into one message share what was decoded, and can look again."""
    message = MessageText(_MESSAGE, parse(_MESSAGE))
    message.prepare()
    assert list(message.bodies()) == list(message.bodies())
    assert message.part_headers() is message.part_headers()


def test_closed() -> None:
    """A message is let go of when it is done with."""
    closed: list[bool] = []
    message = MessageText(_MESSAGE, parse(_MESSAGE), lambda: closed.append(True))
    message.close()
    assert closed == [True]
