"""Address lists (RFC 5322, 3.4 and 4.4) as an ENVELOPE tells them, whatever was written.

* A group is an `Address` with only a mailbox, its name, then its members, then an `Address`
  of nothing but None.
* ``user@host (Name)``: the comment is the name where there is no phrase.
* Host None means a group, so a missing host is ``MISSING_DOMAIN`` and a missing mailbox
  ``MISSING_MAILBOX``, the words that Dovecot uses.
* Encoded words stay encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from attrs import define, field

from imapd.mime.tokens import Kind, Token, tokens

__all__ = ["Address", "addresses", "first_address"]

_NO_HOST: Final = b"MISSING_DOMAIN"
_NO_MAILBOX: Final = b"MISSING_MAILBOX"

#: The common forms, ``"Name" <box@host>``, ``Name <box@host>`` and ``box@host``; a
#: value is read with these as far as they go, and the rest by its tokens.
_COMMON: Final = re.compile(
    rb"""(?:"([^"\\]*)"[ \t]*|([^\x00-\x08\x0a-\x1f"(),:;<>@\[\]\\]*))"""
    rb"""<([^\x00-\x20"(),:;<>@\[\]\\]+)@([^\x00-\x20"(),:;<>@\[\]\\]+)>[ \t]*(?:,[ \t]*|\Z)"""
    rb"""|([^\x00-\x20"(),:;<>@\[\]\\]+)@([^\x00-\x20"(),:;<>@\[\]\\]+)[ \t]*(?:,[ \t]*|\Z)"""
)


class Address(NamedTuple):
    """One address, or a mark of a group's start or end."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


#: Addresses of one field that are told.  One octet may be an address, and a From is told
#: three times: without a bound, a header of a megabyte made an envelope of a hundred.
_MOST: Final = 10_000

_END_OF_GROUP: Final = Address(None, None, None, None)


def addresses(value: bytes) -> list[Address]:
    """The addresses of a field's unfolded text."""
    found = list(islice(_addresses(value), _MOST + 1))
    if len(found) > _MOST:
        del found[_MOST:]
        if _in_group(found):
            found.append(_END_OF_GROUP)
    return found


def first_address(value: bytes) -> Address | None:
    """The first of them: the mark of a group, where the text begins with one."""
    return next(_addresses(value), None)


def _addresses(value: bytes) -> Iterator[Address]:
    at = 0
    while (match := _COMMON.match(value, at)) is not None:
        quoted, phrase, mailbox, host, bare, domain = match.groups()
        if bare is not None:
            yield Address(None, None, bare, domain)
        else:
            name = b" ".join(phrase.split()) if quoted is None else quoted
            yield Address(name or None, None, mailbox, host)
        at = match.end()
    if at < len(value):
        yield from _Reader().read(value[at:])


def _in_group(found: list[Address]) -> bool:
    marks = (address for address in reversed(found) if address.host is None)
    return next(marks, _END_OF_GROUP).mailbox is not None


@define
class _Reader:
    """Reads a list by its tokens; its attributes are what is known of the address it is in."""

    words: list[Token] = field(factory=list)  # before the "<", or all
    angle: list[Token] | None = None  # between "<" and ">"
    after: list[Token] = field(factory=list)  # after the ">"
    closed: bool = False
    in_route: bool = False
    comment: bytes | None = None
    in_group: bool = False

    def read(self, value: bytes) -> Iterator[Address]:
        for token in tokens(value):
            if token.kind is Kind.COMMENT:
                self.comment = token.text
            elif token.kind is not Kind.SPECIAL:
                self._add(token)
            elif token.text == b"<":
                if self.closed:  # the comma is missing
                    words = self.after
                    yield from self._take()
                    self.words = words
                if self.angle is None:
                    self.angle = []
            elif token.text == b">":
                self.closed = self.angle is not None
                self.in_route = False
            elif token.text == b"," and not self.in_route:
                yield from self._take()
            elif token.text == b":" and (self.angle is None or self.closed):
                yield from self._start_group()
            elif token.text == b";":
                yield from self._take()
                yield from self._end_group()
            else:
                self._add(token)
        yield from self._take()
        yield from self._end_group()

    def _add(self, token: Token) -> None:
        if self.angle is None:
            self.words.append(token)
        elif self.closed:
            self.after.append(token)
        else:
            if token.kind is Kind.SPECIAL and token.text in b"@:":
                self.in_route = token.text == b"@" and (self.in_route or not self.angle)
            self.angle.append(token)

    def _start_group(self) -> Iterator[Address]:
        yield from self._end_group()
        yield Address(None, None, _joined(self.words), None)
        self._clear()
        self.in_group = True

    def _end_group(self) -> Iterator[Address]:
        if self.in_group:
            self.in_group = False
            yield _END_OF_GROUP

    def _take(self) -> Iterator[Address]:
        """The address read so far, if there is one."""
        if self.angle is not None:
            yield _address(_joined(self.words) or self.comment, self.angle)
        elif any(_is(word, b"@") for word in self.words):
            yield _address(self.comment, self.words)
        elif len(self.words) == 1:
            yield Address(self.comment or None, None, self.words[0].text, _NO_HOST)
        elif self.words:
            yield Address(_joined(self.words), None, _NO_MAILBOX, _NO_HOST)
        self._clear()

    def _clear(self) -> None:
        self.words, self.angle, self.after = [], None, []
        self.closed = self.in_route = False
        self.comment = None


def _address(name: bytes | None, spec: list[Token]) -> Address:
    """An address of ``[route ":"] local-part "@" domain``, or what there is of it."""
    route: bytes | None = None
    if spec and _is(spec[0], b"@"):
        colon = _last(spec, b":")
        if colon > 0:
            route, spec = _joined(spec[:colon], compact=True), spec[colon + 1 :]
    at = _last(spec, b"@")
    local, domain = (spec[:at], spec[at + 1 :]) if at >= 0 else (spec, [])
    return Address(
        name or None,
        route,
        _joined(local, compact=True) if local else _NO_MAILBOX,
        _joined(domain, compact=True) or _NO_HOST,
    )


def _is(token: Token, text: bytes) -> bool:
    return token.kind is Kind.SPECIAL and token.text == text


def _last(words: list[Token], text: bytes) -> int:
    """The index of the last such special, or -1."""
    return next((at for at in range(len(words) - 1, -1, -1) if _is(words[at], text)), -1)


def _joined(words: list[Token], compact: bool = False) -> bytes:
    """Words with a space where there was space; compact: not around dots and specials."""
    text = bytearray()
    glue = True
    for word in words:
        special = compact and (word.kind is Kind.SPECIAL or word.text.startswith(b"."))
        if word.spaced and not glue and not special:
            text += b" "
        text += word.text
        glue = compact and (word.kind is Kind.SPECIAL or word.text.endswith(b"."))
    return bytes(text)
