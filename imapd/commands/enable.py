"""ENABLE: the client switches features on (RFC 9051, 6.3.1; RFC 5161)."""

from __future__ import annotations

from imapd.dialect import Capability, Command, Enable, Feature
from imapd.model.states import State
from imapd.session.session import Session
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]


def _names(cursor: Cursor) -> list[bytes]:
    names = []
    while not cursor.at_end():
        cursor.space()
        names.append(cursor.atom().upper())
    if not names:
        raise cursor.bad("a capability")
    return names


def _enable(session: Session, names: list[bytes]) -> None:
    """Unknown names are passed over: mutt sends UTF8=ACCEPT to everybody."""
    known = session.policy.dialect.enables
    wanted: dict[str, None] = {}
    for name in names:
        for upper, enable in known.items():
            if upper.upper() == name:
                wanted.update(dict.fromkeys((enable.name, *enable.implies)))
    new = [name for name in wanted if name not in session.enabled]
    session.enable(frozenset(new))
    session.write(b" ".join([b"* ENABLED", *(name.encode("ascii") for name in new)]) + b"\r\n")


FEATURE = Feature(
    name="ENABLE",
    rfc=5161,
    summary="features that change what the server sends, on the client's word",
    capabilities=(Capability("ENABLE"),),
    enables=(Enable("IMAP4rev2"),),
    # RFC 5161, 3.1 allows it before anything is selected; clients send it later too.
    commands=(Command("ENABLE", State.AUTHENTICATED | State.SELECTED, _names, _enable),),
)
