"""A search program: what SEARCH asks, as a value (RFC 9051, 6.4.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import Any, Union

from attrs import field, frozen

from imapd.model.message import Column
from imapd.model.numset import SequenceSet
from imapd.model.text import Sought

__all__ = [
    "And", "Cost", "Key", "Not", "Or", "Program", "Recent", "SequenceNumbers", "UIDs", "Unresolved",
]  # fmt: skip


class Cost(IntEnum):
    """What it takes to answer a key; cheaper ones are asked first."""

    VIEW = 0  #: the session's own view: flags and modification sequences
    COLUMN = 1  #: a column of the store, or one made of that
    DERIVED = 2  #: a column made of the header, `imapd.query.columns`
    HEADER = 3  #: the header block, decoded
    CONTENT = 4  #: the message itself


@frozen
class Key:
    """One test of a message.

    `test` gets the entries of `columns` for one message, in that order.  With
    Cost.VIEW these are columns that a view has: FLAGS, MODSEQ.  With Cost.CONTENT
    it gets the message as `imapd.query.text.MessageText` instead.
    """

    name: str
    cost: Cost
    columns: tuple[Column, ...]
    test: Callable[..., bool] = field(eq=False, repr=False)
    arguments: tuple[Any, ...] = ()
    #: The same of many messages: gets whole columns, gives an octet a message, 1 or 0.  Made
    #: where that is faster than calls of `test`.
    tests: Callable[..., bytes] | None = field(default=None, eq=False, repr=False)
    #: How well a message matches, from 0 to 1 (RFC 6203, 4); gets what `test` gets.
    score: Callable[..., float] | None = field(default=None, eq=False, repr=False)
    #: Of Cost.HEADER and Cost.CONTENT: what a message that passes must meet.  The answer is
    #: remembered, so it has to be the message's alone.
    sought: Sought | None = field(default=None, eq=False, repr=False)


@frozen
class SequenceNumbers:
    """``sequence-set`` as a key; with `saved`, ``$``."""

    numbers: SequenceSet


@frozen
class UIDs:
    """``UID sequence-set``."""

    numbers: SequenceSet


@frozen
class Recent:
    r"""``RECENT``: the messages whose \Recent this session has (RFC 3501, 6.4.4)."""


@frozen
class Unresolved:
    """A key that stands for another program: which one, is found out when the search begins.

    `resolve` gets the session, an `imapd.session.session.Session`.
    """

    name: str
    resolve: Callable[[Any], Program | Awaitable[Program]] = field(eq=False, repr=False)
    arguments: tuple[Any, ...] = ()
    #: That program may name messages by their sequence numbers.
    may_number: bool = False


@frozen
class And:
    """All of them; none at all is ``ALL``."""

    programs: Sequence[Program]


@frozen
class Or:
    """At least one of them."""

    programs: Sequence[Program]


@frozen
class Not:
    """Whatever it is not."""

    program: Program


Program = Union[Key, SequenceNumbers, UIDs, Recent, Unresolved, And, Or, Not]  # noqa: UP007  (used before it is defined)
