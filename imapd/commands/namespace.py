"""NAMESPACE: where the user's own mailboxes are, and those of others (RFC 2342; RFC 9051, 6.3.10)."""

from __future__ import annotations

from imapd.commands.any_state import nothing
from imapd.dialect import Capability, Command, Feature
from imapd.model.states import LOGGED_IN
from imapd.session.session import Session

__all__ = ["FEATURE"]


def _namespace(session: Session, _: None) -> None:
    session.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')


FEATURE = Feature(
    name="NAMESPACE",
    rfc=2342,
    summary="where the user's own mailboxes are",
    capabilities=(Capability("NAMESPACE"),),
    commands=(Command("NAMESPACE", LOGGED_IN, nothing, _namespace),),
)
