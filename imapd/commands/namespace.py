"""NAMESPACE: where the user's own mailboxes are, and those of others (RFC 2342; RFC 9051, 6.3.10)."""

from __future__ import annotations

from collections.abc import Sequence

from imapd.dialect import Capability, Command, Feature, nothing
from imapd.model.mailbox import DELIMITER
from imapd.model.states import LOGGED_IN
from imapd.session.session import Session
from imapd.store.access import INamespaces
from imapd.wire import encode, mutf7

__all__ = ["FEATURE"]


def _namespace(session: Session, _: None) -> None:
    found = INamespaces(session.account, None)
    others, shared = ((), ()) if found is None else (found.others, found.shared)
    session.write(
        b'* NAMESPACE (("" "/")) %b %b\r\n'
        % (_prefixes(session, others), _prefixes(session, shared))
    )


def _prefixes(session: Session, prefixes: Sequence[str]) -> bytes:
    """``namespace``."""
    if not prefixes:
        return b"NIL"
    return b"(%b)" % b"".join(
        b'(%b "/"%b)' % (_name(session, prefix), _translation(session, prefix))
        for prefix in prefixes
    )


def _name(session: Session, prefix: str) -> bytes:
    octets = prefix.encode("utf-8") if session.utf8 else mutf7.encode(prefix)
    return encode.string(octets, session.utf8)


def _translation(session: Session, prefix: str) -> bytes:
    """``namespace-trans``, for who chose a language that has a word for it (RFC 5255, 3.4)."""
    name = prefix.rstrip(DELIMITER)
    said = name if session.translate is None else session.translate(name)
    if said == name:
        return b""
    return b' "TRANSLATION" (%b)' % _name(session, said + prefix[len(name) :])


FEATURE = Feature(
    name="NAMESPACE",
    rfc=2342,
    summary="where the user's own mailboxes are, and those of others",
    capabilities=(Capability("NAMESPACE"),),
    commands=(Command("NAMESPACE", LOGGED_IN, nothing, _namespace),),
)
