"""Known answers: the identifiers in a header."""

from __future__ import annotations

import pytest

from imapd.mime.relatives import relatives


@pytest.mark.parametrize(
    ("header", "own", "others"),
    [
        (b"Subject: x\r\n\r\n", None, []),
        (b"Message-ID: <a@b>\r\n\r\n", b"a@b", []),
        (b"message-id:<a@b> (x)\r\nReferences: <r@b>\r\n <s@b>\r\n\r\n", b"a@b", [b"s@b", b"r@b"]),
        (b"In-Reply-To: <s@b>\r\nReferences: <r@b> <s@b>\r\n\r\n", None, [b"s@b", b"r@b"]),
        (b"In-Reply-To: Your mail of <t@b> <u@b>\r\nReferences: <r@b>\r\n", None, [b"t@b", b"r@b"]),
        (b"Message-ID: <a\r\n @b>\r\nReferences: <a@b>\r\n", b"a@b", []),
        (b"Message-ID: a@b\r\nReferences: <>< ><x\r\n", None, []),
        (b"Message-ID: <\xff@b>\r\n", b"\xff@b", []),
    ],
)
def test_relatives(header: bytes, own: bytes | None, others: list[bytes]) -> None:
    """A message's own identifier, and those it refers to, the nearest first."""
    assert relatives(header) == (own, others)


def test_many() -> None:
    """Of a thousand references the first and the nearest 49 count."""
    header = b"References: " + b" ".join(b"<%d>" % number for number in range(1_000)) + b"\r\n\r\n"
    _, others = relatives(header)
    assert others == [b"%d" % number for number in [*range(999, 950, -1), 0]]
