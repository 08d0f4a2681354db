"""CAPABILITY, NOOP, LOGOUT: good in every state (RFC 9051, 6.1)."""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, nothing
from imapd.model.states import ANY
from imapd.session.capabilities import capabilities
from imapd.session.outcome import Outcome
from imapd.session.session import Session

__all__ = ["FEATURE"]


def _capability(session: Session, _: None) -> None:
    session.write(b"* CAPABILITY %b\r\n" % capabilities(session))


def _noop(session: Session, _: None) -> None:
    view = session.view
    if view is not None:
        # A hint may have been lost: this is when the client asks.
        view.image.doubted = True


def _logout(session: Session, _: None) -> Outcome:
    session.write(session.status(b"BYE", b"", "Logging out"))
    return Outcome(after=session.peer.close)


FEATURE = Feature(
    name="IMAP4rev1",
    rfc=3501,
    summary="the base protocol",
    base=True,
    capabilities=(Capability("IMAP4rev1"),),
    commands=(
        Command("CAPABILITY", ANY, nothing, _capability),
        Command("NOOP", ANY, nothing, _noop, asks=True),
        Command("LOGOUT", ANY, nothing, _logout, announces=False),
    ),
)
