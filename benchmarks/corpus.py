"""Mail to measure with: the same messages for the same seed."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Iterator
from typing import Final

__all__ = ["COMMON", "RARE", "letters", "messages", "prose"]

_WORDS = [
    "report", "meeting", "invoice", "lunch", "server", "release", "plan", "draft",
    "budget", "train", "holiday", "contract", "review", "ticket", "update", "question",
    "answer", "photo", "music", "garden", "weather", "library", "storage", "network",
    "index",
]  # fmt: skip
_NAMES = ("Alice Archer", "Bob Baker", "Chloé Dubois", "Dieter Jäger", "Eve Evans", "Fumiko 田中")


def _encoded(text: str) -> str:
    if text.isascii():
        return text
    return "=?utf-8?B?" + base64.b64encode(text.encode()).decode() + "?="


def _address(source: random.Random) -> str:
    name = source.choice(_NAMES)
    local = "".join(
        character for character in name.lower() if character.isascii() and character.isalpha()
    )
    return f"{_encoded(name)} <{local}{source.randrange(200)}@example.org>"


def _text(source: random.Random, size: int) -> str:
    lines = []
    while size > 0:
        line = " ".join(source.choices(_WORDS, k=10))
        lines.append(line)
        size -= len(line) + 2
    return "\r\n".join(lines) + "\r\n"


class _Talk:
    """Who answers whom: three messages of five, one of the last two hundred."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        #: Identifier, references and subject.
        self._last: list[tuple[str, list[str], str]] = []

    def heard(self, identifier: str, subject: str) -> tuple[list[str], str]:
        """The references of a message, and its subject, which one that answers does not choose."""
        references: list[str] = []
        if self._last and self._source.random() < 0.6:
            parent, above, subject = self._source.choice(self._last[-200:])
            references = [*above, parent][-10:]
            if not subject.startswith("Re: "):
                subject = "Re: " + subject
        self._last.append((identifier, references, subject))
        if len(self._last) > 1_000:
            del self._last[:-200]
        return references, subject


def _header(source: random.Random, number: int, talk: _Talk) -> list[str]:
    subject = " ".join(source.choices(_WORDS, k=4))
    if source.random() < 0.2:
        subject = "Ré: " + subject
    day, hour = source.randrange(1, 29), source.randrange(24)
    sender, recipients = _address(source), f"{_address(source)}, {_address(source)}"
    identifier = f"<{number}.{source.randrange(1 << 30):x}@example.org>"
    references, subject = talk.heard(identifier, subject)
    header = [
        f"Received: from mx{number % 7}.example.net (mx{number % 7}.example.net [192.0.2.{number % 250}])",
        f"\tby mail.example.org with ESMTPS id {number:x}; Tue, {day:02} Mar 2024 {hour:02}:00:00 +0000",
        f"From: {sender}",
        f"To: {recipients}",
        f"Subject: {_encoded(subject)}",
        f"Date: Tue, {day:02} Mar 2024 {hour:02}:{number % 60:02}:00 +0100",
        f"Message-ID: {identifier}",
        "MIME-Version: 1.0",
    ]
    if references:
        header.append("References: " + "\r\n\t".join(references))
        header.append(f"In-Reply-To: {references[-1]}")
    return header


def _message(source: random.Random, number: int, talk: _Talk) -> bytes:
    header = _header(source, number, talk)
    kind = source.random()
    plain = _text(source, source.choice((300, 1200, 3000, 6000)))
    if kind < 0.4:
        body = plain
        header.append("Content-Type: text/plain; charset=utf-8")
    else:
        boundary = f"=-part-{number:x}"
        attached = source.randbytes(source.choice((500, 4000, 20000))) if kind > 0.8 else None
        html = f"<html><body><p>{plain}</p></body></html>\r\n"
        parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{plain}",
                 f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}"]  # fmt: skip
        if attached is not None:
            octets = base64.encodebytes(attached).decode().replace("\n", "\r\n")
            parts.append(
                f'Content-Type: application/pdf; name="file {number}.pdf"\r\n'
                f'Content-Disposition: attachment; filename="file {number}.pdf"\r\n'
                f"Content-Transfer-Encoding: base64\r\n\r\n{octets}"
            )
        subtype = "mixed" if attached is not None else "alternative"
        header.append(f'Content-Type: multipart/{subtype}; boundary="{boundary}"')
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return ("\r\n".join(header) + "\r\n\r\n" + body).encode()


def messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` messages of 1 to 30 KB: plain, alternative, with attachments."""
    source, talk = random.Random(seed), _Talk(seed)
    for number in range(count):
        yield _message(source, number, talk)


def letters(count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` messages whose header is all that matters."""
    source, talk = random.Random(seed), _Talk(seed)
    for number in range(count):
        header = _header(source, number, talk)
        yield ("\r\n".join(header) + "\r\n\r\n" + _text(source, 60)).encode()


#: In the text of one message in two hundred, and of one in two.
RARE: Final = "xylographist"
COMMON: Final = "deadline"

_SYLLABLES = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su",
    "ta", "ve", "wi", "xo", "ya", "ze", "bra", "cle", "dri", "sto",
]  # fmt: skip


class _Prose:
    """Text whose words are as often as in a language: the second half as often as the first."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        words = ["".join(source.choices(_SYLLABLES, k=1 + rank % 5)) for rank in range(40_000)]
        weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))
        self._paragraphs = []
        for _ in range(6_000):
            some = source.choices(words, cum_weights=weights, k=source.randrange(20, 90))
            lines = [" ".join(some[at : at + 10]) for at in range(0, len(some), 10)]
            self._paragraphs.append("\r\n".join(lines) + ".\r\n\r\n")

    def text(self, size: int) -> str:
        """About so many characters."""
        pieces = []
        if self._source.random() < 0.005:
            pieces.append(f"One {RARE} was here.\r\n")
        if self._source.random() < 0.5:
            pieces.append(f"Mind the {COMMON}.\r\n")
        size -= sum(map(len, pieces))
        while size > 0:
            pieces.append(self._source.choice(self._paragraphs))
            size -= len(pieces[-1])
        self._source.shuffle(pieces)
        return "".join(pieces)


def prose(count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` messages of real-looking text, of 8 KB in the middle: a third has HTML too, a fourth more."""
    source, talk = random.Random(seed), _Talk(seed)
    make = _Prose(source)
    for number in range(count):
        header = _header(source, number, talk)
        size = max(400, min(int(source.lognormvariate(8.6, 1.0)), 200_000))
        kind = source.random()
        boundary = f"=-part-{source.getrandbits(64):x}"
        parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{make.text(size)}"]
        if kind < 0.35:
            html = make.text(size).replace("\r\n\r\n", "</p>\r\n<p>")
            parts.append(
                f"Content-Type: text/html; charset=utf-8\r\n\r\n<html><p>{html}</p></html>\r\n"
            )
        elif kind < 0.6:
            octets = base64.encodebytes(
                source.randbytes(min(int(source.lognormvariate(10.3, 1.2)), 3_000_000))
            )
            parts.append(
                "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
                f'Content-Disposition: attachment; filename="file {number}.pdf"\r\n\r\n'
                + octets.decode().replace("\n", "\r\n")
            )
        if len(parts) == 1:
            header.append("\r\n".join(parts))
            yield "\r\n".join(header).encode()
            continue
        header.append(f'Content-Type: multipart/mixed; boundary="{boundary}"')
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
        yield ("\r\n".join(header) + "\r\n\r\n" + body).encode()
