r"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051, 6.3.4 to 6.3.8; RFC 6154, 3).

Where the RFCs leave a choice:

* A delimiter at the end of a name that is made or (un)subscribed is dropped.
* A name that a client of IMAP4rev2 makes is brought into NFC, and the client told so by
  OLDNAME (RFC 9051, 6.3.4).  Clients of IMAP4rev1 know no such answer: theirs stay as sent.
* Who deletes the mailbox it has selected is in the authenticated state then, and told so
  by CLOSED (RFC 9051, 3.3); clients that do not know that code pass it over.
* A name need not exist to be subscribed (RFC 9051, 6.3.7 allows both).
* \All and \Flagged are views of other mailboxes (RFC 6154, 2): no mailbox is made for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from imapd.dialect import Capability, Command, CreateParameter, Feature
from imapd.model.mailbox import DELIMITER, INBOX, SPECIAL_USES
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["CREATE_SPECIAL_USE", "FEATURE"]

#: RFC 6154, 2: these present messages that are in other mailboxes.
_VIRTUAL: Final = frozenset(("\\All", "\\Flagged"))
_USES: Final = {use.lower(): use for use in SPECIAL_USES if use not in _VIRTUAL}

_USE_ATTR: Final = re.compile(rb'\\[^\x00-\x20\x7f-\xff(){%*"\\\]]+')

_Parameters = Sequence[tuple[CreateParameter, Any]]


# The grammar.


def _mailbox(cursor: Cursor) -> str:
    cursor.space()
    return grammar.mailbox(cursor)


def _level(cursor: Cursor) -> str:
    """``mailbox``, with or without a delimiter behind it (RFC 9051, 6.3.4)."""
    return _mailbox(cursor).removesuffix(DELIMITER)


def _create_arguments(cursor: Cursor) -> tuple[str, _Parameters]:
    """``create = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]`` (RFC 4466)."""
    name = _level(cursor)
    if not cursor.at_end():
        cursor.space()
    if cursor.at_end():
        return name, ()
    return name, cursor.listed(_parameter)


def _parameter(cursor: Cursor) -> tuple[CreateParameter, Any]:
    found: CreateParameter | None = cursor.vocabulary.create_parameters.get(cursor.word())
    if found is None:
        raise BadSyntax("CREATE has no such parameter")
    return found, found.grammar(cursor)


def _use(cursor: Cursor) -> Sequence[str]:
    """``"USE" SP "(" [use-attr *(SP use-attr)] ")"``."""
    cursor.space()
    return cursor.listed(lambda at: at.take(_USE_ATTR, "a special use").decode("ascii"), empty=True)


def _rename_arguments(cursor: Cursor) -> tuple[str, str]:
    """``rename = "RENAME" SP mailbox SP mailbox``."""
    return _mailbox(cursor), _level(cursor)


# What is done.


async def _create(session: Session, arguments: tuple[str, _Parameters]) -> Outcome:
    sent, parameters = arguments
    name = _to_be_made(session, sent)
    keywords: dict[str, Any] = {}
    for parameter, argument in parameters:
        keywords.update(parameter.keywords(session, argument))
    info = await settled(session.account.create(name, **keywords))
    if name != sent:
        _tell_old_name(session, sent, name)
    codes = (creates(session, info) for creates in session.policy.dialect.creates)
    return Outcome(code=next(filter(None, codes), b""))


def _uses(session: Session, names: Sequence[str]) -> Mapping[str, Any]:
    """For `IAccount.create`; `Refused` when one of them cannot be had (RFC 6154, 3)."""
    unknown = [name for name in names if name.lower() not in _USES]
    if unknown:
        raise Refused("USEATTR", f"{unknown[0]} is not supported")
    return {"special_use": frozenset(_USES[name.lower()] for name in names)}


async def _delete(session: Session, name: str) -> None:
    await settled(session.account.delete(name))
    view = session.view
    if view is not None:
        try:
            await settled(view.mailbox.status())
        except NoSuchMailbox:
            session.deselect()
            session.write(session.status(b"OK", b"CLOSED", "The selected mailbox was deleted"))


async def _rename(session: Session, arguments: tuple[str, str]) -> None:
    old, sent = arguments
    new = _to_be_made(session, sent)
    await settled(session.account.rename(old, new))
    view = session.view
    # INBOX and what is below it stay where they are.
    if view is not None and old != INBOX and _is_within(view.name, old):
        view.name = new + view.name[len(old) :]
    if new != sent:
        _tell_old_name(session, old, new)


def _is_within(name: str, top: str) -> bool:
    return name == top or name.startswith(top + DELIMITER)


async def _subscribe(session: Session, name: str) -> None:
    _nameable(name)
    await settled(session.account.subscribe(name, True))


async def _unsubscribe(session: Session, name: str) -> None:
    await settled(session.account.subscribe(name, False))


def _nameable(name: str) -> None:
    if name.startswith(grammar.UNDECODABLE):
        raise Refused("CANNOT", "The name is not in the encoding of mailbox names")


def _to_be_made(session: Session, name: str) -> str:
    """The name that a new mailbox gets (RFC 9051, 5.1)."""
    _nameable(name)
    if not session.utf8 or len(name) > session.policy.limits.mailbox_name:
        # What is too long is refused as it is.
        return name
    return unicodedata.normalize("NFC", name)


def _tell_old_name(session: Session, old: str, new: str) -> None:
    """RFC 9051, 6.3.9.7."""
    names = session.mailbox_name(new), session.mailbox_name(old)
    session.write(b'* LIST () "/" %b ("OLDNAME" (%b))\r\n' % names)


FEATURE = Feature(
    name="CREATE to UNSUBSCRIBE",
    rfc=9051,
    summary="making, removing, renaming and subscribing mailboxes",
    commands=(
        Command("CREATE", LOGGED_IN, _create_arguments, _create),
        Command("DELETE", LOGGED_IN, _mailbox, _delete),
        Command("RENAME", LOGGED_IN, _rename_arguments, _rename),
        Command("SUBSCRIBE", LOGGED_IN, _level, _subscribe),
        Command("UNSUBSCRIBE", LOGGED_IN, _level, _unsubscribe),
    ),
)

CREATE_SPECIAL_USE = Feature(
    name="CREATE-SPECIAL-USE",
    rfc=6154,
    summary="CREATE says what a mailbox is for",
    capabilities=(Capability("CREATE-SPECIAL-USE"),),
    create_parameters=(CreateParameter("USE", _use, _uses),),
)
