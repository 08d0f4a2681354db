"""ENVELOPE of a header block (RFC 9051, 7.5.2)."""

from __future__ import annotations

from typing import Final

from imapd.mime.address import Address, addresses
from imapd.mime.headers import finder, unfold
from imapd.mime.strings import nstring

__all__ = ["address_list", "envelope"]

_NAMES: Final = (
    b"date", b"subject", b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc",
    b"in-reply-to", b"message-id",
)  # fmt: skip
#: Several of these count as one (RFC 5322, 4.5.3); of the others the first counts.
_LISTS: Final = frozenset((b"to", b"cc", b"bcc"))
_find: Final = finder(_NAMES)


def address_list(header: bytes, name: bytes) -> bytes | None:
    """The unfolded text of an address field, in small letters, as ENVELOPE takes it."""
    found = finder((name,))(b"\n" + header)
    if name not in _LISTS:
        del found[1:]
    return b", ".join([unfold(value) for _, value in found]) if found else None


def envelope(header: bytes) -> bytes:
    """RFC 9051: envelope = "(" env-date SP env-subject SP ... SP env-message-id ")"."""
    texts: dict[bytes, bytes] = {}
    for name, value in _find(b"\n" + header):
        name = name.lower()
        if name not in texts:
            texts[name] = unfold(value)
        elif name in _LISTS:
            texts[name] += b", " + unfold(value)
    get = texts.get
    sent_from = _list(get(b"from"))
    sender, reply_to = _list(get(b"sender")), _list(get(b"reply-to"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(get(b"date")),
        nstring(get(b"subject")),
        sent_from,
        sent_from if sender == b"NIL" else sender,
        sent_from if reply_to == b"NIL" else reply_to,
        _list(get(b"to")),
        _list(get(b"cc")),
        _list(get(b"bcc")),
        nstring(get(b"in-reply-to")),
        nstring(get(b"message-id")),
    )


def _list(value: bytes | None) -> bytes:
    """RFC 9051: "(" 1*address ")" / nil."""
    found = addresses(value) if value else ()
    return b"(%b)" % b"".join(map(_address, found)) if found else b"NIL"


def _address(address: Address) -> bytes:
    """RFC 9051: address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"."""
    return b"(%b %b %b %b)" % (
        nstring(address.name),
        nstring(address.route),
        nstring(address.mailbox),
        nstring(address.host),
    )
