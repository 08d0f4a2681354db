"""UTF8=ONLY: a server for those who enable UTF8=ACCEPT, and nobody else (RFC 9755, 7).

By configuration, in place of UTF8=ACCEPT: ``capabilities.utf8_only``.
"""

from __future__ import annotations

from typing import Final

from imapd.dialect import Capability, Command, Enable, Feature, Upload
from imapd.extensions.utf8_accept import PARTS, enable
from imapd.model.states import State
from imapd.session.outcome import Refused
from imapd.session.session import Session

__all__ = ["FEATURE"]

#: What needs no UTF-8, of the commands that are for after log-in alone.
_FREE: Final = frozenset(("ENABLE", "COMPRESS", "UNAUTHENTICATE"))


def _guard(session: Session, command: Command | Upload) -> None:
    if (
        "UTF8=ACCEPT" not in session.enabled
        and State.NOT_AUTHENTICATED not in command.states
        and command.name not in _FREE
    ):
        raise Refused("CANNOT", "This server is for clients that ENABLE UTF8=ACCEPT")


FEATURE = Feature(
    name="UTF8=ONLY",
    rfc=9755,
    summary="UTF8=ACCEPT, and nothing else",
    capabilities=(Capability("UTF8=ONLY"),),
    needs=("ENABLE",),
    enables=(Enable("UTF8=ACCEPT", installs=enable),),
    append_parts=PARTS,
    guards=_guard,
)
