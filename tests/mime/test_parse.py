"""The tree of parts."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from imapd.mime.parse import Kind, Part, parse
from imapd.model.limits import Limits

CORPUS = Path(__file__).with_name("corpus")
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def outline(part: Part) -> str:
    """The types of a tree on one line."""
    name = f"{part.type.decode()}/{part.subtype.decode()}".lower()
    if not part.children:
        return name
    return f"{name}[{' '.join(outline(child) for child in part.children)}]"


def bodies(message: bytes) -> list[bytes]:
    """The bodies of its parts."""
    root = parse(message)
    return [message[part.body_start : part.end] for part in root.children]


def test_offsets() -> None:
    """The line end before a delimiter is not the part's."""
    assert bodies(MULTIPART + b"--b\r\n\r\none\r\n\r\n--b\n\ntwo\n--b--\r\nafter") == [
        b"one\r\n",
        b"two",
    ]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        pytest.param(b"--b", 2, id="plain"),
        pytest.param(b"--b \t", 2, id="spaces after"),
        pytest.param(b"--bb", 1, id="longer"),
        pytest.param(b"--b-", 1, id="one dash"),
        pytest.param(b"--b x", 1, id="text after"),
        pytest.param(b" --b", 1, id="space before"),
        pytest.param(b"x--b", 1, id="not at the start"),
        pytest.param(b"--B", 1, id="another case"),
        pytest.param(b"--b" + b" " * 5_000, 1, id="far too long"),
    ],
)
def test_delimiter_lines(line: bytes, parts: int) -> None:
    """A delimiter is the whole line, but for spaces at its end."""
    message = MULTIPART + b"--b\r\n\r\none\r\n" + line + b"\r\n\r\ntwo\r\n--b--\r\n"
    assert len(parse(message).children) == parts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("boundary-prefixes", "multipart/mixed[multipart/mixed[text/plain] text/plain]"),
        ("boundary-with-dashes", "multipart/mixed[multipart/mixed[text/plain] text/plain]"),
        ("outer-ends-inner", "multipart/mixed[multipart/mixed[text/plain] image/png]"),
        ("same-boundary-inside", "multipart/mixed[multipart/mixed[text/plain] text/plain]"),
        ("boundary-never-used", "text/plain"),
        ("only-closing-boundary", "text/plain"),
        (
            "rfc2046-digest",
            "multipart/mixed[text/plain multipart/digest[message/rfc822[text/plain]"
            " message/rfc822[text/plain]]]",
        ),
    ],
)
def test_outline(name: str, expected: str) -> None:
    """Well-formed or not, a message has the parts that a reader would expect."""
    assert outline(parse((CORPUS / f"{name}.eml").read_bytes())) == expected


def test_encoding_and_lines() -> None:
    """A part knows its encoding and its lines."""
    part = parse(b"Content-Transfer-Encoding: (c) Base64 (d)\r\n\r\na\r\nb\nc")
    assert (part.encoding, part.lines, part.size, part.kind) == (b"Base64", 2, 6, Kind.TEXT)
    assert (part.is_text, part.is_message, part.is_multipart) == (True, False, False)


def test_mapped_file(tmp_path: Path) -> None:
    """A file that is mapped into memory gives the same tree."""
    octets = (CORPUS / "rfc9051-sections.eml").read_bytes() + b"\r\n" * 300_000
    path = tmp_path / "message"
    path.write_bytes(octets)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert parse(mapped) == parse(octets)


def test_ten_thousand_nested_multiparts() -> None:
    """Depth ends at the limit; what is deeper is shown as text."""
    message = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(10_000)
    )
    part, depth = parse(message), 0
    while part.children:
        (part,) = part.children
        depth += 1
    assert (depth, part.kind, part.end) == (50, Kind.TEXT, len(message))


def test_many_nested_messages() -> None:
    """Messages in messages end at the limit too."""
    part, depth = parse(b"Content-Type: message/rfc822\r\n\r\n" * 10_000), 0
    while part.children:
        (part,) = part.children
        depth += 1
    assert (depth, part.kind) == (50, Kind.TEXT)


@pytest.mark.parametrize("part", [b"--b\r\n\r\nx\r\n", b"--b\r\nX: no blank line\r\n"])
def test_hundred_thousand_parts(part: bytes) -> None:
    """Parts end at the limit; the last one has the rest."""
    message = MULTIPART + part * 100_000
    root = parse(message)
    assert len(root.children) == 999
    assert root.children[-1].end == len(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(MULTIPART + b"--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--", "multipart/mixed[text/plain]",
                     id="multipart"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 2, "message/rfc822[text/plain]",
                     id="message"),
        pytest.param(MULTIPART + b"--b\r\n" + MULTIPART + b"--b--", "multipart/mixed[text/plain]",
                     id="multipart last"),
    ],
)  # fmt: skip
def test_limit_of_two_parts(message: bytes, expected: str) -> None:
    """What can have no part of its own is text."""
    assert outline(parse(message, Limits(mime_parts=2))) == expected


def test_header_beyond_the_limit() -> None:
    """What lies beyond the header's limit is not interpreted."""
    message = b"X: " + b"x" * 100 + b"\r\nContent-Type: image/png\r\n\r\n"
    assert outline(parse(message, Limits(mime_header=50))) == "text/plain"
    assert outline(parse(message)) == "image/png"


class Counting(bytes):
    """Octets that count how many of them were searched."""

    searched = 0

    def find(self, needle: bytes, start: int = 0, stop: int | None = None) -> int:  # type: ignore[override]
        """Like that of bytes."""
        at = super().find(needle, start, len(self) if stop is None else stop)
        end = at if at >= 0 else (len(self) if stop is None else min(stop, len(self)))
        self.searched += max(0, end - start)
        return at


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"--b\r\n\r\nx\r\n", id="parts"),
        pytest.param(b"--b\r\nX: y\r\n", id="parts without blank line"),
        pytest.param(b"--\r\n", id="lines that begin like a delimiter"),
        pytest.param(b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n",
                     id="multiparts"),
        pytest.param(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", id="nested"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n", id="messages"),
    ],
)  # fmt: skip
def test_linear(piece: bytes) -> None:
    """However many parts there are, each octet is searched but a few times."""
    message = Counting(MULTIPART + b"--b\r\n" + piece * 2_000)
    parse(message, Limits(mime_parts=10_000_000, mime_depth=200))
    assert message.searched <= 4 * len(message)
