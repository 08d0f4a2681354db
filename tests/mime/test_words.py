"""Encoded words."""

from __future__ import annotations

import pytest

from imapd.mime.words import decode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 2047, 8.
        pytest.param(b"(=?ISO-8859-1?Q?a?=)", "(a)", id="rfc2047 1"),
        pytest.param(b"(=?ISO-8859-1?Q?a?= b)", "(a b)", id="rfc2047 2"),
        pytest.param(b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)", id="rfc2047 3"),
        pytest.param(b"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)", id="rfc2047 4"),
        pytest.param(b"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)", id="rfc2047 5"),
        pytest.param(b"(=?ISO-8859-1?Q?a_b?=)", "(a b)", id="rfc2047 6"),
        pytest.param(b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)", id="rfc2047 7"),
        pytest.param(
            b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
            b"    =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
            id="rfc2047 subject",
        ),
        pytest.param(b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore", id="rfc2231 language"),
        pytest.param(b"=?utf-8?b?4oI=?= =?UTF-8?Q?=AC?=", "\u20ac", id="split character"),
        pytest.param(b"=?no-such?q?=C3=A9?=", "\xe9", id="unknown charset"),
        pytest.param(b"=?no-such?q?=E9?=", "\xe9", id="unknown charset, not UTF-8"),
        pytest.param(b"=?zlib?q?x?= =?idna?q?y?=", "xy", id="codecs that are no charset"),
        pytest.param(b"=?gb2312?B?1tDOxA==?=", "\u4e2d\u6587", id="gb2312"),
        pytest.param(b"Gr\xc3\xbc\xc3\x9fe", "Gr\xfc\xdfe", id="raw UTF-8"),
        pytest.param(b"Gr\xfc\xdfe", "Gr\xfc\xdfe", id="raw Latin-1"),
        pytest.param(b"=?utf-8?q?two words?=", "two words", id="space inside"),
        pytest.param(b"a=?utf-8?q?b?=c", "abc", id="no space around"),
        pytest.param(b"=?utf-8?x?b?= =?utf-8?q?b", "=?utf-8?x?b?= =?utf-8?q?b", id="not one"),
        pytest.param(b"=?utf-8?b?Y!Q?=", "a", id="bad base64"),
        pytest.param(b"=?utf-8?q?=4?=", "=4", id="bad escape"),
        pytest.param(b" folded\r\n text ", "folded text", id="unfolded"),
    ],
)
def test_decode(value: bytes, text: str) -> None:
    """A header's text as people read it."""
    assert decode(value) == text
