"""Tokens of structured fields."""

from __future__ import annotations

import pytest

from imapd.mime.tokens import Kind, Token, skip, tokens


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(b"a.b", [(Kind.ATOM, b"a.b", False)], id="atom"),
        pytest.param(b' "a\\"b" ', [(Kind.QUOTED, b'a"b', True)], id="quoted"),
        pytest.param(b'"a', [(Kind.ATOM, b"a", True)], id="quoted without end"),
        pytest.param(b"(a(b)\\)c)d", [(Kind.COMMENT, b"a(b))c", False), (Kind.ATOM, b"d", True)],
                     id="comment"),
        pytest.param(b"(a", [(Kind.COMMENT, b"a", False)], id="comment without end"),
        pytest.param(b"[1.2]", [(Kind.LITERAL, b"[1.2]", False)], id="literal"),
        pytest.param(b"[1", [(Kind.LITERAL, b"[1", False)], id="literal without end"),
        pytest.param(b"<\\", [(Kind.SPECIAL, b"<", False), (Kind.SPECIAL, b"\\", False)],
                     id="specials"),
        pytest.param(b"\0\xff", [(Kind.ATOM, b"\xff", True)], id="octets"),
    ],
)  # fmt: skip
def test_tokens(value: bytes, found: list[tuple[Kind, bytes, bool]]) -> None:
    """Any octets give tokens."""
    assert list(tokens(value)) == [Token(*token) for token in found]


def test_deep_comments() -> None:
    """Comments may be nested as deep as a header is long."""
    assert list(tokens(b"(" * 500_000 + b")" * 500_000 + b"x"))[1:] == [
        Token(Kind.ATOM, b"x", True)
    ]


@pytest.mark.parametrize(
    ("value", "at"),
    [
        pytest.param(b"x", 0, id="nothing"),
        pytest.param(b" (a)\t(b(c)) x", 12, id="comments"),
        pytest.param(b" (a", 3, id="comment without end"),
    ],
)
def test_skip(value: bytes, at: int) -> None:
    """Spaces and comments are passed over."""
    assert skip(value, 0) == at
