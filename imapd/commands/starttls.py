"""STARTTLS (RFC 9051, 6.2.1)."""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, When, nothing
from imapd.model.states import State
from imapd.session.outcome import BadCommand, Outcome
from imapd.session.session import Session

__all__ = ["FEATURE"]


def _starttls(session: Session, _: None) -> Outcome:
    if not session.peer.can_start_tls():
        raise BadCommand("TLS is on already" if session.peer.secure else "There is no TLS here")
    return Outcome("Begin the TLS handshake", after=session.peer.start_tls)


FEATURE = Feature(
    name="STARTTLS",
    rfc=9051,
    summary="TLS on the cleartext port",
    capabilities=(
        Capability("STARTTLS", When.BEFORE_LOGIN, lambda session: session.peer.can_start_tls()),
    ),
    commands=(Command("STARTTLS", State.NOT_AUTHENTICATED, nothing, _starttls),),
)
