"""A column of some neighbouring messages: packed into octets once, then looked through as a whole.

What a message is never changes, so a block stays right for good.  Messages of it that are
expunged are in it all the same; who looks through it knows whom to leave out.
"""

from __future__ import annotations

import struct
import sys
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Final, overload
from zlib import crc32

from attrs import field, frozen

from imapd.query.derived import Form

__all__ = [
    "LEAST",
    "MOST",
    "Block",
    "Damaged",
    "Packed",
    "between",
    "holding",
    "pack",
    "runs",
    "unpack",
]

#: What any number of Form.NUMBER lies between.
LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1

#: A checksum of all that follows it; then the form, `through`, and how many messages and Nones.
_CHECKSUM: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<BIII")
_CODE: Final = {Form.TEXT: 1, Form.NUMBER: 2, Form.NUMBERS: 3}
#: Of numbers: the least, the most.
_ENDS: Final = struct.Struct("<qq")
#: Octets of the objects of a block.
_OVERHEAD: Final = 500
#: Text may hold what UTF-8 cannot: half a surrogate pair, from UTF-7.
_TEXT: Final = ("utf-8", "surrogatepass")


class Damaged(Exception):
    """These octets are not what was packed."""


class Packed(Sequence[Any]):
    """The values of a block, made one by one only when somebody takes them."""

    __slots__ = ("_count", "_nulls")

    def __init__(self, count: int, nulls: Sequence[int]) -> None:
        self._count = count
        #: The rows whose value is None; something stands in for it.
        self._nulls = nulls

    @property
    @abstractmethod
    def size(self) -> int:
        """Octets of memory, about."""

    @abstractmethod
    def _listed(self) -> list[Any]: ...

    def listed(self) -> list[Any]:
        """All of them."""
        values = self._listed()
        for row in self._nulls:
            values[row] = None
        return values

    def _without_nulls(self, verdicts: list[bool]) -> list[bool]:
        for row in self._nulls:
            verdicts[row] = False
        return verdicts

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> list[Any]: ...
    def __getitem__(self, key: int | slice) -> Any:
        return self.listed()[key]


class _Texts(Packed):
    """Texts joined by NUL."""

    __slots__ = ("_joined",)

    def __init__(self, count: int, nulls: Sequence[int], octets: memoryview) -> None:
        super().__init__(count, nulls)
        self._joined = str(octets, *_TEXT)

    @property
    def size(self) -> int:
        return sys.getsizeof(self._joined)

    def _listed(self) -> list[Any]:
        return self._joined.split("\0") if self._count else []

    def holding(self, wanted: str) -> Sequence[bool]:
        if wanted not in self._joined:
            return [False] * self._count
        return self._without_nulls([wanted in text for text in self._listed()])


class _Numbers(Packed):
    __slots__ = ("_least", "_most", "_values")

    def __init__(self, count: int, nulls: Sequence[int], octets: memoryview) -> None:
        super().__init__(count, nulls)
        self._least, self._most = _ENDS.unpack_from(octets)
        self._values = _array("q", octets[_ENDS.size :])

    @property
    def size(self) -> int:
        return sys.getsizeof(self._values)

    def _listed(self) -> list[Any]:
        return self._values.tolist()

    def between(self, least: int, most: int) -> Sequence[bool]:
        if self._least > most or self._most < least:
            return [False] * self._count
        low, high = self._least >= least, self._most <= most
        if low and high:
            verdicts = [True] * self._count
        elif low:
            verdicts = [value <= most for value in self._values.tolist()]
        elif high:
            verdicts = [value >= least for value in self._values.tolist()]
        else:
            verdicts = [least <= value <= most for value in self._values.tolist()]
        return self._without_nulls(verdicts)


class _Tuples(Packed):
    """How many numbers each has, then all numbers."""

    __slots__ = ("counts", "values")

    def __init__(self, count: int, nulls: Sequence[int], octets: memoryview) -> None:
        super().__init__(count, nulls)
        self.counts = _array("I", octets[: 4 * count])
        self.values = _array("Q", octets[4 * count :])

    @property
    def size(self) -> int:
        return sys.getsizeof(self.counts) + sys.getsizeof(self.values)

    def _listed(self) -> list[Any]:
        values = tuple(self.values)
        stops = list(accumulate(self.counts))
        return [values[start:stop] for start, stop in zip([0, *stops], stops)]


_CLASSES: Final[Mapping[Form, Callable[[int, Sequence[int], memoryview], Packed]]] = {
    Form.TEXT: _Texts,
    Form.NUMBER: _Numbers,
    Form.NUMBERS: _Tuples,
}


@frozen
class Block:
    """A column of messages, by UID."""

    #: Ascending.
    uids: array[int] = field(repr=False)
    #: No other message of the block's span has an UID up to this one, or ever will.
    through: int
    values: Packed = field(repr=False)

    @property
    def size(self) -> int:
        """Octets of memory, about."""
        return _OVERHEAD + sys.getsizeof(self.uids) + self.values.size

    def of(self, uids: Iterable[int]) -> list[Any]:
        """The values of some of its messages."""
        value_of = dict(zip(self.uids, self.values.listed()))
        return [value_of[uid] for uid in uids]


def runs(column: Sequence[Any]) -> tuple[Iterable[int], Iterable[int]]:
    """Of a column of Form.NUMBERS, how many numbers each has, and all of them; None is none."""
    if isinstance(column, _Tuples):
        return column.counts, column.values
    several = [value or () for value in column]
    return map(len, several), chain.from_iterable(several)


def pack(form: Form, uids: array[int], through: int, values: Sequence[Any]) -> bytes:
    """The octets of a block."""
    nulls = array("I", [row for row, value in enumerate(values) if value is None])
    rest = b"".join(
        (
            _HEAD.pack(_CODE[form], through, len(uids), len(nulls)),
            _octets(uids),
            _octets(nulls),
            _payload(form, values),
        )
    )
    return _CHECKSUM.pack(crc32(rest)) + rest


def _payload(form: Form, values: Sequence[Any]) -> bytes:
    if form is Form.TEXT:
        joined = "\0".join(["" if value is None else value for value in values])
        if values and joined.count("\0") != len(values) - 1:
            raise ValueError("there is NUL in a text")
        return joined.encode(*_TEXT)
    if form is Form.NUMBER:
        known = [value for value in values if value is not None]
        ends = _ENDS.pack(min(known, default=MOST), max(known, default=LEAST))
        return ends + _octets(array("q", [0 if value is None else value for value in values]))
    several = [() if value is None else value for value in values]
    counts = array("I", list(map(len, several)))
    return _octets(counts) + _octets(array("Q", [each for value in several for each in value]))


def unpack(form: Form, octets: bytes) -> Block:
    """The block of these octets.  Raises `Damaged`."""
    view = memoryview(octets)
    rest = view[_CHECKSUM.size :]
    try:
        if _CHECKSUM.unpack_from(octets)[0] != crc32(rest):
            raise Damaged("its checksum is another")
        code, through, count, nulls = _HEAD.unpack_from(rest)
        if code != _CODE[form]:
            raise Damaged("it is of another form")
        rest = rest[_HEAD.size :]
        after = 4 * (count + nulls)
        return Block(
            _array("I", rest[: 4 * count]),
            through,
            _CLASSES[form](count, _array("I", rest[4 * count : after]), rest[after:]),
        )
    except (struct.error, ValueError) as error:
        raise Damaged(str(error)) from error


def holding(column: Sequence[str | None], wanted: str) -> Sequence[bool]:
    """For each text, whether `wanted` is in it."""
    if isinstance(column, _Texts):
        return column.holding(wanted)
    return [text is not None and wanted in text for text in column]


def between(column: Sequence[int | None], least: int, most: int) -> Sequence[bool]:
    """For each number, whether it is from `least` to `most`."""
    if isinstance(column, _Numbers):
        return column.between(least, most)
    return [value is not None and least <= value <= most for value in column]


def _octets(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, octets: memoryview) -> array[int]:
    made = array(code)
    made.frombytes(octets)
    if sys.byteorder == "big":
        made.byteswap()
    return made
