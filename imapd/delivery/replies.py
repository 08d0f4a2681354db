"""What LMTP answers: a code, a status (RFC 3463) and a text, and those that have a name."""

from __future__ import annotations

from typing import Final

from attrs import frozen

__all__ = ["BAD_SEQUENCE", "OK", "SYNTAX", "Rejected", "Reply"]


@frozen
class Reply:
    """One answer (RFC 5321, 4.2; RFC 2034)."""

    code: int
    #: Class, subject and detail, as ``5.1.1``.
    status: str
    text: str

    def wire(self) -> bytes:
        """As it is sent; what it quotes of a client is UTF-8 already, on one line."""
        return f"{self.code} {self.status} {self.text}\r\n".encode()


class Rejected(Exception):
    """Ends a command with a reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


OK: Final = Reply(250, "2.0.0", "OK")
SYNTAX: Final = Reply(501, "5.5.4", "That is not understood")
BAD_SEQUENCE: Final = Reply(503, "5.5.1", "Not now")
