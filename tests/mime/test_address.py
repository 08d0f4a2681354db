"""Address lists."""

from __future__ import annotations

import pytest

from imapd.mime.address import Address, addresses, first_address

END = (None, None, None, None)


def group(name: bytes) -> tuple[bytes | None, ...]:
    """The mark of a start of a group."""
    return (None, None, name, None)


def plain(mailbox: bytes, host: bytes, name: bytes | None = None) -> tuple[bytes | None, ...]:
    """An address without a route."""
    return (name, None, mailbox, host)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b" , ,", [], id="commas"),
        pytest.param(b"(only a comment)", [], id="comment"),
        # RFC 5322, A.1.
        pytest.param(b"John Doe <jdoe@machine.example>",
                     [plain(b"jdoe", b"machine.example", b"John Doe")], id="A.1.1"),
        pytest.param(b'"Joe Q. Public" <john.q.public@example.com>',
                     [plain(b"john.q.public", b"example.com", b"Joe Q. Public")], id="A.1.2 from"),
        pytest.param(b"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
                     [plain(b"mary", b"x.test", b"Mary Smith"), plain(b"jdoe", b"example.org"),
                      plain(b"one", b"y.test", b"Who?")], id="A.1.2 to"),
        pytest.param(b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
                     [plain(b"boss", b"nil.test"),
                      plain(b"sysservices", b"example.net", b'Giant; "Big" Box')], id="A.1.2 cc"),
        pytest.param(b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
                     [group(b"A Group"), plain(b"c", b"a.test", b"Ed Jones"),
                      plain(b"joe", b"where.test"), plain(b"jdoe", b"one.test", b"John"), END],
                     id="A.1.3 to"),
        pytest.param(b"Undisclosed recipients:;", [group(b"Undisclosed recipients"), END],
                     id="A.1.3 cc"),
        # RFC 5322, A.5.
        pytest.param(b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
                     [plain(b"pete", b"silly.test", b"Pete")], id="A.5 from"),
        pytest.param(b"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,"
                     b"\r\n joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end)",
                     [group(b"A Group"), plain(b"c", b"public.example", b"Chris Jones"),
                      plain(b"joe", b"example.org"), plain(b"jdoe", b"one.test", b"John"), END],
                     id="A.5 to"),
        pytest.param(b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
                     [group(b"Hidden recipients"), END], id="A.5 cc"),
        # RFC 5322, A.6.
        pytest.param(b"Joe Q. Public <john.q.public@example.com>",
                     [plain(b"john.q.public", b"example.com", b"Joe Q. Public")], id="A.6.1 from"),
        pytest.param(b"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
                     [(b"Mary Smith", b"@node.test", b"mary", b"example.net"),
                      plain(b"jdoe", b"test.example")], id="A.6.1 to"),
        pytest.param(b"John Doe <jdoe@machine(comment).  example>",
                     [plain(b"jdoe", b"machine.example", b"John Doe")], id="A.6.3"),
        pytest.param(b"<@a.test, @b.test :u@c.test>", [(None, b"@a.test,@b.test", b"u", b"c.test")],
                     id="long route"),
        pytest.param(b"user@host (Real Name)", [plain(b"user", b"host", b"Real Name")],
                     id="comment as name"),
        pytest.param(b"<user@host> (Real Name)", [plain(b"user", b"host", b"Real Name")],
                     id="comment as name, brackets"),
        pytest.param(b"Phrase <user@host> (Comment)", [plain(b"user", b"host", b"Phrase")],
                     id="phrase before comment"),
        pytest.param(b'"a b"@host, "a@b"@host, ""@host',
                     [plain(b"a b", b"host"), plain(b"a@b", b"host"), plain(b"", b"host")],
                     id="quoted local part"),
        pytest.param(b"u@[192.0.2.1]", [plain(b"u", b"[192.0.2.1]")], id="domain literal"),
        pytest.param(b"=?utf-8?q?a?= <a@b>", [plain(b"a", b"b", b"=?utf-8?q?a?=")],
                     id="encoded word"),
        pytest.param(b"J\xf6rg <j\xf6@\xfc.example>",
                     [plain(b"j\xf6", b"\xfc.example", b"J\xf6rg")], id="8-bit"),
        # Damage.
        pytest.param(b"root", [plain(b"root", b"MISSING_DOMAIN")], id="no domain"),
        pytest.param(b"root (Cron)", [plain(b"root", b"MISSING_DOMAIN", b"Cron")],
                     id="no domain, comment"),
        pytest.param(b"two words", [plain(b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"two words")],
                     id="only a name"),
        pytest.param(b"Name <>", [plain(b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"Name")],
                     id="empty brackets"),
        pytest.param(b"<@host>, @host", [plain(b"MISSING_MAILBOX", b"host")] * 2, id="no mailbox"),
        pytest.param(b"u@", [plain(b"u", b"MISSING_DOMAIN")], id="empty domain"),
        pytest.param(b"a@b@c", [plain(b"a@b", b"c")], id="two at signs"),
        pytest.param(b"u@h.test <u@h.test>", [plain(b"u", b"h.test", b"u@h.test")],
                     id="address as name"),
        pytest.param(b"A <a@b> C <c@d>", [plain(b"a", b"b", b"A"), plain(b"c", b"d", b"C")],
                     id="no comma"),
        pytest.param(b"A <a@b, C <c@d>", [plain(b"a", b"b", b"A"), plain(b"c", b"d", b"C")],
                     id="no end bracket"),
        pytest.param(b"<<a@b>>", [plain(b"a", b"b")], id="doubled brackets"),
        pytest.param(b"a@b; c@d", [plain(b"a", b"b"), plain(b"c", b"d")], id="semicolon"),
        pytest.param(b'"A <a@b>', [plain(b"a", b"b", b"A")], id="no end quote"),
        pytest.param(b"a@b (C", [plain(b"a", b"b", b"C")], id="no end of comment"),
        pytest.param(b"G: a@b", [group(b"G"), plain(b"a", b"b"), END], id="no end of group"),
        pytest.param(b"G: H: a@b;", [group(b"G"), END, group(b"H"), plain(b"a", b"b"), END],
                     id="group in group"),
        pytest.param(b":;", [group(b""), END], id="group without name"),
        pytest.param(b"<@a> <@b:c@d>", [plain(b"MISSING_MAILBOX", b"a"), (None, b"@b", b"c", b"d")],
                     id="half a route"),
    ],
)  # fmt: skip
def test_addresses(value: bytes, found: list[tuple[bytes | None, ...]]) -> None:
    """The addresses and group marks that an ENVELOPE tells."""
    assert addresses(value) == [Address(*address) for address in found]


@pytest.mark.parametrize("value", [b"a@b," * 20_000, b"a," * 20_000])
def test_many(value: bytes) -> None:
    """No header makes an answer out of all proportion: ten thousand addresses are told."""
    assert len(addresses(value)) == 10_000


def test_many_in_a_group() -> None:
    """A group that is cut off still ends."""
    found = addresses(b"G:" + b"a," * 20_000)
    assert len(found) == 10_001
    assert found[-1] == Address(*END)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"", None),
        (b" , ,", None),
        (b"A <a@b>, c@d", plain(b"a", b"b", b"A")),
        (b"(x), a . b @ c", plain(b"a.b", b"c")),
        (b"A Group: c@d;", group(b"A Group")),
    ],
)
def test_first(value: bytes, found: tuple[bytes | None, ...] | None) -> None:
    """The first one alone, which may be a group's mark."""
    assert first_address(value) == found
