"""The first words of a message (RFC 8970): what a person would read first, on one line.

Left out are what the reader has seen or does not want to see: quoted lines of plain text and
who wrote them, the signature, rules of dashes, what only fills the space behind the words, and of
links all that follows their host when it is long.  If nothing else is there, they come after all.
Encrypted text has no words.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category

from imapd.mime.octets import Octets
from imapd.mime.parameters import disposition
from imapd.mime.parse import Part
from imapd.mime.text import leaves, part_text

__all__ = ["preview"]

#: Octets of a body that are looked at, more and more until there are words enough: most mail has
#: them at its beginning, some HTML only behind its style sheet.
_LOOKED_AT: Final = (1_024, 4_096, 16_384, 65_536, 1_048_576)
_LOOKED_AT_HTML: Final = _LOOKED_AT[1:]
#: Characters at the end of what was looked at that may read otherwise when more is seen.
_DOUBTFUL: Final = 100
#: Text that nobody reads, as it is, to learn what a message is about.
_NO_PROSE: Final = frozenset(
    (b"calendar", b"css", b"csv", b"directory", b"javascript", b"rfc822-headers", b"vcard", b"x-vcard",
     b"xml")
)  # fmt: skip

#: Controls, marks of no width, and signs that are to be ignored.
_UNSEEN: Final = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_is_unseen: Final = re.compile(f"[{_UNSEEN}]").search
_UNSHOWN: Final = re.compile(f"[ {_UNSEEN}]+")
#: Alone between two signs they say how these are to be joined: of scripts, and of emoji.
_JOINERS: Final = ("\u200c", "\u200d")

#: ``Somebody wrote:`` and the lines that are quoted.
_QUOTED: Final = re.compile(
    r"(?:^[^\n>]*:[ \t]*\r?\n(?:[ \t]*\r?\n)?(?=>))?(?:^>[^\n]*(?:\n|\Z))+", re.MULTILINE
)
_SIGNATURE: Final = re.compile(r"^-- ?\r?$", re.MULTILINE)
_RULE: Final = re.compile(r"([-=_*~#+.\u00b7\u2022\u2013\u2014])\1{3,}")
#: What becomes of pictures and links when HTML is made plain text.
_PLACES: Final = re.compile(
    r"\[(?:cid:|image:|https?://)[^\]\[\s]*\]|<https?://[^<>\s]*>", re.IGNORECASE
)
_LINK: Final = re.compile(r"(https?://[^\s/?#<>]{1,100})([^\s<>\"]*)", re.IGNORECASE)
_LINK_MOST: Final = 60

_ENCRYPTED: Final = "-----BEGIN PGP MESSAGE-----"
_SIGNED: Final = re.compile(r"\s*-----BEGIN PGP SIGNED MESSAGE-----\s*?\n(?:[^\S\n]*\S[^\n]*\n)*")
_ARMOUR: Final = "-----BEGIN PGP SIGNATURE-----"


def preview(data: Octets, part: Part, length: int = 200) -> str:
    """At most so many characters of the first text that has words; "" if none has."""
    for leaf in leaves(part):
        if leaf.is_text and _is_prose(leaf):
            words = _words(data, leaf, length)
            if words:
                return _cut(words, length)
    return ""


def _words(data: Octets, part: Part, length: int) -> str:
    """Those of one part; not many more than are needed."""
    is_html = part.subtype.lower() == b"html"
    words = text = ""
    for most in _LOOKED_AT_HTML if is_html else _LOOKED_AT:
        text = _bare(part_text(data, part, most))
        words = _line(text if is_html else _own(text))
        if most >= part.size or len(words) >= length + _DOUBTFUL:
            break
    return words or _line(text)


def _is_prose(part: Part) -> bool:
    if part.subtype.lower() in _NO_PROSE:
        return False
    found = disposition(part.fields.get(b"disposition", b""))
    return found is None or found[0].lower() != b"attachment"


def _bare(text: str) -> str:
    """What was encrypted, signed or made plain text, without the marks of that."""
    if text.lstrip().startswith(_ENCRYPTED):
        return ""
    signed = _SIGNED.match(text)
    if signed is not None:
        text = text[signed.end() :].partition(_ARMOUR)[0]
    return _PLACES.sub(" ", text) if "://" in text or "[" in text else text


def _own(text: str) -> str:
    """What the sender says in it."""
    own = _QUOTED.sub("", text) if ">" in text else text
    return _SIGNATURE.split(own, maxsplit=1)[0] if "\n--" in own or own.startswith("--") else own


def _line(text: str) -> str:
    if "://" in text:
        text = _LINK.sub(_shortened, text)
    text = " ".join(_RULE.sub(" ", text).split())
    return _UNSHOWN.sub(_shown, text).strip() if _is_unseen(text) else text


def _shortened(link: re.Match[str]) -> str:
    if len(link[0]) <= _LINK_MOST and "?" not in link[2]:
        return link[0]
    return link[1] + "/…"


def _shown(run: re.Match[str]) -> str:
    if run[0] in _JOINERS:
        return run[0]
    return " " if " " in run[0] else ""


def _cut(text: str, length: int) -> str:
    """Its beginning; what belongs to a character that is left out is left out with it."""
    if len(text) <= length:
        return text
    stop = length
    while stop and (_goes_on(text[stop]) or text[stop - 1] == "\u200d"):
        stop -= 1
    return text[: stop or length].rstrip()


def _goes_on(character: str) -> bool:
    """It is part of what stands before it: an accent, a skin tone, a joiner."""
    return (
        category(character)[0] == "M"
        or character in _JOINERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
