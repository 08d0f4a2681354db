"""Words that are alike (RFC 6203)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.query.fold import fold
from imapd.query.fuzzy import Query, bare


def _found(query: str, *texts: str) -> bool:
    return Query(fold(query)).found_in([bare(fold(text)) for text in texts])


def _worth(query: str, *texts: str) -> float:
    return Query(fold(query)).worth([(1.0, bare(fold(text))) for text in texts])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("IMAP", "the imap server"),
        ("Helo", "hello"),  # RFC 6203, 4
        ("Helo", "help"),
        ("IMAP break", "break IMAP"),
        ("break", "breaking news"),
        ("messages", "a message"),
        ("connection", "connected"),
        ("invoice", "invoicing"),
        ("Rechnung", "Ihre Rechnungen"),
        ("отпуск", "про Отпуска"),
        ("cafe", "Café"),
        ("Café", "cafe"),
        ("naïve résumé", "resume, naive"),
        ("recieve", "receive"),
        ("acommodate", "accommodate"),
        ("definately", "definitely"),
        ("Meeting tomorow", "tomorrow's meeting"),
        ("Straße", "STRASSE"),
        ("日本", "今日日本語"),
        ("user@example.com", "<user@example.com>"),
        ("ser@exam", "user@example.com"),
        ("!?", "what!?"),
        ("", "anything"),
        ("שלום", "שָׁלוֹם"),
    ],
)
def test_alike(query: str, text: str) -> None:
    """What somebody would mean is found."""
    assert _found(query, text)
    assert 0 < _worth(query, text) <= 1


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("IMAP", "pop"),
        ("IMAP", "image"),
        ("IMAP break", "IMAP server"),
        ("gold", "bold"),
        ("cat", "car"),
        ("2021", "2022"),
        ("report4", "report5"),
        ("interest", "internet"),
        ("hello", "yellow"),
        ("!?", "what?!"),
        ("x", ""),
        ("meeting", "eat"),
    ],
)
def test_not_alike(query: str, text: str) -> None:
    """What is another word is not."""
    assert not _found(query, text)
    assert _worth(query, text) == 0


def test_over_several_texts() -> None:
    """Each word may be in another text."""
    assert _found("IMAP breaks", "IMAP", "it broke: breaks")
    assert not _found("IMAP breaks", "IMAP", "nothing")
    assert _worth("IMAP breaks", "IMAP", "breaks") > 0


def test_worth() -> None:
    """The nearer a text is to what was asked for, the more it is worth."""
    query = "message server"
    texts = [
        "a message server",
        "server of a message",
        "messages of servers",
        "errormessages on webservers",
        "mesage severs",
    ]
    worths = [_worth(query, text) for text in texts]
    assert worths == sorted(worths, reverse=True)
    assert len(set(worths)) == len(worths)
    assert worths[0] == 1.0


def test_many_words() -> None:
    """A query with very many words means what it says."""
    words = [f"word{number}" for number in range(40)]
    assert _found(" ".join(words), "x " + " ".join(words))
    assert not _found(" ".join(words), " ".join(reversed(words)))


@given(st.text(max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_what_matches_matches(query: str, before: str, after: str) -> None:
    """Whatever holds the query as it is written is found, and worth something."""
    text = before + query + after
    if fold(query) in fold(text):
        assert _found(query, text)
        assert _worth(query, text) > 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_worth_something(query: str, text: str) -> None:
    """What is found is worth more than nothing, and what is not is not."""
    assert _found(query, text) == (_worth(query, text) > 0)


@pytest.mark.parametrize(
    "text",
    ["a" * 3_000_000, "abcdefgh " * 300_000, "ab" * 1_000_000, "é" * 1_000_000,
     " ".join(f"aa{number}bcdef" for number in range(200_000))],
)  # fmt: skip
def test_hostile_texts(text: str) -> None:
    """Texts of megabytes, of long words or of many, are looked through in a moment (8)."""
    query = "aabcdefgz " + " ".join("abcdefgh"[n:] + "zz" for n in range(4)) + " aaaaaaaaaaaaaab"
    began = time.perf_counter()
    assert not _found(query, text)
    # A hundred times what it takes, so that a busy machine does not fail it.
    assert time.perf_counter() - began < 10
