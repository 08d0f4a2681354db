"""The text of a message, for search; and HTML without its markup."""

from __future__ import annotations

import pytest

from imapd.mime.markup import plain
from imapd.mime.parse import parse
from imapd.mime.text import decoded_text

MESSAGE = (
    b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DF=\r\ne\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nPHA+4oKsJmFtcDs8L3A+\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\nPNG\r\n"
    b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-what\r\n\r\n??\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: =?utf-8?q?=E2=82=AC?=\r\nFrom: a@b\r\n\r\ninner\r\n"
    b"--b--\r\n"
)


def test_decoded_text() -> None:
    """Every text part decoded, and the headers of messages inside."""
    assert list(decoded_text(MESSAGE, parse(MESSAGE))) == [
        "Gr\xfc\xdfe",
        "\n\u20ac&\n",
        "",
        "Subject: \u20ac\nFrom: a@b\n",
        "inner",
    ]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("a<b>b</b>c", "abc", id="inline"),
        pytest.param("a<br>b<p class='x'>c", "a\nb\nc", id="blocks"),
        pytest.param("&lt;&eacute;&#8364;&#xD800;&nope;", "<\xe9\u20ac\ufffd&nope;", id="entities"),
        pytest.param("a<!-- > <b> -->b<!-->c", "abc", id="comments"),
        pytest.param("a<!-- b", "a", id="comment without end"),
        pytest.param("a<Script>if (a<b) {}</SCRIPT >b", "a\n\nb", id="script"),
        pytest.param("<style>p {}", "\n", id="style without end"),
        pytest.param("<!DOCTYPE html><?xml?></>x", "x", id="declarations"),
        pytest.param("1 < 2 <3", "1 < 2 <3", id="no tags"),
        pytest.param("a<b", "a", id="tag without end"),
    ],
)
def test_plain(html: str, text: str) -> None:
    """HTML as the text that is seen."""
    assert plain(html) == text
