"""A message's octets to the tree of its parts (RFC 2046).

Rules, for whatever was stored:

* A part's header ends with its blank line, or before a delimiter line.
* The line end before a delimiter line belongs to the delimiter.
* An outer delimiter ends all that is open inside.
* What has no Content-Type, or one that cannot be read, is text/plain; in a multipart/digest
  the former is message/rfc822.
* A multipart has parts.  One without a boundary or without any delimiter line is shown as
  text/plain: so its text can be read, and every section number that BODYSTRUCTURE implies
  exists.  The same holds for multiparts and messages beyond `Limits.mime_depth`; and after
  `Limits.mime_parts` the last part has all the rest.
* One pass: time is linear in the size, and nothing large is copied.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from attrs import define, field, frozen

from imapd.mime.delimiters import LONGEST, Delimiters
from imapd.mime.headers import finder, unfold
from imapd.mime.octets import Octets, count_lines
from imapd.mime.parameters import Parameters, content_type, get
from imapd.mime.tokens import skip
from imapd.model.limits import Limits

__all__ = ["Kind", "Part", "header_end", "parse"]


class Kind(Enum):
    """How a part is treated."""

    BASIC = 1
    TEXT = 2
    MESSAGE = 3  #: message/rfc822 or message/global; its one child is the message in it
    MULTIPART = 4


@frozen
class Part:
    """One part; offsets are into the whole message."""

    header_start: int
    body_start: int
    end: int
    kind: Kind
    type: bytes
    subtype: bytes
    params: Parameters
    encoding: bytes
    #: The unfolded text of its Content-* fields by lower-case name without ``content-``.
    fields: dict[bytes, bytes] = field(repr=False)
    lines: int  #: line ends in its body, of a text or message; else 0
    children: tuple[Part, ...]

    @property
    def is_multipart(self) -> bool:
        """Whether it consists of parts."""
        return self.kind is Kind.MULTIPART

    @property
    def is_message(self) -> bool:
        """Whether it is a message in a message."""
        return self.kind is Kind.MESSAGE

    @property
    def is_text(self) -> bool:
        """Whether it is text/*, or is shown as such."""
        return self.kind is Kind.TEXT

    @property
    def size(self) -> int:
        """Octets of its body."""
        return self.end - self.body_start


_LIMITS: Final = Limits()
_BLANK: Final = re.compile(rb"\n\r?\n")
_TOKEN: Final = re.compile(rb""""?([!#-'*+.0-9A-Z^-~-]+)""")
_find: Final = finder(
    (b"content-type", b"content-transfer-encoding", b"content-id", b"content-description",
     b"content-disposition", b"content-language", b"content-location", b"content-md5")
)  # fmt: skip
_Description = tuple[Kind, bytes, bytes, Parameters, bytes | None]
_CHARSET: Final = (b"charset", b"us-ascii")
_TEXT: Final[tuple[Kind, bytes, bytes, Parameters]] = (Kind.TEXT, b"text", b"plain", (_CHARSET,))
_MESSAGE: Final[tuple[Kind, bytes, bytes, Parameters]] = (Kind.MESSAGE, b"message", b"rfc822", ())


#: The same few are in most mail.
_remembered: Final = lru_cache(maxsize=512)(content_type)
#: Octets of one that is remembered.
_SHORT: Final = 128


def parse(data: Octets, limits: Limits = _LIMITS) -> Part:
    """The message's own part, its tree below it; for any octets at all."""
    return _Parser(data, limits).parse()


def header_end(start: bytes) -> int | None:
    """Where the header of a message ends that begins with these octets; None if not in them."""
    if start[:1] == b"\n":
        return 1
    if start[:2] == b"\r\n":
        return 2
    match = _BLANK.search(start)
    return None if match is None else match.end()


@define
class _Open:
    """A part whose end is not known yet."""

    header_start: int
    body_start: int
    kind: Kind
    type: bytes
    subtype: bytes
    params: Parameters
    fields: dict[bytes, bytes]
    boundary: bytes | None  # while its delimiters count
    lines_before: int
    children: list[Part] = field(factory=list)

    @property
    def is_digest(self) -> bool:
        return self.kind is Kind.MULTIPART and self.subtype.lower() == b"digest"


@define
class _Parser:
    data: Octets
    limits: Limits
    stack: list[_Open] = field(init=False, factory=list)
    count: int = field(init=False, default=0)
    delimiters: Delimiters = field(init=False)
    root: Part | None = field(init=False, default=None)
    #: Where the last blank line that was looked for begins, and ends.
    blank: tuple[int, int] = field(init=False, default=(-1, -1))
    #: The last offset at which lines were counted, and the count from the start.
    counted: tuple[int, int] = field(init=False, default=(0, 0))

    def __attrs_post_init__(self) -> None:
        self.delimiters = Delimiters(self.data)

    def parse(self) -> Part:
        size = len(self.data)
        at = self._begin(0)
        while (found := self.delimiters.find(at, size)) is not None:
            if not found.closing and self.count >= self.limits.mime_parts:
                break
            self._end_above(found.depth, found.start)
            at = found.after
            if found.closing:
                self._no_more_delimiters(self.stack[-1])
            else:
                at = self._begin(at)
        self._end_above(-1, size)
        assert self.root is not None
        return self.root

    def _begin(self, start: int) -> int:
        """Open the part whose header starts here, and the messages in it; where its body starts."""
        while True:
            body = self._header_end(start)
            stop = min(body, start + self.limits.mime_header)
            fields = {
                name[8:].lower(): unfold(value)
                for name, value in reversed(_find(b"\n" + self.data[start:stop]))
            }
            kind, type, subtype, params, boundary = self._described(fields)
            if boundary is not None:
                self.delimiters.open(boundary, len(self.stack))
            self.stack.append(
                _Open(start, body, kind, type, subtype, params, fields, boundary, self._lines(body))
            )
            self.count += 1
            if kind is not Kind.MESSAGE:
                return body
            start = body

    def _header_end(self, start: int) -> int:
        data = self.data
        if data[start : start + 1] == b"\n":
            return start + 1
        if data[start : start + 2] == b"\r\n":
            return start + 2
        if self.blank[0] < start:
            match = _BLANK.search(data, start)
            self.blank = (len(data), len(data)) if match is None else match.span()
        end = self.blank[1]
        found = self.delimiters.find(start, end)
        return end if found is None else found.start

    def _described(self, fields: dict[bytes, bytes]) -> _Description:
        text = fields.get(b"type")
        found = None if text is None else _content_type(text)
        kind, type, subtype, params = _TEXT
        if found is not None:
            type, subtype, params = found
            kind = _kind(type, subtype)
        elif text is None and self.stack and self.stack[-1].is_digest:
            kind, type, subtype, params = _MESSAGE
        boundary = None
        if kind is Kind.MULTIPART:
            boundary = (get(params, b"boundary") or b"").rstrip(b" \t\r\n") or None
            if boundary is None or len(boundary) > LONGEST or self._is_full():
                return *_TEXT, None
        elif kind is Kind.MESSAGE and self._is_full():
            return *_TEXT, None
        elif kind is Kind.TEXT and get(params, b"charset") is None:
            params += (_CHARSET,)
        return kind, type, subtype, params, boundary

    def _is_full(self) -> bool:
        """Whether the part about to be opened may have no parts in it."""
        limits = self.limits
        return len(self.stack) >= limits.mime_depth or self.count + 1 >= limits.mime_parts

    def _lines(self, offset: int) -> int:
        """Line ends from the start of the message; offsets come in ascending order."""
        at, count = self.counted
        count += count_lines(self.data, at, offset)
        self.counted = offset, count
        return count

    def _end_above(self, depth: int, line: int) -> None:
        """The parts deeper than this end here: at a delimiter's line, or the message's end."""
        end = line
        if depth >= 0:
            end -= 2 if self.data[line - 2 : line - 1] == b"\r" else 1
        while len(self.stack) - 1 > depth:
            part = self.stack.pop()
            self._no_more_delimiters(part)
            end = max(end, part.body_start)
            whole = self._finished(part, end)
            if self.stack:
                self.stack[-1].children.append(whole)
            else:
                self.root = whole

    def _no_more_delimiters(self, part: _Open) -> None:
        if part.boundary is not None:
            self.delimiters.close(part.boundary)
            part.boundary = None

    def _finished(self, part: _Open, end: int) -> Part:
        kind, type, subtype, params = part.kind, part.type, part.subtype, part.params
        if kind is Kind.MULTIPART and not part.children:
            kind, type, subtype, params = _TEXT
        lines = 0
        if kind is Kind.TEXT or kind is Kind.MESSAGE:
            lines = self._lines(end) - part.lines_before
        encoding = _encoding(part.fields.get(b"transfer-encoding"))
        return Part(
            part.header_start,
            part.body_start,
            end,
            kind,
            type,
            subtype,
            params,
            encoding,
            part.fields,
            lines,
            tuple(part.children),
        )


def _content_type(text: bytes) -> tuple[bytes, bytes, Parameters] | None:
    return _remembered(text) if len(text) <= _SHORT else content_type(text)


def _encoding(text: bytes | None) -> bytes:
    """The content-transfer-encoding that a field names; RFC 2045, 6.1: 7bit without one."""
    found = None if text is None else _TOKEN.match(text, skip(text, 0))
    return b"7BIT" if found is None else found[1]


def _kind(type: bytes, subtype: bytes) -> Kind:
    name = type.lower()
    if name == b"text":
        return Kind.TEXT
    if name == b"multipart":
        return Kind.MULTIPART
    if name == b"message" and subtype.lower() in (b"rfc822", b"global"):
        return Kind.MESSAGE
    return Kind.BASIC
