"""PREVIEW."""

from __future__ import annotations

import pytest

from imapd.mime.parse import parse
from imapd.mime.preview import preview

HTML = b"Content-Type: text/html\r\n\r\n<style>x{}</style><p>Hello&nbsp;<b>you</b></p>\r\n"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param(b"\r\n Hello,\r\n\r\n world\t!\0 \r\n", "Hello, world !", id="one line"),
        pytest.param(HTML, "Hello you", id="html"),
        pytest.param(b"\r\n> said\r\nmine\r\n", "mine", id="quoted lines"),
        pytest.param(b"\r\n> said\r\n", "> said", id="nothing but quoted lines"),
        pytest.param(b"Content-Type: image/png\r\n\r\nPNG", "", id="no text"),
        pytest.param(b"", "", id="empty"),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            b"Content-Disposition: attachment\r\n\r\nnot this\r\n--b\r\n\r\n \r\n--b\r\n"
            + HTML
            + b"--b--",
            "Hello you",
            id="first with words",
        ),
        pytest.param(b"\r\n" + b"a" * 300, "a" * 200, id="long"),
    ],
)
def test_preview(message: bytes, text: str) -> None:
    """The first words of a message, on one line."""
    assert preview(message, parse(message)) == text


def test_length() -> None:
    """As long as asked for, without a space at the end."""
    message = b"\r\nab cd"
    assert preview(message, parse(message), 3) == "ab"
