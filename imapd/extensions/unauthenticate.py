"""UNAUTHENTICATE: the connection for another user (RFC 8437).

Who sits behind a proxy that lets everything pass once somebody has logged in should switch
it off (8): ``capabilities.disabled``.
"""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, When, nothing
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Outcome
from imapd.session.session import Session

__all__ = ["FEATURE"]


async def _unauthenticate(session: Session, _: None) -> Outcome:
    """All that was the user's goes; TLS, what ID said and failed log-ins stay.

    There is no NO (3): what cannot be reset ends the connection.
    """
    session.policy.log.info(
        "unauthenticate: user={user!r} from {peer}", user=session.user, peer=session.peer.address
    )
    try:
        await session.log_out()
    except Exception:
        session.policy.log.failure("logging out failed")
        session.peer.bye("Logging out failed")
    return Outcome("You are nobody now", after=session.peer.start_over)


FEATURE = Feature(
    name="UNAUTHENTICATE",
    rfc=8437,
    summary="the same connection for another user",
    capabilities=(Capability("UNAUTHENTICATE", When.AFTER_LOGIN),),
    commands=(
        # No expunge is told (3).
        Command("UNAUTHENTICATE", LOGGED_IN, nothing, _unauthenticate, announces=False),
    ),
)
