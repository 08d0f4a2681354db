"""HTML as the text that a reader sees: enough for search and previews, in linear time.

The standard library's parser keeps a tree's worth of state and has had quadratic cases; this
only passes over tags.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

__all__ = ["plain"]

_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
#: Their content is no text.
_UNSEEN: Final = {
    name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE)
    for name in ("script", "style", "title", "template", "noscript")
}
#: These do not part words.
_INLINE: Final = frozenset(
    ("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font",
     "i", "ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
     "sup", "tt", "u", "var", "wbr")
)  # fmt: skip


def plain(html: str) -> str:
    """The text; elements that stand alone are parted by a line end."""
    pieces: list[str] = []
    at = 0
    while (tag := html.find("<", at)) >= 0:
        pieces.append(html[at:tag])
        at = _after(html, tag, pieces)
    pieces.append(html[at:])
    return unescape("".join(pieces))


def _after(html: str, tag: int, pieces: list[str]) -> int:
    """The offset after the markup at an offset, or the end of the text if it does not end."""
    if html.startswith("<!--", tag):
        end = html.find("-->", tag + 2)  # "<!-->" is a whole comment
        return len(html) if end < 0 else end + 3
    match = _TAG.match(html, tag)
    if match is None and html[tag + 1 : tag + 2] not in ("!", "?", "/"):
        pieces.append("<")
        return tag + 1
    end = html.find(">", tag)
    if end < 0:
        return len(html)
    if match is None:
        return end + 1
    name = match[2].lower()
    if name not in _INLINE:
        pieces.append("\n")
    if name in _UNSEEN and not match[1]:
        close = _UNSEEN[name].search(html, end)
        return len(html) if close is None else close.start()
    return end + 1
