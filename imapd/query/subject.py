"""The base subject of RFC 5256, 2.1: a subject without the marks of replies, forwards and lists.

Rules:

* The text is decoded: encoded words and folds are undone (`imapd.mime.words.decode`).
* The steps are those of the RFC.  It leaves no choice, and neither is one made here: what
  other servers take away besides, ``AW:`` and ``Re[2]:`` among it, stays.
* What is taken away is cut by its ends, and no text is looked at more than a few times:
  the time is in proportion to the subject, however it nests.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["BaseSubject", "base_subject"]

_FLAGS: Final = re.ASCII | re.IGNORECASE
#: Step 1.  A decoded word may bring what else ends a line.
_SPACES: Final = re.compile(r"[ \t\r\n\0]+")
#: Subjects that have none of these marks are their own base.
_MARKED: Final = re.compile(r"[:\[]|\(fwd\)\Z", _FLAGS).search

#: subj-blob = "[" *BLOBCHAR "]" *WSP
_BLOB: Final = re.compile(r"\[[^\[\]]*\] ?").match
#: subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_REFWD: Final = re.compile(r"(?:re|fwd?) ?(?:\[[^\[\]]*\] ?)?:", _FLAGS).match
#: subj-fwd-hdr = "[fwd:"
_FWD_HDR: Final = re.compile(r"\[fwd:", _FLAGS).match
#: The one subj-trailer of note; the other is WSP.
_FWD_TRAILER: Final = "(fwd)"


class BaseSubject(NamedTuple):
    """What is left of a subject, and whether it was a reply's or a forward's (RFC 5256, 3)."""

    text: str
    replies: bool


def base_subject(subject: str) -> BaseSubject:
    """The base of a decoded subject."""
    text = _SPACES.sub(" ", subject).strip(" ")
    if _MARKED(text) is None:
        return BaseSubject(text, False)
    start, stop = 0, len(text)
    replies = False
    while True:
        stop, forwarded = _without_trailers(text, start, stop)
        start, replied = _without_leaders(text, start, stop)
        replies |= forwarded | replied
        header = _FWD_HDR(text, start, stop)
        if header is None or text[stop - 1] != "]":
            return BaseSubject(text[start:stop], replies)
        start, stop = header.end(), stop - 1
        replies = True


def _without_trailers(text: str, start: int, stop: int) -> tuple[int, bool]:
    """Step 2: where the text stops now, and whether a "(fwd)" was there."""
    forwarded = False
    while True:
        while stop > start and text[stop - 1] == " ":
            stop -= 1
        before = stop - len(_FWD_TRAILER)
        if before < start or text[before:stop].lower() != _FWD_TRAILER:
            return stop, forwarded
        stop = before
        forwarded = True


def _without_leaders(text: str, start: int, stop: int) -> tuple[int, bool]:
    """Steps 3 to 5: where the text starts now, and whether a subj-refwd was there."""
    replied = False
    while True:
        if text.startswith(" ", start, stop):
            start += 1
        after = last = start
        while (blob := _BLOB(text, after, stop)) is not None:
            last, after = after, blob.end()
        refwd = _REFWD(text, after, stop)
        if refwd is None:
            # The last blob is the base if there is nothing else.
            return (last if after == stop else after), replied
        start = refwd.end()
        replied = True
