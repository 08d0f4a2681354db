r"""ACL and RIGHTS=: who may do what with a mailbox (RFC 4314), also in LIST (RFC 8440).

That rights hold is the affair of the account (`imapd.sharing`): here they are told and changed.

Where the RFCs leave a choice:

* An identifier is shown as it is kept, in the form of SASLprep; by LISTRIGHTS as it was sent.
* Nothing of it is there for users whose account knows no others.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from imapd.dialect import Capability, Command, Feature, ListReturn, When
from imapd.model.mailbox import MailboxInfo
from imapd.model.rights import NO_RIGHTS, Rights, RightsChange, letters, prepared
from imapd.model.rights import rights as rights_of
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import BadCommand
from imapd.session.session import Session
from imapd.store.access import IAccess
from imapd.store.answers import settled
from imapd.wire import encode, grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "LIST_MYRIGHTS"]

NAME: Final = "ACL"


# The grammar.


@frozen
class _Identifier:
    """As it was sent, and as it is kept."""

    sent: bytes
    kept: str


@frozen
class _SetACL:
    name: str
    identifier: _Identifier
    change: RightsChange
    rights: Rights


def _mailbox(cursor: Cursor) -> str:
    """``SP mailbox``."""
    cursor.space()
    return grammar.mailbox(cursor)


def _identifier(cursor: Cursor) -> _Identifier:
    """``identifier = astring``, in UTF-8."""
    cursor.space()
    sent = cursor.astring()
    try:
        return _Identifier(sent, prepared(sent.decode("utf-8")))
    except ValueError:
        raise BadSyntax("nobody can be called so") from None


def _on_identifier(cursor: Cursor) -> tuple[str, _Identifier]:
    """``SP mailbox SP identifier``."""
    return _mailbox(cursor), _identifier(cursor)


def _set_arguments(cursor: Cursor) -> _SetACL:
    """``setacl = "SETACL" SP mailbox SP identifier SP mod-rights``."""
    name, identifier = _on_identifier(cursor)
    cursor.space()
    try:
        text = cursor.astring().decode("ascii")
        change = RightsChange(text[:1] if text[:1] in ("+", "-") else "")
        return _SetACL(name, identifier, change, rights_of(text.removeprefix(change.value)))
    except UnicodeDecodeError:
        raise BadSyntax("rights are letters") from None
    except ValueError as error:
        raise BadSyntax(str(error)) from None


# What is done.


def _access(session: Session) -> IAccess:
    access: IAccess | None = IAccess(session.account, None)
    if access is None:
        raise BadCommand("There is no such command")
    return access


async def _setacl(session: Session, asked: _SetACL) -> None:
    await settled(
        _access(session).change_acl(asked.name, asked.identifier.kept, asked.change, asked.rights)
    )


async def _deleteacl(session: Session, asked: tuple[str, _Identifier]) -> None:
    name, identifier = asked
    change = _access(session).change_acl(name, identifier.kept, RightsChange.REPLACE, NO_RIGHTS)
    await settled(change)


async def _getacl(session: Session, name: str) -> None:
    """``acl-data = "ACL" SP mailbox *(SP identifier SP rights)``."""
    found = await settled(_access(session).acl(name))
    session.write(
        b"* ACL %b%b\r\n"
        % (
            session.mailbox_name(name),
            b"".join(
                b" %b %b" % (_astring(session, identifier.encode("utf-8")), _written(rights))
                for identifier, rights in found
            ),
        )
    )


async def _listrights(session: Session, asked: tuple[str, _Identifier]) -> None:
    """``listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)``."""
    name, identifier = asked
    always, optional = await settled(_access(session).grantable(name, identifier.kept))
    session.write(
        b"* LISTRIGHTS %b %b %b%b\r\n"
        % (
            session.mailbox_name(name),
            _astring(session, identifier.sent),
            _written(always),
            b"".join(b" %b" % each.encode("ascii") for each in letters(optional)),
        )
    )


async def _myrights(session: Session, name: str) -> None:
    session.write(await _response(session, name, _access(session)))


async def _in_list(session: Session, info: MailboxInfo, _: None) -> bytes:
    """RFC 8440, 3: what cannot be told is left out."""
    access: IAccess | None = IAccess(session.account, None)
    if access is None or not info.selectable:
        return b""
    return await _response(session, info.name, access)


async def _response(session: Session, name: str, access: IAccess) -> bytes:
    """``myrights-data = "MYRIGHTS" SP mailbox SP rights``."""
    rights = await settled(access.rights(name))
    return b"* MYRIGHTS %b %b\r\n" % (session.mailbox_name(name), _written(rights))


def _written(rights: Rights) -> bytes:
    """``rights``."""
    return letters(rights).encode("ascii") or b'""'


def _astring(session: Session, octets: bytes) -> bytes:
    """``identifier``; in UTF-8, which needs a literal for who has not enabled it."""
    return octets if octets.isalnum() else encode.string(octets, session.utf8)


FEATURE = Feature(
    name=NAME,
    rfc=4314,
    summary="who may do what with a mailbox, and mailboxes of others",
    capabilities=(Capability(NAME, When.AFTER_LOGIN), Capability("RIGHTS=texkn", When.AFTER_LOGIN)),
    requires=IAccess,
    commands=(
        Command("SETACL", LOGGED_IN, _set_arguments, _setacl),
        Command("DELETEACL", LOGGED_IN, _on_identifier, _deleteacl),
        Command("GETACL", LOGGED_IN, _mailbox, _getacl),
        Command("LISTRIGHTS", LOGGED_IN, _on_identifier, _listrights),
        Command("MYRIGHTS", LOGGED_IN, _mailbox, _myrights),
    ),
)

LIST_MYRIGHTS = Feature(
    name="LIST-MYRIGHTS",
    rfc=8440,
    summary="what one may do with many mailboxes, in one LIST",
    capabilities=(Capability("LIST-MYRIGHTS", When.AFTER_LOGIN),),
    needs=(NAME,),
    requires=IAccess,
    list_returns=(ListReturn("MYRIGHTS", responses=_in_list),),
)
