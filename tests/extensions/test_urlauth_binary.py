"""URLAUTH=BINARY (RFC 5524): what an authorized URL names, decoded and described."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.dialogue import Dialogue, Server, same

_PICTURE = bytes(range(123))
_DIGITS = b64encode(_PICTURE)
_MESSAGE = (
    b"""From: joe@example.com
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Transfer-Encoding: base64

%b
--x
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
--x
Content-Type: image/png
Content-Transfer-Encoding: base64

%b
--x
Content-Type: image/png
Content-Transfer-Encoding: x-blurdybloop

abc
--x--
""".replace(b"\n", b"\r\n")
    % (b64encode(b"Si vis pacem, para bellum.\r\n"), _DIGITS)
)


@pytest.fixture
def bob(anywhere: Server) -> Dialogue:
    """Somebody who reads what alice has."""
    anywhere.client("alice").append(_MESSAGE)
    return anywhere.client("bob")


def _url(server: Server, part: str) -> bytes:
    rump = f"imap://alice@example.com/INBOX/;uid=1{part};urlauth=anonymous"
    answer = server.client("alice").ok(f'GENURLAUTH "{rump}" INTERNAL')
    return answer.split(b'"')[1]


def _fetched(server: Server, bob: Dialogue, part: str, parameters: bytes) -> bytes:
    """What comes behind the URL."""
    url = _url(server, part)
    answer = bob.do(b'URLFETCH ("%b"%b)' % (url, parameters))
    server.advance(1)
    answer += bob.read()
    before, after = b'* URLFETCH "%b" ' % url, b"\r\na OK URLFETCH completed\r\n"
    assert answer.startswith(before), answer
    assert answer.endswith(after), answer
    return answer[len(before) : -len(after)]


_ENCODED = b'("image" "png" NIL NIL NIL "base64" 164)'


@pytest.mark.parametrize(
    ("part", "parameters", "expected"),
    [
        ("1", b" BINARY", b"(BINARY {28}\r\nSi vis pacem, para bellum.\r\n)"),
        ("3", b" BINARY BODYPARTSTRUCTURE",
         b'(BODYPARTSTRUCTURE ("image" "png" NIL NIL NIL "BINARY" 123)) (BINARY ~{123}\r\n'
         + _PICTURE + b")"),
        ("3", b" BODYPARTSTRUCTURE", b"(BODYPARTSTRUCTURE " + _ENCODED + b")"),
        ("3", b" BODYPARTSTRUCTURE BODY",
         b"(BODYPARTSTRUCTURE " + _ENCODED + b") (BODY {164}\r\n" + _DIGITS + b")"),
        ("4", b" BODYPARTSTRUCTURE BINARY",
         b'(BODYPARTSTRUCTURE ("image" "png" NIL NIL NIL "x-blurdybloop" 3)) (BINARY NIL)'),
        ("200", b" BODYPARTSTRUCTURE BODY", b"NIL"),
    ],
)  # fmt: skip
def test_the_examples(
    anywhere: Server, bob: Dialogue, part: str, parameters: bytes, expected: bytes
) -> None:
    """RFC 5524's own examples: decoded, described, as it is, not decodable, and not there."""
    assert _fetched(anywhere, bob, f"/;section={part}", parameters) == expected


@pytest.mark.parametrize(
    ("part", "parameters", "expected"),
    [
        ("/;section=2", b" BINARY", b"(BINARY {7}\r\nGr\xc3\xbc\xc3\x9fe)"),
        ("/;section=2", b" binary bodypartstructure",
         b'(BODYPARTSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "8BIT" 7 0))'
         b" (BINARY {7}\r\nGr\xc3\xbc\xc3\x9fe)"),
        ("/;section=1", b" BODYPARTSTRUCTURE BINARY",
         b'(BODYPARTSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 28 1))'
         b" (BINARY {28}\r\nSi vis pacem, para bellum.\r\n)"),
        ("/;section=3/;partial=1.3", b" BINARY", b'(BINARY "\x01\x02\x03")'),
        ("/;section=3/;partial=4.4", b" BODY", b"(BODY {4}\r\n" + _DIGITS[4:8] + b")"),
        ("/;section=4.MIME", b" BINARY BODYPARTSTRUCTURE",
         b'(BODYPARTSTRUCTURE ("TEXT" "RFC822-HEADERS" NIL NIL NIL "8BIT" 69 3)) (BINARY {69}\r\n'
         b"Content-Type: image/png\r\nContent-Transfer-Encoding: x-blurdybloop\r\n\r\n)"),
        ("/;section=2", b"", b"{15}\r\nGr=C3=BC=C3=9Fe"),
    ],
)  # fmt: skip
def test_what_is_read(
    anywhere: Server, bob: Dialogue, part: str, parameters: bytes, expected: bytes
) -> None:
    """Identity encodings are told as such; ranges are of what is asked for; headers have no encoding."""
    assert _fetched(anywhere, bob, part, parameters) == expected


def test_the_whole_message(anywhere: Server, bob: Dialogue) -> None:
    """A URL without a section is described as the message's body is."""
    answer = _fetched(anywhere, bob, "", b" BODYPARTSTRUCTURE BODY")
    assert answer.startswith(b'(BODYPARTSTRUCTURE (("text" "plain"')
    assert answer.endswith(b'"mixed")) (BODY {%d}\r\n%b)' % (len(_MESSAGE), _MESSAGE))


def test_an_invalid_url(anywhere: Server, bob: Dialogue) -> None:
    """RFC 5524, 3.1: a URL that is no good has a plain NIL."""
    bob.post(b'a URLFETCH ("imap://alice@h/INBOX/;uid=1" BODY) x\r\n')
    anywhere.advance(1)
    same(
        bob.read(),
        '* URLFETCH "imap://alice@h/INBOX/;uid=1" NIL',
        '* URLFETCH "x" NIL',
        "a OK URLFETCH completed",
    )


@pytest.mark.parametrize(
    "parameters",
    [b" BINARY BODY", b" BODY BODY", b" BODY BINARY BODYPARTSTRUCTURE", b" SIZE", b" ", b"BODY", b" (BODY)"],
)  # fmt: skip
def test_bad_parameters(server: Server, parameters: bytes) -> None:
    """RFC 5524, 3.1: nothing twice, not BINARY and BODY together, and nothing unknown."""
    answer = server.client().do(b'URLFETCH ("imap://alice@h/INBOX/;uid=1"%b)' % parameters)
    assert answer.startswith(b"a BAD "), answer


def test_advertised_and_switched_off(server: Server) -> None:
    """Without URLAUTH=BINARY a URL in parentheses is BAD; without BINARY neither is there."""
    assert b"URLAUTH=BINARY" in server.client().ok("CAPABILITY").split()
    client = Server(without=["URLAUTH=BINARY"]).client()
    told = client.ok("CAPABILITY").split()
    assert b"URLAUTH" in told
    assert b"URLAUTH=BINARY" not in told
    assert client.do('URLFETCH ("imap://alice@h/INBOX/;uid=1" BODY)').startswith(b"a BAD ")
