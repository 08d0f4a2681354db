"""What FETCH can be asked for: each item says which columns it needs and how it is written.

An item that columns answer is a format and its values, so that a whole batch of
messages is written by one operation a message (RFC 9051, 7.5.2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Union

from attrs import field, frozen

from imapd.dialect import Feature, FetchItem
from imapd.model.message import BODYSTRUCTURE, ENVELOPE, HEADER, INTERNAL_DATE, SIZE, Column
from imapd.model.structure import Partial
from imapd.session.announce import Announce
from imapd.session.content import Content
from imapd.session.view import View
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "UID", "Fetched", "Items", "Rows", "Value", "column"]

#: What a message's content gives: the octets from one place to another, octets made
#: from it, or nothing.
Value = Union[tuple[int, int], bytes, None]  # noqa: UP007  (evaluated; read as one)


@frozen
class Rows:
    """Some messages: places in a view, ascending, and the columns that the store gave."""

    view: View
    announce: Announce
    places: Sequence[int]
    uids: Sequence[int]
    columns: dict[Column, Sequence[Any]]


@frozen
class Fetched:
    """One item as a client asked for it.

    Either `values` gives one value a message for `format`; or `content` gives the value
    of one message, which is sent behind `format` as a literal (or what `render` makes of it).
    """

    format: bytes
    columns: frozenset[Column] = frozenset()
    values: Callable[[Rows], Sequence[Any]] | None = None
    content: Callable[[Content], Awaitable[Value]] | None = None
    #: `content` gives all octets of the message.
    whole: bool = False
    #: The octets it is cut to; what it is called says only where they begin.
    partial: Partial | None = None
    #: Marks the message as read (RFC 9051, 6.4.5).
    sets_seen: bool = False
    #: Its value is made of fields that are chosen from the header.
    chosen: bool = False
    #: The octets may hold NUL and are sent as literal8 if they do (RFC 3516).
    binary: bool = False
    #: `content` gives text that is sent as it is, not as a literal.
    plain: bool = False
    #: It is written in place of the same item asked for in another way.
    prevails: bool = False
    #: Features that are on for who asks for this item (RFC 7162, 3.1).
    enables: frozenset[str] = frozenset()
    #: It is left out where its value is None.
    optional: bool = False

    def joined(self, other: Fetched) -> Fetched:
        """One item for two that are called the same, of which `other` came first."""
        return self if self.sets_seen or self.prevails else other

    @property
    def label(self) -> bytes:
        """What it is called in the answer."""
        return self.format.replace(b"%%", b"%")

    @property
    def may_be_nil(self) -> bool:
        """A message that is no more has NIL for it: an ``nstring``."""
        return not self.plain and (self.content is not None or HEADER in self.columns)


@frozen(eq=False)
class Items:
    """The items of a FETCH, and what follows from them for all its rows, found out once."""

    each: Sequence[Fetched]
    #: What the store is asked for.
    columns: frozenset[Column] = field(init=False)
    #: Features that are on for who asks so.
    enables: frozenset[str] = field(init=False)
    #: The names in the answer.
    names: frozenset[bytes] = field(init=False)
    #: Behind the beginning of a row that says of which message it is.
    format: bytes = field(init=False)
    #: There is not always something to tell; the octets of the messages are wanted.
    optional: bool = field(init=False)
    content: bool = field(init=False)
    #: Rows are made of columns and one whole message, and always of all of them: where that stands,
    #: and what is before it, its length included, and behind it.
    whole: tuple[int, bytes, bytes] | None = field(init=False)
    sets_seen: bool = field(init=False)
    _others: dict[tuple[bytes, bool], Items] = field(factory=dict, init=False, repr=False)

    @columns.default
    def _columns(self) -> frozenset[Column]:
        return frozenset[Column]().union(*(item.columns for item in self.each))

    @enables.default
    def _enables(self) -> frozenset[str]:
        return frozenset[str]().union(*(item.enables for item in self.each))

    @names.default
    def _names(self) -> frozenset[bytes]:
        return frozenset(item.format.partition(b" ")[0] for item in self.each)

    @format.default
    def _format(self) -> bytes:
        return b" ".join(item.format for item in self.each) + b")\r\n"

    @optional.default
    def _optional(self) -> bool:
        return any(item.optional for item in self.each)

    @content.default
    def _content(self) -> bool:
        return any(item.content is not None for item in self.each)

    @whole.default
    def _whole(self) -> tuple[int, bytes, bytes] | None:
        places = [place for place, item in enumerate(self.each) if item.content is not None]
        if self.optional or len(places) != 1 or not self.each[places[0]].whole:
            return None
        (place,) = places
        before = b" ".join(item.format for item in self.each[: place + 1]) + b" {%d}\r\n"
        return (
            place,
            before,
            b"".join(b" " + item.format for item in self.each[place + 1 :]) + b")\r\n",
        )

    @sets_seen.default
    def _sets_seen(self) -> bool:
        return any(item.sets_seen for item in self.each)

    def including(self, item: Fetched, *, first: bool = False) -> Items:
        """With this item too, unless it is there."""
        if any(item.format == each.format for each in self.each):
            return self
        others = self._others.get((item.format, first))
        if others is None:
            others = Items((item, *self.each) if first else (*self.each, item))
            self._others[item.format, first] = others
        return others


def column(name: Column) -> Callable[[Rows], Sequence[Any]]:
    """The values of a store's column."""

    def values(rows: Rows) -> Sequence[Any]:
        return rows.columns[name]

    return values


UID: Final = Fetched(b"UID %d", values=lambda rows: rows.uids)


def _uid(cursor: Cursor) -> Fetched:
    return UID


def _flags(cursor: Cursor) -> Fetched:
    def values(rows: Rows) -> Sequence[bytes]:
        return rows.view.shown_flags(rows.places, rows.announce)

    return Fetched(b"FLAGS %b", values=values)


def _stored(format: bytes, name: Column) -> Callable[[Cursor], Fetched]:
    fetched = Fetched(format, frozenset((name,)), column(name))
    return lambda cursor: fetched


FEATURE: Final = Feature(
    name="FETCH items",
    rfc=9051,
    summary="UID, FLAGS, INTERNALDATE, RFC822.SIZE, ENVELOPE, BODYSTRUCTURE and the macros",
    fetch_items=(
        FetchItem("UID", _uid),
        FetchItem("FLAGS", _flags),
        FetchItem("INTERNALDATE", _stored(b'INTERNALDATE "%b"', INTERNAL_DATE)),
        FetchItem("RFC822.SIZE", _stored(b"RFC822.SIZE %d", SIZE)),
        FetchItem("ENVELOPE", _stored(b"ENVELOPE %b", ENVELOPE)),
        FetchItem("BODYSTRUCTURE", _stored(b"BODYSTRUCTURE %b", BODYSTRUCTURE)),
    ),
    fetch_macros={
        "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
        "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
        "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
    },
)
