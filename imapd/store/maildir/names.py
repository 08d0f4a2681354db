"""Mailbox names and the directories that hold them.

* In Maildir++ ``a/b`` is the directory ``.a.b``, each level in modified UTF-7, as Dovecot and
  Courier write it; INBOX is the account's root, the empty string.
* In Dovecot's layout ``fs`` it is the directory ``a/b``.
* What a level cannot have there is written as ``&AC4-`` is, a dot: modified UTF-7 never writes a
  printable character so (RFC 3501, 5.1.3), so no other name can become that directory, and
  the way back is exact.
* Two names are never one directory: `directory_of` can be undone by `name_of`.
* Newer versions of Courier write names in UTF-8: these are read, and never written.
"""

from __future__ import annotations

import re
import unicodedata
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from imapd.model.limits import Limits
from imapd.model.mailbox import DELIMITER, INBOX
from imapd.store.errors import BadMailboxName, NoSuchMailbox
from imapd.wire import mutf7

__all__ = [
    "PARTS",
    "RESERVED",
    "check",
    "directory_of",
    "name_of",
    "name_of_levels",
    "sought",
    "superiors",
]

#: Of every mailbox's directory.
PARTS: Final = ("cur", "new", "tmp")

_LIMITS: Final = Limits()
#: Controls, surrogates, line and paragraph separators (RFC 9051, 5.1; RFC 5198, 2).
_FORBIDDEN: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DOT: Final = "&AC4-"
#: What a level cannot be called in the layout ``fs``: parts of a mailbox, and the index.
RESERVED: Final = frozenset((*PARTS, "imapd"))
#: The first letters of these, as they are written then.
_ESCAPED: Final = re.compile("&(AGM|AG4|AHQ|AGk)-")
#: Octets of one directory's name: where file systems end.
_LONGEST: Final = 255


@lru_cache(maxsize=4096)
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


def directory_of(name: str, fs: bool = False) -> str:
    """The directory below the account's root; with `fs`, in that layout."""
    if name == INBOX:
        return ""
    levels = name.split(DELIMITER)
    if fs:
        return "/".join(map(_written_fs, levels))
    return "".join("." + _written(level) for level in levels)


def name_of(directory: str) -> str | None:
    """The name of a directory; None if no mailbox of ours is called so."""
    if not directory:
        return INBOX
    fs = not directory.startswith(".")
    levels = directory.split("/") if fs else directory[1:].split(".")
    try:
        name = name_of_levels(levels)
        check(name)
    except (ValueError, BadMailboxName):
        return None
    if name == INBOX:
        return None
    return name if not directory.isascii() or directory_of(name, fs) == directory else None


def name_of_levels(levels: Sequence[str]) -> str:
    """The name whose levels a directory, or a list of subscriptions, has so.

    Raises ValueError for what is neither modified UTF-7 nor, with other characters, UTF-8.
    """
    return DELIMITER.join(level if not level.isascii() else _read(level) for level in levels)


def superiors(name: str) -> Iterator[str]:
    """``a`` and ``a/b`` for ``a/b/c``."""
    place = name.find(DELIMITER)
    while place != -1:
        yield name[:place]
        place = name.find(DELIMITER, place + 1)


def _written(level: str) -> str:
    return _DOT.join(mutf7.encode(piece).decode("ascii") for piece in level.split("."))


def _written_fs(level: str) -> str:
    """A name that is no part of a mailbox's directory, and does not hide."""
    if level in RESERVED or level.startswith("."):
        octets = b2a_base64(level[0].encode("utf-16-be"), newline=False).rstrip(b"=")
        return f"&{octets.decode('ascii')}-" + mutf7.encode(level[1:]).decode("ascii")
    return mutf7.encode(level).decode("ascii")


def _read(level: str) -> str:
    match = _ESCAPED.match(level)
    if match is not None:
        reserved = a2b_base64(match[1] + "=").decode("utf-16-be") + level[match.end() :]
        if reserved in RESERVED:
            return reserved
    return ".".join(mutf7.decode(piece.encode("ascii")) for piece in level.split(_DOT))


def _folded(level: str) -> str:
    return unicodedata.normalize("NFKC", level).casefold()
