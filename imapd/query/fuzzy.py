"""Words that are alike, and how well a text has the words of a query (RFC 6203, 3 and 4).

A text matches when it has every word of the query, in any order, in one of these forms; each is
worth less than the one before:

* the word itself, whatever its accents; the beginning of a longer word; a part of one;
* another form of it: both begin alike, for two thirds or more and four letters or more, and end
  otherwise in three letters at most;
* the word misspelt: in one letter, in two if it has nine or more, but not in the first.

So whatever holds the query as it is written matches.  A word of less than four letters, or with a
digit in it, is not looked for in other forms.  A query without words, or with very many, means
only what it is; and forms are looked for only at the beginning of a very long text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["Query", "bare"]

#: Words of one query, and letters of one of them, that other forms are looked for.
_WORDS: Final = 16
_LETTERS: Final = 40
#: Characters of a message in which forms are looked for: a millisecond or two.
_LOOKED_AT: Final = 50_000
#: Words that are remembered to be like another or not.
_REMEMBERED: Final = 20_000

_LEAST: Final = 4
_ENDING: Final = 3
#: Letters of a word in which two may be wrong.
_LONG: Final = 9

_WHOLE: Final = 1.0
_BEGINNING: Final = 0.9
_PART: Final = 0.75
_FORM: Final = 0.7
_MISSPELT: Final = (1.0, 0.55, 0.4)
#: What words in another order, or apart, are worth.
_APART: Final = 0.9

_WORD: Final = re.compile(r"\w+")
#: Accents, and the points of Hebrew and Arabic that are seldom written.
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]+"
)


def bare(text: str) -> str:
    """A folded text without its accents."""
    return text if text.isascii() else _MARKS.sub("", text)


class Query:
    """What is looked for; texts are given `bare`."""

    __slots__ = ("_near", "_phrase", "_words", "string")

    def __init__(self, string: str) -> None:
        #: Folded.
        self.string = string
        self._phrase = bare(string).strip()
        words = list(dict.fromkeys(_WORD.findall(self._phrase)))
        if not 0 < len(words) <= _WORDS:
            words = [self._phrase]
        self._words = [_Word(word) for word in words]
        varied = [word for word in self._words if word.varies]
        self._near: re.Pattern[str] | None = None
        if varied:
            firsts = "".join(sorted({re.escape(word.text[0]) for word in varied}))
            most = max(len(word.text) for word in varied) + _ENDING
            self._near = re.compile(rf"\b[{firsts}]\w{{{_LEAST - 2},{most}}}\b")

    def found_in(self, texts: Iterable[str]) -> bool:
        """Whether every word is in one of the texts."""
        missing = self._words
        kept: list[str] = []
        left = _LOOKED_AT
        for text in texts:
            missing = [word for word in missing if word.text not in text]
            if not missing:
                return True
            if left > 0:
                kept.append(text[:left])
                left -= len(kept[-1])
        if not all(word.varies for word in missing):
            return False
        for text in kept:
            near = self._near_words(text)
            missing = [word for word in missing if not word.best(near)]
            if not missing:
                return True
        return False

    def worth(self, places: Sequence[tuple[float, str]]) -> float:
        """How well it matches, up to 1: texts come with what it is worth to be found there.

        0: not every word is in one of them.
        """
        found = [0.0] * len(self._words)
        together = 0.0
        left = _LOOKED_AT
        for share, text in places:
            near = self._near_words(text[:left]) if left > 0 else ()
            left -= len(text)
            for at, word in enumerate(self._words):
                found[at] = max(found[at], share * (word.written(text) or word.best(near)))
            if self._phrase in text:
                together = max(together, share)
        if not all(found):
            return 0.0
        average = sum(found) / len(found)
        return average if together or len(found) == 1 else average * _APART

    def _near_words(self, text: str) -> Iterable[str]:
        return set(self._near.findall(text)) if self._near is not None else ()


class _Word:
    """One word of a query."""

    __slots__ = ("_alike", "_whole", "text", "varies")

    def __init__(self, text: str) -> None:
        self.text = text
        #: It is looked for in other forms.
        self.varies = _LEAST <= len(text) <= _LETTERS and text.isalpha()
        self._alike: dict[str, float] = {}
        self._whole = re.compile(rf"(\b)?{re.escape(text)}(\b)?")

    def written(self, text: str) -> float:
        """What it is worth that the text has it, as it is written."""
        best = 0.0
        if self.text in text:
            for match in self._whole.finditer(text, 0, _LOOKED_AT):
                if match[1] is None:
                    best = max(best, _PART)
                elif match[2] is None:
                    best = max(best, _BEGINNING)
                else:
                    return _WHOLE
            best = best or _PART
        return best

    def best(self, words: Iterable[str]) -> float:
        """What the one of these words is worth that is most like it."""
        return max(map(self._likeness, words), default=0.0) if self.varies else 0.0

    def _likeness(self, word: str) -> float:
        known = self._alike.get(word)
        if known is None:
            if len(self._alike) >= _REMEMBERED:
                self._alike.clear()
            known = self._alike[word] = _likeness(self.text, word)
        return known


def _likeness(wanted: str, word: str) -> float:
    """What it is worth that a word is there, and not the one that is wanted; 0 if they are not alike."""
    if wanted[0] != word[0]:
        return 0.0
    longer = max(len(wanted), len(word))
    shared = _shared(wanted, word)
    ending = longer - shared
    if shared >= _LEAST and ending <= _ENDING and shared * 3 >= longer * 2:
        return _FORM
    for count in range(1, 3 if len(wanted) >= _LONG else 2):
        if _differ(wanted, word, count):
            return _MISSPELT[count]
    return 0.0


def _shared(one: str, other: str) -> int:
    """How many letters they have in common from the beginning."""
    for at, (first, second) in enumerate(zip(one, other)):
        if first != second:
            return at
    return min(len(one), len(other))


def _differ(one: str, other: str, most: int) -> bool:
    """By no more than so many letters: another, one more, one less, or two neighbours the other way round."""
    if abs(len(one) - len(other)) > most:
        return False
    at = _shared(one, other)
    one, other = one[at:], other[at:]
    if not most or not one or not other:
        return len(one) + len(other) <= most
    return (
        _differ(one[1:], other[1:], most - 1)
        or _differ(one[1:], other, most - 1)
        or _differ(one, other[1:], most - 1)
        or (one[:2] == other[1::-1] and _differ(one[2:], other[2:], most - 1))
    )
