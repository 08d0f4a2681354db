"""What is advertised just now: features x configuration x what the account provides."""

from __future__ import annotations

from imapd.model.states import State
from imapd.session.session import Session

__all__ = ["capabilities", "may_log_in"]


def capabilities(session: Session) -> bytes:
    """The names for CAPABILITY, separated by spaces (RFC 9051, 7.2.2)."""
    before = session.state is State.NOT_AUTHENTICATED
    dialect = session.policy.dialect
    names: list[str] = []
    for each in dialect.advertised_before if before else dialect.advertised_after:
        if isinstance(each, str):
            names.append(each)
            continue
        feature, capability = each
        if (
            before
            or feature.requires is None
            or feature.requires(session.account, None) is not None
        ) and (capability.available is None or capability.available(session)):
            value = "" if capability.value is None else f"={capability.value(session)}"
            names.append(capability.name + value)
    if before:
        names += [
            f"AUTH={mechanism.name}"
            for mechanism in session.policy.mechanisms.values()
            if may_log_in(session) or not mechanism.plaintext
        ]
    return " ".join(names).encode("ascii")


def may_log_in(session: Session) -> bool:
    """A password may be sent in the clear here: under TLS, on this machine, or by configuration."""
    return session.peer.secure or session.peer.local or session.policy.plaintext_login
