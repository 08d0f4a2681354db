"""Mailbox names and the directories of Maildir++ that hold them.

* ``a/b`` is the directory ``.a.b``, each level in modified UTF-7, as Dovecot and Courier
  write it; INBOX is the account's root, the empty string.
* A literal "." in a level is written ``&AC4-``.  Modified UTF-7 never writes a printable
  character so (RFC 3501, 5.1.3), so no other name can become that directory, and the
  way back is exact.
* Two names are never one directory: `directory_of` can be undone by `name_of`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from imapd.model.limits import Limits
from imapd.model.mailbox import DELIMITER, INBOX
from imapd.store.errors import BadMailboxName, NoSuchMailbox
from imapd.wire import mutf7

__all__ = ["check", "directory_of", "name_of", "sought", "superiors"]

_LIMITS: Final = Limits()
#: Controls, surrogates, line and paragraph separators (RFC 9051, 5.1; RFC 5198, 2).
_FORBIDDEN: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DOT: Final = "&AC4-"
#: Octets of one directory's name: where file systems end.
_LONGEST: Final = 255


def check(name: str) -> None:
    """Raises `BadMailboxName` for a name that no mailbox can have."""
    if len(name) > _LIMITS.mailbox_name:
        raise BadMailboxName("the name is too long")
    levels = name.split(DELIMITER)
    if not all(levels):
        raise BadMailboxName("a level of the name is empty")
    if any(unicodedata.category(character) in _FORBIDDEN for character in name):
        raise BadMailboxName("the name has control characters")
    if levels[0] != INBOX and _folded(levels[0]) == INBOX.casefold():
        raise BadMailboxName("the name looks like INBOX")
    if name != INBOX and len(directory_of(name)) > _LONGEST:
        raise BadMailboxName("the name is too long")


def sought(name: str) -> None:
    """Raises `NoSuchMailbox` for a name that no mailbox can have."""
    try:
        check(name)
    except BadMailboxName as error:
        raise NoSuchMailbox("there is no such mailbox") from error


def directory_of(name: str) -> str:
    """The directory below the account's root."""
    if name == INBOX:
        return ""
    return "".join("." + _written(level) for level in name.split(DELIMITER))


def name_of(directory: str) -> str | None:
    """The name of a directory; None if no mailbox of ours is called so."""
    if not directory:
        return INBOX
    if not directory.startswith("."):
        return None
    try:
        name = DELIMITER.join(_read(level) for level in directory[1:].split("."))
        check(name)
    except (ValueError, BadMailboxName):
        return None
    return name if directory_of(name) == directory and name != INBOX else None


def superiors(name: str) -> Iterator[str]:
    """``a`` and ``a/b`` for ``a/b/c``."""
    place = name.find(DELIMITER)
    while place != -1:
        yield name[:place]
        place = name.find(DELIMITER, place + 1)


def _written(level: str) -> str:
    return _DOT.join(mutf7.encode(piece).decode("ascii") for piece in level.split("."))


def _read(level: str) -> str:
    return ".".join(mutf7.decode(piece.encode("ascii")) for piece in level.split(_DOT))


def _folded(level: str) -> str:
    return unicodedata.normalize("NFKC", level).casefold()
