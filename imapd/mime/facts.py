"""A message's facts, computed once at the door (DESIGN, 2)."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from imapd.mime.bodystructure import bodystructure
from imapd.mime.envelope import envelope
from imapd.mime.octets import Octets
from imapd.mime.parse import header_end, parse
from imapd.mime.preview import preview
from imapd.mime.sent import sent_day
from imapd.model.limits import Limits
from imapd.model.message import Facts

__all__ = ["HeaderFacts", "facts", "header_facts"]

_LIMITS: Final = Limits()


@frozen
class HeaderFacts:
    """Those of a message's facts for which its body need not be read; made when they are asked for."""

    header_size: int
    header: bytes = field(repr=False)
    _most: int

    @property
    def envelope(self) -> bytes:
        """As of `Facts`."""
        return envelope(self.header[: self._most])

    @property
    def sent(self) -> int | None:
        """As of `Facts`."""
        return sent_day(self.header[: self._most])


def facts(data: Octets, limits: Limits = _LIMITS) -> Facts:
    """The facts of any octets; it never raises."""
    root = parse(data, limits)
    header = data[: root.body_start]
    known = header[: limits.mime_header]
    return Facts(
        size=len(data),
        header_size=root.body_start,
        envelope=envelope(known),
        bodystructure=bodystructure(data, root, limits),
        header=header,
        sent=sent_day(known),
        preview=preview(data, root),
    )


def header_facts(start: bytes, limits: Limits = _LIMITS) -> HeaderFacts | None:
    """The same from a message's first octets; None if its header does not end in them."""
    end = header_end(start)
    if end is None:
        return None
    return HeaderFacts(end, start[:end], limits.mime_header)
