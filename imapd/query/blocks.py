"""A column of some neighbouring messages: packed into octets once, then looked through as a whole.

What a message is never changes, so a block stays right for good.  Messages of it that are
expunged are in it all the same; who looks through it knows whom to leave out.
"""

from __future__ import annotations

import struct
import sys
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
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
    "joined",
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
_CODE: Final = {Form.TEXT: 1, Form.NUMBER: 4, Form.NUMBERS: 3}
#: Of numbers: the least, the most.
_ENDS: Final = struct.Struct("<qq")
#: Octets of a number in an array, by the array's code; the first in which all fit is taken.
_WIDTHS: Final = {"H": 2, "I": 4, "Q": 8, "q": 8}
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

    @classmethod
    @abstractmethod
    def unpacked(cls, count: int, nulls: Sequence[int], octets: memoryview) -> Packed:
        """Of octets that were packed.  Raises `ValueError`."""

    @classmethod
    @abstractmethod
    def _together(cls, count: int, nulls: Sequence[int], parts: Sequence[Any]) -> Packed:
        """Of several of this class."""

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

    def _without_nulls(self, verdicts: bytes) -> bytes:
        if not self._nulls:
            return verdicts
        left = bytearray(verdicts)
        for row in self._nulls:
            left[row] = 0
        return bytes(left)

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

    def __init__(self, count: int, nulls: Sequence[int], joined: str) -> None:
        super().__init__(count, nulls)
        self._joined = joined

    @classmethod
    def unpacked(cls, count: int, nulls: Sequence[int], octets: memoryview) -> Packed:
        return cls(count, nulls, str(octets, *_TEXT))

    @classmethod
    def _together(cls, count: int, nulls: Sequence[int], parts: Sequence[_Texts]) -> Packed:
        return cls(count, nulls, "\0".join([part._joined for part in parts]))

    @property
    def size(self) -> int:
        return sys.getsizeof(self._joined)

    def _listed(self) -> list[Any]:
        return self._joined.split("\0") if self._count else []

    def holding(self, wanted: str) -> bytes:
        if wanted not in self._joined:
            return bytes(self._count)
        return self._without_nulls(bytes([wanted in text for text in self._listed()]))


class _Numbers(Packed):
    """Numbers, each in a lane of as many octets.

    Without negative ones the highest bit of each lane is free: all are compared by one
    subtraction, which leaves that bit, set before, where nothing was borrowed.
    """

    __slots__ = ("_code", "_lanes", "_least", "_most")

    def __init__(
        self, count: int, nulls: Sequence[int], least: int, most: int, lanes: bytes
    ) -> None:
        super().__init__(count, nulls)
        self._least = least
        self._most = most
        self._code = _lane(least, most)
        self._lanes = lanes
        if len(lanes) != _WIDTHS[self._code] * count:
            raise ValueError("there are not as many numbers")

    @classmethod
    def unpacked(cls, count: int, nulls: Sequence[int], octets: memoryview) -> Packed:
        least, most = _ENDS.unpack_from(octets)
        return cls(count, nulls, least, most, bytes(octets[_ENDS.size :]))

    @classmethod
    def _together(cls, count: int, nulls: Sequence[int], parts: Sequence[_Numbers]) -> Packed:
        least, most = min(part._least for part in parts), max(part._most for part in parts)
        code = _lane(least, most)
        lanes = [
            part._lanes if part._code == code else _octets(array(code, part._listed()))
            for part in parts
        ]
        return cls(count, nulls, least, most, b"".join(lanes))

    @property
    def size(self) -> int:
        return sys.getsizeof(self._lanes)

    def _listed(self) -> list[Any]:
        return _array(self._code, self._lanes).tolist()

    def between(self, least: int, most: int) -> bytes:
        if self._least > most or self._most < least:
            return bytes(self._count)
        if self._least < 0:
            return self._without_nulls(bytes([least <= each <= most for each in self._listed()]))
        width = _WIDTHS[self._code]
        ones = _ones(width, self._count)
        shift = 8 * width - 1
        free = passed = ones << shift
        lanes = int.from_bytes(self._lanes, "little")
        if least > self._least:
            passed &= (lanes | free) - least * ones
        if most < self._most:
            passed &= (free | most * ones) - lanes
        octets = (passed >> shift).to_bytes(width * self._count, "little")
        return self._without_nulls(octets[::width])


def _lane(least: int, most: int) -> str:
    """The code of the array that numbers between these are kept as: the highest bit is free, or a sign."""
    if least < 0:
        return "q"
    return next(code for code, width in _WIDTHS.items() if most < 1 << 8 * width - 1)


@lru_cache(16)
def _ones(width: int, count: int) -> int:
    """1 in each of so many lanes."""
    return int.from_bytes((b"\1" + bytes(width - 1)) * count, "little")


class _Tuples(Packed):
    """How many numbers each has, then all numbers."""

    __slots__ = ("counts", "values")

    def __init__(
        self, count: int, nulls: Sequence[int], counts: array[int], values: array[int]
    ) -> None:
        super().__init__(count, nulls)
        self.counts = counts
        self.values = values

    @classmethod
    def unpacked(cls, count: int, nulls: Sequence[int], octets: memoryview) -> Packed:
        return cls(count, nulls, _array("I", octets[: 4 * count]), _array("Q", octets[4 * count :]))

    @classmethod
    def _together(cls, count: int, nulls: Sequence[int], parts: Sequence[_Tuples]) -> Packed:
        counts, values = array("I"), array("Q")
        for part in parts:
            counts += part.counts
            values += part.values
        return cls(count, nulls, counts, values)

    @property
    def size(self) -> int:
        return sys.getsizeof(self.counts) + sys.getsizeof(self.values)

    def _listed(self) -> list[Any]:
        values = tuple(self.values)
        stops = list(accumulate(self.counts))
        return [values[start:stop] for start, stop in zip([0, *stops], stops)]


_CLASSES: Final[Mapping[Form, type[Packed]]] = {
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
        ends = min(known, default=MOST), max(known, default=LEAST)
        lanes = array(_lane(*ends), [0 if value is None else value for value in values])
        return _ENDS.pack(*ends) + _octets(lanes)
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
            _CLASSES[form].unpacked(count, _array("I", rest[4 * count : after]), rest[after:]),
        )
    except (struct.error, ValueError) as error:
        raise Damaged(str(error)) from error


def joined(columns: Sequence[Packed]) -> Packed:
    """Columns of one form, none of them empty, as one."""
    count = 0
    nulls: list[int] = []
    for each in columns:
        nulls += [count + row for row in each._nulls]
        count += len(each)
    return type(columns[0])._together(count, nulls, columns)


def holding(column: Sequence[str | None], wanted: str) -> bytes:
    """For each text, whether `wanted` is in it: 1 or 0."""
    if isinstance(column, _Texts):
        return column.holding(wanted)
    return bytes([text is not None and wanted in text for text in column])


def between(column: Sequence[int | None], least: int, most: int) -> bytes:
    """For each number, whether it is from `least` to `most`: 1 or 0."""
    if isinstance(column, _Numbers):
        return column.between(least, most)
    return bytes([value is not None and least <= value <= most for value in column])


def _octets(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, octets: bytes | memoryview) -> array[int]:
    made = array(code)
    made.frombytes(octets)
    if sys.byteorder == "big":
        made.byteswap()
    return made
