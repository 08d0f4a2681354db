"""The lines that separate parts: found in one pass, however many multiparts are open.

RFC 2046, 5.1.1: ``--boundary``, or ``--boundary--`` at the end, then only spaces.  A line that
merely begins with a boundary is text: so one boundary may be the beginning of another.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from imapd.mime.octets import Octets

__all__ = ["LONGEST", "Delimiter", "Delimiters"]

#: Octets of a boundary.  RFC 2046 allows 70; this is the longest that a line holds (RFC 5322,
#: 2.1.1).  A multipart with a longer one is not taken apart.
LONGEST: Final = 996
_LINE: Final = LONGEST + 32


@frozen
class Delimiter:
    """A delimiter line."""

    start: int
    after: int  #: where the next line starts
    depth: int  #: of the multipart that it belongs to, as given to `Delimiters.open`
    closing: bool


@define
class Delimiters:
    """The boundaries that are open, and the search for their lines."""

    data: Octets
    _depths: dict[bytes, list[int]] = field(init=False, factory=dict)

    def open(self, boundary: bytes, depth: int) -> None:
        """From now on this boundary separates the parts of the multipart at a depth."""
        self._depths.setdefault(boundary, []).append(depth)

    def close(self, boundary: bytes) -> None:
        """The innermost multipart with this boundary has ended."""
        depths = self._depths[boundary]
        depths.pop()
        if not depths:
            del self._depths[boundary]

    def find(self, start: int, stop: int) -> Delimiter | None:
        """The first delimiter line that begins at or after one offset and before another.

        The first offset is the start of a line, and not the message's first.
        """
        data, depths = self.data, self._depths
        if not depths:
            return None
        at = start - 1
        while (at := data.find(b"\n--", at, stop)) >= 0:
            line = at + 1
            end = data.find(b"\n", line, line + _LINE)
            if end < 0:
                end = len(data)
                if end - line > _LINE:
                    at = line
                    continue
            text = data[line + 2 : end].rstrip(b" \t\r")
            depth, closing = depths.get(text, _NONE)[-1], False
            if text.endswith(b"--"):
                other = depths.get(text[:-2], _NONE)[-1]
                if other > depth:
                    depth, closing = other, True
            if depth >= 0:
                return Delimiter(line, min(end + 1, len(data)), depth, closing)
            at = end
        return None


_NONE: Final = [-1]
