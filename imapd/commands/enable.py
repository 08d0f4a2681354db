"""ENABLE: the client switches features on (RFC 9051, 6.3.1; RFC 5161)."""

from __future__ import annotations

from attrs import evolve

from imapd.dialect import Capability, Command, Enable, Feature
from imapd.model.states import State
from imapd.session.session import Session
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "REVISION_2"]


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
    known = {
        name.upper(): each.name
        for name, each in session.policy.dialect.enables.items()
        if each.available is None or each.available(session)
    }
    new = session.enable(*(known[name] for name in names if name in known))
    session.write(b" ".join([b"* ENABLED", *(name.encode("ascii") for name in new)]) + b"\r\n")


def _rev2(session: Session) -> None:
    r"""RFC 9051, appendix E: names and strings are UTF-8, and there is no \Recent."""
    session.utf8 = True
    session.announce = evolve(session.announce, recent=False, closed=True)


FEATURE = Feature(
    name="ENABLE",
    rfc=5161,
    summary="features that change what the server sends, on the client's word",
    capabilities=(Capability("ENABLE"),),
    # RFC 5161, 3.1 allows it before anything is selected; clients send it later too.
    commands=(Command("ENABLE", State.AUTHENTICATED | State.SELECTED, _names, _enable),),
)

REVISION_2 = Feature(
    name="IMAP4rev2",
    rfc=9051,
    summary="the base protocol's second revision, for who enables it",
    capabilities=(Capability("IMAP4rev2"),),
    # RFC 9051, appendix E: extensions that are part of it.
    needs=(
        "ENABLE", "NAMESPACE", "UNSELECT", "UIDPLUS", "ESEARCH", "SEARCHRES", "IDLE", "LIST-EXTENDED",
        "LIST-STATUS", "CHILDREN", "SPECIAL-USE", "MOVE", "LITERAL+", "BINARY", "STATUS=SIZE",
    ),
    enables=(Enable("IMAP4rev2", installs=_rev2),),
)  # fmt: skip
