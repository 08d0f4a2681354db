"""Names of message files: ``<unique>,S=<size>,W=<size>,U=<uid>:2,<letters>``.

S is the size of the file, W that of the message with CRLF (Maildir++), U the UID, which
we add so that an index can be made again from the tree.  The unique part of a file never
changes; what follows it may.  Fields and letters we do not know are kept.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from functools import lru_cache
from itertools import count
from typing import Final

from attrs import evolve, field, frozen

__all__ = [
    "LETTERS", "FileName", "copied", "fresh", "plain", "relettered", "renumbered", "safe", "sizes",
]  # fmt: skip

#: The letters with a meaning here, in the order in which they are written.
LETTERS: Final = "DFPRST"
_INFO: Final = ":2,"
_LONGEST: Final = 200
#: A name that we gave: its unique part, sizes and letters.
_OURS: Final = re.compile(r"([^,:]*)(,S=[0-9]+,W=[0-9]+),U=[0-9]+:2,([A-Za-z]*)")
#: A name that has sizes at most, and its letters; the sizes of any name that has both.
_PLAIN: Final = re.compile(r"[^,:]*(?:,S=[0-9]+)?(?:,W=[0-9]+)?:2,([A-Za-z]*)")
_SIZES: Final = re.compile(r"[^,:]*,S=([0-9]{1,18}),W=([0-9]{1,18})[,:]")
_HOST: Final = (
    socket.gethostname().replace("/", "\\057").replace(":", "\\072").replace(",", "_")[:60]
)
_delivered: Final = count()


@lru_cache(maxsize=1)
def _process(pid: int) -> str:
    return f"P{pid}R{secrets.token_hex(8)}"


@frozen
class FileName:
    """A name, taken apart."""

    unique: str
    size: int | None = None
    wire_size: int | None = None
    uid: int | None = None
    letters: str = ""
    #: Fields of other programs, each with its comma.
    others: str = field(default="", repr=False)

    @classmethod
    def parse(cls, name: str) -> FileName:
        """Any name is one: what is not understood stays in the unique part."""
        base, _, info = name.partition(":")
        letters = info[2:] if info.startswith("2,") else ""
        unique, *fields = base.split(",")
        numbers: dict[str, int] = {}
        others = ""
        for each in fields:
            key, equals, value = each.partition("=")
            if key in ("S", "W", "U") and equals and value.isdecimal() and value.isascii():
                numbers[key] = int(value)
            else:
                others += "," + each
        return cls(unique, numbers.get("S"), numbers.get("W"), numbers.get("U"), letters, others)

    @property
    def base(self) -> str:
        """All before the letters."""
        made = self.unique + self.others
        if self.size is not None:
            made += f",S={self.size}"
        if self.wire_size is not None:
            made += f",W={self.wire_size}"
        if self.uid is not None:
            made += f",U={self.uid}"
        return made

    def __str__(self) -> str:
        return self.base + _INFO + self.letters

    def lettered(self, letters: str) -> FileName:
        """With these letters of ours; foreign ones stay."""
        return evolve(self, letters=_with_foreign(self.letters, letters))


def relettered(name: str, letters: str) -> str:
    """A name with these letters of ours; what is before them stays as it is, and so do foreign ones."""
    base, _, info = name.partition(":")
    return base + _INFO + _with_foreign(info[2:] if info.startswith("2,") else "", letters)


@lru_cache(maxsize=1024)
def _with_foreign(before: str, letters: str) -> str:
    return "".join(sorted(set(letters) | (set(before) - set(LETTERS))))


def renumbered(name: str, uid: int, letters: str) -> str:
    """A name with this UID and these letters of ours; what else is in it stays."""
    ours = _OURS.fullmatch(name)
    if ours is not None:
        return f"{ours[1]}{ours[2]},U={uid}{_INFO}{_with_foreign(ours[3], letters)}"
    return str(evolve(FileName.parse(name), uid=uid).lettered(letters))


def copied(name: str, uid: int, letters: str) -> str:
    """The name of a copy of that file: of the same sizes, with a unique part of its own."""
    ours = _OURS.fullmatch(name)
    if ours is not None:
        return f"{fresh()}{ours[2]},U={uid}{_INFO}{letters}"
    parsed = FileName.parse(name)
    return str(FileName(fresh(), parsed.size, parsed.wire_size, uid, letters))


def fresh() -> str:
    """A unique part never used before (cr.yp.to/proto/maildir.html)."""
    now = time.time_ns()
    seconds, micro = now // 1_000_000_000, now // 1_000 % 1_000_000
    return f"{seconds}.M{micro}{_process(os.getpid())}Q{next(_delivered)}.{_HOST}"


def plain(name: str) -> str | None:
    """The letters of a name that has no more than sizes and these, in order; None if it is any other."""
    match = _PLAIN.fullmatch(name)
    if match is None or not safe(name) or not _is_in_order(match[1]):
        return None
    return match[1]


def sizes(name: str) -> tuple[int | None, int | None]:
    """What a name says of the sizes of the file and of the message."""
    match = _SIZES.match(name)
    if match is not None:
        return int(match[1]), int(match[2])
    parsed = FileName.parse(name)
    return parsed.size, parsed.wire_size


@lru_cache(maxsize=256)
def _is_in_order(letters: str) -> bool:
    return letters == "".join(sorted(set(letters) & set(LETTERS)))


def safe(name: str) -> bool:
    """Whether a file of that name can keep it."""
    return name.isascii() and name.isprintable() and len(name) <= _LONGEST
