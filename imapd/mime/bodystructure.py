"""BODYSTRUCTURE and BODY of a part, as RFC 9051, 9 spells them."""

from __future__ import annotations

from typing import Final

from imapd.mime.envelope import envelope
from imapd.mime.octets import Octets
from imapd.mime.parameters import Parameters, disposition
from imapd.mime.parse import Kind, Part
from imapd.mime.strings import nstring, string
from imapd.mime.tokens import Kind as TokenKind
from imapd.mime.tokens import tokens
from imapd.model.limits import Limits

__all__ = ["body", "bodystructure"]

_LIMITS: Final = Limits()


def bodystructure(data: Octets, part: Part, limits: Limits = _LIMITS) -> bytes:
    """body, with extension data."""
    return _body(data, part, limits.mime_header, extended=True)


def body(data: Octets, part: Part, limits: Limits = _LIMITS) -> bytes:
    """body, without extension data, which RFC 9051, 7.5.2 bars from FETCH BODY."""
    return _body(data, part, limits.mime_header, extended=False)


def _body(data: Octets, part: Part, longest: int, extended: bool) -> bytes:
    """RFC 9051: body = "(" (body-type-1part / body-type-mpart) ")"."""
    if part.kind is Kind.MULTIPART:
        return _multipart(data, part, longest, extended)
    fields = part.fields
    if part.kind is Kind.TEXT:
        media = b'"%b" %b' % (part.type, string(part.subtype))
        more = b" %d" % part.lines
    elif part.kind is Kind.MESSAGE:
        media = b'"%b" "%b"' % (part.type, part.subtype)
        (inner,) = part.children
        stop = min(inner.body_start, inner.header_start + longest)
        more = b" %b %b %d" % (
            envelope(data[inner.header_start : stop]),
            _body(data, inner, longest, extended),
            part.lines,
        )
    else:
        media = string(part.type) + b" " + string(part.subtype)
        more = b""
    return b"(%b %b %b %b %b %d%b%b)" % (
        media,
        _parameters(part.params),
        nstring(fields.get(b"id")),
        nstring(fields.get(b"description")),
        string(part.encoding),
        part.size,
        more,
        b" " + nstring(fields.get(b"md5")) + _extension(fields) if extended else b"",
    )


def _multipart(data: Octets, part: Part, longest: int, extended: bool) -> bytes:
    """RFC 9051: body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]."""
    return b"(%b %b%b)" % (
        b"".join([_body(data, child, longest, extended) for child in part.children]),
        string(part.subtype),
        b" " + _parameters(part.params) + _extension(part.fields) if extended else b"",
    )


def _extension(fields: dict[bytes, bytes]) -> bytes:
    """SP body-fld-dsp SP body-fld-lang SP body-fld-loc."""
    return b" %b %b %b" % (
        _disposition(fields.get(b"disposition")),
        _language(fields.get(b"language")),
        _location(fields.get(b"location")),
    )


def _parameters(params: Parameters) -> bytes:
    """body-fld-param = "(" string SP string *(SP string SP string) ")" / nil."""
    if not params:
        return b"NIL"
    return b"(%b)" % b" ".join([string(name) + b" " + string(value) for name, value in params])


def _disposition(text: bytes | None) -> bytes:
    """body-fld-dsp = "(" string SP body-fld-param ")" / nil."""
    found = None if text is None else disposition(text)
    return b"NIL" if found is None else b"(%b %b)" % (string(found[0]), _parameters(found[1]))


def _language(text: bytes | None) -> bytes:
    """body-fld-lang = nstring / "(" string *(SP string) ")" (RFC 3282: a list of tags)."""
    if text is None:
        return b"NIL"
    tags = [string(token.text) for token in tokens(text) if token.kind is TokenKind.ATOM]
    return b"(%b)" % b" ".join(tags) if tags else b"NIL"


def _location(text: bytes | None) -> bytes:
    """body-fld-loc = nstring; a URI has no space, so space is folding (RFC 2557, 4.4.2)."""
    return nstring(text and b"".join(text.split()))
