"""What Dovecot leaves in a Maildir: UIDs, keywords, subscriptions and rights.

* ``dovecot-uidlist`` of version 3 has a header of fields with a letter each, then a line a
  message: its UID, perhaps fields, and behind a colon the file's name without flags.  The
  next UID of the header may be older than the lines.  Version 1 is Courier's.
* ``dovecot-keywords`` says which keyword the letters a to z of file names stand for.
* ``subscriptions`` of version 2 has the levels of a name between tabs.
* ``dovecot-acl`` has a line an identifier, then letters or words of rights.

A line that is not understood is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from imapd.model.mailbox import DELIMITER
from imapd.model.rights import ANYONE, Rights, rights
from imapd.store.maildir import courier
from imapd.store.maildir.predecessor import LARGEST_UID, Predecessor, lines_of, number

__all__ = ["acl_of", "predecessor", "subscriptions"]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
#: The long names of rights, by the letters of RFC 4314.
_WORDS: Final = {
    "lookup": "l", "read": "r", "write": "w", "write-seen": "s", "write-deleted": "t", "insert": "i",
    "post": "p", "expunge": "e", "create": "k", "delete": "x", "admin": "a",
}  # fmt: skip


def predecessor(folder: str) -> Predecessor | None:
    """What it knew of the mailbox in a directory; None if it was not there."""
    lines = lines_of(f"{folder}/dovecot-uidlist")
    if not lines:
        return None
    if lines[0].startswith("3 "):
        fields = {each[:1]: each[1:] for each in lines[0].split(" ")[1:]}
        uidvalidity = number(fields.get("V", ""), 0xFFFF_FFFF)
        following = number(fields.get("N", ""), LARGEST_UID)
        uids = _uids(lines[1:])
    else:
        uidvalidity, following, uids = courier.uids_of(lines)
    if uidvalidity is None:
        return None
    return Predecessor(
        uidvalidity=uidvalidity,
        uidnext=max(following or 1, max(uids.values(), default=0) + 1),
        uids=uids,
        letters=_letters(lines_of(f"{folder}/dovecot-keywords") or ()),
        acl=acl_of(lines_of(f"{folder}/dovecot-acl") or ()),
    )


def _uids(lines: Iterable[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    last = 0
    for line in lines:
        head, colon, name = line.partition(":")
        uid = number(head.split(" ")[0], LARGEST_UID)
        # UIDs ascend; what does not is a torn line, or not of this server.
        if uid is not None and colon and name and uid > last:
            found.setdefault(name.partition(":")[0], uid)
            last = uid
    return found


def _letters(lines: Iterable[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        place, _, keyword = line.partition(" ")
        if place.isascii() and place.isdecimal() and len(place) <= 2 and keyword:
            at = int(place)
            if at < len(_LETTERS) and courier.is_keyword(keyword):
                found[_LETTERS[at]] = keyword
    return found


def subscriptions(folder: str, fs: bool) -> Iterator[list[str]]:
    """The levels of each name, as directories have them; with `fs`, in that layout."""
    lines = lines_of(f"{folder}/subscriptions") or []
    if lines[:1] == ["V\t2"]:
        yield from (line.split("\t") for line in lines[1:] if line)
        return
    for line in filter(None, lines):
        yield line.split(DELIMITER if fs or DELIMITER in line else ".")


def acl_of(lines: Iterable[str]) -> Mapping[str, Rights]:
    """Rights by identifier, as RFC 4314 has it: a group has a dollar sign before its name."""
    found: dict[str, Rights] = {}
    for line in lines:
        identifier, granted = _identifier(line)
        if not identifier:
            continue
        if granted.startswith(":"):
            granted = "".join(_WORDS.get(word, "") for word in granted[1:].split())
        try:
            found[identifier] = rights(granted)
        except ValueError:
            continue
    return found


def _identifier(line: str) -> tuple[str, str]:
    sign = "-" if line.startswith("-") else ""
    line = line[len(sign) :]
    if line.startswith('"'):
        said, _, granted = line[1:].partition('" ')
    else:
        said, _, granted = line.partition(" ")
    kind, equals, name = said.partition("=")
    if kind == "user" and name:
        return sign + name, granted
    if kind in ("group", "group-override") and name:
        return f"{sign}${name}", granted
    if said in ("anyone", "authenticated") and not equals:
        return sign + ANYONE, granted
    return "", ""
