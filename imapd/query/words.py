"""Text cut into words, and what words a text must have in which a string occurs.

Rules of this file:

* Text is folded (`imapd.query.fold`); words are octets, UTF-8.
* A run is a maximal sequence of letters, digits and what is not cut off: which characters belong
  to it does not depend on what stands around it.  So a run inside a sought string, with something
  on both of its sides, is a run of every text in which the string occurs.
* A run is a word.  One longer than `LONGEST` is cut into windows of that length, each beginning
  `_STEP` after the one before; the last is as long as is left.
* Scripts that put no spaces between words are runs of their own, and each two neighbouring
  characters of them are a word; a run of one character is one too.
* Words in a row, each between line ends, are a vocabulary: a pattern is looked for in it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import AnyStr, Final

from attrs import frozen

__all__ = ["LONGEST", "Patterns", "patterns", "runs_of", "shorten", "words_of"]

#: Characters of a word.
LONGEST: Final = 32
_STEP: Final = 16
#: A piece of a run that is no longer than this is in one of its windows.
_PIECE: Final = LONGEST - _STEP + 1
#: Characters of text that are cut at once: other threads wait meanwhile.
_AT_ONCE: Final = 65_536

#: Thai, Lao, Burmese, Khmer; kana with their marks, bopomofo, ideographs.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
#: Controls, spaces and punctuation; arrows, boxes and the like.
_CUT: Final = "\x00-/:-@\\[-`{-\xbf\xd7\xf7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u303f\ufe00-\ufe6f"
_RUN: Final = re.compile(f"[{_UNSPACED}]+|[^{_CUT}{_UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]").match
_BREAK: Final = re.compile(f"[{_CUT}]").search
#: Octets more than characters, one of so many: a text is ASCII but for a few words.
_RARE: Final = 8
#: For the ASCII in UTF-8, the same by a table: what is cut off is a space.
_ASCII: Final = bytes(octet if octet > 127 or chr(octet).isalnum() else 32 for octet in range(256))


def words_of(text: str) -> set[bytes]:
    """The words of a text, each once."""
    words: set[bytes] = set()
    for runs in runs_of(text):
        words.update(runs)
    shorten(words)
    return words


def runs_of(text: str) -> Iterator[Iterable[bytes]]:
    """The words of a text, a piece of it at a time, but long runs of ASCII whole."""
    if len(text) <= _AT_ONCE:
        yield _runs(text)
    else:
        yield from map(_runs, _pieces(text))


def shorten(words: set[bytes]) -> None:
    """Cut the long runs among words into windows."""
    if max(map(len, words), default=0) > LONGEST:
        for word in [word for word in words if len(word) > LONGEST and word.isascii()]:
            words.remove(word)
            words.update(_windows(word))


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces that end where no run goes on."""
    at = 0
    while at < len(text):
        end = _BREAK(text, at + _AT_ONCE)
        stop = len(text) if end is None else end.end()
        yield text[at:stop]
        at = stop


def _runs(text: str) -> Iterable[bytes]:
    octets = _octets(text)
    if len(octets) - len(text) > len(text) // _RARE:
        return _parted(text)
    runs = octets.translate(_ASCII).split()
    if text.isascii():
        return runs
    different = set(runs)
    # These may have characters that are cut off.
    others = [run for run in different if not run.isascii()]
    parted = _parted(b" ".join(others).decode("utf-8", "surrogatepass"))
    return different.difference(others).union(parted)


def _parted(text: str) -> Iterable[bytes]:
    found: set[str] = set()
    first = _UNSPACED[0]
    for run in set(_RUN.findall(text)):
        # None of them lies before the first: a look at that spares the pattern.
        if run >= first and _IS_UNSPACED(run):
            found.update(_pairs(run))
        elif len(run) > LONGEST:
            found.update(_windows(run))
        else:
            found.add(run)
    return _octets(" ".join(found)).split()


def _windows(run: AnyStr) -> Iterator[AnyStr]:
    for start in range(0, max(_STEP, len(run) - _STEP), _STEP):
        yield run[start : start + LONGEST]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@frozen
class Patterns:
    """What the words of a text say of whether a string occurs in it."""

    #: Each is in a word of a text in which the string occurs; none: nothing is known.
    needed: tuple[bytes, ...]
    #: A text that has a word with this in it has the string; None: no word can tell.
    proof: bytes | None

    @property
    def exact(self) -> bool:
        """Whether who has what is needed has the string."""
        return self.needed == (self.proof,)


def patterns(string: str) -> Patterns:
    """What to look for in a vocabulary for a folded string."""
    needed: list[str] = []
    proof: str | None = None
    for match in _RUN.finditer(string):
        run = match[0]
        begins, ends = match.start() > 0, match.end() < len(string)
        if _IS_UNSPACED(run):
            pairs = _unspaced(run, begins, ends)
            if run == string and len(run) <= 2:
                proof = pairs[0]
            needed += pairs
        else:
            if run == string and len(run) <= LONGEST:
                proof = run
            needed += _spaced(run, begins, ends)
    return Patterns(
        tuple(dict.fromkeys(map(_octets, needed))), None if proof is None else _octets(proof)
    )


def _unspaced(run: str, begins: bool, ends: bool) -> list[str]:
    if len(run) > 1:
        return [f"\n{pair}\n" for pair in _pairs(run)]
    # Part of a pair, if the run goes on beyond the string.
    return [("\n" if begins else "") + run + ("\n" if ends else "")]


def _spaced(run: str, begins: bool, ends: bool) -> list[str]:
    """For a run of which it is known whether it begins and ends with the text's."""
    if begins and ends:
        return [f"\n{window}\n" for window in _windows(run)]
    if begins:
        return _prefix(run)
    last = "\n" if ends else ""
    if len(run) <= _PIECE:
        return [run + last]
    return [*(run[at : at + _PIECE] for at in range(0, len(run) - _PIECE, _PIECE)),
            run[-_PIECE:] + last]  # fmt: skip


def _prefix(run: str) -> list[str]:
    """For the beginning of a run: its windows are where they will be in the whole."""
    starts = range(0, max(0, len(run) - LONGEST + 1), _STEP)
    found = [f"\n{run[start : start + LONGEST]}\n" for start in starts]
    rest = _STEP * len(starts)
    # What is not in a whole window yet is in the next, if there is one for certain.
    if not found or len(run) > rest + _STEP:
        found.append("\n" + run[rest:])
    return found
