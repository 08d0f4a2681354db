"""I18NLEVEL=1, I18NLEVEL=2 and COMPARATOR, from octets to octets (RFC 5255, 4)."""

from __future__ import annotations

import pytest

from tests.dialogue import Server, letter, same

ACTIVE = "* COMPARATOR i;unicode-casemap"


def _levels(server: Server) -> set[str]:
    names = server.client().command("CAPABILITY")[0].split()
    return {name for name in names if name.startswith("I18NLEVEL")}


def test_advertised(server: Server) -> None:
    """The highest level is said, and no other (4.4)."""
    assert _levels(server) == {"I18NLEVEL=2"}


def test_level_1() -> None:
    """Where level 2 is switched off, level 1 is left, without COMPARATOR (4.3)."""
    server = Server(without=["I18NLEVEL=2"])
    assert _levels(server) == {"I18NLEVEL=1"}
    same(server.client().do("COMPARATOR"), "a BAD There is no such command")


def test_none() -> None:
    """Both can be switched off."""
    assert _levels(Server(without=["I18NLEVEL=1", "I18NLEVEL=2"])) == set()


def test_active(server: Server) -> None:
    """Without arguments COMPARATOR says what is active (4.7, 4.8)."""
    same(server.client().do("COMPARATOR"), ACTIVE, "a OK COMPARATOR completed")
    same(server.client(select="INBOX").do("COMPARATOR"), ACTIVE, "a OK COMPARATOR completed")


@pytest.mark.parametrize(
    "arguments",
    [
        "i;unicode-casemap", "I;UNICODE-CASEMAP", '"i;unicode-casemap"', "default", "+i;unicode-casemap",
        '"i;*"', '"*casemap"', '"*"', '"i;*code*map"', "*", '"cz;*" i;unicode-casemap', "i;basic default",
    ],
)  # fmt: skip
def test_matches(server: Server, arguments: str) -> None:
    """The first that is there is chosen, by its name, wildcards or "default" (4.7)."""
    client = server.client()
    same(client.do(f"COMPARATOR {arguments}"), ACTIVE, "a OK COMPARATOR completed")


@pytest.mark.parametrize(
    "arguments",
    ["i;basic", '"cz;*"', "i;octet i;ascii-casemap", '"*octet"', "i;unicode", "casemap", '"i;*octet"',
     "-i;unicode-casemap", '"i;unicode-casemap*i;unicode-casemap"'],
)  # fmt: skip
def test_no_match(server: Server, arguments: str) -> None:
    """When none is there: NO [BADCOMPARATOR], and the active one stays (4.9)."""
    client = server.client()
    same(client.do(f"COMPARATOR {arguments}"), "a NO [BADCOMPARATOR] No comparator matches")
    same(client.do("COMPARATOR"), ACTIVE, "a OK COMPARATOR completed")


@pytest.mark.parametrize(
    "arguments", ['""', "(i;octet)", '"i octet"', '"ä"', "x" * 300, "x " * 200]
)
def test_bad(server: Server, arguments: str) -> None:
    """What is no comparator's name is BAD."""
    assert server.client().do(f"COMPARATOR {arguments}").startswith(b"a BAD ")


def test_before_login(server: Server) -> None:
    """It is for after log-in (4.7)."""
    same(server.connect().do("COMPARATOR"), "a BAD COMPARATOR is not for this state")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("SUBJECT", "GRÜSSE"),
        ("SUBJECT", "grüsse"),
        ("FROM", "ΑΛΊΚΗ"),
        ("TO", "ЮРИЙ"),
        ("CC", "ＣＣ"),
        ("BCC", "ÉMILE"),
        ("HEADER X-Place", "MÜNCHEN"),
        ("BODY", "ÇA VA"),
        ("TEXT", "ça VA"),
    ],
)
def test_casemap(anywhere: Server, key: str, text: str) -> None:
    """Each key that compares text does so in any case of any script (4.2; RFC 5051)."""
    client = anywhere.client()
    client.append(
        "From: αλίκη <a@example.org>\r\nTo: =?utf-8?B?0Y7RgNC40Lk=?= <y@example.org>\r\n"
        "Cc: cc <c@example.org>\r\nBcc: émile <e@example.org>\r\n"
        "Subject: =?iso-8859-1?Q?Gr=FCsse?=\r\nX-Place: münchen\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A7a va\r\n".encode(),
        letter("nothing of it"),
    ).select()
    same(
        client.do(f'SEARCH CHARSET UTF-8 {key} "{text}"'),
        "* SEARCH 1",
        "a OK SEARCH completed",
    )


def test_utf8_is_a_charset(server: Server) -> None:
    """UTF-8 is known to SEARCH (4.2)."""
    client = server.client(select="INBOX")
    same(client.do("SEARCH CHARSET UTF-8 ALL"), "* SEARCH", "a OK SEARCH completed")


def test_unreadable(anywhere: Server) -> None:
    """Octets that are not in the charset they claim still match as what they are (4.6, c)."""
    client = anywhere.client()
    client.append(b"Subject: x\r\nContent-Type: text/plain; charset=x-none\r\n\r\nneedle \xff\r\n")
    client.select()
    same(client.do("SEARCH BODY needle"), "* SEARCH 1", "a OK SEARCH completed")
