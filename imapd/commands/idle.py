"""IDLE: the server speaks first (RFC 2177; RFC 9051, 6.3.13)."""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, nothing
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import BadCommand, Outcome
from imapd.session.session import Session

__all__ = ["FEATURE"]


async def _idle(session: Session, _: None) -> Outcome:
    session.write(b"+ idling\r\n")
    line = await session.peer.idle()
    if line.strip().upper() != b"DONE":
        raise BadCommand("IDLE ends with DONE")
    return Outcome("IDLE ended")


FEATURE = Feature(
    name="IDLE",
    rfc=2177,
    summary="changes are told as they happen",
    capabilities=(Capability("IDLE"),),
    commands=(Command("IDLE", LOGGED_IN, nothing, _idle),),
)
