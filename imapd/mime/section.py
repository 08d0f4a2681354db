"""Section numbers and names to the octets they mean (RFC 9051, 6.4.5.1)."""

from __future__ import annotations

from typing import Literal

from imapd.mime.parse import Part

__all__ = ["SectionText", "find", "span"]

SectionText = Literal["HEADER", "TEXT", "MIME"]


def find(part: Part, numbers: tuple[int, ...]) -> Part | None:
    """The part of a message (not of a part) with these numbers.

    A message that is no multipart has a part 1, itself; numbers below a message/rfc822
    part mean the message in it.
    """
    message = True  # whether a number now counts the parts of a whole message
    for number in numbers:
        if part.is_message and not message:
            part, message = part.children[0], True
        if part.is_multipart:
            if not 0 < number <= len(part.children):
                return None
            part, message = part.children[number - 1], False
        elif message and number == 1:
            message = False
        else:
            return None
    return part


def span(
    root: Part, numbers: tuple[int, ...], text: SectionText | None = None
) -> tuple[int, int] | None:
    """Where the octets of BODY[<numbers>.<text>] start and stop; None if there are none such."""
    if not numbers:
        return None if text == "MIME" else _of_message(root, text)
    part = find(root, numbers)
    if part is None:
        return None
    if text is None:
        return part.body_start, part.end
    if text == "MIME":
        return part.header_start, part.body_start
    return _of_message(part.children[0], text) if part.is_message else None


def _of_message(part: Part, text: SectionText | None) -> tuple[int, int]:
    if text == "HEADER":
        return part.header_start, part.body_start
    return part.header_start if text is None else part.body_start, part.end
