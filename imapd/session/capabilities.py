"""What is advertised just now: features x configuration x what the account provides."""

from __future__ import annotations

from imapd.dialect import Capability, When
from imapd.model.states import State
from imapd.session.session import Session

__all__ = ["capabilities", "may_log_in"]


def capabilities(session: Session) -> bytes:
    """The names for CAPABILITY, separated by spaces (RFC 9051, 7.2.2)."""
    before = session.state is State.NOT_AUTHENTICATED
    names: list[str] = []
    for feature in session.policy.dialect.features:
        if (
            before
            or feature.requires is None
            or feature.requires(session.account, None) is not None
        ):
            names += [
                each.name if each.value is None else f"{each.name}={each.value(session)}"
                for each in feature.capabilities
                if _holds(each, session, before)
            ]
    if before:
        names += [
            f"AUTH={mechanism.name}"
            for mechanism in session.policy.mechanisms.values()
            if may_log_in(session) or not mechanism.plaintext
        ]
    return " ".join(names).encode("ascii")


def _holds(capability: Capability, session: Session, before: bool) -> bool:
    if capability.when is When.BEFORE_LOGIN and not before:
        return False
    if capability.when is When.AFTER_LOGIN and before:
        return False
    return capability.available is None or capability.available(session)


def may_log_in(session: Session) -> bool:
    """A password may be sent in the clear here: under TLS, on this machine, or by configuration."""
    return session.peer.secure or session.peer.local or session.policy.plaintext_login
