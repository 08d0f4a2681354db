"""CATENATE (RFC 4469): messages made of what is sent and of what is there; URL-PARTIAL (RFC 5550)."""

from __future__ import annotations

import re

import pytest
from twisted.internet.task import Clock

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore

_BOUNDARY = b"------------030308070208000400050907"
_DRAFT = b"""From: Bob Ar <bar@example.org>
Subject: About our holiday trip
MIME-Version: 1.0
Content-Type: multipart/mixed;
              boundary="------------030308070208000400050907"

--------------030308070208000400050907
Content-Type: text/plain; charset=us-ascii

Here it is.
--------------030308070208000400050907
Content-Type: application/x-zip-compressed
Content-Transfer-Encoding: base64

UEsDBAoAAAAAAA==
--------------030308070208000400050907--
""".replace(b"\n", b"\r\n")
_NEXT = b"\r\n--" + _BOUNDARY + b"\r\n"
_LAST = b"\r\n--" + _BOUNDARY + b"--\r\n"
_HEADER = _DRAFT[: _DRAFT.index(b"\r\n\r\n") + 4]
_MIME_1 = b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
_MIME_2 = b"Content-Type: application/x-zip-compressed\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def _drafts(server: Server, *messages: bytes) -> tuple[Dialogue, bytes]:
    """A client whose mailbox Drafts holds these messages, and its UIDVALIDITY."""
    client = server.client()
    client.ok("CREATE Drafts")
    client.append(*messages, mailbox="Drafts")
    found = re.search(rb"UIDVALIDITY (\d+)", client.ok("STATUS Drafts (UIDVALIDITY)"))
    assert found is not None
    return client, found[1]


def _message(client: Dialogue, uid: int, mailbox: str = "Drafts") -> bytes:
    client.ok(f"EXAMINE {mailbox}")
    answer = client.ok(f"UID FETCH {uid} BODY.PEEK[]")
    size = int(answer.partition(b"{")[2].partition(b"}")[0])
    return answer.partition(b"}\r\n")[2][:size]


def _catenated(client: Dialogue, *parts: bytes | str, box: str = "INBOX") -> bytes:
    """APPEND of literals (bytes) and URLs (text), none of which waits."""
    spelt = [
        b'URL "%b"' % part.encode() if isinstance(part, str) else b"TEXT {%d+}\r\n%b" % (len(part), part)
        for part in parts
    ]  # fmt: skip
    return client.send(b"a APPEND %b CATENATE (%b)\r\n" % (box.encode(), b" ".join(spelt)))


def test_an_attachment_is_replaced(anywhere: Server) -> None:
    """RFC 4469's first example: header and text of a draft with the attachment of another message."""
    attachment = letter("the new one")
    client, validity = _drafts(anywhere, *[letter()] * 19, _DRAFT, *[letter()] * 9, attachment)
    before = b"/Drafts;UIDVALIDITY=%b/;UID=" % validity
    same(
        client.send(
            b"A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE"
            b' (URL "%b20/;section=HEADER" TEXT {42}\r\n' % before
        ),
        "+ Ready for the message",
    )
    same(
        client.send(
            _NEXT
            + b' URL "%b20/;section=1.MIME" URL "%b20/;section=1" TEXT {42}\r\n' % (before, before)
        ),
        "+ Ready for the message",
    )
    same(client.send(_NEXT + b' URL "%b30" TEXT {44}\r\n' % before), "+ Ready for the message")
    same(client.send(_LAST + b")\r\n"), b"A003 OK [APPENDUID %b 31] APPEND completed" % validity)
    assert _message(client, 31) == (
        _HEADER + _NEXT + _MIME_1 + b"Here it is." + _NEXT + attachment + _LAST
    )
    same(
        client.do("UID FETCH 31 FLAGS"),
        "* 31 FETCH (UID 31 FLAGS (\\Seen \\Draft \\Recent $MDNSent))",
        "a OK UID FETCH completed",
    )


def test_edited_text_is_replaced(anywhere: Server) -> None:
    """RFC 4469's second example: a new header and text before the attachment of the draft."""
    client, validity = _drafts(anywhere, _DRAFT)
    before = b"/Drafts;UIDVALIDITY=%b/;UID=1/;" % validity
    new = _HEADER + _NEXT + _MIME_1 + b"Our travel agent has sent the updated schedule." + _NEXT
    same(
        client.send(
            b"A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (TEXT {%d}\r\n" % len(new)
        ),
        "+ Ready for the message",
    )
    same(
        client.send(
            new + b' URL "%bSection=2.MIME" URL "%bSection=2" TEXT {44}\r\n' % (before, before)
        ),
        "+ Ready for the message",
    )
    same(client.send(_LAST + b")\r\n"), b"A003 OK [APPENDUID %b 2] APPEND completed" % validity)
    assert _message(client, 2) == new + _MIME_2 + b"UEsDBAoAAAAAAA==" + _LAST


def test_a_url_that_fails(anywhere: Server) -> None:
    """RFC 4469's fourth example: BADURL names the first URL that was no good; nothing is stored."""
    client, validity = _drafts(anywhere, letter("first"), letter("last"))
    before = b"/Drafts;UIDVALIDITY=%b/;UID=" % validity
    client.send(b"A003 APPEND Drafts (\\Seen $MDNSent) CATENATE (TEXT {4}\r\n")
    same(client.send(b'a: b URL "%b1" TEXT {42}\r\n' % before), "+ Ready for the message")
    same(
        client.send(_NEXT + b' URL "%b113330/;section=1.5.9" TEXT {42}\r\n' % before),
        b'A003 NO [BADURL "%b113330/;section=1.5.9"] There is no such message' % before,
    )
    same(client.do("NOOP"), "a OK NOOP completed")
    assert b"(MESSAGES 2)" in client.ok("STATUS Drafts (MESSAGES)")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("/nowhere/;UID=1", "There is no such mailbox"),
        ("/Drafts;UIDVALIDITY=5/;UID=1", "It is of a mailbox that is no more"),
        ("/Drafts/;UID=9", "There is no such message"),
        ("/Drafts/;UID=1/;SECTION=7", "The message has no such part"),
        ("/Drafts/;UID=1/;SECTION=1.HEADER", "The message has no such part"),
        ("/Drafts/;UID=1/;SECTION=xyz", "Its section cannot be"),
        ("/Drafts", "It is no URL of a message"),
        ("/Drafts?ALL", "It is no URL of a message"),
        ("nonsense", "It is no URL of a message"),
        ("//localhost/Drafts/;UID=1", "It is no URL of a message"),
        (";UID=1", "No mailbox is selected that it could be of"),
        ("imap://alice@localhost/Drafts/;UID=1", "Only messages of this session can be catenated"),
        ("imap://bob@localhost/INBOX/;UID=1", "Only messages of this session can be catenated"),
        ("/Drafts/;UID=1;URLAUTH=anonymous", "Only messages of this session can be catenated"),
    ],
)
def test_bad_urls(anywhere: Server, url: str, text: str) -> None:
    """What is no message of this session and what is not there is NO with BADURL (RFC 4469, 3 and 4.1)."""
    client, _ = _drafts(anywhere, _DRAFT)
    same(_catenated(client, b"a: b\r\n\r\n", url), f'a NO [BADURL "{url}"] {text}')
    assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")


def test_a_url_that_cannot_be_shown(server: Server) -> None:
    """BADURL has no octets that would end the response code, or the line."""
    same(
        server.client().send(b'a APPEND INBOX CATENATE (URL {6+}\r\n]\r\n"\\\xff)\r\n'),
        'a NO [BADURL "%5D%0D%0A%22%5C%FF"] It is no URL of a message',
    )


def test_relative_to_the_selected_mailbox(anywhere: Server) -> None:
    """In the selected state a URL may leave the mailbox out (RFC 4469, 3; RFC 5092, 9.1)."""
    client, _ = _drafts(anywhere, _DRAFT)
    client.select("Drafts")
    answer = _catenated(client, "/Drafts/;UID=1/;SECTION=HEADER", ";UID=1/;SECTION=1")
    assert answer.startswith(b"a OK [APPENDUID "), answer
    assert _message(client, 1, "INBOX") == _HEADER + b"Here it is."


def test_the_selected_mailbox_stays(anywhere: Server) -> None:
    r"""APPEND neither selects another mailbox nor marks anything as \Seen (RFC 4469, 3)."""
    client, _ = _drafts(anywhere, _DRAFT)
    client.ok("EXAMINE INBOX")
    same(
        _catenated(client, "/Drafts/;UID=1"),
        "* 1 EXISTS",
        "* {{*}} RECENT",
        "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed",
    )
    assert b"(UNSEEN 1)" in client.ok("STATUS Drafts (UNSEEN)")


def test_only_urls_and_no_literal(anywhere: Server) -> None:
    """URLs alone make a message; an atom or a literal can be one."""
    client, _ = _drafts(anywhere, _DRAFT)
    same(
        client.send(b"a append inbox (\\Seen) catenate (url /Drafts/;UID=1)\r\n"),
        "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed",
    )
    assert _message(client, 1, "INBOX") == _DRAFT
    same(client.send(b"a APPEND INBOX CATENATE (URL {15}\r\n"), "+ Ready for the message")
    same(
        client.send(b"/Drafts/;UID=10 TEXT {1}\r\n"),
        'a NO [BADURL "/Drafts/;UID=10"] There is no such message',
    )
    answer = client.send(
        b"a APPEND INBOX CATENATE (URL {14+}\r\n/Drafts/;UID=1 TEXT {2+}\r\nxy)\r\n"
    )
    assert b"\r\na OK [APPENDUID " in answer, answer
    assert _message(client, 2, "INBOX") == _DRAFT + b"xy"


def test_octets_are_not_converted(anywhere: Server) -> None:
    """Parts are copied as they are, 8-bit octets and NUL included (RFC 4469, 3)."""
    body = bytes(range(256))
    client, _ = _drafts(anywhere, b"a: b\r\n\r\n" + body)
    answer = _catenated(client, b"c: d\r\n\r\n", "/Drafts/;UID=1/;SECTION=TEXT")
    assert answer.startswith(b"a OK "), answer
    client.select()
    same(
        client.do("FETCH 1 BINARY.PEEK[1]"),
        b"* 1 FETCH (BINARY[1] ~{256}",
        body + b")",
        "a OK FETCH completed",
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("SECTION=HEADER", _HEADER),
        ("SECTION=TEXT", _DRAFT[len(_HEADER):]),
        ("SECTION=HEADER.FIELDS%20(Subject)", b"Subject: About our holiday trip\r\n\r\n"),
        ("SECTION=HEADER.FIELDS.NOT%20(Content-Type%20MIME-Version%20From)",
         b"Subject: About our holiday trip\r\n\r\n"),
        ("SECTION=2.MIME", _MIME_2),
        ("SECTION=1/;PARTIAL=5", b"it is."),
        ("SECTION=1/;PARTIAL=5.2", b"it"),
        ("SECTION=1/;PARTIAL=8.99999999999", b"is."),
        ("PARTIAL=6.3", b"Bob"),
        ("SECTION=HEADER.FIELDS%20(Subject)/;PARTIAL=9.5", b"About"),
    ],
)  # fmt: skip
def test_what_a_url_means(anywhere: Server, url: str, expected: bytes) -> None:
    """A part is what FETCH BODY of that section says, a range is of its octets (RFC 5092, 6)."""
    client, _ = _drafts(anywhere, _DRAFT)
    answer = _catenated(client, b"<", f"/Drafts/;UID=1/;{url}", b">")
    assert answer.startswith(b"a OK "), answer
    assert _message(client, 1, "INBOX") == b"<" + expected + b">"


def test_names_are_utf_8(anywhere: Server) -> None:
    """The mailbox in a URL is UTF-8, percent-encoded (RFC 5092, 8)."""
    client = anywhere.client()
    client.ok("CREATE &ZeVnLIqe-/x")
    client.append(_DRAFT, mailbox="&ZeVnLIqe-/x")
    assert b"a OK " in _catenated(client, "/%E6%97%A5%E6%9C%AC%E8%AA%9E/x/;UID=1")
    assert _message(client, 1, "INBOX") == _DRAFT


def test_several_messages(anywhere: Server) -> None:
    """Catenated and ordinary messages in one APPEND (RFC 3502), each with flags and date of its own."""
    client, _ = _drafts(anywhere, _DRAFT)
    same(
        client.send(
            b"a APPEND INBOX (One) CATENATE (URL /Drafts/;UID=1 TEXT {1+}\r\nx)"
            b' (Two) " 7-Feb-1994 22:43:04 -0800" {3+}\r\ntwo'
            b" (Three) CATENATE (TEXT {2+}\r\nab TEXT {2+}\r\ncd) CATENATE (URL /Drafts/;UID=1)\r\n"
        ),
        "a OK [APPENDUID {{uidvalidity}} 1:4] APPEND completed",
    )
    messages = [_message(client, uid, "INBOX") for uid in range(1, 5)]
    assert messages == [_DRAFT + b"x", b"two", b"abcd", _DRAFT]
    flags = client.ok("FETCH 1:4 FLAGS")
    assert re.findall(rb"(One|Two|Three)\)", flags) == [b"One", b"Two", b"Three"]


def test_a_bad_part_takes_back_the_messages_before(anywhere: Server) -> None:
    """All messages of a command are stored or none (RFC 3502)."""
    client, _ = _drafts(anywhere, _DRAFT)
    same(
        client.send(b"a APPEND INBOX {3+}\r\ntwo CATENATE (URL /Drafts/;UID=7)\r\n"),
        'a NO [BADURL "/Drafts/;UID=7"] There is no such message',
    )
    assert b"(MESSAGES 0 UIDNEXT 1)" in client.ok("STATUS INBOX (MESSAGES UIDNEXT)")


@pytest.mark.parametrize(
    "arguments",
    [b"CATENATE", b"CATENATE ", b"CATENATE ()", b"CATENATE (", b"CATENATE (URL)",
     b"CATENATE (TEXT)", b'CATENATE (TEXT "x")', b"CATENATE (TEXT {1+}\r\nx", b"CATENATE (TEXT {1+}\r\nx ",
     b"CATENATE (TEXT {1+}\r\nx) y", b"CATENATE (FILE x)", b"CATENATE (TEXT {1+}\r\nxURL y)",
     b"CATENATE (TEXT ~{1+}\r\nx)", b"CATENATE {1+}\r\nx", b"CATENATED (TEXT {1+}\r\nx)",
     b"(\\Seen)CATENATE (",
     b"CATENATE (TEXT {1+}\r\nx {20+}\r\nz APPEND INBOX {1}\r\n)", b"CATENATE (URL ~{99999999+}\r\n"],
)  # fmt: skip
def test_bad_grammar(server: Server, arguments: bytes) -> None:
    """What is no cat-part is BAD, nothing is stored, and its literals run as no commands."""
    client = server.client()
    answer = client.send(b"a APPEND INBOX %b\r\n" % arguments)
    if b"99999999" not in arguments:
        assert answer.startswith(b"a BAD "), answer
        assert answer.count(b"\r\n") == 1
        assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")
    else:
        assert answer == b"a BAD the literal is too long\r\n"


def test_a_mailbox_that_is_not_there(anywhere: Server) -> None:
    """TRYCREATE, before anything is asked for."""
    same(
        anywhere.client().send(b"a APPEND nowhere CATENATE (TEXT {5}\r\n"),
        "a NO [TRYCREATE] There is no such mailbox; create it first",
    )


@pytest.mark.parametrize("parts", [(b"x" * 60, b"y" * 41), (b"", "/Drafts/;UID=1")])
def test_too_big(anywhere: Server, parts: tuple[bytes, bytes | str]) -> None:
    """A message that would be larger than the limit is NO with TOOBIG (RFC 4469, 4.2)."""
    client, _ = _drafts(anywhere, _DRAFT)
    object.__setattr__(anywhere.factory.policy, "limits", Limits(message=100))
    same(_catenated(client, *parts), "a NO [TOOBIG] The message is too large")
    same(client.do("NOOP"), "a OK NOOP completed")


def test_too_many_parts(server: Server) -> None:
    """The number of parts has a bound."""
    object.__setattr__(server.factory.policy, "limits", Limits(append_parts=2))
    client = server.client()
    assert b"a OK " in _catenated(client, b"x", b"y")
    same(_catenated(client, b"x", b"y", b"z"), "a NO [LIMIT] Too many parts in one message")


def test_no_octets(anywhere: Server) -> None:
    """Parts without octets make no message."""
    same(
        _catenated(anywhere.client(), b"", b""),
        "a NO A message without octets: nothing was stored",
    )


def test_more_than_memory_holds(anywhere: Server) -> None:
    """Large parts are copied a buffer at a time by way of the disk, and are what they were."""
    large = letter("large", "0123456789abcdef\r\n" * 8_000)
    client, _ = _drafts(anywhere, large)
    object.__setattr__(anywhere.factory.policy, "limits", Limits(spool=1_000))
    answer = _catenated(
        client, b"x: y\r\n", "/Drafts/;UID=1", b"end", "/Drafts/;UID=1/;PARTIAL=10.70000"
    )
    assert answer.startswith(b"a OK "), answer
    assert _message(client, 1, "INBOX") == b"x: y\r\n" + large + b"end" + large[10:70_010]


def test_a_far_store() -> None:
    """A message that vanishes while it is read makes its URL bad, not the server."""
    clock = Clock()
    store = DistantStore(clock, 0.1)
    server = Server(store, clock=clock)
    client, _ = _drafts(server, _DRAFT)
    other = server.client(select="Drafts")
    other.ok("STORE 1 +FLAGS (\\Deleted)")
    other.ok("EXPUNGE")
    same(
        _catenated(client, b"x", "/Drafts/;UID=1"),
        'a NO [BADURL "/Drafts/;UID=1"] There is no such message',
    )


def test_they_are_advertised(server: Server) -> None:
    """CATENATE, and URL-PARTIAL for the ranges (RFC 5550, 5.7.1)."""
    told = server.client().ok("CAPABILITY").split()
    assert {b"CATENATE", b"URL-PARTIAL"} <= set(told)


def test_switched_off() -> None:
    """Without CATENATE there is no URL-PARTIAL either, and CATENATE is BAD."""
    client = Server(without=["CATENATE"]).client()
    assert not {b"CATENATE", b"URL-PARTIAL"} & set(client.ok("CAPABILITY").split())
    assert client.send(b"a APPEND INBOX CATENATE (TEXT {1+}\r\nx)\r\n").startswith(b"a BAD ")
