"""What the server that was here before kept beside the files, as values.

It is read where its own formats are known (`dovecot`, `courier`), and never written: the
files stay as they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from imapd.model.rights import Rights
from imapd.store.maildir.filename import FileName

__all__ = ["LARGEST_UID", "Predecessor", "lines_of", "number"]

LARGEST_UID: Final = 0xFFFF_FFFE
#: Octets of one of its files: some millions of messages.
_MOST: Final = 1 << 28


@frozen
class Predecessor:
    """One mailbox as another server told clients of it."""

    uidvalidity: int
    uidnext: int
    #: UIDs by the part of a file's name before its flags.
    uids: Mapping[str, int] = field(repr=False)
    #: What a small letter among a file's flags stands for.
    letters: Mapping[str, str]
    #: Keywords by the part of a file's name before its flags.
    keywords: Mapping[str, tuple[str, ...]] = field(factory=dict, repr=False)
    #: Who may do what; owner and administrators are not told.
    acl: Mapping[str, Rights] = field(factory=dict)
    #: It was this program, whose index was lost: the mailbox's id, and names of files have UIDs.
    id: str = ""

    def uid_of(self, name: str) -> int:
        """The UID that clients know a file by, by its whole name; 0 if they know none."""
        if self.id:
            named = FileName.parse(name).uid or 0
            if 0 < named < self.uidnext:
                return named
        return self.uids.get(name.partition(":")[0], 0)

    def flags_of(self, name: str) -> tuple[str, ...]:
        """The keywords of a file, by its whole name."""
        base, _, info = name.partition(":")
        lettered = (self.letters[each] for each in info[2:] if each in self.letters)
        return tuple(dict.fromkeys((*lettered, *self.keywords.get(base, ()))))


def lines_of(path: str) -> list[str] | None:
    """The lines of a file; None if there is no regular file of a sensible size.

    Octets that are no UTF-8 stay in surrogates, as file names have them.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST:
            return None
        return os.fsdecode(file.read()).split("\n")


def number(text: str, most: int) -> int | None:
    """A number above 0 and up to `most`."""
    if text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= most:
        return int(text)
    return None
