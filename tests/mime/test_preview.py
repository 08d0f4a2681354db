"""PREVIEW."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.mime.parse import parse
from imapd.mime.preview import preview

HTML = b"Content-Type: text/html\r\n\r\n<style>x{}</style><p>Hello&nbsp;<b>you</b></p>\r\n"
_UTF8 = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"


def _text(text: str, kind: str = "plain") -> bytes:
    return f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{text}".encode()


def _mixed(*parts: bytes) -> bytes:
    body = b"".join(b"--b\r\n%b\r\n" % part for part in parts)
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n%b--b--\r\n" % body


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param(b"\r\n Hello,\r\n\r\n world\t! \r\n", "Hello, world !", id="one line"),
        pytest.param(HTML, "Hello you", id="html"),
        pytest.param(b"\r\n> said\r\nmine\r\n", "mine", id="quoted lines"),
        pytest.param(b"\r\n> said\r\n", "> said", id="nothing but quoted lines"),
        pytest.param(b"\r\nOn Monday Bob wrote:\r\n> said\r\n>\r\n> more\r\nMine: yes\r\n", "Mine: yes",
                     id="who is quoted"),
        pytest.param(b"\r\nOn Monday Bob wrote:\r\n\r\n> said\r\n\r\nMine", "Mine", id="after a blank line"),
        pytest.param(b"\r\nTo do:\r\nmilk\r\n", "To do: milk", id="a colon alone is no quotation"),
        pytest.param(b"\r\nHi\r\n-- \r\nBob\r\nBob & Co\r\n", "Hi", id="signature"),
        pytest.param(b"\r\n-- \r\nBob\r\n", "-- Bob", id="nothing but a signature"),
        pytest.param(b"\r\nHi\r\n--\r\n>\r\n", "Hi", id="signature of two dashes"),
        pytest.param(b"\r\n=====\r\nNEWS\r\n- - -\r\n*****\r\nmore...", "NEWS - - - more...", id="rules"),
        pytest.param(b"\r\nSee https://example.org/news and ask.", "See https://example.org/news and ask.",
                     id="short link"),
        pytest.param(b"\r\nSee https://click.example.org/ls/click?upn=u001.abc-" + b"x" * 300 + b" now.",
                     "See https://click.example.org/… now.", id="tracking link"),
        pytest.param(b"\r\nOur shop<https://click.example.org/abc?d=e> opens [cid:image001.png@01DA] now",
                     "Our shop opens now", id="links and pictures of HTML made plain"),
        pytest.param(_text("<p>Sale!</p><div style='display:none'>&nbsp;&zwnj;&nbsp;&zwnj;&#847; &shy;"
                           "</div><img src=x width=1 height=1 alt=t><p>Today</p>", "html"),
                     "Sale! Today", id="filling"),
        pytest.param(_text("Donau\xaddampf\u200bschiff\u2060fahrt"), "Donaudampfschifffahrt",
                     id="hyphens that are not shown"),
        pytest.param(_text("نمی\u200cخواهم \U0001f469\u200d\U0001f467"),
                     "نمی\u200cخواهم \U0001f469\u200d\U0001f467",
                     id="joiners that count"),
        pytest.param(_text("a\u202eb\u2066c"), "abc", id="no turning of directions"),
        pytest.param(b"Content-Type: image/png\r\n\r\nPNG", "", id="no text"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"\r\n\r\n \r\n", "", id="blank"),
        pytest.param(
            _mixed(b"Content-Disposition: attachment\r\n\r\nnot this", b"\r\n ", HTML),
            "Hello you",
            id="first with words",
        ),
        pytest.param(_mixed(b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR", HTML), "Hello you",
                     id="no prose"),
        pytest.param(
            b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n"
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--\r\n",
            "",
            id="encrypted (RFC 3156)",
        ),
        pytest.param(b"Content-Type: application/pkcs7-mime\r\n\r\nMIAG", "", id="encrypted (RFC 8551)"),
        pytest.param(b"\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n", "",
                     id="encrypted in the text"),
        pytest.param(b"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nDear Bob\r\n"
                     b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQE\r\n-----END PGP SIGNATURE-----\r\n",
                     "Dear Bob", id="signed in the text"),
        pytest.param(b"Content-Transfer-Encoding: x-what\r\n\r\nwords", "", id="unknown encoding"),
        pytest.param(b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s$K$A$O\x1b(B\r\n",
                     "こんにちは", id="Japanese"),
        pytest.param(b"Content-Type: text/plain; charset=x-none\r\n\r\ncaf\xe9", "café",
                     id="unknown charset"),
        pytest.param(b"Content-Type: text/html\r\n\r\n<style>" + b"p{}" * 50_000 + b"</style><p>Hi</p>",
                     "Hi", id="behind a large style sheet"),
        pytest.param(b"\r\n" + b"> said\r\n" * 20_000 + b"mine", "mine", id="behind much that is quoted"),
        pytest.param(b"\r\n" + b"a" * 300, "a" * 200, id="long"),
    ],
)  # fmt: skip
def test_preview(message: bytes, text: str) -> None:
    """The first words of a message, on one line."""
    assert preview(message, parse(message)) == text


def test_length() -> None:
    """As long as asked for, without a space at the end."""
    message = b"\r\nab cd"
    assert preview(message, parse(message), 3) == "ab"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("ae\u0301x", "a"),  # an accent of its own
        ("a\U0001f44d\U0001f3fdx", "a"),  # a thumb and its colour
        ("a\U0001f469\u200d\U0001f467", "a"),  # a mother and her daughter
        ("ab\u0301", "a"),
        ("a\u0301\u0302\u0303", "a\u0301"),  # nothing else is there
    ],
)
def test_never_half_a_character(text: str, seen: str) -> None:
    """What belongs together is not cut apart."""
    message = _text(text)
    assert preview(message, parse(message), 2) == seen


@pytest.mark.parametrize("count", [4_095, 4_096, 4_097, 16_384, 65_535])
def test_where_looking_ends(count: int) -> None:
    """A character that lies where the part was cut for looking at it is not seen by half."""
    for declared in (_UTF8, b"\r\n", b"Content-Type: text/html\r\n\r\n"):
        message = declared + b" " * (count - 1) + "äöü".encode()
        assert preview(message, parse(message)) == "äöü"


@given(st.text(max_size=400), st.sampled_from(["plain", "html"]))
def test_any_text(text: str, kind: str) -> None:
    """Of any text it is one line of at most so many characters that can be seen, and can be asked again."""
    message = _text(text, kind)
    words = preview(message, parse(message), 50)
    assert len(words) <= 50
    assert words == words.strip()
    assert "  " not in words
    assert not any(sign < " " or "\x7f" <= sign < "\xa0" for sign in words)
    assert preview(message, parse(message), 50) == words
