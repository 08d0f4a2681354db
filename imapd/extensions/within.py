"""WITHIN: messages by their age in seconds (RFC 5032).

The age is that of the INTERNALDATE at the moment the search begins, by the server's clock;
a message of just that age is both OLDER and YOUNGER.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Final

from imapd.dialect import Capability, Feature, SearchKey
from imapd.model.dates import InternalDate, day_of, timestamp_of
from imapd.model.message import INTERNAL_DATE
from imapd.model.search import Cost, Key, Unresolved
from imapd.session.session import Session
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "WITHIN"

#: The ordinal of 1 January 1970, and the seconds of a day.
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400
#: A day so many days off is another one in every zone: none is of 24 hours.
_FAR: Final = 2


def _key(name: str, older: bool) -> Callable[[Cursor], Unresolved]:
    def key(cursor: Cursor) -> Unresolved:
        """``( "OLDER" / "YOUNGER" ) SP nz-number``."""
        cursor.space()
        interval = cursor.nz_number()

        def resolve(session: Session) -> Key:
            return _aged(name, older, int(session.policy.now().timestamp()) - interval)

        return Unresolved(name, resolve, (interval,))

    return key


def _aged(name: str, older: bool, moment: int) -> Key:
    """Whose INTERNALDATE is that moment, in seconds since 1970, or before it; or else after."""
    day = _EPOCH + moment // _DAY

    def test(internal: InternalDate) -> bool:
        at = timestamp_of(internal)
        return at <= moment if older else at >= moment

    @cache
    def verdict(text: InternalDate) -> bool | None:
        """Of all messages of a day; None: the time decides."""
        distance = day_of(text) - day
        return None if abs(distance) < _FAR else (distance < 0) is older

    def tests(column: Sequence[InternalDate]) -> Iterable[bool]:
        for internal in column:
            known = verdict(internal[:11])
            yield test(internal) if known is None else known

    return Key(name, Cost.COLUMN, (INTERNAL_DATE,), test, (moment,), tests)


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
