"""A strict reader of RFC 9051's ``envelope`` and ``body``: what it refuses, a client may refuse.

It shares nothing with the code it checks.  Values come back as nested tuples; a string as its
octets, NIL as None, a number as an int.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["NotInGrammar", "read_body", "read_envelope"]

BASIC_ENCODINGS = (b"7BIT", b"8BIT", b"BINARY", b"BASE64", b"QUOTED-PRINTABLE")


class NotInGrammar(AssertionError):
    """The octets are no such production."""


class Reader:
    """Reads productions one after another."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def fail(self, wanted: str) -> NotInGrammar:
        return NotInGrammar(f"{wanted} wanted at {self.octets[self.at : self.at + 60]!r}")

    def match(self, pattern: bytes, wanted: str) -> re.Match[bytes]:
        found = re.compile(pattern, re.DOTALL | re.IGNORECASE).match(self.octets, self.at)
        if found is None:
            raise self.fail(wanted)
        self.at = found.end()
        return found

    def take(self, text: bytes) -> None:
        self.match(re.escape(text), repr(text))

    def peek(self, text: bytes) -> bool:
        return self.octets[self.at : self.at + len(text)].upper() == text

    def quoted(self) -> bytes:
        """DQUOTE *QUOTED-CHAR DQUOTE; 8-bit is for clients that asked for it, so not here."""
        found = self.match(rb'"((?:[\x01-\x09\x0b\x0c\x0e-!#-\[\]-\x7f]|\\["\\])*)"', "quoted")
        return re.sub(rb"\\(.)", rb"\1", found[1])

    def string(self) -> bytes:
        """Quoted / literal."""
        if not self.peek(b"{"):
            return self.quoted()
        count = int(self.match(rb"\{(0|[1-9][0-9]*)\}\r\n", "literal")[1])
        text = self.octets[self.at : self.at + count]
        if len(text) != count or b"\0" in text:
            raise self.fail("CHAR8s")
        self.at += count
        return text

    def nstring(self) -> bytes | None:
        """String / nil."""
        if self.peek(b"NIL"):
            self.at += 3
            return None
        return self.string()

    def number(self) -> int:
        """1*DIGIT, unsigned 32-bit."""
        value = int(self.match(rb"[0-9]+", "number")[0])
        if value >= 1 << 32:
            raise self.fail("32-bit number")
        return value

    def nil_or(self, read: Callable[[], Any]) -> Any:
        if self.peek(b"NIL"):
            self.at += 3
            return None
        return read()

    def many(self, read: Callable[[], Any], separator: bytes) -> tuple[Any, ...]:
        """Items in parentheses, at least one."""
        self.take(b"(")
        items = [read()]
        while not self.peek(b")"):
            self.take(separator)
            items.append(read())
        self.take(b")")
        return tuple(items)

    def address(self) -> tuple[bytes | None, ...]:
        self.take(b"(")
        fields = [self.nstring()]
        for _ in range(3):
            self.take(b" ")
            fields.append(self.nstring())
        self.take(b")")
        return tuple(fields)

    def envelope(self) -> tuple[Any, ...]:
        lists = lambda: self.nil_or(lambda: self.many(self.address, b""))  # noqa: E731
        self.take(b"(")
        fields: list[Any] = [self.nstring()]
        for read in (self.nstring, *[lists] * 6, self.nstring, self.nstring):
            self.take(b" ")
            fields.append(read())
        self.take(b")")
        return tuple(fields)

    def pair(self) -> tuple[bytes, bytes]:
        name = self.string()
        self.take(b" ")
        return name, self.string()

    def params(self) -> Any:
        """body-fld-param."""
        return self.nil_or(lambda: self.many(self.pair, b" "))

    def disposition(self) -> Any:
        def read() -> tuple[bytes, Any]:
            self.take(b"(")
            name = self.string()
            self.take(b" ")
            params = self.params()
            self.take(b")")
            return name, params

        return self.nil_or(read)

    def language(self) -> Any:
        if self.peek(b"("):
            return self.many(self.string, b" ")
        return self.nstring()

    def extension(self) -> tuple[Any, ...]:
        fields = []
        for read in (self.disposition, self.language, self.nstring):
            self.take(b" ")
            fields.append(read())
        return tuple(fields)

    def body(self, extended: bool) -> dict[str, Any]:
        """A body, with every item of extension data or with none."""
        self.take(b"(")
        part = self.multipart(extended) if self.peek(b"(") else self.one_part(extended)
        self.take(b")")
        return part

    def multipart(self, extended: bool) -> dict[str, Any]:
        part: dict[str, Any] = {"kind": "multipart", "parts": []}
        while self.peek(b"("):
            part["parts"].append(self.body(extended))
        self.take(b" ")
        part["subtype"] = self.string()
        if extended:
            self.take(b" ")
            part["params"] = self.params()
            part["extension"] = self.extension()
        return part

    def one_part(self, extended: bool) -> dict[str, Any]:
        quoted = self.peek(b'"')
        part: dict[str, Any] = {"kind": "basic", "type": self.string()}
        self.take(b" ")
        quoted_subtype = self.peek(b'"')
        part["subtype"] = self.string()
        media = part["type"].upper()
        if media == b"TEXT":
            part["kind"] = "text"
        elif media == b"MESSAGE" and part["subtype"].upper() in (b"RFC822", b"GLOBAL"):
            part["kind"] = "message"
            quoted = quoted and quoted_subtype
        elif media == b"MULTIPART":
            raise self.fail("a type that is not multipart")
        if part["kind"] != "basic" and not quoted:
            raise self.fail("a quoted media type")
        for name, read in (
            ("params", self.params),
            ("id", self.nstring),
            ("description", self.nstring),
            ("encoding", self.string),
            ("octets", self.number),
        ):
            self.take(b" ")
            part[name] = read()
        if part["kind"] == "message":
            self.take(b" ")
            part["envelope"] = self.envelope()
            self.take(b" ")
            part["body"] = self.body(extended)
        if part["kind"] != "basic":
            self.take(b" ")
            part["lines"] = self.number()
        if extended:
            self.take(b" ")
            part["md5"] = self.nstring()
            part["extension"] = self.extension()
        return part


def _whole(octets: bytes, read: Callable[[Reader], Any]) -> Any:
    reader = Reader(octets)
    value = read(reader)
    if reader.at != len(octets):
        raise reader.fail("the end")
    return value


def read_envelope(octets: bytes) -> tuple[Any, ...]:
    """The ten members of an envelope."""
    return _whole(octets, Reader.envelope)


def read_body(octets: bytes, extended: bool) -> dict[str, Any]:
    """A body structure as nested dictionaries."""
    return _whole(octets, lambda reader: reader.body(extended))
