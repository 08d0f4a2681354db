"""UTF8=ACCEPT, from octets to octets (RFC 9755)."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd.preparing import prepare
from tests.dialogue import Dialogue, Server, letter, same
from tests.test_switching import CONFIG

UTF8_LETTER = letter("Grüße", "Hello.\r\n")


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """One that has enabled it, on each kind of store."""
    return anywhere.login(enable="UTF8=ACCEPT")


def test_advertised(server: Server) -> None:
    """The server says that it can be enabled (3), and nothing of UTF8=ONLY (7)."""
    names = server.client().command("CAPABILITY")[0].split()
    assert "UTF8=ACCEPT" in names
    assert "UTF8=ONLY" not in names


def test_enable(server: Server) -> None:
    """ENABLE says that it was; in any case (3)."""
    client = server.client()
    same(client.do("ENABLE utf8=accept"), "* ENABLED UTF8=ACCEPT", "a OK ENABLE completed")


def test_not_before_login(server: Server) -> None:
    """There is no ENABLE before log-in (3)."""
    assert server.connect().do("ENABLE UTF8=ACCEPT").startswith(b"a BAD ")


def test_only_is_not_enabled(server: Server) -> None:
    """ENABLE UTF8=ONLY means nothing (7)."""
    same(server.client().do("ENABLE UTF8=ONLY"), "* ENABLED", "a OK ENABLE completed")


def test_names_in_utf8(client: Dialogue) -> None:
    """Names come and go as UTF-8 in quoted strings (3)."""
    client.ok('CREATE "日本語/Entwürfe"')
    same(
        client.do('LIST "" "日本語/*"'),
        '* LIST (\\HasNoChildren) "/" "日本語/Entwürfe"',
        "a OK LIST completed",
    )
    same(
        client.do('STATUS "日本語/Entwürfe" (MESSAGES)'),
        '* STATUS "日本語/Entwürfe" (MESSAGES 0)',
        "a OK STATUS completed",
    )
    client.ok('SUBSCRIBE "日本語/Entwürfe"')
    same(
        client.do('LSUB "" "日本語/%"'),
        '* LSUB () "/" "日本語/Entwürfe"',
        "a OK LSUB completed",
    )
    assert client.command('SELECT "日本語/Entwürfe"')[-1] == "a OK [READ-WRITE] Selected"


def test_no_utf8_unasked(anywhere: Server) -> None:
    """Who has not enabled it gets modified UTF-7, for the same mailbox (3)."""
    anywhere.login(enable="UTF8=ACCEPT").ok('CREATE "Entwürfe"')
    same(
        anywhere.client().do('LIST "" "Entw*"'),
        '* LIST (\\HasNoChildren) "/" Entw&APw-rfe',
        "a OK LIST completed",
    )


def test_names_are_taken_unasked(anywhere: Server) -> None:
    """UTF-8 names are understood from others too, and become what they mean (3: MUST accept)."""
    client = anywhere.client()
    client.ok('CREATE "Entwürfe"')
    assert b"Entw&APw-rfe" in client.ok('LIST "" "Entw*"')


def test_no_utf7(client: Dialogue) -> None:
    """After it an ampersand is an ampersand."""
    client.ok('CREATE "R&APw-D"')
    same(
        client.do('LIST "" "R*"'),
        '* LIST (\\HasNoChildren) "/" "R&APw-D"',
        "a OK LIST completed",
    )


@pytest.mark.parametrize(
    "octets", [b"\xfc", b"a\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"]
)
@pytest.mark.parametrize("command", [b'CREATE "%b"', b'SELECT "%b"', b'SEARCH SUBJECT "%b"'])
def test_not_utf8(server: Server, command: bytes, octets: bytes) -> None:
    """8-bit octets that are not UTF-8 are BAD (3)."""
    client = server.login(enable="UTF8=ACCEPT").select()
    assert client.do(command % octets).startswith(b"a BAD ")


@pytest.mark.parametrize("character", ["\x01", "\x7f", "\x80", "\x9f", "\u2028", "\u2029"])
def test_controls_in_names(client: Dialogue, character: str) -> None:
    """Controls and separators are in no name (3)."""
    assert client.do(f'CREATE "a{character}b"').startswith(b"a NO [CANNOT] ")


def test_net_unicode(client: Dialogue) -> None:
    """A name that is made is brought into NFC, as Net-Unicode wants (3; RFC 5198, 2)."""
    client.ok('CREATE "u\u0308ber"')
    assert '"über"'.encode() in client.ok('LIST "" "*ber"')


def test_strings_in_utf8(client: Dialogue) -> None:
    """Strings of a search are UTF-8, quoted or not (3)."""
    client.append(UTF8_LETTER, letter("other")).select()
    same(client.do('SEARCH SUBJECT "GRÜSSE"'), "* SEARCH 1", "a OK SEARCH completed")
    text = "Grüße".encode()
    assert client.send(b"a SEARCH SUBJECT {%d}\r\n" % len(text)).startswith(b"+ ")
    same(client.send(text + b"\r\n"), "* SEARCH 1", "a OK SEARCH completed")


def test_no_charset(client: Dialogue) -> None:
    """SEARCH with a charset is BAD then (3)."""
    client.select()
    for command in ("SEARCH CHARSET UTF-8 ALL", "UID SEARCH CHARSET US-ASCII ALL"):
        assert client.do(command).startswith(b"a BAD ")


def test_append(client: Dialogue) -> None:
    """A message with UTF-8 in its header goes in and comes out as it was (4)."""
    client.append(UTF8_LETTER).select()
    same(
        client.do("FETCH 1 BODY.PEEK[]"),
        b"* 1 FETCH (BODY[] {%d}\r\n%b)" % (len(UTF8_LETTER), UTF8_LETTER),
        "a OK FETCH completed",
    )


@pytest.fixture
def strict() -> Server:
    """A server that does to the letter what RFC 9755 demands, by configuration."""
    prepared = prepare(evolve(CONFIG, utf8_strict=True), MemoryReactorClock())
    return Server(dialect=prepared.factory.policy.dialect)


def test_append_unasked(strict: Server) -> None:
    """There, who has not enabled it cannot put 8-bit octets into header fields: nothing is stored (4)."""
    client = strict.client()
    assert client.do("APPEND INBOX", UTF8_LETTER).startswith(b"a NO ")
    assert client.do("APPEND INBOX", b"Subject: gr\xfc\xdfe\r\n\r\nx").startswith(b"a NO ")
    assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")


def test_append_unasked_of_several(strict: Server) -> None:
    """Nor are the other messages of the command."""
    client = strict.client()
    good, bad = letter("one"), UTF8_LETTER
    told = client.send(
        b"a APPEND INBOX {%d+}\r\n%b {%d+}\r\n%b\r\n" % (len(good), good, len(bad), bad)
    )
    assert told.startswith(b"a NO ")
    assert b"(MESSAGES 0)" in client.ok("STATUS INBOX (MESSAGES)")


@pytest.mark.parametrize("enable", ["UTF8=ACCEPT", "IMAP4rev2"])
def test_append_strict(strict: Server, enable: str) -> None:
    """Who enabled it, or IMAP4rev2, can (4; RFC 9051, appendix E)."""
    strict.login(enable=enable).append(UTF8_LETTER)


def test_append_of_old_mail(anywhere: Server) -> None:
    """Without that, mail as it is comes in by clients that know nothing of UTF-8, octet for octet."""
    client = anywhere.client()
    text = b"Subject: gr\xfc\xdfe\r\n\r\nx\r\n"
    client.append(text).select()
    assert text in client.ok("FETCH 1 BODY.PEEK[]")


def test_8_bit_body(strict: Server) -> None:
    """8-bit octets in the body are for everybody (4: header fields)."""
    strict.client().append(letter("hello", "Grüße\r\n"))


def test_switched_off() -> None:
    """Where it is switched off it cannot be enabled."""
    server = Server(without=["UTF8=ACCEPT"])
    client = server.client()
    same(client.do("ENABLE UTF8=ACCEPT"), "* ENABLED", "a OK ENABLE completed")


def test_append_of_rfc_6855(client: Dialogue) -> None:
    """Clients of the older RFC say UTF8 around their message."""
    text = UTF8_LETTER
    assert client.send(b"a APPEND INBOX (\\Seen) UTF8 (~{%d}\r\n" % len(text)).startswith(b"+ ")
    same(client.send(text + b")\r\n"), "a OK [APPENDUID {{*}} 1] APPEND completed")
    client.select()
    assert client.ok("FETCH 1 (FLAGS BODY.PEEK[])").count(text) == 1


def test_append_of_rfc_6855_unasked(strict: Server) -> None:
    """They must have enabled it too (RFC 6855, 4)."""
    client = strict.client()
    text = UTF8_LETTER
    assert client.send(b"a APPEND INBOX UTF8 (~{%d+}\r\n%b)\r\n" % (len(text), text)).startswith(
        b"a NO "
    )
    same(client.do("NOOP"), "a OK NOOP completed")


@pytest.mark.parametrize(
    "command",
    [
        b"APPEND INBOX UTF8 ({%d+}\r\n%b)",
        b"APPEND INBOX UTF8 ~{%d+}\r\n%b",
        b"APPEND INBOX UTF8 (~{%d+}\r\n%b",
        b"APPEND INBOX UTF8(~{%d+}\r\n%b)",
        b"APPEND INBOX UTF8 (~{%d+}\r\n%b) x",
    ],
)
def test_append_bad(client: Dialogue, command: bytes) -> None:
    """Its parentheses and its literal8 have to be there; else nothing is stored."""
    octets = b"a " + command % (len(UTF8_LETTER), UTF8_LETTER) + b"\r\n"
    assert client.send(octets).startswith(b"a BAD ")
    assert b"MESSAGES 0" in client.ok("STATUS INBOX (MESSAGES)")


def test_append_bad_ends(client: Dialogue) -> None:
    """UTF8 with nothing behind it is BAD."""
    for text in ("APPEND INBOX UTF8", "APPEND INBOX UTF8 (", "APPEND INBOX UTF8 ()"):
        assert client.do(text).startswith(b"a BAD ")


def test_flags_and_names_are_apart(server: Server) -> None:
    r"""It changes nothing else: \Recent is told, for the client is of revision 1."""
    assert b" RECENT\r\n" in server.login(enable="UTF8=ACCEPT").ok("SELECT INBOX")
