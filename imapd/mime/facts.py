"""A message's facts, computed once at the door (DESIGN, 2)."""

from __future__ import annotations

from typing import Final

from imapd.mime.bodystructure import bodystructure
from imapd.mime.envelope import envelope
from imapd.mime.octets import Octets
from imapd.mime.parse import parse
from imapd.mime.preview import preview
from imapd.mime.sent import sent_day
from imapd.model.limits import Limits
from imapd.model.message import Facts

__all__ = ["facts"]

_LIMITS: Final = Limits()


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
