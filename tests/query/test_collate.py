"""Putting text in order."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query.collate import collate
from imapd.query.fold import fold


@pytest.mark.parametrize(
    "texts",
    [
        ["", " ", "1", "A", "a b", "AB", "b", "z", "_", "\u00e6"],
        ["cafe", "cafes", "caf\u00e9"],
        ["uber", "U\u0308ber", "\u00fcberall", "v"],
        ["\u0416", "\u044f", "\u4e2d", "\U0001f600"],
        ["dz", "\u01c6", "e"],
    ],
)
def test_order(texts: list[str]) -> None:
    """Case counts for nothing, an accent comes after every letter; the rest is Unicode's order."""
    assert sorted(set(texts), key=collate) == texts


def test_rfc_5051() -> None:
    """Every character is prepared as RFC 5051, 2 has it; its own example is among them."""
    assert collate("\u01c4") == collate("\u01c6") == "Dz\u030c"
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if character in "\t\n\r\0":
            continue
        title = character.title()
        wanted = title if len(title) == 1 else character
        while (less := "".join(map(_decomposed, wanted))) != wanted:
            wanted = less
        assert unicodedata.normalize("NFKD", wanted) == collate(character), hex(number)


def _decomposed(character: str) -> str:
    """The decomposition property of a character, one step of it."""
    if 0xAC00 <= ord(character) < 0xAC00 + 11_172:  # Hangul has none in UnicodeData.txt
        return unicodedata.normalize("NFD", character)
    points = unicodedata.decomposition(character).split()
    return "".join(chr(int(point, 16)) for point in points if "<" not in point) or character


@given(st.text())
def test_agrees_with_fold(text: str) -> None:
    """What is equal in order is equal for a search too, but for the ends of lines."""
    if not set(text) & set("\t\n\r\0"):
        assert fold(collate(text)) == fold(text)


def test_one_line() -> None:
    """What ends a line or a text is a space."""
    assert collate("a\tb\0c\r\nd") == "A B C  D"
