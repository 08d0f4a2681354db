"""How a command ends: its tagged response, made from a value, a refusal or a fault.

Three families decide the answer.  `BadSyntax` is BAD; `Refused` and the facts of a
store are NO with a code from the table below; anything else is our own fault, NO
[SERVERBUG], for the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import field, frozen

from imapd.store import errors
from imapd.wire.cursor import BadSyntax

__all__ = ["BadCommand", "Outcome", "Refused", "of_exception"]


@frozen
class Outcome:
    """A tagged OK: `code` is the inside of its brackets, octets as they are sent."""

    text: str = ""
    code: bytes = b""
    #: Done when the answer is on its way (STARTTLS, LOGOUT).
    after: Callable[[], None] | None = None


class Refused(Exception):
    """A tagged NO that the command decided on (RFC 9051, 7.1.2)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class BadCommand(BadSyntax):
    """A tagged BAD that is not about grammar: the command is not for now (RFC 9051, 7.1.3)."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


#: RFC 5530, 3, RFC 9051, 7.1, RFC 9208, 5.3, RFC 3516, 4.4 and RFC 5464, 4.3.
_CODES: Final[dict[type[errors.StoreError], str]] = {
    errors.NoSuchMailbox: "NONEXISTENT",
    errors.NotSelectable: "NONEXISTENT",
    errors.MailboxExists: "ALREADYEXISTS",
    errors.HasChildren: "HASCHILDREN",
    errors.BadMailboxName: "CANNOT",
    errors.NoPermission: "NOPERM",
    errors.OverQuota: "OVERQUOTA",
    errors.TooBig: "TOOBIG",
    errors.TooManyEntries: "METADATA TOOMANY",
    errors.MessageGone: "EXPUNGEISSUED",
    errors.CannotKeepBinary: "UNKNOWN-CTE",
    errors.Inconvenient: "INUSE",
    errors.StoreUnavailable: "UNAVAILABLE",
}

_TEXTS: Final[dict[type[errors.StoreError], str]] = {
    errors.NoSuchMailbox: "No such mailbox",
    errors.NotSelectable: "The mailbox cannot be selected",
    errors.MailboxExists: "The mailbox exists already",
    errors.HasChildren: "The mailbox has children",
    errors.BadMailboxName: "No mailbox can have that name",
    errors.NoPermission: "Permission denied",
    errors.OverQuota: "Over quota",
    errors.TooBig: "The message is too large",
    errors.TooManyEntries: "Too many annotations",
    errors.CannotKeepBinary: "The mailbox cannot keep binary content",
    errors.MessageGone: "Some of the messages no longer exist",
    errors.Inconvenient: "The mailbox is in use, try again",
    errors.StoreUnavailable: "The store is unavailable, try again",
}


@frozen
class Failure:
    """A tagged NO or BAD; `fault` when it is ours and belongs in the log."""

    word: bytes
    code: str
    text: str
    fault: bool = field(default=False)


def of_exception(error: Exception) -> Failure:
    """What to answer when a command raised `error`."""
    if isinstance(error, BadSyntax):
        said = error.code if isinstance(error, BadCommand) else ""
        return Failure(b"BAD", said, str(error) or "Bad command")
    if isinstance(error, Refused):
        return Failure(b"NO", error.code, error.text)
    if isinstance(error, errors.StoreError):
        for fact in type(error).__mro__:
            code = _CODES.get(fact)
            if code is not None:
                return Failure(b"NO", code, str(error) or _TEXTS[fact])
    return Failure(b"NO", "SERVERBUG", "Internal server error", fault=True)
