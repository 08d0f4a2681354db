r"""Flags as one integer: a bit for each system flag, and the number of a set of keywords.

``number = bits | set << 8``.  Keyword sets are rows of the index, shared by all mailboxes
of the account, made when first used and never changed; a listing decodes a message's flags
by one dictionary look-up.  Keywords compare without case (RFC 9051, 9); the first spelling
in an account is the one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from imapd.model.flags import (
    ANSWERED,
    DELETED,
    DRAFT,
    FLAGGED,
    RECENT,
    SEEN,
    Flags,
    canonical,
    interned,
)

__all__ = ["BIT", "FORWARDED", "FlagSets"]

#: Of the file names, by flag.
BIT: Final = {SEEN: 1, ANSWERED: 2, FLAGGED: 4, DELETED: 8, DRAFT: 16}
_SHIFT: Final = 8
_LETTER: Final = {SEEN: "S", ANSWERED: "R", FLAGGED: "F", DELETED: "T", DRAFT: "D"}

#: Numbers whose flags are held; a client can make up more.
_MOST: Final = 65_536

#: The letter P ("passed") stands for it.
FORWARDED: Final = "$Forwarded"


class _Decoded(dict[int, Flags]):
    def __init__(self, sets: FlagSets) -> None:
        self._sets = sets

    def __missing__(self, number: int) -> Flags:
        if len(self) >= _MOST:
            self.clear()
        names = [flag for flag, bit in BIT.items() if number & bit]
        flags = self[number] = interned([*names, *self._sets.keywords(number >> _SHIFT)])
        return flags


class FlagSets:
    """The numbers of one connection to the index."""

    def __init__(self, sql: Callable[..., sqlite3.Cursor]) -> None:
        self._sql = sql
        #: Flags by number.
        self.flags: dict[int, Flags] = _Decoded(self)
        self._numbers: dict[Flags, int] = {}
        self._keywords: dict[int, tuple[str, ...]] = {0: ()}
        self._set_numbers: dict[tuple[str, ...], int] = {(): 0}
        self._spelling: dict[str, str] = {}
        self._last = 0

    def number(self, flags: Flags) -> int:
        """The number of flags as `spelt` gives them; in a transaction that may write."""
        known = self._numbers.get(flags)
        if known is None:
            bits = sum(BIT[flag] for flag in flags if flag in BIT)
            keywords = tuple(sorted(flag for flag in flags if flag not in BIT))
            known = self._numbers[flags] = bits | self._set_number(keywords) << _SHIFT
        return known

    def spelt(self, flags: Flags) -> Flags:
        r"""Flags as this account spells them, without \Recent, which no store keeps."""
        self._refresh()
        names: dict[str, str] = {}
        for name in sorted(map(canonical, flags)):
            if name != RECENT:
                folded = name.lower()
                names.setdefault(folded, self._spelling.get(folded, name))
        return interned(names.values())

    def letters(self, number: int) -> str:
        """The letters of a file name."""
        return _letters(self.flags[number])

    def lettered(self, flags: Flags, added: str, removed: str) -> Flags:
        """Flags after letters came and went."""
        gone = {flag for flag, letter in _LETTER.items() if letter in removed}
        names = {flag for flag in flags if flag not in gone}
        names |= {flag for flag, letter in _LETTER.items() if letter in added}
        if "P" in removed:
            names = {name for name in names if name.lower() != FORWARDED.lower()}
        elif "P" in added:
            names |= self.spelt(interned([FORWARDED]))
        return interned(names)

    def keywords(self, number: int) -> tuple[str, ...]:
        """The keywords of a set."""
        if number not in self._keywords:
            self._refresh()
        if number not in self._keywords:
            raise sqlite3.DatabaseError(f"there is no set of keywords {number}")
        return self._keywords[number]

    def forget(self) -> None:
        """A transaction was undone: what it numbered is not there."""
        self._numbers.clear()
        self.flags.clear()
        self._keywords, self._set_numbers = {0: ()}, {(): 0}
        self._spelling.clear()
        self._last = 0

    def _set_number(self, keywords: tuple[str, ...]) -> int:
        if keywords not in self._set_numbers:
            self._refresh()
        if keywords not in self._set_numbers:
            self._sql("INSERT INTO keyword_sets (keywords) VALUES (?)", (" ".join(keywords),))
            self._refresh()
        return self._set_numbers[keywords]

    def _refresh(self) -> None:
        rows = self._sql(
            "SELECT number, keywords FROM keyword_sets WHERE number > ? ORDER BY number",
            (self._last,),
        ).fetchall()
        for number, text in rows:
            keywords = tuple(text.split(" "))
            self._keywords[number], self._set_numbers[keywords] = keywords, number
            for keyword in keywords:
                self._spelling.setdefault(keyword.lower(), keyword)
            self._last = number


@lru_cache(maxsize=1024)
def _letters(flags: Flags) -> str:
    letters = [_LETTER[flag] for flag in flags if flag in _LETTER]
    if any(flag.lower() == FORWARDED.lower() for flag in flags):
        letters.append("P")
    return "".join(sorted(letters))
