"""A file beside a mailbox's messages that says, should the index be lost, who the mailbox was.

It has UIDVALIDITY, the mailbox's id, and a UID that none given out is above: the *ceiling*,
raised a good piece at a time, before UIDs beyond it are given.  So an index that is made
again keeps UIDVALIDITY and never gives out a UID a second time, however many messages were
expunged.
"""

from __future__ import annotations

import os
import re
from typing import Final

from attrs import frozen

from imapd.store.maildir.filename import fresh
from imapd.store.maildir.predecessor import LARGEST_UID, lines_of, number
from imapd.store.maildir.tree import Tree, synced

__all__ = ["FILE", "Ceiling", "read", "write"]

#: Its name, in the mailbox's directory.
FILE: Final = "imapd-mailbox"
#: UIDs that may be given out before it is raised again.
_AHEAD: Final = 1_000
_LINE: Final = re.compile(r"1 V(\d+) C(\d+) I([0-9A-Za-z]{1,64})")


@frozen
class Ceiling:
    """What the file says."""

    uidvalidity: int
    ceiling: int
    id: str

    @classmethod
    def above(cls, uidnext: int, uidvalidity: int, id: str) -> Ceiling:
        """One that is not reached soon."""
        return cls(uidvalidity, min(uidnext + _AHEAD, LARGEST_UID), id)


def read(folder: str) -> Ceiling | None:
    """What the file in a mailbox's directory says; None if it says nothing."""
    lines = lines_of(f"{folder}/{FILE}") or [""]
    match = _LINE.fullmatch(lines[0])
    if match is None:
        return None
    uidvalidity, ceiling = number(match[1], 0xFFFF_FFFF), number(match[2], LARGEST_UID)
    if uidvalidity is None or ceiling is None:
        return None
    return Ceiling(uidvalidity, ceiling, match[3])


def write(tree: Tree, directory: str, said: Ceiling) -> None:
    """Say it; it is on the disk then."""
    draft = tree.draft(fresh())
    line = f"1 V{said.uidvalidity} C{said.ceiling} I{said.id}\n"
    folder = tree.folder(directory)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o600)
    try:
        try:
            os.write(descriptor, line.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        tree.own(directory)
        os.rename(draft, f"{folder}/{FILE}")
    except BaseException:
        os.unlink(draft)
        raise
    synced(folder)
