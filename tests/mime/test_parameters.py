"""Content-Type and Content-Disposition."""

from __future__ import annotations

import pytest

from imapd.mime.parameters import content_type, decoded, disposition, get

TITLE = (
    b"title",
    b"This is even more ***fun*** isn't it!",
)


@pytest.mark.parametrize(
    ("value", "params"),
    [
        pytest.param(b"", (), id="none"),
        pytest.param(b";", (), id="only a semicolon"),
        pytest.param(b"; charset=us-ascii (Plain text)", ((b"charset", b"us-ascii"),),
                     id="rfc2045 comment"),
        pytest.param(b'; charset="us-ascii"', ((b"charset", b"us-ascii"),), id="rfc2045 quoted"),
        pytest.param(b'; Boundary = "a b" ;', ((b"Boundary", b"a b"),), id="spaces"),
        pytest.param(b'; a="x\\"y;z"; b=c', ((b"a", b'x"y;z'), (b"b", b"c")), id="quoted pair"),
        pytest.param(b"; a=; b=c", ((b"a", b""), (b"b", b"c")), id="empty value"),
        pytest.param(b"; a=1; A=2", ((b"a", b"1"),), id="the first counts"),
        pytest.param(b"; name=my file (2).txt; x=y", ((b"name", b"my file (2).txt"), (b"x", b"y")),
                     id="spaces without quotes"),
        pytest.param(b"; charset=utf-8 name=foo", ((b"charset", b"utf-8"), (b"name", b"foo")),
                     id="no semicolon between"),
        pytest.param(b" charset=utf-8", ((b"charset", b"utf-8"),), id="no semicolon before"),
        pytest.param(b'; boundary="abc', ((b"boundary", b"abc"),), id="no end quote"),
        pytest.param(b'; boundary="abc; x=y', ((b"boundary", b"abc"), (b"x", b"y")),
                     id="no end quote, more"),
        pytest.param(b'; a="b"c; d=e', ((b"a", b"b"), (b"d", b"e")), id="text after the quotes"),
        pytest.param(b";;; =x; a ; b=c", ((b"b", b"c"),), id="garbage"),
        pytest.param(b"; a=\xe9", ((b"a", b"\xe9"),), id="8-bit"),
        # RFC 2231, 3 and 4.
        pytest.param(b'; URL*0="ftp://"; URL*1="cs.utk.edu"', ((b"URL", b"ftp://cs.utk.edu"),),
                     id="rfc2231 continuation"),
        pytest.param(b"; x=y; b*1=2; b*0=1; b*3=4", ((b"x", b"y"), (b"b", b"12")),
                     id="out of order, one missing"),
        pytest.param(b"; b*1=2; b*x=1; **=2", ((b"b*1", b"2"), (b"b*x", b"1"), (b"**", b"2")),
                     id="no first piece"),
        pytest.param(b"; title*=us-ascii'en-us'This%20is", ((b"title*", b"us-ascii'en-us'This%20is"),),
                     id="rfc2231 charset"),
        pytest.param(b"; t*0*=us-ascii'en'a%20; t*1=\"b c%\"", ((b"t*", b"us-ascii'en'a%20b%20c%25"),),
                     id="rfc2231 both"),
    ],
)  # fmt: skip
def test_parameters(value: bytes, params: tuple[tuple[bytes, bytes], ...]) -> None:
    """The parameters that a reader of the header would see."""
    assert content_type(b"text/plain" + value) == (b"text", b"plain", params)
    assert disposition(b"attachment" + value) == (b"attachment", params)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(b"(c) Text (c) / (c) HTML (c)", (b"Text", b"HTML", ()), id="comments"),
        pytest.param(b"text", None, id="no subtype"),
        pytest.param(b"text/", None, id="empty subtype"),
        pytest.param(b"/plain", None, id="no type"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\xff/\xff", None, id="8-bit"),
        pytest.param(b"text/plain, text/html", (b"text", b"plain", ()), id="two"),
    ],
)
def test_content_type(value: bytes, found: object) -> None:
    """A type without a subtype is no type."""
    assert content_type(value) == found


def test_disposition_of_garbage() -> None:
    """A disposition that begins with no word is none."""
    assert disposition(b'"attachment"') is None


@pytest.mark.parametrize(
    ("params", "octets", "text"),
    [
        pytest.param(((b"NAME", b"x"),), b"x", "x", id="plain"),
        pytest.param(((b"name*", b"utf-8''%e2%82%ac"),), b"\xe2\x82\xac", "\u20ac", id="extended"),
        pytest.param(((b"name", b"x"), (b"name*", b"iso-8859-1''%a3")), b"x", "\xa3", id="both"),
        pytest.param(((b"name*", b"bare%20"),), b"bare ", "bare ", id="no charset"),
        pytest.param((), None, None, id="none"),
    ],
)
def test_one_value(
    params: tuple[tuple[bytes, bytes], ...], octets: bytes | None, text: str | None
) -> None:
    """One parameter as octets and as text."""
    assert get(params, b"name") == octets
    assert decoded(params, b"name") == text
