"""Content-transfer-encodings."""

from __future__ import annotations

import pytest

from imapd.mime.transfer import UnknownEncoding, decode


@pytest.mark.parametrize(
    ("encoding", "data", "decoded"),
    [
        pytest.param(b"7BIT", b"a=41\r\n", b"a=41\r\n", id="7bit"),
        pytest.param(b" Binary ", b"\0\xff", b"\0\xff", id="binary"),
        pytest.param(b"", b"a", b"a", id="none"),
        pytest.param(b"BASE64", b"QUJD\r\nRA==\r\n", b"ABCD", id="base64"),
        pytest.param(b"base64", b"QUI", b"AB", id="base64 without padding"),
        pytest.param(b"base64", b"QUJDR", b"ABC", id="base64 with half an octet"),
        pytest.param(b"base64", b"QQ==QkI=", b"ABB", id="base64 in two pieces"),
        pytest.param(b"base64", b"=Q*U-\0JD!\xff", b"ABC", id="base64 with garbage"),
        pytest.param(b"base64", b"====", b"", id="base64 of padding"),
        # RFC 2045, 6.7.
        pytest.param(
            b"quoted-printable",
            b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
            b"Now's the time for all folk to come to the aid of their country.",
            id="quoted-printable",
        ),
        pytest.param(b"Quoted-Printable", b"=3d=3D=C3=A9", b"==\xc3\xa9", id="qp letters"),
        pytest.param(b"quoted-printable", b"a \t\r\nb  ", b"a\r\nb", id="qp trailing space"),
        pytest.param(b"quoted-printable", b"a= \r\nb=\nc", b"abc", id="qp soft line ends"),
        pytest.param(b"quoted-printable", b"=XY=4 =", b"=XY=4 ", id="qp garbage"),
        pytest.param(b"quoted-printable", b"=\rkept\r\n", b"=\rkept\r\n", id="qp bare CR"),
    ],
)
def test_decode(encoding: bytes, data: bytes, decoded: bytes) -> None:
    """What was encoded comes back, and damage loses as little as may be."""
    assert decode(data, encoding) == decoded


def test_unknown() -> None:
    """An encoding that nobody knows is said to be so (UNKNOWN-CTE)."""
    with pytest.raises(UnknownEncoding, match="x-foo"):
        decode(b"a", b"x-foo")
