"""UTF8=ACCEPT: names, strings and headers in UTF-8 (RFC 9755, which obsoletes RFC 6855).

RFC 9755, 4 has messages with 8-bit header fields refused from who did not enable it.  That
is `STRICT`, by configuration (``capabilities.utf8_strict``): decades of mail have such header
fields, and mbsync, OfflineIMAP or IMAPClient, which enable nothing, could not bring it in
(``docs/decisions/8-bit-headers.rst``).  ``APPEND ... UTF8 (~{n}``, of RFC 6855 and gone in RFC 9755, is
still sent by clients and means the same as the message alone.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from imapd.commands.append import Letter
from imapd.dialect import AppendPart, Capability, Enable, Feature
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.interfaces import NewMessage

__all__ = ["FEATURE", "PARTS", "STRICT", "enable"]


def enable(session: Session) -> None:
    """Names and quoted strings are UTF-8 from now on (3)."""
    session.utf8 = True


async def _receive(letter: Letter) -> None:
    """``append-data =/ "UTF8" SP "(" literal8 ")"`` (RFC 6855, 4)."""
    cursor = letter.incoming.cursor
    cursor.space()
    cursor.expect(b"(")
    literal = letter.incoming.literal
    if literal is None or not literal.binary:
        raise cursor.bad("a literal8")
    binary = letter.session.policy.dialect.append_parts.get(b"~")
    await (letter.literal() if binary is None else binary.receive(letter))
    letter.incoming.cursor.expect(b")")


def _header_is_for(session: Session, message: NewMessage) -> None:
    """As `Feature.receives`: who has not enabled UTF-8 may not write it into headers (4)."""
    if not session.utf8 and not message.facts.header.isascii():
        raise Refused("", "Header fields with 8-bit octets are for who enabled UTF8=ACCEPT")


PARTS: Final = (AppendPart("UTF8", _receive),)

FEATURE = Feature(
    name="UTF8=ACCEPT",
    rfc=9755,
    summary="mailbox names, strings and headers in UTF-8, for who enables it",
    capabilities=(Capability("UTF8=ACCEPT"),),
    needs=("ENABLE",),
    enables=(Enable("UTF8=ACCEPT", installs=enable),),
    append_parts=PARTS,
)

STRICT: Final = evolve(FEATURE, receives=_header_is_for)
