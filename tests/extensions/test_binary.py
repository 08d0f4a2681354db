"""BINARY (RFC 3516): parts without their transfer encoding, and messages that hold NUL."""

from __future__ import annotations

from base64 import b64encode

import pytest
from twisted.internet.task import Clock

from imapd import commands
from imapd.dialect import Dialect
from imapd.model.limits import Limits
from imapd.store.errors import CannotKeepBinary
from tests.dialogue import Dialogue, Server, same
from tests.distant import DistantStore

#: All octets, CR, LF and NUL among them.
_PICTURE = bytes(range(256)) * 2
_HEAD = b"""From: a@example.org
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=xx
Content-Transfer-Encoding: binary

--xx
Content-Type: text/plain

See below.
--xx
Content-Type: image/png
content-transfer-encoding: BINARY (as it is)
Content-Disposition: attachment

""".replace(b"\n", b"\r\n")
_MESSAGE = _HEAD + _PICTURE + b"\r\n--xx--\r\n"


def _append(client: Dialogue, message: bytes, mailbox: str = "INBOX") -> bytes:
    return client.send(b"a APPEND %b ~{%d+}\r\n%b\r\n" % (mailbox.encode(), len(message), message))


def _stored(server: Server, message: bytes = _MESSAGE) -> Dialogue:
    client = server.client()
    same(_append(client, message), "a OK [APPENDUID {{uidvalidity}} 1] APPEND completed")
    return client.select()


def test_it_is_advertised(server: Server) -> None:
    """RFC 3516, 4.1: the capability is BINARY."""
    assert b" BINARY" in server.client().ok("CAPABILITY")


def test_binary_gives_back_what_came(anywhere: Server) -> None:
    """A binary part comes out to the octet, as literal8, with its size, and in pieces."""
    client = _stored(anywhere)
    same(
        client.do("FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])"),
        b"* 1 FETCH (BINARY.SIZE[2] 512 BINARY[2] ~{512}",
        _PICTURE + b")",
        "a OK FETCH completed",
    )
    same(
        client.do("FETCH 1 BINARY.PEEK[2]<254.5>"),
        b"* 1 FETCH (BINARY[2]<254> ~{5}",
        b"\xfe\xff\0\x01\x02)",
        "a OK FETCH completed",
    )


def test_other_clients_get_what_they_understand(anywhere: Server) -> None:
    """RFC 3516, 6: BODYSTRUCTURE tells of a transfer encoding of the base protocol, BODY[2] is in it."""
    client = _stored(anywhere)
    digits = b64encode(_PICTURE)
    text = b"\r\n".join(digits[at : at + 76] for at in range(0, len(digits), 76))
    structure = client.do("FETCH 1 BODYSTRUCTURE")
    assert b'("image" "png" NIL NIL NIL "base64" %d NIL ("attachment" NIL)' % len(text) in structure
    same(
        client.do("FETCH 1 BODY.PEEK[2]"),
        b"* 1 FETCH (BODY[2] {%d}" % len(text),
        text + b")",
        "a OK FETCH completed",
    )
    whole = client.do("FETCH 1 BODY.PEEK[]")
    expected = _MESSAGE.replace(_PICTURE, text).replace(
        b"content-transfer-encoding: BINARY (as it is)", b"Content-Transfer-Encoding: base64"
    )
    same(
        whole,
        b"* 1 FETCH (BODY[] {%d}" % len(expected),
        expected + b")",
        "a OK FETCH completed",
    )
    assert b"RFC822.SIZE %d)" % len(expected) in client.do("FETCH 1 RFC822.SIZE")


def test_a_message_that_is_one_binary_part(anywhere: Server) -> None:
    """A message without parts is encoded as well; encoded words of its header stay as they are."""
    header = b"Subject: =?utf-8?q?=E9?=\r\nContent-Transfer-Encoding: binary\r\nX-Last: 1\r\n\r\n"
    client = _stored(anywhere, header + b"\0" * 100)
    expected = (
        b"Subject: =?utf-8?q?=E9?=\r\nContent-Transfer-Encoding: base64\r\nX-Last: 1\r\n\r\n"
        + b"A" * 76 + b"\r\n" + b"A" * 58 + b"==" + b"\r\n"
    )  # fmt: skip
    assert client.do("FETCH 1 BODY.PEEK[]") == (
        b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\na OK FETCH completed\r\n" % (len(expected), expected)
    )
    same(
        client.do("FETCH 1 BINARY.PEEK[1]"),
        b"* 1 FETCH (BINARY[1] ~{100}",
        b"\0" * 100 + b")",
        "a OK FETCH completed",
    )


def test_a_message_in_a_message(anywhere: Server) -> None:
    """Binary parts of a message inside a message are encoded too."""
    outer = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    client = _stored(anywhere, outer + _MESSAGE)
    same(
        client.do("FETCH 1 BINARY.PEEK[1.2]"),
        b"* 1 FETCH (BINARY[1.2] ~{512}",
        _PICTURE + b")",
        "a OK FETCH completed",
    )
    assert b"\x80" not in client.do("FETCH 1 BODY.PEEK[]")


@pytest.mark.parametrize(
    "message",
    [
        _MESSAGE.replace(b"\0", b"\1"),
        b"Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe4\xf6\r\n",
        b"Subject: x\r\nContent-Transfer-Encoding: x-own\r\n\r\nabc\r\n",
    ],
    ids=["binary without NUL", "8bit", "an unknown encoding without NUL"],
)
def test_nothing_is_encoded_without_need(anywhere: Server, message: bytes) -> None:
    """RFC 3516, 6: what can be served as it is, is stored as it came."""
    client = _stored(anywhere, message)
    assert client.do("FETCH 1 BODY.PEEK[]") == (
        b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\na OK FETCH completed\r\n" % (len(message), message)
    )


def test_an_ordinary_literal_is_not_touched(anywhere: Server) -> None:
    """What came as a literal is nobody's business but the client's, even if it holds NUL."""
    client = anywhere.client()
    client.ok("APPEND INBOX", _MESSAGE)
    client.select()
    assert b"RFC822.SIZE %d)" % len(_MESSAGE) in client.do("FETCH 1 RFC822.SIZE")


def test_an_unknown_encoding(anywhere: Server) -> None:
    """NUL in a transfer encoding that is not known cannot be kept for everybody: UNKNOWN-CTE."""
    client = anywhere.client()
    same(
        _append(client, b"Content-Transfer-Encoding: x-own\r\n\r\na\0b\r\n"),
        "a NO [UNKNOWN-CTE] The transfer encoding of a binary part is not known",
    )
    assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")


@pytest.mark.parametrize("item", ["BINARY[1]", "BINARY.PEEK[1]<0.1>", "BINARY.SIZE[1]"])
def test_fetching_an_unknown_encoding(anywhere: Server, item: str) -> None:
    """RFC 3516, 4.3: a part whose encoding is not known is NO, with UNKNOWN-CTE."""
    client = _stored(anywhere, b"Content-Transfer-Encoding: x-own\r\n\r\nabc\r\n")
    same(
        client.do(f"FETCH 1 {item}"),
        "a NO [UNKNOWN-CTE] The transfer encoding of that part is not known",
    )


def test_a_mailbox_that_cannot() -> None:
    """RFC 3516, 4.4: a mailbox that cannot keep binary content says UNKNOWN-CTE."""
    clock = Clock()
    store = DistantStore(clock, None)
    client = Server(store, clock=clock).client()
    store.faults["append"] = CannotKeepBinary()
    same(
        _append(client, b"a: b\r\n\r\n\0"),
        "a NO [UNKNOWN-CTE] The mailbox cannot keep binary content",
    )


def test_without_the_extension() -> None:
    """Where the extension is switched off, a literal8 is refused, and none of it runs as a command."""
    client = Server(dialect=Dialect.of(commands.FEATURES)).client()
    same(
        client.send(b"a APPEND INBOX ~{10+}\r\nz LOGOUT\r\n\r\n"),
        "a NO [UNKNOWN-CTE] Binary content is not taken here",
    )
    same(client.do("NOOP"), "a OK NOOP completed")


def test_data_without_nul_is_a_string(anywhere: Server) -> None:
    """RFC 3516, 4.3: decoded octets without NUL are sent as a literal, not as literal8."""
    message = b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8hDQo=\r\n"
    client = _stored(anywhere, message)
    same(
        client.do("FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])"),
        b"* 1 FETCH (BINARY.SIZE[1] 8 BINARY[1] {8}",
        b"Hello!",
        ")",
        "a OK FETCH completed",
    )


def test_seen(anywhere: Server) -> None:
    r"""RFC 3516, 4.2: BINARY sets \Seen, BINARY.PEEK and BINARY.SIZE do not."""
    client = _stored(anywhere)
    assert b"\\Seen" not in client.do("FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1] FLAGS)")
    assert b"\\Seen" in client.do("FETCH 1 (BINARY[1])")


def test_several_binary_messages(anywhere: Server) -> None:
    """Binary and ordinary messages can be in one APPEND (RFC 3502), also when they are spooled."""
    object.__setattr__(anywhere.factory.policy, "limits", Limits(spool=300))
    client = anywhere.client()
    plain = b"Subject: x\r\n\r\n" + b"y" * 400
    answer = client.send(
        b"a APPEND INBOX ~{%d+}\r\n%b {%d+}\r\n%b ~{%d+}\r\n%b\r\n"
        % (len(_MESSAGE), _MESSAGE, len(plain), plain, len(_MESSAGE), _MESSAGE)
    )
    same(answer, "a OK [APPENDUID {{uidvalidity}} 1:3] APPEND completed")
    client.select()
    for number in (1, 3):
        same(
            client.do(f"FETCH {number} BINARY.PEEK[2]"),
            b"* %d FETCH (BINARY[2] ~{512}" % number,
            _PICTURE + b")",
            "a OK FETCH completed",
        )


def test_too_large_when_encoded(anywhere: Server) -> None:
    """The limit holds for what would be stored."""
    object.__setattr__(anywhere.factory.policy, "limits", Limits(message=len(_MESSAGE)))
    client = anywhere.client()
    same(_append(client, _MESSAGE), "a NO [TOOBIG] The message is too large")
    assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")
