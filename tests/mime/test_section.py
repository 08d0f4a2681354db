"""Section numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from imapd.mime.parse import parse
from imapd.mime.section import SectionText, find, span

CORPUS = Path(__file__).with_name("corpus")
MESSAGE = (CORPUS / "rfc9051-sections.eml").read_bytes()
SIMPLE = b"Subject: s\r\n\r\ntext\r\n"
IN_MESSAGE = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n"


def cut(message: bytes, numbers: tuple[int, ...], text: SectionText | None = None) -> bytes | None:
    """The octets of a section."""
    found = span(parse(message), numbers, text)
    return None if found is None else message[found[0] : found[1]]


@pytest.mark.parametrize(
    ("numbers", "text", "octets"),
    [
        pytest.param((1,), None, b"one", id="1"),
        pytest.param((1,), "MIME", b"Content-Type: text/plain\r\n\r\n", id="1.MIME"),
        pytest.param((2,), None, b"AAECAw==", id="2"),
        pytest.param((3,), "HEADER",
                     b"Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n",
                     id="3.HEADER"),
        pytest.param((3,), "TEXT",
                     b"--B\r\n\r\nthree.one\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n"
                     b"three.two\r\n--B--", id="3.TEXT"),
        pytest.param((3,), "MIME", b"Content-Type: message/rfc822\r\n\r\n", id="3.MIME"),
        pytest.param((3,), None,
                     b"Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
                     b"--B\r\n\r\nthree.one\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n"
                     b"three.two\r\n--B--", id="3"),
        pytest.param((3, 1), None, b"three.one", id="3.1"),
        pytest.param((3, 1), "MIME", b"\r\n", id="3.1.MIME"),
        pytest.param((3, 2), None, b"three.two", id="3.2"),
        pytest.param((4,), "MIME", b"Content-Type: multipart/mixed; boundary=C\r\n\r\n",
                     id="4.MIME"),
        pytest.param((4, 1), None, b"GIF89a", id="4.1"),
        pytest.param((4, 1), "MIME",
                     b"Content-Type: image/gif\r\nContent-ID: <gif@example.com>\r\n\r\n",
                     id="4.1.MIME"),
        pytest.param((4, 2), "HEADER",
                     b"Subject: four.two\r\nContent-Type: multipart/mixed; boundary=D\r\n\r\n",
                     id="4.2.HEADER"),
        pytest.param((4, 2, 1), None, b"four.two.one", id="4.2.1"),
        pytest.param((4, 2, 2), None,
                     b"--E\r\n\r\nplain\r\n--E\r\nContent-Type: text/richtext\r\n\r\n"
                     b"<bold>rich</bold>\r\n--E--", id="4.2.2"),
        pytest.param((4, 2, 2, 1), None, b"plain", id="4.2.2.1"),
        pytest.param((4, 2, 2, 2), None, b"<bold>rich</bold>", id="4.2.2.2"),
        pytest.param((), "MIME", None, id="MIME without number"),
        pytest.param((1,), "HEADER", None, id="header of text"),
        pytest.param((4,), "TEXT", None, id="text of multipart"),
        pytest.param((1, 1), None, None, id="below a text"),
        pytest.param((5,), None, None, id="no fifth"),
        pytest.param((0,), None, None, id="no zeroth"),
        pytest.param((4, 2, 3), None, None, id="no third"),
        pytest.param((4, 2, 2, 2, 1), None, None, id="too deep"),
    ],
)  # fmt: skip
def test_example_of_the_rfc(
    numbers: tuple[int, ...], text: SectionText | None, octets: bytes | None
) -> None:
    """RFC 9051, 6.4.5.1: each part specifier of the example there."""
    assert cut(MESSAGE, numbers, text) == octets


@pytest.mark.parametrize(
    ("message", "numbers", "text", "octets"),
    [
        pytest.param(SIMPLE, (), None, SIMPLE, id="whole"),
        pytest.param(SIMPLE, (), "HEADER", b"Subject: s\r\n\r\n", id="header"),
        pytest.param(SIMPLE, (), "TEXT", b"text\r\n", id="text"),
        pytest.param(SIMPLE, (1,), None, b"text\r\n", id="part 1"),
        pytest.param(SIMPLE, (1,), "MIME", b"Subject: s\r\n\r\n", id="header of part 1"),
        pytest.param(SIMPLE, (1, 1), None, None, id="part 1 of part 1"),
        pytest.param(SIMPLE, (2,), None, None, id="part 2"),
        pytest.param(IN_MESSAGE, (1,), None, b"Subject: in\r\n\r\ninner\r\n", id="a message"),
        pytest.param(IN_MESSAGE, (1,), "HEADER", b"Subject: in\r\n\r\n", id="its header"),
        pytest.param(IN_MESSAGE, (1,), "TEXT", b"inner\r\n", id="its text"),
        pytest.param(IN_MESSAGE, (1, 1), None, b"inner\r\n", id="its part 1"),
        pytest.param(IN_MESSAGE, (1, 1), "MIME", b"Subject: in\r\n\r\n", id="its part's header"),
        pytest.param(IN_MESSAGE, (1, 2), None, None, id="its part 2"),
        pytest.param(b"", (), None, b"", id="empty"),
        pytest.param(b"", (1,), None, b"", id="empty part 1"),
        pytest.param(b"", (), "HEADER", b"", id="empty header"),
    ],
)
def test_messages_of_one_part(
    message: bytes, numbers: tuple[int, ...], text: SectionText | None, octets: bytes | None
) -> None:
    """A message that is no multipart has a part 1, its text."""
    assert cut(message, numbers, text) == octets


def test_find() -> None:
    """A part is found by its number, and a message's own by none."""
    root = parse(MESSAGE)
    assert find(root, ()) is root
    assert find(root, (4, 1)) is root.children[3].children[0]
    assert find(root, (9,)) is None
