"""What Courier leaves in a Maildir: UIDs, keywords, subscriptions and rights.

* ``courierimapuiddb`` has a header of version, UIDVALIDITY and next UID, then UID and the
  file's name without flags.
* ``courierimapkeywords/:list`` has keywords a line each, a blank line, then a file's name, a
  colon and the places of its keywords.  Beside it a file ``.N.name`` has the keywords of one
  message as they became later, the larger N the later, and ``name`` those that came last.
* ``courierimapsubscribed`` has names below INBOX, their levels between dots.
* ``courierimapacl`` has a line an identifier.

A line that is not understood is passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from imapd.model.rights import ANYONE, Rights, rights
from imapd.store.maildir.predecessor import LARGEST_UID, Predecessor, lines_of, number

__all__ = ["is_keyword", "predecessor", "subscriptions", "uids_of"]

_KEYWORDS: Final = "courierimapkeywords"
_LATER: Final = re.compile(r"\.(\d{1,18})\.(.+)")
_KEYWORD: Final = re.compile(r'[^\x00-\x20\x7f-\U0010ffff(){%*"\\\]]{1,100}')


def is_keyword(text: str) -> bool:
    """Whether clients could be told of it (RFC 9051, 9: flag-keyword)."""
    return _KEYWORD.fullmatch(text) is not None


def predecessor(folder: str) -> Predecessor | None:
    """What it knew of the mailbox in a directory; None if it was not there."""
    lines = lines_of(f"{folder}/courierimapuiddb")
    if not lines:
        return None
    uidvalidity, following, uids = uids_of(lines)
    if uidvalidity is None:
        return None
    return Predecessor(
        uidvalidity=uidvalidity,
        uidnext=max(following or 1, max(uids.values(), default=0) + 1),
        uids=uids,
        letters={},
        keywords=_keywords(f"{folder}/{_KEYWORDS}"),
        acl=_acl(lines_of(f"{folder}/courierimapacl") or ()),
    )


def uids_of(lines: list[str]) -> tuple[int | None, int | None, Mapping[str, int]]:
    """UIDVALIDITY, the next UID, and UIDs by name, of a list of version 1."""
    version, *header = lines[0].split(" ")
    if version != "1" or len(header) < 2:
        return None, None, {}
    found: dict[str, int] = {}
    last = 0
    for line in lines[1:]:
        text, _, name = line.partition(" ")
        uid = number(text, LARGEST_UID)
        if uid is not None and name and uid > last:
            found.setdefault(name.partition(":")[0], uid)
            last = uid
    return number(header[0], 0xFFFF_FFFF), number(header[1], LARGEST_UID), found


def _keywords(folder: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    lines = lines_of(f"{folder}/:list") or []
    end = lines.index("") if "" in lines else len(lines)
    known = lines[:end]
    for line in lines[end + 1 :]:
        name, _, places = line.rpartition(":")
        words = [
            known[int(place)]
            for place in places.split(" ")
            if place.isascii() and place.isdecimal() and len(place) < 9 and int(place) < end
        ]
        if name and words:
            found[name] = tuple(filter(is_keyword, words))
    for file, name in _later(folder):
        words = lines_of(f"{folder}/{file}") or []
        found[name] = tuple(filter(is_keyword, words))
    return found


def _later(folder: str) -> Iterator[tuple[str, str]]:
    """Files that say what keywords one message has, in the order in which they came to be."""
    try:
        names = [] if os.path.islink(folder) else os.listdir(folder)
    except OSError:
        return
    numbered = [(match, file) for file in names if (match := _LATER.fullmatch(file))]
    for match, file in sorted(numbered, key=lambda each: int(each[0][1])):
        yield file, match[2]
    yield from ((file, file) for file in names if file[:1] not in (".", ":"))


def subscriptions(folder: str) -> Iterator[list[str]]:
    """The levels of each name, as directories have them."""
    for line in lines_of(f"{folder}/courierimapsubscribed") or ():
        levels = line.split(".")
        if levels[0] == "INBOX":
            yield levels[1:] or levels


def _acl(lines: Iterable[str]) -> Mapping[str, Rights]:
    found: dict[str, Rights] = {}
    for line in lines:
        said, _, granted = line.rpartition(" ")
        sign = "-" if said.startswith("-") else ""
        kind, _, name = said[len(sign) :].partition("=")
        if kind == "user" and name:
            identifier = sign + name
        elif kind == "group" and name:
            identifier = f"{sign}${name}"
        elif said[len(sign) :] in ("anyone", "anonymous"):
            identifier = sign + ANYONE
        else:
            continue
        try:
            found[identifier] = rights(granted)
        except ValueError:
            continue
    return found
