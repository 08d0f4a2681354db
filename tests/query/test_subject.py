"""Base subjects."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapd.query.subject import base_subject


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("  a \t b  ", "a b"),
        ("one: two", "one: two"),
        ("Hello [draft]", "Hello [draft]"),
        ("[list] Hello", "Hello"),
        ("[a][b] [c]  Hello", "Hello"),
        ("[list]", "[list]"),
        ("[a] [b]", "[b]"),
        ("[a [b] c", "[a [b] c"),
        ("Refwd: Hello", "Refwd: Hello"),
        ("AW: Hello", "AW: Hello"),
        ("Re[2: Hello", "Re[2: Hello"),
        ("Hello (fwd) there", "Hello (fwd) there"),
        ("\ufb00d: Hello", "\ufb00d: Hello"),
    ],
)
def test_original(subject: str, base: str) -> None:
    """Lists' marks and spaces go, and what was first written stays; it is no reply."""
    assert base_subject(subject) == (base, False)


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: Hello", "Hello"),
        ("RE : hello", "hello"),
        ("Fw:Hello", "Hello"),
        ("fwd: re: FW: Hello", "Hello"),
        ("Re[2]: Hello", "Hello"),
        ("Re [list] : Hello", "Hello"),
        ("[list] Re: [list] Hello", "Hello"),
        ("[a] [b]re:[c] hello", "hello"),
        ("Re:", ""),
        ("[list] Re:", ""),
        ("Re: [list]", "[list]"),
        ("(fwd)", ""),
        ("Hello (fwd)", "Hello"),
        ("Hello(FWD) (fwd)  ", "Hello"),
        ("[list] (fwd)", "[list]"),
        ("[fwd: Hello]", "Hello"),
        ("[Fwd: Re: [list] Hello (fwd)] (fwd)", "Hello"),
        ("Re: [fwd: [FWD: Hello]]", "Hello"),
        ("[fwd: [list]]", "[list]"),
        ("[fwd:]", ""),
        ("[list] [fwd: Hello]", "Hello"),
        ("[fwd: [a] b] c]", "b] c"),
    ],
)
def test_reply(subject: str, base: str) -> None:
    """So do the marks of replies and forwards, and it is known that there were some."""
    assert base_subject(subject) == (base, True)


def test_fwd_as_blob() -> None:
    """A "[fwd: ...]" with text after it is a blob as any (step 4), and marks no forward."""
    assert base_subject("[fwd: one] two") == ("two", False)


_BLOB = r"\[[^\[\]]*\][ ]*"
_REFWD = rf"(?:re|fwd?)[ ]*(?:{_BLOB})?:"


def _by_the_steps(text: str) -> tuple[str, bool]:
    """RFC 5256, 2.1, a step at a time."""
    flags = re.ASCII | re.IGNORECASE
    replies = False
    text = re.sub("[ \t\r\n\0]+", " ", text)  # 1
    while True:
        while found := re.search(r"(?:\(fwd\)|[ ])\Z", text, flags):  # 2
            replies |= found[0] != " "
            text = text[: found.start()]
        while True:
            if found := re.match(rf"(?:{_BLOB})*{_REFWD}|[ ]", text, flags):  # 3
                replies |= found[0] != " "
            else:
                found = re.match(_BLOB, text, flags)  # 4
                if found is None or found.end() == len(text):
                    break
            text = text[found.end() :]
        found = re.fullmatch(r"\[fwd:(.*)\]", text, flags)  # 6
        if found is None:
            return text, replies
        text = found[1]
        replies = True


_PIECES = st.sampled_from(
    ["[", "]", ":", " ", "\t", "re", "Fw", "fwd", "(fwd)", "[fwd:", "[a]", "[] ", "Re: ", "x", "é", "\u0130"]
)  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=3)).map("".join))
@example("[[fwd:]")
@example("[fwd:[a]re:]")
def test_by_the_steps(subject: str) -> None:
    """All is as it is when the RFC's steps are taken one by one."""
    assert base_subject(subject) == _by_the_steps(subject)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[fwd:", "]"), ("[a]", ""), ("re:", ""), ("[a]re:", ""), ("", "(fwd)"), ("", "(fwd) "),
        ("re [", ""), ("[fwd:re ", "]"), ("[fwd:", ""), ("", "]"), ("re[a] ", ""), (" ", " "),
    ],
)  # fmt: skip
def test_linear(before: str, after: str) -> None:
    """A subject of marks without end is done soon: this would take hours otherwise."""
    times = 300_000
    text = base_subject(before * times + "x" + after * times).text
    assert "x" in text
