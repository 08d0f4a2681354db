"""Which names the patterns of LIST and LSUB mean (RFC 9051, 6.3.9).

``*`` stands for any characters, ``%`` for any but the delimiter.  INBOX, and what is
below it, is meant in any case.  A match takes time in proportion to the name,
whatever the pattern: wildcards are followed all at once, as bits of one number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from imapd.model.mailbox import DELIMITER, INBOX, canonical

__all__ = ["Patterns"]

_WILDCARDS: Final = re.compile(r"[*%]+")
_BELOW_INBOX: Final = INBOX + DELIMITER


class Patterns:
    """Several patterns as one question."""

    __slots__ = ("_exact", "_levels", "_tests")

    def __init__(self, patterns: Iterable[str], longest: int) -> None:
        """Patterns that need a name of more than `longest` characters match none."""
        exact: set[str] = set()
        tests: dict[str, _Test] = {}
        self._levels: list[_Test] = []
        for pattern in dict.fromkeys(patterns):
            text = _WILDCARDS.sub(_one_wildcard, pattern)
            if len(text) - text.count("*") - text.count("%") > longest:
                continue
            if _WILDCARDS.search(text) is None:
                exact.add(canonical(text))
                continue
            test = tests.get(text)
            if test is None:
                test = tests[text] = _test(text)
            if pattern.endswith("%"):
                self._levels.append(test)
        self._exact = frozenset(exact)
        self._tests = tuple(tests.values())

    @property
    def cost(self) -> int:
        """How many patterns must be tried on each name."""
        return len(self._tests)

    @property
    def match(self) -> Callable[[str], bool]:
        """Whether one of them means a name, which is canonical."""
        if len(self._tests) == 1 and not self._exact:
            return self._tests[0]
        return lambda name: name in self._exact or any(test(name) for test in self._tests)

    def match_level(self, name: str) -> bool:
        """Whether one of them means `name` even if it only holds others: its last is ``%``."""
        return any(test(name) for test in self._levels)


_Test = Callable[[str], bool]


def _one_wildcard(run: re.Match[str]) -> str:
    return "*" if "*" in run[0] else "%"


def _test(pattern: str) -> _Test:
    """How to try one pattern, in which no two wildcards meet."""
    head = pattern[:-1]
    simple = _WILDCARDS.search(head) is None
    if simple and (not head or DELIMITER in head or not INBOX.startswith(head.upper())):
        start = canonical(head)
        if pattern.endswith("*"):
            return lambda name: name.startswith(start)
        return lambda name: name.startswith(start) and DELIMITER not in name[len(start) :]
    return _Automaton(pattern).match


class _Automaton:
    """One pattern; bit n of a state says that its first n places are used up."""

    __slots__ = ("_any", "_end", "_level", "_places", "_wild")

    def __init__(self, pattern: str) -> None:
        places: dict[str, int] = {}
        for place, character in enumerate(pattern):
            places[character] = places.get(character, 0) | 1 << place
        self._any = places.pop("*", 0)
        self._level = places.pop("%", 0)
        self._wild = self._any | self._level
        self._places = places
        self._end = 1 << len(pattern)

    def match(self, name: str) -> bool:
        """Whether the pattern means `name`."""
        places, wild, in_level = self._places, self._wild, self._wild
        folded = len(INBOX) if name == INBOX or name.startswith(_BELOW_INBOX) else 0
        # A wildcard may stand for nothing: whoever is at one is behind it too.
        state = 1 | (wild & 1) << 1
        for at, character in enumerate(name):
            here = places.get(character, 0)
            if at < folded:
                here |= places.get(character.lower(), 0)
            stays = state & (self._any if character == DELIMITER else in_level)
            state = stays | (state & here) << 1
            if not state:
                return False
            state |= (state & wild) << 1
        return bool(state & self._end)
