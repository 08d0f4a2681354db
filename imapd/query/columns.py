"""All derived columns there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from imapd.model.message import Column
from imapd.query import criteria
from imapd.query.arrived import ARRIVED, ARRIVED_DAY
from imapd.query.derived import Derived
from imapd.query.folded import ADDRESSES, SUBJECT

__all__ = ["DERIVED"]

DERIVED: Final[Mapping[Column, Derived]] = {
    each.name: each
    for each in (
        ARRIVED,
        ARRIVED_DAY,
        SUBJECT,
        *ADDRESSES.values(),
        criteria.BASE_SUBJECT,
        criteria.MOMENT,
        *criteria.ADDRESSES.values(),
        *criteria.DISPLAYED.values(),
    )
}
