"""The words of headers: those of the text that a search looks into."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imapd.query.header_words import header_words
from imapd.query.text import header_text
from imapd.query.words import words_of


@pytest.mark.parametrize(
    ("block", "words"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\r\n", [], id="blank line"),
        pytest.param(b"Subject: Hello,\r\n\tWORLD\r\n\r\n", ["subject", "hello", "world"], id="fold"),
        pytest.param(b"X:\nY: \n\n", ["x", "y"], id="empty fields"),
        pytest.param(b"A : one\rtwo\0three\n\n", ["a", "one", "two", "three"], id="controls"),
        pytest.param(b"From me\r\n too\r\nTo: you\r\n\r\n", ["to", "you"], id="no field"),
        pytest.param(b" lost\r\nTo: you", ["to", "you"], id="continues nothing"),
        pytest.param(b"X: " + b"1234567890" * 4, ["x", "12345678901234567890123456789012",
                     "789012345678901234567890"], id="long"),
        pytest.param(b"To: team: =?utf-8?q?Z=C3=BC?= (=?utf-8?b?w7w=?=) <z@b>;\r\n",
                     ["to", "team", "zu\u0308", "u\u0308", "z", "b"], id="encoded"),
        pytest.param(b"X: =?utf-8?q?J=C3?=\r\n =?utf-8?q?=BCrgen?= =?us-ascii?q?son?=\r\n",
                     ["x", "ju\u0308rgenson"], id="encoded words are joined"),
        pytest.param(b"X: un=?utf-8?q?=C3=A9?=, =?utf-8?q?=C3=A9?=t\r\n",
                     ["x", "une\u0301", "e\u0301t"], id="beside letters"),
        pytest.param(b"X: =?utf-8?q?one\r\n two?=\r\n", ["x", "one", "two"], id="folded inside"),
        pytest.param(b"=?utf-8?q?a: b?=\r\n", ["utf", "8", "q", "a", "b"], id="no encoded name"),
        pytest.param("X: Größe\r\nY: =?utf-8?q?no?=\r\n".encode(), ["x", "y", "gro\u0308sse", "no"],
                     id="8 bits"),
        pytest.param(b"X: \xe9t\xe9\r\nY\xe9: z\r\n", ["x", "e\u0301te\u0301", "ye\u0301", "z"],
                     id="latin"),
    ],
)  # fmt: skip
def test_words(block: bytes, words: Sequence[str]) -> None:
    """Of names and of values as people read them; a line that belongs to no field has none."""
    assert header_words(block) == {word.encode("utf-8") for word in words}


_names = st.sampled_from(
    [b"Subject", b"X", b"to", b"To ", b"Cc\t", b"x-\xc3\xa9", b"=?a?q?x", b"=?utf-8?q?y?=", b"From me",
     b" ", b"\t", b"", b"\0", b"\r", b"A-Name-That-Is-Longer-Than-Any-Word-Of-The-Index-And-Goes-On"]
)  # fmt: skip
_values = st.lists(
    st.sampled_from(
        [b"a", b"B7", b" ", b"\t", b",", b":", b"<a.b@c.d>", b"(", b")", b'"', b"\\", b";", b"\0", b"\r",
         b"\r\n ", b"\n\t", b"\r\n\r\n ", b"\n", b"\r\n", b"x" * 33, b"\x7f", b"\x1c", b"\xc3\xa9", b"\xe9",
         b"=?", b"?=", b"?q?", b"?B?", b"=D0", b"=?utf-8?q?J=C3=BC?=", b"=?UTF-8?B?5pel5pys?=",
         b"=?utf-8?q?=C3?=", b"=?utf-8?q?=BC_?=", b"=?utf-8*en?Q?=CC=81?=", b"=?iso-8859-1?q?=E9?=",
         b"=?koi8-r?b?8NLJ18XU?=", b"=?none?q?=E9?=", b"=?utf-8?q?one\r\n two?=", b"=?utf-7?q?+2AA-?=",
         b"=?utf-8?q?=09=0A=00?=", b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=",
         b"=?utf-8?q?" + b"=CC=81" * 9 + b"?=", b"=?utf-8?q?" + b"=D6=B0=CC=81" * 30 + b"?="]
    ),
    max_size=10,
).map(b"".join)  # fmt: skip
_lines = st.tuples(_names, st.sampled_from([b":", b": ", b""]), _values,
                   st.sampled_from([b"\r\n", b"\n", b""])).map(b"".join)  # fmt: skip
_blocks = st.tuples(st.lists(_lines, max_size=6).map(b"".join),
                    st.sampled_from([b"", b"\n", b"\r\n", b"\r"])).map(b"".join)  # fmt: skip

#: Marks in a row are put in order in pieces: where one begins depends on what stands before.
_MARKS = b"=?utf-8?q?" + b"=D6=B0=CC=81" * 100 + b"?="


@settings(max_examples=1_500, deadline=None)
@given(_blocks | st.binary(max_size=60))
@example(b"X: " + b"y" * 7 + b" " + _MARKS + b"\r\n")
@example(b"X: " + b"y " * 32_767 + b"=?utf-8?b?" + b"zIHWsMyB1rDMgdaw" * 6 + b"?=\r\n")
@example(b"X: =?utf-8?q?=C3=A9?=\r\n" * 50_000)
@example(b"X: y\r\n" + b"Z" * (1 << 20) + b": w\r\n")
@example(b"X: y z\r\n" * 200_000)
def test_words_are_those_of_the_text(block: bytes) -> None:
    """Whatever was stored as a header, its words are those of its text."""
    assert header_words(block) == words_of(header_text(block))
    # Those that were remembered too.
    assert header_words(block) == words_of(header_text(block))
