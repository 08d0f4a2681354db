"""I18NLEVEL=1 and I18NLEVEL=2: how texts are compared, and COMPARATOR (RFC 5255, 4).

There is one comparator, i;unicode-casemap, which every server must have (4.2); SEARCH uses
it always, by `imapd.query.fold`.  Level 2 adds the command that says so.  Exactly one level
is advertised: where 2 is switched off, 1 is left.
"""

from __future__ import annotations

import re
from typing import Final

from imapd.dialect import Capability, Command, Feature
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "LEVEL_1"]

_ACTIVE: Final = "i;unicode-casemap"
#: Patterns of one command.
_PATTERNS: Final = 100
#: RFC 4790, 3: ``collation-order``, an identifier with wildcards, at most 254 characters.
_ORDER: Final = re.compile(rb"[+-]?[A-Za-z0-9;=.*-]{1,254}")


def _orders(cursor: Cursor) -> list[str]:
    """``comparator-cmd = "COMPARATOR" *(SP comp-order-quoted)``."""
    orders: list[str] = []
    while not cursor.at_end():
        cursor.space()
        if cursor.at_end():
            break
        octets = b"*" if cursor.skip(b"*") else cursor.astring()
        if _ORDER.fullmatch(octets) is None or len(orders) >= _PATTERNS:
            raise BadSyntax("no comparator is called so")
        orders.append(octets.decode("ascii"))
    return orders


def _matches(order: str) -> bool:
    """RFC 4790, 3.2 and 3.3; an order that is reversed by "-" is no other comparator's."""
    name = order.removeprefix("+").lower()
    if name == "default":
        return True
    parts = [part for part in name.split("*") if part]
    at = 0
    for part in parts:
        at = _ACTIVE.find(part, at)
        if at < 0:
            return False
        at += len(part)
    if not parts:
        return True
    starts = name.startswith("*") or _ACTIVE.startswith(parts[0])
    return starts and (name.endswith("*") or _ACTIVE.endswith(parts[-1]))


def _comparator(session: Session, orders: list[str]) -> Outcome:
    if orders and not any(map(_matches, orders)):
        raise Refused("BADCOMPARATOR", "No comparator matches")
    session.write(b"* COMPARATOR %b\r\n" % _ACTIVE.encode("ascii"))
    return Outcome()


LEVEL_1 = Feature(
    name="I18NLEVEL=1",
    rfc=5255,
    summary="searches compare text by Unicode, where I18NLEVEL=2 is switched off",
    capabilities=(
        Capability(
            "I18NLEVEL=1",
            available=lambda session: b"COMPARATOR" not in session.policy.dialect.commands,
        ),
    ),
)

FEATURE = Feature(
    name="I18NLEVEL=2",
    rfc=5255,
    summary="searches compare text by Unicode, and COMPARATOR says so",
    capabilities=(Capability("I18NLEVEL=2"),),
    commands=(Command("COMPARATOR", LOGGED_IN, _orders, _comparator),),
)
