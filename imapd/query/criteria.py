"""What messages are put in order by (RFC 5256, 3; RFC 5957): the columns, and a criterion of SORT.

Rules:

* A field that is not there is the empty string, and that comes before all others.
* Addresses are those of the ENVELOPE: several To or Cc fields are one, a group that stands
  first is called by its name, a missing part is there as ENVELOPE has it.
* A Date field that names no day is as good as none: INTERNALDATE takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from imapd.mime import words
from imapd.mime.address import Address, first_address
from imapd.mime.envelope import address_list
from imapd.mime.headers import first
from imapd.mime.sent import sent_moment
from imapd.model.limits import Limits
from imapd.model.message import SIZE, Column
from imapd.query.arrived import ARRIVED
from imapd.query.collate import collate
from imapd.query.derived import Derived, Form
from imapd.query.subject import base_subject

__all__ = ["ADDRESSES", "BASE_SUBJECT", "CRITERIA", "DISPLAYED", "MOMENT", "Criterion"]

_HEADER_MOST: Final = Limits().mime_header


@frozen
class Criterion:
    """``sort-criterion``: the values of a column, ascending or, with REVERSE, descending."""

    column: Column
    #: The column that counts where that one has no value.
    instead: Column | None = None
    reverse: bool = False
    #: What a message has there never changes.
    lasting: bool = True
    #: What of the column's value counts: a text; without it, all of it.
    of: Callable[[Any], str] | None = None


def _base_subject(block: bytes) -> str:
    subject = first(block[:_HEADER_MOST], b"subject")
    return collate(base_subject(words.decode(subject)).text) if subject else ""


def _moment(block: bytes) -> int | None:
    return sent_moment(block[:_HEADER_MOST])


def _first_of(block: bytes, name: bytes) -> Address | None:
    value = address_list(block[:_HEADER_MOST], name)
    return first_address(value) if value else None


def _address(name: bytes) -> Derived:
    def of(block: bytes) -> str:
        address = _first_of(block, name)
        return collate(words.decode(address.mailbox)) if address and address.mailbox else ""

    return Derived(f"first {name.decode('ascii')} 1", Form.TEXT, of)


def _display(name: bytes) -> Derived:
    def of(block: bytes) -> str:
        address = _first_of(block, name)
        return collate(_displayed(address)) if address is not None else ""

    return Derived(f"displayed {name.decode('ascii')} 1", Form.TEXT, of)


def _displayed(address: Address) -> str:
    """RFC 5957, 3."""
    name = words.decode(address.name) if address.name else ""
    if name or address.mailbox is None:
        return name
    if address.host is None:
        return words.decode(address.mailbox)
    return words.decode(b"%b@%b" % (address.mailbox, address.host))


#: The base subject of the first Subject field (RFC 5256, 2.1), collated.
BASE_SUBJECT: Final = Derived("base subject 1", Form.TEXT, _base_subject)
#: int or None: the Date field's moment, in seconds since 1970 in UTC (RFC 5256, 2.2).
MOMENT: Final = Derived("moment 1", Form.NUMBER, _moment)
#: The mailbox of a field's first address, collated; by the field's name.
ADDRESSES: Final = {name: _address(name) for name in (b"from", b"to", b"cc")}
#: What clients show of it (RFC 5957, 3), collated.
DISPLAYED: Final = {name: _display(name) for name in (b"from", b"to")}

#: By the name that SORT has for them.
CRITERIA: Final = {
    "ARRIVAL": Criterion(ARRIVED.name),
    "CC": Criterion(ADDRESSES[b"cc"].name),
    "DATE": Criterion(MOMENT.name, ARRIVED.name),
    "FROM": Criterion(ADDRESSES[b"from"].name),
    "SIZE": Criterion(SIZE),
    "SUBJECT": Criterion(BASE_SUBJECT.name),
    "TO": Criterion(ADDRESSES[b"to"].name),
    "DISPLAYFROM": Criterion(DISPLAYED[b"from"].name),
    "DISPLAYTO": Criterion(DISPLAYED[b"to"].name),
}
