"""The columns that never change: those made of others, and all that are kept in blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from imapd.model.message import SAVED, SENT, SIZE, Column
from imapd.query import criteria, links
from imapd.query.arrived import ARRIVED, ARRIVED_DAY
from imapd.query.derived import Derived, Form
from imapd.query.folded import ADDRESSES, FIELDS, SUBJECT
from imapd.query.text import HEADER_TEXT

__all__ = ["DERIVED", "KEPT", "USUAL"]

#: By name.
DERIVED: Final[Mapping[Column, Derived]] = {
    each.name: each
    for each in (
        ARRIVED,
        ARRIVED_DAY,
        *FIELDS.values(),
        *ADDRESSES.values(),
        criteria.BASE_SUBJECT,
        criteria.MOMENT,
        *criteria.ADDRESSES.values(),
        *criteria.DISPLAYED.values(),
        links.LINKS,
        links.SUBJECT,
        HEADER_TEXT,
    )
}

#: The form of each column that is kept in blocks.
KEPT: Final[Mapping[Column, Form]] = {
    **dict.fromkeys((SIZE, SENT, SAVED), Form.NUMBER),
    **{name: column.form for name, column in DERIVED.items() if column is not HEADER_TEXT},
}

#: What clients search, sort and thread by as a rule.
USUAL: Final[frozenset[Column]] = frozenset(
    (SIZE, SENT, *(each.name for each in (
        ARRIVED, ARRIVED_DAY, SUBJECT, ADDRESSES[b"from"], ADDRESSES[b"to"],
        criteria.BASE_SUBJECT, criteria.MOMENT, links.LINKS, links.SUBJECT)))
)  # fmt: skip
