"""UIDONLY: a client that does without sequence numbers (RFC 9586).

That rows begin with UIDs and removals are told by VANISHED is the policy it installs;
that commands by number are refused, `session.dispatch` reads from their declaration.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from imapd.dialect import Capability, Enable, Feature
from imapd.session.session import Session

__all__ = ["FEATURE"]

NAME: Final = "UIDONLY"


def _installs(session: Session) -> None:
    session.announce = evolve(session.announce, by_uid=True, vanished=True)


FEATURE = Feature(
    name=NAME,
    rfc=9586,
    summary="a client that does without sequence numbers",
    capabilities=(Capability(NAME),),
    enables=(Enable(NAME, installs=_installs),),
)
