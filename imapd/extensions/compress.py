"""COMPRESS=DEFLATE: less to send, over slow lines (RFC 4978).

The compression itself is `imapd.wire.deflate`, its place `imapd.server.imap`: below TLS,
above everything else.  With secrets and what an attacker chose in one window, lengths tell
of the secrets (RFC 3749, 6); passwords go before COMPRESS, which is for after log-in.
"""

from __future__ import annotations

from imapd.dialect import Capability, Command, Feature, When
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]


def _algorithm(cursor: Cursor) -> None:
    """``algorithm = "DEFLATE"``."""
    cursor.space()
    if cursor.atom().upper() != b"DEFLATE":
        raise BadSyntax("the one algorithm is DEFLATE")


def _compress(session: Session, _: None) -> Outcome:
    if session.peer.compressed:
        raise Refused("COMPRESSIONACTIVE", "DEFLATE is active already")
    return Outcome("DEFLATE active", after=session.peer.compress)


FEATURE = Feature(
    name="COMPRESS",
    rfc=4978,
    summary="what is sent is compressed, in both directions",
    capabilities=(Capability("COMPRESS=DEFLATE", When.AFTER_LOGIN),),
    # What changed is told before it, in the clear.
    commands=(Command("COMPRESS", LOGGED_IN, _algorithm, _compress),),
)
