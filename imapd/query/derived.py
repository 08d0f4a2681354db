"""What a column is that another one gives: made once, kept in blocks of many messages."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import field, frozen

from imapd.model.message import HEADER, Column

__all__ = ["Derived", "Form"]


class Form(Enum):
    """What the values of a derived column are; each may be None too."""

    TEXT = "text"  #: str, without NUL
    NUMBER = "number"  #: int, signed, of 64 bits
    NUMBERS = "numbers"  #: tuple of int, unsigned, each of 64 bits


@frozen
class Derived:
    """A column whose value is a function of another one, which never changes."""

    #: Says of what version it is when `of` has come to mean something else: kept values are found by it.
    name: Column
    form: Form
    of: Callable[[Any], Any] = field(repr=False, eq=False)
    #: A column that stores keep.
    source: Column = HEADER
