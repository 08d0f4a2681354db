"""A search program: what SEARCH asks, as a value (RFC 9051, 6.4.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Union

from attrs import field, frozen

from imapd.model.message import Column
from imapd.model.numset import SequenceSet

__all__ = ["And", "Cost", "Key", "Not", "Or", "Program", "SequenceNumbers", "UIDs"]


class Cost(IntEnum):
    """What it takes to answer a key; cheaper ones are asked first."""

    VIEW = 0  #: the session's own view: numbers, UIDs, flags
    COLUMN = 1  #: a column of the store
    HEADER = 2  #: the header block, decoded
    CONTENT = 3  #: the message itself


@frozen
class Key:
    """One test of a message.

    `test` gets the entries of `columns` for one message, in that order.  With
    Cost.CONTENT it gets the message's octets and its parsed structure instead.
    """

    name: str
    cost: Cost
    columns: tuple[Column, ...]
    test: Callable[..., bool] = field(eq=False, repr=False)
    arguments: tuple[Any, ...] = ()


@frozen
class SequenceNumbers:
    """``sequence-set`` as a key; with `saved`, ``$``."""

    numbers: SequenceSet


@frozen
class UIDs:
    """``UID sequence-set``."""

    numbers: SequenceSet


@frozen
class And:
    """All of them; none at all is ``ALL``."""

    programs: Sequence[Program]


@frozen
class Or:
    """One or the other."""

    first: Program
    second: Program


@frozen
class Not:
    """Whatever it is not."""

    program: Program


Program = Union[Key, SequenceNumbers, UIDs, And, Or, Not]  # noqa: UP007  (used before it is defined)
