"""Mail made from a seed: every kind that has ever cost a server a bug report.

The octets are put together by hand, so that they are the same under every Python.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from quopri import encodestring
from random import Random

from attrs import frozen

__all__ = ["CORRESPONDENCE", "FOLDERS", "KINDS", "Letter", "letters"]

#: Names that a client has to quote, encode or nest.
FOLDERS: Sequence[str] = (
    "Entwürfe",
    "Entwürfe/Ärger",
    "日本語",
    "日本語/メール",
    "日本語/メール/二〇二六",
    "a&b",
    "with space",
    "Ελληνικά",
    "Ελληνικά/наш ящик",
    'quote "and" back',
)

_SUBJECTS = (
    "Grüße aus Köln",
    "日本語の件名です、少し長い件名",
    "Ну и что же дальше",
    "plain old subject",
    "€ 100 – “quoted”",
)
_NAMES = ("Jürgen Müller", "山田太郎", "Иван Петров", "Ann Other", "Søren Ødegård")
_WORDS = (  # noqa: SIM905  a text reads better than its words apart
    "lorem ipsum dolor sit amet Straße übermäßig naïve 漢字 かな слово слова ελληνικά — € "
    "consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore"
).split()


#: A question, its answers, and something else: the second is answered by the third.
CORRESPONDENCE: Sequence[bytes] = tuple(
    b"Subject: %b\r\nDate: %d Mar 2024 12:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n%b\r\nText\r\n"
    % (subject, number, number, references)
    for number, (subject, references) in enumerate(
        (
            (b"A question", b""),
            (b"Re: A question", b"References: <1@example.org>\r\n"),
            (b"Answered", b"References: <1@example.org>\r\n <2@example.org>\r\n"),
            (b"RE: a question", b"In-Reply-To: <1@example.org>\r\n"),
            (b"Lunch", b""),
        ),
        1,
    )
)


@frozen
class Letter:
    """One message, and what a client should find in it."""

    kind: str
    message_id: str
    subject: str
    sender: str
    #: Its octets, with CRLF.
    octets: bytes
    #: File names and contents.
    attachments: Sequence[tuple[str, bytes]] = ()


def letters(seed: int, count: int, kinds: Sequence[str] | None = None) -> list[Letter]:
    """So many messages, of all kinds in turn."""
    names = list(kinds or KINDS)
    return [
        _letter(Random(f"{seed}/{n}"), f"{seed}.{n}", names[n % len(names)]) for n in range(count)
    ]


def _letter(random: Random, name: str, kind: str) -> Letter:
    message_id = f"<{name}@interop.example>"
    subject, sender = random.choice(_SUBJECTS) + f" {name}", random.choice(_NAMES)
    head = [
        b"Date: Tue, %d Nov 2025 10:%02d:00 +0100" % (random.randint(1, 28), random.randint(0, 59)),
        b"Message-ID: " + message_id.encode(),
        b"From: %b <from@example.org>" % _word(sender),
        b"To: =?iso-8859-1?q?J=FCrgen?= <to@example.org>, Group: a@example.org, b@example.org;",
        b"Subject: " + _word(subject),
        b"X-Folded: one\r\n two\r\n\tthree",
        b"MIME-Version: 1.0",
    ]
    more, body, attachments = _BODIES[kind](random)
    octets = b"\r\n".join([*head, *more]) + b"\r\n\r\n" + body
    return Letter(kind, message_id, subject, sender, octets, attachments)


def _word(text: str) -> bytes:
    """A text as a header has it: RFC 2047, folded between words of at most 75 octets."""
    if text.isascii():
        return text.encode()
    pieces = [text[at : at + 12] for at in range(0, len(text), 12)]
    return b"\r\n ".join(b"=?utf-8?b?%b?=" % b64encode(piece.encode()) for piece in pieces)


def _lines(random: Random, least: int = 1, most: int = 30) -> str:
    return "".join(
        " ".join(random.choices(_WORDS, k=random.randint(1, 10))) + "\r\n"
        for _ in range(random.randint(least, most))
    )


def _base64(octets: bytes) -> bytes:
    text = b64encode(octets)
    return b"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))


_Body = tuple[list[bytes], bytes, Sequence[tuple[str, bytes]]]


def _plain(random: Random) -> _Body:
    text = _lines(random).encode("ascii", "ignore")
    return [b"Content-Type: text/plain; charset=us-ascii"], text, ()


def _eight_bit(random: Random) -> _Body:
    charset = random.choice(["utf-8", "iso-8859-1"])
    head = [
        b"Content-Type: text/plain; charset=" + charset.encode(),
        b"Content-Transfer-Encoding: 8bit",
        "X-Raw: Grüße, ungefaltet".encode(),
    ]
    return head, _lines(random).encode(charset, "ignore"), ()


def _quoted(random: Random) -> _Body:
    text = encodestring(_lines(random).replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n")
    head = [
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
    ]
    return head, text, ()


def _long_lines(random: Random) -> _Body:
    text = b"x" * random.randint(2000, 9000) + b"\r\n" + b"word " * random.randint(300, 3000)
    return [b"Content-Type: text/plain"], text + b"\r\n", ()


def _empty(random: Random) -> _Body:
    return [b"Content-Type: text/plain"], b"", ()


def _no_last_line_end(random: Random) -> _Body:
    return [], b"dots\r\n.\r\n..\r\nFrom the start of a line\r\nno line end", ()


def _part(head: Sequence[bytes], body: bytes) -> bytes:
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _multipart(random: Random, subtype: str, parts: Sequence[bytes]) -> tuple[bytes, bytes]:
    boundary = b"=_b%08x'()+_,-./:=?" % random.getrandbits(32)
    body = b"This is a multi-part message.\r\n"
    for part in parts:
        body += b"--%b\r\n%b\r\n" % (boundary, part)
    head = b'Content-Type: multipart/%b;\r\n boundary="%b"' % (subtype.encode(), boundary)
    return head, body + b"--%b--\r\nepilogue\r\n" % boundary


_FILENAMES = (
    ("report.pdf", b'filename="report.pdf"'),
    ("Übersicht 2025.pdf", b"filename*=utf-8''%C3%9Cbersicht%202025.pdf"),
    ("写真.png", b"filename*0*=utf-8''%E5%86%99;\r\n filename*1*=%E7%9C%9F.png"),
)


def _attachments(random: Random) -> _Body:
    text = _part(
        [b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit"],
        _lines(random).encode(),
    )
    html = _part(
        [
            b"Content-Type: text/html; charset=utf-8",
            b"Content-Transfer-Encoding: base64",
        ],
        _base64(b"<p>" + _lines(random).encode() + b"</p>"),
    )
    head, body = _multipart(random, "alternative", [text, html])
    attached = []
    parts = [head + b"\r\n\r\n" + body]
    for name, parameter in random.sample(_FILENAMES, random.randint(1, 3)):
        octets = random.randbytes(random.randint(0, 5000))
        attached.append((name, octets))
        parts.append(
            _part(
                [
                    b"Content-Type: application/octet-stream",
                    b"Content-Disposition: attachment;\r\n " + parameter,
                    b"Content-Transfer-Encoding: base64",
                ],
                _base64(octets),
            )
        )
    head, body = _multipart(random, "mixed", parts)
    return [head], body, attached


def _nested(random: Random) -> _Body:
    inner = _letter(
        random, f"inner.{random.getrandbits(32)}", random.choice(["plain", "attachments"])
    )
    parts = [
        _part([b"Content-Type: text/plain"], b"see below"),
        _part([b"Content-Type: message/rfc822", b"Content-Disposition: inline"], inner.octets),
    ]
    head, body = _multipart(random, "mixed", parts)
    return [head], body, ()


_BODIES = {
    "plain": _plain,
    "attachments": _attachments,
    "8-bit": _eight_bit,
    "nested": _nested,
    "quoted": _quoted,
    "long lines": _long_lines,
    "empty": _empty,
    "no last line end": _no_last_line_end,
}

KINDS: Sequence[str] = tuple(_BODIES)
