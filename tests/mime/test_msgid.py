"""Message identifiers as they were written (RFC 5322, 3.6.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.mime.msgid import message_ids


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b" <a@b>", [b"a@b"]),
        (b"<a@b> <c.d@e.f>\r\n <g@[192.0.2.1]>", [b"a@b", b"c.d@e.f", b"g@[192.0.2.1]"]),
        (b"<a@b>,<c@d>;<e@f><g@h>", [b"a@b", b"c@d", b"e@f", b"g@h"]),
        (b'<"01KF8JCEOCBS0045PS"@xxx.yyy.com>', [b"01KF8JCEOCBS0045PS@xxx.yyy.com"]),
        (b'<"a\\b c".d@e>', [b"ab c.d@e"]),
        (b"< a . b\r\n\t@ c (a <comment@x>) . d >", [b"a.b@c.d"]),
        (b'"Joe <joe@x>" of yesterday <a@b>', [b"a@b"]),
        (b"A B (see <c@d>) <a@b>", [b"a@b"]),
        (b"<A@B>", [b"A@B"]),
        (b"<a@b@c>", [b"a@b@c"]),
        (b"<a:b,c;d@e>", [b"a:b,c;d@e"]),
        (b"a@b <> <@> <a@> <@b> <ab> < > <(a@b)> <a\\@b> <a@b", []),
        (b"<a <b@c>", [b"b@c"]),
        (b'<a <"b"@c>', [b"b@c"]),
        (b"<a@b> (<c@d>", [b"a@b"]),
        (b'<"a@b> <c@d>', [b"a@b", b"c@d"]),
        (b"", []),
    ],
)
def test_known(value: bytes, found: list[bytes]) -> None:
    """What is an identifier, and in which form."""
    assert message_ids(value) == found


@given(
    st.lists(
        st.sampled_from([b"<", b">", b"@", b'"', b"\\", b"(", b")", b"a", b" ", b"\r\n ", b"."])
    )
)
def test_any_octets(parts: list[bytes]) -> None:
    """Any octets give identifiers, each with something on both sides of an at sign."""
    for each in message_ids(b"".join(parts)):
        local, _, domain = each.partition(b"@")
        assert local
        assert domain


@given(st.lists(st.from_regex(rb"\A[a-z.]{1,9}@[a-z.]{1,9}\Z"), max_size=5))
def test_quoting_changes_nothing(identifiers: list[bytes]) -> None:
    """Plain identifiers, and the same written in the most intricate way, are the same."""
    plain = b" ".join(b"<%b>" % each for each in identifiers)
    quoted = b"".join(b'( x ) < "%b" @ (y) %b >' % tuple(each.split(b"@")) for each in identifiers)
    assert message_ids(plain) == message_ids(quoted) == identifiers
