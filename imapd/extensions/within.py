"""WITHIN: messages by their age in seconds (RFC 5032).

The age is that of the INTERNALDATE at the moment the search begins, by the server's clock;
a message of just that age is both OLDER and YOUNGER.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from imapd.dialect import Capability, Feature, SearchKey
from imapd.model.search import Key, Unresolved
from imapd.query.arrived import ARRIVED
from imapd.query.blocks import LEAST, MOST
from imapd.query.keys import number
from imapd.session.session import Session
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "WITHIN"


def _key(name: str, older: bool) -> Callable[[Cursor], Unresolved]:
    def key(cursor: Cursor) -> Unresolved:
        """``( "OLDER" / "YOUNGER" ) SP nz-number``."""
        cursor.space()
        interval = cursor.nz_number()

        def resolve(session: Session) -> Key:
            moment = int(session.policy.now().timestamp()) - interval
            first, last = (LEAST, moment) if older else (moment, MOST)
            return number(name, ARRIVED.name, first, last)

        return Unresolved(name, resolve, (interval,))

    return key


FEATURE = Feature(
    name=NAME,
    rfc=5032,
    summary="messages older or younger than so many seconds",
    capabilities=(Capability(NAME),),
    search_keys=(
        SearchKey("OLDER", _key("OLDER", older=True)),
        SearchKey("YOUNGER", _key("YOUNGER", older=False)),
    ),
)
