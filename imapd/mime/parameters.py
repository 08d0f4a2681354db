"""Content-Type and Content-Disposition: a value and its parameters (RFC 2045, 5.1; RFC 2183).

Continuations (RFC 2231, 3) are joined.  What is percent-encoded stays so, under its name with
the asterisk: ``filename*0*=utf-8''%e2; filename*1=x.txt`` becomes ``filename*`` with the value
``utf-8''%e2x.txt``.  RFC 9051, 7.5.2 asks for the name ``filename*`` and says nothing of how
UTF-8 is then told from percent signs; Dovecot sends it this way, so clients read it this way.
`decoded` is for the server's own use.

Tolerated, because it is in the wild: a value without quotes that has spaces; a quoted string
that does not end; a semicolon too many or missing; text after a value; a parameter given twice
(the first counts).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from imapd.mime.charsets import decode as decode_charset
from imapd.mime.tokens import skip, unquote

__all__ = ["Parameters", "content_type", "decoded", "disposition", "get"]

#: Name and value in the order written; names as written, values without quoting.
Parameters = tuple[tuple[bytes, bytes], ...]

_TOKEN: Final = re.compile(rb"[!#-'*+.0-9A-Z^-~-]+")
#: The well-formed ones, which are nearly all.
_PLAIN: Final = re.compile(
    rb"""[ \t]*;[ \t\r\n]*([!#-'*+.0-9A-Z^-~-]+)="""
    rb"""(?:"([^"\\\r\n]*)"|([!#-'*+.0-9A-Z^-~/:-]+))[ \t]*(?=;|\Z)"""
)
_QUOTED: Final = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_NEXT: Final = re.compile(rb"[!#-'*+.0-9A-Z^-~-]+=")
_WORD: Final = re.compile(rb"[^\x00-\x20]+")
_CONTINUED: Final = re.compile(rb"([^*]+)\*([0-9]{1,4})(\*?)").fullmatch


#: Octets of a field that are read for parameters; no file name needs more.
_LONGEST: Final = 65_536


def content_type(value: bytes) -> tuple[bytes, bytes, Parameters] | None:
    """Type, subtype and parameters; None if it has no subtype or is no such thing."""
    head = _TOKEN.match(value, skip(value, 0))
    if head is None:
        return None
    at = skip(value, head.end())
    if value[at : at + 1] != b"/":
        return None
    tail = _TOKEN.match(value, skip(value, at + 1))
    if tail is None:
        return None
    return head[0], tail[0], _parameters(value, tail.end())


def disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """Disposition and parameters; None if it is no such thing."""
    head = _TOKEN.match(value, skip(value, 0))
    return None if head is None else (head[0], _parameters(value, head.end()))


def get(parameters: Parameters, name: bytes) -> bytes | None:
    """The octets of a parameter by its lower-case name, percent-decoded if it is extended."""
    for key, value in parameters:
        if key.lower() == name:
            return value
    for key, value in parameters:
        if key.lower() == name + b"*":
            return unquote_to_bytes(_extended(value)[1])
    return None


def decoded(parameters: Parameters, name: bytes) -> str | None:
    """The text of a parameter by its lower-case name; the extended form counts before the plain."""
    for key, value in parameters:
        if key.lower() == name + b"*":
            charset, text = _extended(value)
            return decode_charset(unquote_to_bytes(text), charset)
    for key, value in parameters:
        if key.lower() == name:
            return decode_charset(value, None)
    return None


def _extended(value: bytes) -> tuple[bytes | None, bytes]:
    """extended-value = [charset] "'" [language] "'" text (RFC 2231, 7)."""
    pieces = value.split(b"'", 2)
    return (pieces[0] or None, pieces[2]) if len(pieces) == 3 else (None, value)


def _parameters(value: bytes, at: int) -> Parameters:
    value = value[:_LONGEST]
    found: dict[bytes, tuple[bytes, bytes]] = {}
    continued = False
    while (match := _PLAIN.match(value, at)) is not None:
        name = match[1]
        found.setdefault(name.lower(), (name, match[3] if match[2] is None else match[2]))
        continued = continued or b"*" in name
        at = match.end()
    if at < len(value):
        continued = _others(value, at, found) or continued
    return _joined(found) if continued else tuple(found.values())


def _others(value: bytes, at: int, found: dict[bytes, tuple[bytes, bytes]]) -> bool:
    """Add the parameters that are written in other ways; whether one may be continued."""
    continued = False
    while at < len(value):
        at = skip(value, at)
        name = _TOKEN.match(value, at)
        if name is None:
            at = _after_semicolon(value, at)
            continue
        at = skip(value, name.end())
        if value[at : at + 1] != b"=":
            if value[at : at + 1] == b";" or _TOKEN.match(value, at) is None:
                at = _after_semicolon(value, at)
            continue
        text, at = _value(value, skip(value, at + 1))
        found.setdefault(name[0].lower(), (name[0], text))
        continued = continued or b"*" in name[0]
    return continued


def _after_semicolon(value: bytes, at: int) -> int:
    return (value.find(b";", at) + 1) or len(value)


def _value(value: bytes, at: int) -> tuple[bytes, int]:
    """A parameter's value, and the offset where the next one is looked for."""
    if value[at : at + 1] == b'"':
        match = _QUOTED.match(value, at)
        if match is not None:
            return unquote(match[1]), match.end()
        at += 1
    stop = value.find(b";", at)
    if stop < 0:
        stop = len(value)
    end, comment = at, False
    for word in _WORD.finditer(value, at, stop):
        if word.start() > at and _NEXT.match(value, word.start()) is not None:
            return value[at:end], word.start()  # the semicolon before it is missing
        if not comment and word[0].startswith(b"("):
            comment = True
            following = skip(value, word.start())
            if following >= stop:  # "us-ascii (plain text)", and not "report (1).pdf"
                return value[at:end], following
        end = word.end()
    return value[at:end].rstrip(b'"'), stop


def _joined(found: dict[bytes, tuple[bytes, bytes]]) -> Parameters:
    """Continuations put together, each where its first piece stands."""
    pieces: dict[bytes, dict[int, tuple[bool, bytes]]] = {}
    for name, value in found.values():
        match = _CONTINUED(name)
        if match is not None:
            number = int(match[2])
            pieces.setdefault(match[1].lower(), {}).setdefault(number, (bool(match[3]), value))
    joined: dict[bytes, tuple[bytes, bytes]] = {}
    for name, value in found.values():
        match = _CONTINUED(name)
        if match is None:
            joined.setdefault(name.lower(), (name, value))
            continue
        numbered = pieces.pop(match[1].lower(), None)
        if numbered is None:
            continue
        if 0 not in numbered:  # nothing to join it to: left as it is
            joined.setdefault(name.lower(), (name, value))
            continue
        run = [numbered[number] for number in range(_run(numbered))]
        if any(extended for extended, _ in run):
            whole = match[1] + b"*"
            text = b"".join(
                piece if extended else quote_from_bytes(piece, b"'").encode("ascii")
                for extended, piece in run
            )
        else:
            whole = match[1]
            text = b"".join(piece for _, piece in run)
        joined.setdefault(whole.lower(), (whole, text))
    return tuple(joined.values())


def _run(numbered: dict[int, tuple[bool, bytes]]) -> int:
    """How many pieces follow one another from number 0."""
    count = 0
    while count in numbered:
        count += 1
    return count
