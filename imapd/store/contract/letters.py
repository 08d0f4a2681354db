"""Messages to put into a store, with true facts, and the ways in which their octets may come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.model.annotation import Annotations
from imapd.model.dates import InternalDate
from imapd.model.flags import Flags, interned
from imapd.model.message import Facts
from imapd.store.errors import MessageGone
from imapd.store.interfaces import IMessageReader, NewMessage

__all__ = ["DATE", "Awaited", "Broken", "Held", "Letter", "Octets", "letter"]

DATE: Final = b"17-Jul-1996 02:44:25 -0700"

_HEADER: Final = (
    b"From: Alice <alice@example.com>\r\n"
    b"To: Bob <bob@example.com>\r\n"
    b"Subject: %b\r\n"
    b"Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n"
    b"Message-ID: <%b@example.com>\r\n"
    b"\r\n"
)
_ENVELOPE: Final = (
    b'("Wed, 17 Jul 1996 02:44:25 -0700" "%b" (("Alice" NIL "alice" "example.com"))'
    b' (("Alice" NIL "alice" "example.com")) (("Alice" NIL "alice" "example.com"))'
    b' (("Bob" NIL "bob" "example.com")) NIL NIL NIL "<%b@example.com>")'
)
_STRUCTURE: Final = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" %d %d NIL NIL NIL NIL)'


@implementer(IMessageReader)
@frozen
class Octets:
    """Answers at once."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """As `IMessageReader`."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        return self.data[offset : offset + length]

    def close(self) -> None:
        """As `IMessageReader`."""


@implementer(IMessageReader)
@frozen
class Awaited:
    """Answers by a coroutine."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """As `IMessageReader`."""
        return len(self.data)

    async def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        return self.data[offset : offset + length]

    def close(self) -> None:
        """As `IMessageReader`."""


@implementer(IMessageReader)
@define
class Held:
    """Answers by Deferreds that do not fire before `let_go`."""

    data: bytes = field(repr=False)
    _free: bool = False
    _waiting: list[Callable[[], None]] = field(factory=list, repr=False)

    @property
    def size(self) -> int:
        """As `IMessageReader`."""
        return len(self.data)

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """As `IMessageReader`."""
        answer: Deferred[bytes] = Deferred()
        chunk = self.data[offset : offset + length]
        if self._free:
            answer.callback(chunk)
        else:
            self._waiting.append(lambda: answer.callback(chunk))
        return answer

    def close(self) -> None:
        """As `IMessageReader`."""

    def let_go(self) -> None:
        """Answer all that was asked, and what will be."""
        self._free = True
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer()


@implementer(IMessageReader)
@frozen
class Broken:
    """Fails when it is read."""

    size: int = 1_000

    def read(self, offset: int, length: int) -> bytes:
        """As `IMessageReader`."""
        raise MessageGone("its octets cannot be read")

    def close(self) -> None:
        """As `IMessageReader`."""


@frozen
class Letter:
    """A message as a test thinks of it."""

    octets: bytes = field(repr=False)
    flags: Flags
    date: InternalDate
    facts: Facts = field(repr=False)
    annotations: Annotations = field(factory=dict)

    def new(self, content: IMessageReader | None = None) -> NewMessage:
        """As it is given to `IMailbox.append`."""
        return NewMessage(
            content or Octets(self.octets), self.flags, self.date, self.facts, self.annotations
        )


def letter(
    subject: str = "hello",
    flags: Iterable[str] = (),
    date_time: InternalDate = DATE,
    body: bytes = b"How are you?\r\n",
    annotations: Annotations | None = None,
) -> Letter:
    """A message of plain text; the subject is an atom."""
    name = subject.encode("ascii")
    header = _HEADER % (name, name)
    facts = Facts(
        size=len(header) + len(body),
        header_size=len(header),
        envelope=_ENVELOPE % (name, name),
        bodystructure=_STRUCTURE % (len(body), body.count(b"\r\n")),
        header=header,
        sent=date(1996, 7, 17).toordinal(),
        preview=f"of {subject}",
    )
    return Letter(header + body, interned(flags), date_time, facts, annotations or {})
