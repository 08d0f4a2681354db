"""Folding text for comparison."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query import fold as module
from imapd.query.fold import fold, fold_line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("HELLO", "hello", id="ascii"),
        pytest.param("Ёлка", "ёЛКА", id="cyrillic"),
        pytest.param("caf\u00e9", "CAFE\u0301", id="composed and decomposed"),
        pytest.param("stra\u00dfe", "STRASSE", id="sharp s"),
        pytest.param("\ufb01nd", "FIND", id="ligature"),
        pytest.param("\uff21\uff22\uff23", "abc", id="full width"),
        pytest.param("\u2102", "c", id="a letter that decomposes to upper case"),
        pytest.param("\u0131", "I", id="dotless i"),
        pytest.param("ΟΔΟΣ", "οδος", id="final sigma"),
        pytest.param("\u01c5", "\u01c6", id="title case"),
    ],
)
def test_same(one: str, other: str) -> None:
    """Whoever searches one finds the other."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("e", "\u00e9"), ("o", "\u00f8"), ("a", "\u0430"), (" ", "")]
)
def test_different(one: str, other: str) -> None:
    """Letters that are not the same stay different."""
    assert fold(one) != fold(other)


def test_rfc_5051() -> None:
    """All that i;unicode-casemap makes one of (title case, then decomposition) is one here."""
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        title = character.title()
        if unicodedata.category(character) != "Cs" and len(title) == 1:
            assert fold(character) == fold(title), hex(number)


@given(st.text())
def test_twice(text: str) -> None:
    """What is folded stays as it is."""
    assert fold(fold(text)) == fold(text)


@given(st.text() | st.text("ae\u0301\u0323\u0345ß日が\uac00 ", max_size=40), st.integers(1, 5))
def test_long_texts_in_pieces(text: str, size: int) -> None:
    """A text that is folded in pieces is folded as a whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AT_ONCE", size)
        in_pieces = fold(text)
    assert in_pieces == fold(text)


@pytest.mark.parametrize("before", [0, 1, 40, 126, 127, 128, 500])
def test_marks_without_end(before: int) -> None:
    """A text of nothing but marks, wherever they begin, is folded as fast as any other."""
    marks = "x" * before + "e" + "\u0344\u0327" * 300
    with pytest.MonkeyPatch.context() as patch:
        lengths: list[int] = []

        def noted(form: str, text: str) -> str:
            lengths.append(len(text))
            return unicodedata.normalize(form, text)

        patch.setattr(module, "normalize", noted)
        folded = fold("\u00e9 " + marks)
    assert max(lengths) < 200
    assert folded.startswith("e\u0301 " + "x" * before + "e\u0327")
    assert len(folded) == 3 + before + 1 + 3 * 300


@pytest.mark.parametrize("text", ["日本語テスト\u0e33", "ﾊﾞｶﾞ", "ก็", "e\u0301\u0323x", "ΑΒΓς"])
def test_long_words(text: str) -> None:
    """A script that puts no spaces between words is folded as a whole, however long the text is."""
    assert fold(text * 200) == "".join([fold(text)] * 200)


def test_line() -> None:
    """In a header field a tab is a space; elsewhere it is not."""
    assert fold_line("A\tB") == "a b"
    assert fold("A\tB") == "a\tb"
