"""Words of texts, and what they say of strings."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imapd.query import words as module
from imapd.query.fold import fold
from imapd.query.words import LONGEST, Patterns, patterns, words_of


def _vocabulary(text: str) -> bytes:
    return b"\n" + b"".join(word + b"\n" for word in words_of(fold(text)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Hello, World! hello", ["hello", "world"]),
        ("a_b-c.d@e", ["a", "b", "c", "d", "e"]),
        ("caf\u00e9 \u201cfoo\u201d", ["cafe\u0301", "foo"]),
        ("Grüße", ["gru\u0308sse"]),
        ("日本語 x日y", ["日本", "本語", "x", "日", "y"]),
        ("がく", ["か\u3099", "\u3099く"]),
        ("x" * 32, ["x" * 32]),
        ("0123456789" * 4, ["01234567890123456789012345678901", "678901234567890123456789"]),
        ("한국", [fold("한국")]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """Runs of letters and digits; long ones in windows, ideographs in pairs."""
    assert words_of(fold(text)) == {word.encode("utf-8") for word in words}


@pytest.mark.parametrize(
    ("string", "needed", "proof"),
    [
        ("", [], None),
        (" -- ", [], None),
        ("ello", ["ello"], "ello"),
        ("lo wor", ["lo\n", "\nwor"], None),
        (" one ", ["\none\n"], None),
        ("a one b", ["a\n", "\none\n", "\nb"], None),
        ("日", ["日"], "日"),
        ("日本", ["\n日本\n"], "\n日本\n"),
        ("日本語", ["\n日本\n", "\n本語\n"], None),
        ("a日", ["a\n", "\n日"], None),
        ("abcdefghijklmnopqrst", ["abcdefghijklmnopq", "defghijklmnopqrst"], "abcdefghijklmnopqrst"),
        ("x " + "y" * 32, ["x\n", "\n" + "y" * 32 + "\n"], None),
        ("x " + "y" * 33, ["x\n", "\n" + "y" * 32 + "\n", "\n" + "y" * 17], None),
    ],
)  # fmt: skip
def test_patterns(string: str, needed: list[str], proof: str | None) -> None:
    """What is inside a string is whole in the text; what is at its ends may go on there."""
    assert patterns(string) == Patterns(
        tuple(each.encode("utf-8") for each in needed),
        None if proof is None else proof.encode("utf-8"),
    )


_alphabet = st.sampled_from(
    ["a", "b", "A", "é", "e", "\u0301", "ß", "ſ", "1", " ", "-", "\n", "_", "日", "本", "が", "か", "ﬁ",
     "\u3099", "ก", "\u0e31", "한", "\u201c", "😀", "\u0131", "İ", "ж", "\xa0", "½", "\u0345", "\ud800"]
)  # fmt: skip
_texts = st.one_of(
    st.text(_alphabet, max_size=30),
    st.text("ab ", max_size=120),
    st.text(st.sampled_from("abcdefgh0123"), min_size=17, max_size=120),
    st.text(max_size=30),
)


@settings(max_examples=600)
@given(_texts, st.data())
@example("x" * 100, None)
def test_no_match_is_lost(text: str, data: st.DataObject | None) -> None:
    """Whatever string is in a text, the words of the text have all that is needed for it."""
    folded = fold(text)
    if data is None:
        cuts = [(start, stop) for start in range(20) for stop in range(start, len(folded) + 1)]
    else:
        ends = st.integers(min_value=0, max_value=len(folded))
        cuts = [tuple(sorted((data.draw(ends), data.draw(ends))))]  # type: ignore[list-item]
    vocabulary = _vocabulary(text)
    for start, stop in cuts:
        for needed in patterns(folded[start:stop]).needed:
            assert needed in vocabulary, folded[start:stop]


@settings(max_examples=600)
@given(_texts, st.text(_alphabet, min_size=1, max_size=4) | _texts)
def test_proof_is_proof(text: str, string: str) -> None:
    """Where a word proves it, the string is in the text; where the pattern is exact, it decides."""
    folded, sought = fold(text), fold(string)
    found = patterns(sought)
    vocabulary = _vocabulary(text)
    if found.proof is not None and found.proof in vocabulary:
        assert sought in folded
    if found.exact:
        assert (sought in folded) == (found.needed[0] in vocabulary)


@given(_texts, st.integers(min_value=1, max_value=40))
def test_long_texts_in_pieces(text: str, size: int) -> None:
    """Cut into pieces or not, the words are the same."""
    folded = fold(text)
    whole = words_of(folded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AT_ONCE", size)
        assert words_of(folded) == whole


def _one_by_one(text: str) -> set[bytes]:
    """The words by what `patterns` takes for runs."""
    words: set[str] = set()
    for run in module._RUN.findall(text):
        if module._IS_UNSPACED(run):
            words.update(run[at : at + 2] for at in range(max(1, len(run) - 1)))
        elif len(run) <= LONGEST:
            words.add(run)
        else:
            words.update(run[at : at + 32] for at in range(0, len(run) - 16, 16))
    return {word.encode("utf-8", "surrogatepass") for word in words}


@settings(max_examples=600)
@given(
    st.text(st.characters(max_codepoint=127), max_size=80)
    | st.text(st.characters(max_codepoint=0x2FF), max_size=80)
    | _texts
    | st.lists(_texts).map("".join)
)
@example("x" * 100)
@example("x" * 100 + "\u0131")
@example("\x85a\xa0b\u1680c\u2028d\u3000e")
def test_the_short_way(text: str) -> None:
    """What is cut by a table and what is not come to the same words."""
    folded = fold(text)
    assert words_of(folded) == _one_by_one(folded)
