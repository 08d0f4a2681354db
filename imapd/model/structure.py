"""Which part of a message a client asks for (RFC 9051, 6.4.5.1)."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Partial", "Section"]


@frozen
class Section:
    """The inside of the brackets in ``BODY[...]``.

    `text` is "", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT" or "MIME".
    `fields` are in upper case; `echo` is the section as the client spelt it.
    """

    numbers: tuple[int, ...] = ()
    text: str = ""
    fields: tuple[bytes, ...] = ()
    echo: bytes = b""


@frozen
class Partial:
    """``<offset.length>``."""

    offset: int
    length: int
