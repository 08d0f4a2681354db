"""ENVELOPE of a header block (RFC 9051, 7.5.2), and the day that its Date field names."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from imapd.mime.address import Address, addresses
from imapd.mime.headers import finder, first, unfold
from imapd.mime.strings import nstring
from imapd.mime.tokens import skip
from imapd.model.dates import MONTHS

__all__ = ["envelope", "sent_day"]

_NAMES: Final = (
    b"date", b"subject", b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc",
    b"in-reply-to", b"message-id",
)  # fmt: skip
#: Several of these count as one (RFC 5322, 4.5.3); of the others the first counts.
_LISTS: Final = frozenset((b"to", b"cc", b"bcc"))
_find: Final = finder(_NAMES)


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


_MONTH: Final = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
#: ``Wed, 17 Jul 1996`` and its bad copies: no comma, a long name of the day or month,
#: hyphens; ``Wed Jul 17 02:23:25 1996`` of C's asctime; and ISO 8601.
_DAY_FIRST: Final = re.compile(
    rb"(?:[A-Za-z]{2,12}[.,]*[ \t]{0,9},?[ \t]{0,9})?"
    rb"(\d{1,2})[ \t-]{1,9}([A-Za-z]{3})[a-z]{0,6}[ \t.,-]{1,9}(\d{2,4})(?!\d)"
)
_MONTH_FIRST: Final = re.compile(
    rb"(?:[A-Za-z]{2,12}[.,]*[ \t]{1,9})?([A-Za-z]{3})[a-z]{0,6}[ \t]{1,9}(\d{1,2}),?[ \t]{1,9}"
    rb"(?:[\d:]{4,8}[ \t]{1,9}(?:[A-Z]{1,5}[ \t]{1,9})?)?(\d{4})(?!\d)"
)
_ISO: Final = re.compile(rb"(\d{4})-(\d\d)-(\d\d)(?!\d)")


def sent_day(header: bytes) -> int | None:
    """The ordinal of the Date field's own day, time and zone disregarded (SENTON and others)."""
    value = first(header, b"date")
    if value is None:
        return None
    at = skip(value, 0)
    if match := _DAY_FIRST.match(value, at):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.match(value, at):
        name, day, year = match.groups()
    elif match := _ISO.match(value, at):
        return _ordinal(int(match[1]), int(match[2]), int(match[3]))
    else:
        return None
    number = int(year)
    if len(year) < 4:  # RFC 5322, 4.3
        number += 2000 if number < 50 else 1900
    return _ordinal(number, _MONTH.get(name.lower(), 0), int(day))


def _ordinal(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None
