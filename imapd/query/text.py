"""The text of a message, folded for comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from imapd.mime import words
from imapd.mime.headers import fields
from imapd.mime.octets import Octets
from imapd.mime.parse import Part
from imapd.mime.text import decoded_text
from imapd.model.limits import Limits
from imapd.query.derived import Derived, Form
from imapd.query.fold import fold, fold_line

__all__ = ["HEADER_TEXT", "MessageText", "header_text"]

_HEADER_MOST: Final = Limits().mime_header


def header_text(block: bytes) -> str:
    """A header block, a line a field, decoded and folded."""
    return "".join(
        f"{fold(field.name.decode('latin-1'))}: {fold_line(words.decode(field.value))}\n"
        for field in fields(block[:_HEADER_MOST])
    )


#: Not kept in blocks: it is as large as the header.
HEADER_TEXT: Final = Derived("header text", Form.TEXT, header_text)


class MessageText:
    """One message that keys of Cost.CONTENT look at; what one has decoded, the next finds done."""

    __slots__ = ("_bodies", "_close", "_more", "_part_headers", "octets", "part")

    def __init__(
        self, octets: Octets, part: Part, close: Callable[[], object] = lambda: None
    ) -> None:
        self.octets = octets
        self.part = part
        self._close = close
        self._bodies: list[str] = []
        self._more = decoded_text(octets, part)
        self._part_headers: list[str] | None = None

    def bodies(self) -> Iterator[str]:
        """Each text part, and the header of each message inside; HTML without its markup."""
        at = 0
        while True:
            while at < len(self._bodies):
                yield self._bodies[at]
                at += 1
            text = next(self._more, None)
            if text is None:
                return
            self._bodies.append(fold(text))

    def part_headers(self) -> list[str]:
        """The MIME header of each part but the message's own."""
        if self._part_headers is None:
            self._part_headers = [
                header_text(self.octets[part.header_start : part.body_start])
                for part in self.below()
            ]
        return self._part_headers

    def below(self) -> Iterator[Part]:
        """The parts but the message's own, in the order of the message."""
        return _below(self.part)

    def prepare(self) -> None:
        """Decode all at once: for a thread, when the message is large."""
        for _ in self.bodies():
            pass
        self.part_headers()

    def close(self) -> None:
        """Let go of the octets."""
        self._more = iter(())
        self._close()


def _below(part: Part) -> Iterator[Part]:
    waiting = list(reversed(part.children))
    while waiting:
        below = waiting.pop()
        yield below
        waiting.extend(reversed(below.children))
