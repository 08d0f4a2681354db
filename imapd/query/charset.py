"""Search strings in the charset that the client named (RFC 9051, 6.4.4)."""

from __future__ import annotations

from imapd.mime.charsets import codec

__all__ = ["codec", "decode"]


def decode(octets: bytes, codec: str) -> str:
    """The text of a search string.

    Clients name a charset and send another, or none and 8-bit octets in quoted strings:
    what `codec` cannot read is UTF-8, and what is not UTF-8 is Latin-1.
    """
    for name in (codec, "utf-8"):
        try:
            text = octets.decode(name)
            text.encode("utf-8")  # UTF-7 makes lone surrogates, which no text has
        except ValueError:
            continue
        return text
    return octets.decode("latin-1")
