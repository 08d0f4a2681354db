"""Which names a pattern means."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.commands.list_patterns import Patterns

_NAMES = ("INBOX", "INBOX/a", "a", "a/b", "a/b/c", "ab", "foo bar", "inboxes", "x%y", "Ünïcode/ß")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", _NAMES),
        ("%", ("INBOX", "a", "ab", "foo bar", "inboxes", "x%y")),
        ("%/%", ("INBOX/a", "a/b", "Ünïcode/ß")),
        ("%/*", ("INBOX/a", "a/b", "a/b/c", "Ünïcode/ß")),
        ("*/%", ("INBOX/a", "a/b", "a/b/c", "Ünïcode/ß")),
        ("%%", ("INBOX", "a", "ab", "foo bar", "inboxes", "x%y")),
        ("%*%", _NAMES),
        ("a", ("a",)),
        ("a*", ("a", "a/b", "a/b/c", "ab")),
        ("a%", ("a", "ab")),
        ("a/%", ("a/b",)),
        ("a/*", ("a/b", "a/b/c")),
        ("*b", ("a/b", "ab")),
        ("%b", ("ab",)),
        ("a%b", ("ab",)),
        ("a*b", ("a/b", "ab")),
        ("*b*c", ("a/b/c",)),
        ("%a%", ("a", "ab", "foo bar")),
        ("inbox", ("INBOX",)),
        ("InBoX/a", ("INBOX/a",)),
        ("inbox/%", ("INBOX/a",)),
        ("inb*", ("INBOX", "INBOX/a", "inboxes")),
        ("inb%", ("INBOX", "inboxes")),
        ("INB%", ("INBOX",)),
        ("*box", ("INBOX",)),
        ("*X", ("INBOX",)),
        ("i%x/%", ("INBOX/a",)),
        ("inbox/A", ()),
        ("A", ()),
        ("a/", ()),
        ("/a", ()),
        ("", ()),
        ("*ß", ("Ünïcode/ß",)),
        ("\0&*", ()),
    ],
)
def test_patterns(pattern: str, expected: tuple[str, ...]) -> None:
    """``*`` crosses levels, ``%`` does not, INBOX is meant in any case, other names are not."""
    patterns = Patterns([pattern], 1_000)
    assert tuple(name for name in _NAMES if patterns.match(name)) == expected


def test_several_patterns() -> None:
    """A name is meant if one of the patterns means it."""
    patterns = Patterns(["a", "inbox", "%/b"], 1_000)
    assert [name for name in _NAMES if patterns.match(name)] == ["INBOX", "a", "a/b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("%", True), ("a%", True), ("*%", True), ("a", False), ("*", False), ("%*", False)],
)
def test_levels(pattern: str, expected: bool) -> None:
    """Names that only hold others are meant where the last character is ``%``."""
    assert Patterns([pattern], 1_000).match_level("a") is expected


def test_cost() -> None:
    """What is tried on each name: neither names without wildcards, nor one pattern twice."""
    assert Patterns(["a", "b", "%", "%%", "*", "*%", "x*y", "x**y"], 1_000).cost == 3


def test_too_long() -> None:
    """A pattern that needs a longer name than any is, is passed over; wildcards need nothing."""
    patterns = Patterns(["*aaaa*", "aaaa", "%a" * 3 + "%" * 9], 3)
    assert (patterns.cost, patterns.match("aaaa"), patterns.match("aaa")) == (1, True, True)


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 500 + "b",
        "%a" * 500 + "b",
        "*%" * 30_000 + "b",
        "*a%a" * 250 + "b",
        "a*" * 500 + "b*b",
    ],
)
def test_hostile_patterns(pattern: str) -> None:
    """Wildcards by the thousand cost no more than the name is long: nothing is tried twice."""
    assert Patterns([pattern], 1_000).match("a" * 1_000) is False


def _naive(pattern: str, name: str) -> bool:
    """RFC 9051, 6.3.9, word for word."""

    @cache
    def here(p: int, n: int) -> bool:
        if p == len(pattern):
            return n == len(name)
        if pattern[p] in "*%":
            if here(p + 1, n):
                return True
            return n < len(name) and (pattern[p] == "*" or name[n] != "/") and here(p, n + 1)
        return n < len(name) and pattern[p] == name[n] and here(p + 1, n + 1)

    return here(0, 0)


_TEXT = st.text("ab/", max_size=12)
_PATTERN = st.text("ab/*%", max_size=12)


@given(st.lists(_PATTERN, max_size=3), _TEXT)
def test_as_the_rfc_says(patterns: list[str], name: str) -> None:
    """A name is meant just when the rules of the RFC, tried one way after another, say so."""
    expected = any(_naive(pattern, name) for pattern in patterns)
    assert Patterns(patterns, 1_000).match(name) is expected


@given(_PATTERN, st.sampled_from(["INBOX", "INBOX/a", "INBOX/INBOX"]), st.integers(0, 31))
def test_inbox_in_any_case(pattern: str, name: str, bits: int) -> None:
    """How a client writes INBOX in a pattern makes no difference to what is meant."""
    spelt = "".join(
        letter.lower() if bits >> place & 1 else letter for place, letter in enumerate("INBOX")
    )
    for start in ("INBOX", "INB", "INBOX/"):
        written = spelt[: len(start)] + start[5:] + pattern
        assert Patterns([written], 1_000).match(name) is _naive(start + pattern, name)
