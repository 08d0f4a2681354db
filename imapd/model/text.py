"""What is sought in the text of messages, what an index can tell of it, and how far one has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum

from attrs import field, frozen

__all__ = ["Indexed", "IndexedMailbox", "Place", "Sought", "Told"]


class Place(IntEnum):
    """Where the text of a message is."""

    HEADER = 0  #: its own header
    PARTS = 1  #: the MIME headers of its parts
    BODY = 2  #: its text parts, and the headers of the messages inside


@frozen
class Sought:
    """A condition that a message must meet: all of the strings are in one of the places.

    Strings are folded as `imapd.query.fold` does it.
    """

    places: tuple[Place, ...]
    strings: tuple[str, ...]
    #: What meets the condition is found; else there is more to it.
    enough: bool = True


@frozen
class Told:
    """What an index knows of some messages: all that it covers from the first to the last of them."""

    #: Ascending.
    uids: Sequence[int] = field(repr=False)
    #: Those that meet the condition.
    holds: Collection[int]
    #: Those that perhaps do: they have to be opened.  All others do not.
    may: Collection[int]


@frozen
class IndexedMailbox:
    """How many of the messages of a mailbox an index knows."""

    name: str
    messages: int
    indexed: int


@frozen
class Indexed:
    """How far the index of an account has come."""

    mailboxes: Sequence[IndexedMailbox]
    #: What it takes on the disk.
    octets: int
