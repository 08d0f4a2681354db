"""APPENDLIMIT: how large a message may be, told before it is sent (RFC 7889).

That larger ones are refused, before their octets come, is APPEND's own work.
"""

from __future__ import annotations

from typing import Final

from imapd.dialect import Capability, Feature, StatusItem
from imapd.session.session import Session

__all__ = ["FEATURE"]

#: RFC 7889, 5: it is a ``number``.
_MOST: Final = (1 << 32) - 1


def _limit(session: Session) -> int:
    """One for all mailboxes."""
    return min(session.policy.limits.message, _MOST)


FEATURE = Feature(
    name="APPENDLIMIT",
    rfc=7889,
    summary="how large a message may be",
    capabilities=(Capability("APPENDLIMIT", value=_limit),),
    status_items=(StatusItem("APPENDLIMIT", _limit, of_session=True),),
)
