"""An index of the words of some hundreds or thousands of messages: made once, then only read.

Rules of this file:

* A segment is two strings of octets: a head that is read whole, and a body of which pieces are.
* A message is its ordinal, its place among the UIDs.  Sets of messages are a `Mask`, an int with
  one octet a message, 1 or 0.
* Each `Place` has its own vocabularies, three of them: words of one message; words of some, each
  with a list of ordinals; words of many, each with a bit for every message.  A word's number in
  its vocabulary says where its messages are.
* A message that has too many words has none here: it may hold anything.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, compress, repeat
from typing import Final

from attrs import define, field

from imapd.model.text import Place, Sought, Told
from imapd.query.words import Patterns, patterns

__all__ = ["Draft", "Segment", "Words"]

#: The words of a message at each `Place`.
Words = Sequence[Collection[bytes]]
#: Octets of the body from an offset, so many.
Read = Callable[[int, int], bytes]
Mask = int

#: Sections of the body, for each place.
_SINGLE_WORDS: Final = 0
_SINGLE: Final = 1  #: two octets a word: the ordinal
_LISTED_WORDS: Final = 2
_ENDS: Final = 3  #: four octets a word: where its list ends, in ordinals
_LISTS: Final = 4  #: two octets an ordinal
_DENSE_WORDS: Final = 5
_DENSE: Final = 6  #: a bit a message
_SECTIONS: Final = 7
_COUNT: Final = _SECTIONS * len(Place)
_HEAD: Final = struct.Struct(f"<II{_COUNT}I")

#: Words of a vocabulary that one pattern may match; with more, it says nothing.
_MATCHES: Final = 4_000
#: Words between two pauses.
_OFTEN: Final = 100
#: Words whose lists are read one by one.
_FEW: Final = 32
#: The eight octets of eight bits.
_SPREAD: Final = [bytes(number >> bit & 1 for bit in range(8)) for number in range(256)]


@define(eq=False)
class Draft:
    """A segment that is being written; messages come in ascending order of their UIDs."""

    uids: array[int] = field(factory=lambda: array("I"), init=False)
    #: How much it is already: ordinals in lists.
    entries: int = field(default=0, init=False)
    _unknown: array[int] = field(factory=lambda: array("H"), init=False)
    #: For each place: the ordinals of each word, two octets each.  Arrays are looked through by the
    #: garbage collector, which would stop everyone for as long as it takes with so many.
    _words: Sequence[defaultdict[bytes, bytearray]] = field(
        factory=lambda: [defaultdict(bytearray) for _ in Place], init=False, repr=False
    )

    def add(self, uid: int, words: Words | None) -> None:
        """A message; None: nothing is known of it."""
        ordinal = len(self.uids)
        self.uids.append(uid)
        if words is None:
            self._unknown.append(ordinal)
            return
        octets = ordinal.to_bytes(2, sys.byteorder)
        for known, some in zip(self._words, words):
            self.entries += len(some)
            # A loop of C: there may be a thousand words.
            deque(map(bytearray.extend, map(known.__getitem__, some), repeat(octets)), maxlen=0)

    def join(self, segment: Segment, live: Collection[int], pause: Callable[[], object]) -> None:
        """Those messages of a segment that are still there; `pause` is called now and then."""
        becomes: dict[int, int] = {}
        unknown = set(segment.unknown)
        for ordinal, uid in enumerate(segment.uids):
            if uid in live:
                becomes[ordinal] = len(self.uids)
                self.add(uid, None if ordinal in unknown else ((),) * len(Place))
        for place in Place:
            known = self._words[place]
            for count, (word, ordinals) in enumerate(segment.lists(place)):
                if len(becomes) < len(segment.uids):
                    ordinals = [ordinal for ordinal in ordinals if ordinal in becomes]
                if ordinals:
                    known[word] += array("H", map(becomes.__getitem__, ordinals)).tobytes()
                    self.entries += len(ordinals)
                if not count % _OFTEN:
                    pause()

    def octets(self, pause: Callable[[], object] = lambda: None) -> tuple[bytes, bytes]:
        """The head and the body."""
        sections: list[bytes] = []
        for words in self._words:
            for section in self._sections(words, pause):
                sections.append(section)
                pause()
        head = _HEAD.pack(len(self.uids), len(self._unknown), *map(len, sections))
        return head + self.uids.tobytes() + self._unknown.tobytes(), b"".join(sections)

    def _sections(
        self, words: Mapping[bytes, bytearray], pause: Callable[[], object]
    ) -> Iterator[bytes]:
        width = (len(self.uids) + 7) // 8
        single: dict[bytes, bytearray] = {}
        listed: dict[bytes, bytearray] = {}
        dense: dict[bytes, bytearray] = {}
        for count, (word, found) in enumerate(words.items()):
            if not count % _OFTEN:
                pause()
            if len(found) == 2:
                single[word] = found
            elif len(found) < width:
                listed[word] = found
            else:
                dense[word] = found
        yield _vocabulary(single)
        yield b"".join(single.values())
        yield _vocabulary(listed)
        yield array("I", accumulate(len(found) // 2 for found in listed.values())).tobytes()
        yield b"".join(listed.values())
        yield _vocabulary(dense)
        bits: list[bytes] = []
        for found in dense.values():
            bits.append(_bits(array("H", bytes(found)), width))
            pause()
        yield b"".join(bits)


def _vocabulary(words: Iterable[bytes]) -> bytes:
    joined = b"\n".join(words)
    return b"\n" + joined + b"\n" if joined else b""


def _bits(ordinals: Iterable[int], width: int) -> bytes:
    digits = bytearray(b"0" * (8 * width))
    for ordinal in ordinals:
        digits[ordinal] = 49
    return int(digits[::-1], 2).to_bytes(width, "little")


class Segment:
    """A segment as it is looked at; what it has read of vocabularies it keeps."""

    __slots__ = ("_kept", "_offsets", "_read", "_width", "held", "uids", "unknown")

    def __init__(self, head: bytes, read: Read) -> None:
        count, unknown, *lengths = _HEAD.unpack_from(head)
        at = _HEAD.size + 4 * count
        self.uids = array("I", head[_HEAD.size : at])
        #: Ordinals of messages of which nothing is known.
        self.unknown = array("H", head[at : at + 2 * unknown])
        self._offsets = [0]
        for length in lengths:
            self._offsets.append(self._offsets[-1] + length)
        self._read = read
        self._width = (count + 7) // 8
        self._kept: dict[int, bytes] = {}
        #: Octets in memory.
        self.held = len(head)

    # -- one section

    def _section(self, place: Place, section: int) -> bytes:
        number = place * _SECTIONS + section
        found = self._kept.get(number)
        if found is None:
            start, stop = self._offsets[number : number + 2]
            found = self._kept[number] = self._read(start, stop - start) if stop > start else b""
            self.held += len(found)
        return found

    def lists(self, place: Place) -> Iterator[tuple[bytes, Sequence[int]]]:
        """Every word, and the ordinals of the messages that have it."""
        singles = array("H", self._section(place, _SINGLE))
        for word, ordinal in zip(self._section(place, _SINGLE_WORDS).split(), singles):
            yield word, (ordinal,)
        lists, start = array("H", self._section(place, _LISTS)), 0
        ends = array("I", self._section(place, _ENDS))
        for word, end in zip(self._section(place, _LISTED_WORDS).split(), ends):
            yield word, lists[start:end]
            start = end
        bits, width = self._section(place, _DENSE), self._width
        for number, word in enumerate(self._section(place, _DENSE_WORDS).split()):
            octets = _spread(bits[number * width : (number + 1) * width])
            yield word, list(compress(range(len(octets)), octets))

    # -- looking up

    def told(self, sought: Sought) -> Told | None:
        """What is known; None: nothing."""
        wanted = [patterns(string) for string in sought.strings]
        if not any(each.needed for each in wanted):
            return None
        holds = may = 0
        for place in sought.places:
            all_hold = all_may = self._every
            for each in wanted:
                here, perhaps = self._meeting(place, each)
                all_hold &= here
                all_may &= perhaps
                if not all_may:
                    break
            holds |= all_hold & all_may
            may |= all_may
        for ordinal in self.unknown:
            may |= 1 << 8 * ordinal
        if not sought.enough:
            holds = 0
        return Told(self.uids, self._uids(holds), self._uids(may & ~holds))

    @property
    def _every(self) -> Mask:
        return int.from_bytes(b"\1" * len(self.uids), "little")

    def _uids(self, mask: Mask) -> frozenset[int]:
        return frozenset(compress(self.uids, mask.to_bytes(len(self.uids), "little")))

    def _meeting(self, place: Place, wanted: Patterns) -> tuple[Mask, Mask]:
        """Those that have the string, and those that perhaps have it."""
        holds, may = 0, self._every
        if wanted.proof is not None:
            holds, whole = self._having(place, wanted.proof)
            if wanted.exact:
                return holds, holds if whole else may
        for pattern in wanted.needed:
            some, whole = self._having(place, pattern)
            if whole:
                may &= some
            if not may:
                break
        return holds, may

    def _having(self, place: Place, pattern: bytes) -> tuple[Mask, bool]:
        """The messages with a word that matches, and whether these are all."""
        left = _MATCHES
        flags = bytearray(len(self.uids))
        numbers = _matches(self._section(place, _DENSE_WORDS), pattern, left)
        bits, width = 0, self._width
        part = self._reader(place, _DENSE, numbers)
        for number in numbers:
            bits |= int.from_bytes(part(number * width, width), "little")
        left -= len(numbers)
        numbers = _matches(self._section(place, _LISTED_WORDS), pattern, left)
        if numbers:
            ends = array("I", self._section(place, _ENDS))
            part = self._reader(place, _LISTS, numbers)
            for number in numbers:
                start = ends[number - 1] if number else 0
                for ordinal in array("H", part(2 * start, 2 * (ends[number] - start))):
                    flags[ordinal] = 1
        left -= len(numbers)
        numbers = _matches(self._section(place, _SINGLE_WORDS), pattern, left)
        if numbers:
            ordinals = array("H", self._section(place, _SINGLE))
            for number in numbers:
                flags[ordinals[number]] = 1
        left -= len(numbers)
        octets = _spread(bits.to_bytes(width, "little"))[: len(flags)]
        return int.from_bytes(flags, "little") | int.from_bytes(octets, "little"), left > 0

    def _reader(self, place: Place, section: int, numbers: Sequence[int]) -> Read:
        """What reads pieces of a section for these words: all of it at once if they are many."""
        offset = self._offsets[place * _SECTIONS + section]
        if len(numbers) <= _FEW:
            return lambda start, length: self._read(offset + start, length)
        size = self._offsets[place * _SECTIONS + section + 1] - offset
        whole = self._read(offset, size)
        return lambda start, length: whole[start : start + length]


def _spread(bits: bytes) -> bytes:
    return b"".join(map(_SPREAD.__getitem__, bits))


def _matches(vocabulary: bytes, pattern: bytes, most: int) -> Sequence[int]:
    """The numbers of words that a pattern matches, so many at most."""
    numbers: list[int] = []
    number, counted = -1, 0
    at = vocabulary.find(pattern)
    inside = 1 if pattern[:1] == b"\n" else 0
    while at >= 0 and len(numbers) < most:
        number += vocabulary.count(b"\n", counted, at + 1)
        numbers.append(number)
        counted = at + 1
        at = vocabulary.find(pattern, vocabulary.index(b"\n", at + inside))
    return numbers
