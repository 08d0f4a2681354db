"""The words of messages."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.mime.parse import parse
from imapd.model.text import Place
from imapd.query import indexed as module
from imapd.query.indexed import VERSION, words_in
from imapd.query.segment import Draft, Words
from imapd.query.text import MessageText, header_text
from imapd.query.words import patterns, words_of

CORPUS = Path(__file__).parent.parent / "mime" / "corpus"

_MESSAGE = (
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n"
    "--xyz\r\nContent-Type: text/html; charset=utf-8\r\nX-Part: first\r\n\r\n"
    "<p>Hello <b>wor</b>ld &amp; caf\u00e9</p><script>hidden</script>\r\n"
    "--xyz\r\nContent-Type: image/png; name=picture.png\r\n\r\nnotext\r\n"
    "--xyz\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ndeep\r\n--xyz--\r\n"
).encode()


def _words(octets: bytes) -> Words:
    found = words_in(octets, lambda: None)
    assert found is not None
    return found


def test_words_by_place() -> None:
    """The header, those of the parts, and text; no markup and no pictures."""
    header, parts, body = _words(_MESSAGE)
    assert set(header) >= {"ju\u0308rgen".encode(), b"example", b"boundary", b"xyz"}
    assert set(parts) == {
        b"content", b"type", b"text", b"html", b"charset", b"utf", b"8", b"x", b"part", b"first",
        b"image", b"png", b"name", b"picture", b"message", b"rfc822", b"subject", b"inner",
    }  # fmt: skip
    assert set(body) == {b"hello", b"world", "cafe\u0301".encode(), b"subject", b"inner", b"deep"}


def test_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a message with very many words, or very much text, nothing is kept."""
    monkeypatch.setattr(module, "_WORDS", 40)
    assert words_in(_MESSAGE, lambda: None) is not None
    assert words_in(_MESSAGE + b" ".join(b"%d" % n for n in range(50)), lambda: None) is not None
    many = b"Subject: x\r\n\r\n" + b" ".join(b"%d" % number for number in range(50))
    assert words_in(many, lambda: None) is None
    monkeypatch.setattr(module, "_WORDS", 400)
    assert words_in(many, lambda: None) is not None
    monkeypatch.setattr(module, "_CHARACTERS", 100)
    assert words_in(many, lambda: None) is None


def test_a_new_version_for_new_words() -> None:
    """If other words come out of a message than before, `VERSION` has been counted up.

    Then put the new digest here: indexes that were kept are made again.
    """
    draft = Draft()
    others = "\r\n日本語がﬁ Straße İ x_y-z “q” 한국 ก็ ½ " + "0123456789" * 7
    letters = [_MESSAGE, others.encode(), b"\r\n" + others.encode("utf-16"), b""]
    for uid, octets in enumerate(30 * letters, 1):
        draft.add(uid, [sorted(words) for words in _words(octets)])
    head, body = draft.octets()
    assert (VERSION.split()[0], sha256(head + body).hexdigest()[:16]) == ("2", "de910f326601c92c")


def _one_by_one(octets: bytes) -> Words | None:
    """The words by the texts that a search would look into."""
    part = parse(octets)
    text = MessageText(octets, part)
    header = words_of(header_text(octets[: part.body_start]))
    parts = words_of("".join(text.part_headers()))
    body: set[bytes] = set()
    characters = 0
    for each in text.bodies():
        characters += len(each)
        body |= words_of(each)
        if characters > module._CHARACTERS or len(header) + len(parts) + len(body) > module._WORDS:
            return None
    return header, parts, body


_pieces = st.sampled_from(
    [_MESSAGE, b"--xyz\r\n", b"Content-Type: text/html\r\n\r\n", b"<i>", b"a\xc3\xa9", b"\r\n\r\n",
     b"=?utf-8?b?5pel5pys?=", b"X: y\r\n", b"deadline", b"_", b"\0", b"x1" * 30, b"x1" * 31]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_pieces, max_size=12).map(b"".join), st.data())
def test_no_match_is_lost(octets: bytes, data: st.DataObject) -> None:
    """Whatever a search would find in a message, its words allow for it."""
    part = parse(octets)
    text = MessageText(octets, part)
    words = _words(octets)
    there = {
        Place.HEADER: [header_text(octets[: part.body_start])],
        Place.PARTS: text.part_headers(),
        Place.BODY: list(text.bodies()),
    }
    for place, texts in there.items():
        vocabulary = b"\n" + b"".join(word + b"\n" for word in words[place])
        for each in texts:
            start = data.draw(st.integers(min_value=0, max_value=len(each)))
            string = each[start : start + data.draw(st.integers(min_value=0, max_value=20))]
            assert all(needed in vocabulary for needed in patterns(string).needed), string


@settings(max_examples=300, deadline=None)
@given(st.lists(_pieces, max_size=12).map(b"".join), st.integers(min_value=0, max_value=60))
def test_nothing_but_the_words(octets: bytes, most: int) -> None:
    """They are those of the texts that a search looks into, and there are too many in the same messages."""
    assert words_in(octets, lambda: None) == _one_by_one(octets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WORDS", most)
        assert words_in(octets, lambda: None) == _one_by_one(octets)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.eml")), ids=lambda path: path.stem)
def test_odd_messages(path: Path) -> None:
    """So it is with every odd message that we have, however its lines end."""
    octets = path.read_bytes()
    lines = octets.replace(b"\r\n", b"\n")
    for each in (octets, lines, lines.replace(b"\n", b"\r\n"), lines.replace(b"\n", b"\r")):
        assert words_in(each, lambda: None) == _one_by_one(each)
