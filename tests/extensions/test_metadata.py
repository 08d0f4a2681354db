"""METADATA and METADATA-SERVER (RFC 5464): annotations of mailboxes and of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer_only

from imapd import commands, extensions
from imapd.config import BadConfig, configured
from imapd.dialect import Dialect
from imapd.extensions import metadata
from imapd.model.limits import Limits
from imapd.preparing import prepare
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryAccount
from tests.dialogue import Dialogue, Server, same


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Who has logged in."""
    return anywhere.client()


def _governed(**shared: str) -> Server:
    """A server that shares remarks of its own with its users."""
    features = [*commands.FEATURES, *extensions.FEATURES]
    features[features.index(metadata.FEATURE)] = metadata.feature(
        {f"/shared/{name}": value for name, value in shared.items()}
    )
    return Server(dialect=Dialect.of(features))


# Capabilities.


def test_capability(client: Dialogue) -> None:
    """RFC 5464, 1: METADATA says that both mailboxes and the server have annotations."""
    names = client.ok("CAPABILITY").split()
    assert b"METADATA" in names
    assert b"METADATA-SERVER" not in names


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts that keep no annotations."""

    @implementer_only(IAccount)
    class Plain(MemoryAccount):
        """An account with nothing optional."""

    monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", Plain)


@pytest.mark.usefixtures("plain")
def test_only_the_server_has_annotations() -> None:
    """RFC 5464, 1: METADATA-SERVER, when the store keeps none but the server has some."""
    client = _governed(comment="Hello").client()
    names = client.ok("CAPABILITY").split()
    assert b"METADATA-SERVER" in names
    assert not {b"METADATA", b"LIST-METADATA"} & {*names}
    same(client.ok("ENABLE METADATA METADATA-SERVER"), "* ENABLED METADATA-SERVER")
    client.ok("NOTIFY SET (personal (ServerMetadataChange))")
    assert client.do("NOTIFY SET (personal (MailboxMetadataChange))").startswith(b"a NO [BADEVENT")
    same(client.ok('GETMETADATA "" /shared/comment'), '* METADATA "" (/shared/comment "Hello")')
    same(
        client.do("GETMETADATA INBOX /shared/comment"),
        "a NO [CANNOT] Mailboxes have no annotations here",
    )
    for name in ("INBOX", '""'):
        same(
            client.do(f"SETMETADATA {name} (/private/comment NIL)"),
            "a NO [CANNOT] Annotations cannot be set here",
        )


@pytest.mark.usefixtures("plain")
def test_nothing_has_annotations() -> None:
    """Neither capability is there."""
    assert b"METADATA" not in Server().client().ok("CAPABILITY")


def test_switched_off() -> None:
    """LIST-METADATA goes with METADATA."""
    client = Server(without=["METADATA"]).client()
    assert b"METADATA" not in client.ok("CAPABILITY")
    same(client.do("GETMETADATA INBOX /shared/comment"), "a BAD There is no such command")
    same(
        client.do('LIST "" * RETURN (METADATA (/shared/comment))'),
        "a BAD LIST has no such return option",
    )


def test_states(server: Server) -> None:
    """RFC 5464, 4.2 and 4.3: good in the authenticated and the selected state."""
    client = server.connect()
    for command in ("GETMETADATA", "SETMETADATA"):
        same(client.do(f"{command} INBOX (/private/x y)"), f"a BAD {command} is not for this state")
    client.log_in().select()
    client.ok('SETMETADATA INBOX (/private/x "y")')
    same(client.ok("GETMETADATA INBOX /private/x"), '* METADATA INBOX (/private/x "y")')


# Names of entries.


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ("/private//comment", "That is no name of an entry"),
        ("/private/comment/", "That is no name of an entry"),
        ("private/comment", "That is no name of an entry"),
        ('""', "That is no name of an entry"),
        ('"/private/a*b"', "That is no name of an entry"),
        ('"/private/a%b"', "That is no name of an entry"),
        ('"/private/a\tb"', "That is no name of an entry"),
        ('"/private/\xe4"', "That is no name of an entry"),
        ("/private/" + "x" * 1_000, "That is no name of an entry"),
        ("/public/comment", "An entry begins with /private or /shared"),
        ("/private", "Such an entry has 2 levels or more"),
        ("/shared/vendor", "Such an entry has 4 levels or more"),
        ("/shared/VENDOR/cmu", "Such an entry has 4 levels or more"),
    ],
)
@pytest.mark.parametrize(
    "command", ["GETMETADATA INBOX {}", "SETMETADATA INBOX ({} NIL)", 'GETMETADATA "" {}']
)
def test_names_that_are_none(server: Server, command: str, entry: str, answer: str) -> None:
    """RFC 5464, 3.2: invalid names of entries are BAD in any command."""
    same(server.client().do(command.format(entry)), f"a BAD {answer}")


@pytest.mark.parametrize(
    "entry",
    ["/private/comment", "/shared/vendor/cmu/color", "/private/a/b/c/d", "/private/x.y-z:1,2"],
)
def test_names(client: Dialogue, entry: str) -> None:
    """RFC 5464, 3.2: any number of levels from two on, four for what vendors make up."""
    client.ok(f'SETMETADATA INBOX ({entry} "x")')
    same(client.ok(f"GETMETADATA INBOX {entry}"), f'* METADATA INBOX ({entry} "x")')


def test_names_that_must_be_quoted(client: Dialogue) -> None:
    """Spaces, parentheses and quotes in a name come out as they went in."""
    entry = r'"/private/a (b) \"c\""'
    client.ok(f'SETMETADATA INBOX ({entry} "x")')
    same(client.ok(f"GETMETADATA INBOX ({entry})"), f'* METADATA INBOX ({entry} "x")')


def test_case_has_no_meaning(client: Dialogue) -> None:
    """RFC 5464, 3.2: /Private/Comment is /private/comment; it is told as it was asked for."""
    client.ok('SETMETADATA INBOX (/Private/COMMENT "one")')
    client.ok('setmetadata inbox (/PRIVATE/comment "two")')
    same(
        client.ok("getmetadata inbox /private/Comment"), '* METADATA INBOX (/private/Comment "two")'
    )
    same(
        client.ok("GETMETADATA (depth INFINITY) INBOX /PRIVATE"),
        '* METADATA INBOX (/private/comment "two")',
    )


# Values.


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b'""', b'""'),
        (b"{0}\r\n", b'""'),
        (b'"NIL"', b'"NIL"'),
        (b'"a \\"b\\" \\\\c"', b'"a \\"b\\" \\\\c"'),
        (b"{7+}\r\none\r\ntwo"[:-1], b"{7}\r\none\r\ntw"),
        (b"{4+}\r\n\xff\xfe\x01\x80", b"{4}\r\n\xff\xfe\x01\x80"),
        (b"~{5+}\r\na\0b\0\0", b"~{5}\r\na\0b\0\0"),
        (b"~{1+}\r\nx", b'"x"'),
        (b"{2000+}\r\n" + b"x" * 2_000, b"{2000}\r\n" + b"x" * 2_000),
    ],
)
def test_values(client: Dialogue, sent: bytes, told: bytes) -> None:
    """RFC 5464, 3.2 and 5: strings or binary data of zero or more octets, kept as they are."""
    sent = sent.replace(b"{0}", b"{0+}")
    client.ok(b"SETMETADATA INBOX (/private/x " + sent + b")")
    assert client.ok("GETMETADATA INBOX /private/x") == (
        b"* METADATA INBOX (/private/x " + told + b")\r\n"
    )


@pytest.mark.parametrize("mailbox", ["INBOX", '""', '"Sent &- &AOQ-"'])
def test_set_change_and_remove(client: Dialogue, mailbox: str) -> None:
    """RFC 5464, 4.3: entries are added, replaced and, by NIL, removed, of mailboxes and the server."""
    client.ok('CREATE "Sent &- &AOQ-"')
    client.ok(f'SETMETADATA {mailbox} (/private/a "1" /private/b "2")')
    same(client.ok(f'SETMETADATA {mailbox} (/private/a nil /private/b "two" /private/none NIL)'))
    same(
        client.ok(f"GETMETADATA {mailbox} (/private/a /private/b)"),
        f'* METADATA {mailbox} (/private/a NIL /private/b "two")',
    )


def test_highest_modseq(anywhere: Server) -> None:
    """RFC 7162, 3.2: who comes back sees by HIGHESTMODSEQ that an annotation of the mailbox has changed."""
    client, other = anywhere.client(select="INBOX"), anywhere.client()

    def highest(said: bytes) -> int:
        return int(said.split(b"HIGHESTMODSEQ ")[1].split(b"]")[0])

    before = highest(client.ok("SELECT INBOX (CONDSTORE)"))
    other.ok('SETMETADATA INBOX (/private/comment "new")')
    after = highest(client.ok("SELECT INBOX (CONDSTORE)"))
    assert after > before
    assert highest(anywhere.client().ok("SELECT INBOX (CONDSTORE)")) == after
    other.ok('SETMETADATA INBOX (/private/comment "new")')
    assert highest(client.ok("SELECT INBOX (CONDSTORE)")) == after


def test_a_session_sees_what_another_set(anywhere: Server) -> None:
    """RFC 5464, 3.1: an annotation is the mailbox's, not the session's; other users have their own."""
    one, two, bob = anywhere.client(), anywhere.client(), anywhere.client("bob")
    one.ok('SETMETADATA INBOX (/private/comment "x")')
    one.ok('SETMETADATA "" (/private/vendor/v/w "y")')
    same(two.ok("GETMETADATA INBOX /private/comment"), '* METADATA INBOX (/private/comment "x")')
    same(bob.ok("GETMETADATA INBOX /private/comment"), "* METADATA INBOX (/private/comment NIL)")
    same(bob.ok('GETMETADATA "" /private/vendor/v/w'), '* METADATA "" (/private/vendor/v/w NIL)')


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("INBOX", "expected a space at octet 6"),
        ("INBOX ()", "expected a string at octet 8"),
        ("INBOX (/private/x)", "expected a space at octet 18"),
        ("INBOX (/private/x y)", "expected a string at octet 19"),
        ('INBOX (/private/x "y" /private/z)', "expected a space at octet 33"),
        ('INBOX /private/x "y"', "expected '(' at octet 7"),
        ('INBOX (/private/x "y") more', "expected the end of the command at octet 23"),
    ],
)
def test_bad_set(server: Server, arguments: str, answer: str) -> None:
    """What is not of the grammar is BAD, and sets nothing."""
    client = server.client()
    same(client.do(f"SETMETADATA {arguments}"), f"a BAD {answer}")
    same(
        client.ok("GETMETADATA (DEPTH infinity) INBOX /private"), "* METADATA INBOX (/private NIL)"
    )


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("INBOX", "expected a space at octet 6"),
        ("INBOX ()", "expected a string at octet 8"),
        ("(DEPTH 2) INBOX /private", "DEPTH is 0, 1 or infinity"),
        ("(DEPTH) INBOX /private", "expected a space at octet 7"),
        ("(DEPTH 1 DEPTH 0) INBOX /private", "An option is there twice"),
        ("(DEPTH 1) INBOX (DEPTH 1) /private", "That is no name of an entry"),
        ("(MAXSIZE x) INBOX /private", "expected a number at octet 10"),
        ("(MAXSIZE 4294967296) INBOX /private", "expected a number of 32 bits at octet 20"),
        ("(COLOUR red) INBOX /private/x", "GETMETADATA has no such option"),
        ("() INBOX /private/x", "expected a word at octet 2"),
    ],
)
def test_bad_get(server: Server, arguments: str, answer: str) -> None:
    """What is not of the grammar is BAD."""
    same(server.client().do(f"GETMETADATA {arguments}"), f"a BAD {answer}")


# DEPTH and MAXSIZE.


@pytest.mark.parametrize(
    ("depth", "told"),
    [
        ("", "/private/a NIL"),
        ("(DEPTH 0)", "/private/a NIL"),
        ("(DEPTH 1)", '/private/a/b "1" /private/a/c "3"'),
        ("(DEPTH infinity)", '/private/a/b "1" /private/a/b/d "2" /private/a/c "3"'),
    ],
)
def test_depth(client: Dialogue, depth: str, told: str) -> None:
    """RFC 5464, 4.2.2: nothing below, children only, or all; the option stands before or behind."""
    client.ok(
        'SETMETADATA INBOX (/private/a/b "1" /private/a/b/d "2" /private/a/c "3" /private/ab "4")'
    )
    same(client.ok(f"GETMETADATA {depth} INBOX /private/a".replace("  ", " ")),
         f"* METADATA INBOX ({told})")  # fmt: skip
    same(client.ok(f"GETMETADATA INBOX {depth} (/private/a)".replace("  ", " ")),
         f"* METADATA INBOX ({told})")  # fmt: skip


def test_depth_and_the_entry_itself(client: Dialogue) -> None:
    """RFC 5464, 4.2.2: with what is below, the entry itself is told, if it is there."""
    client.ok('SETMETADATA INBOX (/shared/a "1" /shared/a/b "2")')
    same(
        client.ok("GETMETADATA (DEPTH 1) INBOX (/shared/a /shared/a/b /shared/c)"),
        '* METADATA INBOX (/shared/a "1" /shared/a/b "2" /shared/c NIL)',
    )


def test_maxsize(client: Dialogue) -> None:
    """RFC 5464, 4.2.1: its own example; the code tells the size of the largest that was left out."""
    client.ok(b"SETMETADATA INBOX (/shared/comment {2199+}\r\n" + b"x" * 2_199 + b")")
    client.ok('SETMETADATA INBOX (/private/comment "My own comment")')
    expected = (
        '* METADATA INBOX (/private/comment "My own comment")',
        "a OK [METADATA LONGENTRIES 2199] GETMETADATA completed",
    )
    both = "(/shared/comment /private/comment)"
    same(client.do(f'GETMETADATA "INBOX" (MAXSIZE 1024) {both}'), *expected)
    same(client.do(f'GETMETADATA (MAXSIZE 14 DEPTH 1) "INBOX" {both}'), *expected)
    same(
        client.do(f"GETMETADATA (MAXSIZE 13) INBOX {both}"),
        "a OK [METADATA LONGENTRIES 2199] GETMETADATA completed",
    )
    assert b"LONGENTRIES" not in client.do(f"GETMETADATA (MAXSIZE 2199) INBOX {both}")


# Limits.


@pytest.fixture
def bounded(anywhere: Server) -> Dialogue:
    """A client of a server that keeps no more than RFC 5464, 4.1 asks for."""
    limits = Limits(metadata_value=1_024, metadata_entries=10, metadata=3_000)
    anywhere.factory.policy = evolve(anywhere.factory.policy, limits=limits)
    return anywhere.client()


def test_a_value_that_is_too_long(bounded: Dialogue) -> None:
    """RFC 5464, 4.3: NO with the octets that are taken; the other entries are not set either."""
    value = b"{1024+}\r\n" + b"x" * 1_024
    bounded.ok(b"SETMETADATA INBOX (/private/a " + value + b")")
    same(
        bounded.do(b"SETMETADATA INBOX (/private/b NIL /private/a NIL /private/c {1025+}\r\n"
                   + b"x" * 1_025 + b")"),
        "a NO [METADATA MAXSIZE 1024] The value is too long",
    )  # fmt: skip
    assert bounded.ok("GETMETADATA INBOX /private/a").endswith(b"x)\r\n")


def test_too_many(bounded: Dialogue) -> None:
    """RFC 5464, 4.3: NO [METADATA TOOMANY]; those that are there can be changed still."""
    ten = " ".join(f'/private/n{number} "{number}"' for number in range(10))
    bounded.ok(f"SETMETADATA INBOX ({ten})")
    same(
        bounded.do('SETMETADATA INBOX (/private/n0 "changed" /private/more "x")'),
        "a NO [METADATA TOOMANY] There can be 10 annotations",
    )
    same(
        bounded.ok("GETMETADATA INBOX (/private/n0 /private/more)"),
        '* METADATA INBOX (/private/n0 "0" /private/more NIL)',
    )
    bounded.ok('SETMETADATA INBOX (/private/n0 NIL /private/more "x")')


def test_too_much(bounded: Dialogue) -> None:
    """RFC 5464, 7: one user cannot use up the server's room; tidying up is possible."""
    value = b"{990+}\r\n" + b"x" * 990
    for name in (b"a", b"b", b"c"):
        bounded.ok(b"SETMETADATA INBOX (/private/%b %b)" % (name, value))
    same(
        bounded.do('SETMETADATA "" (/private/a "x")'),
        "a NO [OVERQUOTA] There is no room for more annotations",
    )
    bounded.ok("SETMETADATA INBOX (/private/b NIL)")
    bounded.ok('SETMETADATA "" (/private/a "x")')


# Mailboxes.


def test_a_mailbox_that_is_not_there(client: Dialogue) -> None:
    """RFC 5464, 3.3: NO, and nothing is kept for later."""
    for command in ("GETMETADATA none /private/x", 'SETMETADATA none (/private/x "y")'):
        answer = client.do(command)
        assert answer.startswith(b"a NO [NONEXISTENT] "), answer
    client.ok("CREATE none")
    same(client.ok("GETMETADATA none /private/x"), "* METADATA none (/private/x NIL)")


def test_rename_and_delete(client: Dialogue) -> None:
    """RFC 5464, 4.1: annotations follow a mailbox to its new name, and go with it."""
    client.ok("CREATE a/b")
    client.ok('SETMETADATA a (/private/x "1")')
    client.ok('SETMETADATA a/b (/private/x "2")')
    client.ok("RENAME a c")
    same(client.ok("GETMETADATA c /private/x"), '* METADATA c (/private/x "1")')
    same(client.ok("GETMETADATA c/b /private/x"), '* METADATA c/b (/private/x "2")')
    client.ok("DELETE c/b")
    client.ok("CREATE c/b")
    same(client.ok("GETMETADATA c/b /private/x"), "* METADATA c/b (/private/x NIL)")


def test_rename_of_inbox(client: Dialogue) -> None:
    """RFC 5464, 4.1: INBOX keeps its annotations, what it becomes gets copies."""
    client.ok('SETMETADATA INBOX (/private/x "1")')
    client.ok("RENAME INBOX old")
    same(client.ok("GETMETADATA old /private/x"), '* METADATA old (/private/x "1")')
    same(client.ok("GETMETADATA INBOX /private/x"), '* METADATA INBOX (/private/x "1")')


# The server.


def test_what_the_server_shares() -> None:
    """RFC 5464, 3.2.1.1: /shared/comment and /shared/admin, the same for all users."""
    server = _governed(comment="Caf\xe9", admin="mailto:root@example.org")
    for user in ("alice", "bob"):
        same(
            server.client(user).ok('GETMETADATA (DEPTH infinity) "" /shared'),
            '* METADATA "" (/shared/admin "mailto:root@example.org" /shared/comment {5}',
            "Caf\xe9)",
        )


@pytest.mark.parametrize("entry", ["/shared/comment", "/shared/admin", "/Shared/vendor/a/b"])
def test_what_the_server_shares_cannot_be_set(client: Dialogue, entry: str) -> None:
    """RFC 5464, 3.2.1.1 and 3.3: it is read-only; what was to be set with it is not set either."""
    same(
        client.do(f'SETMETADATA "" (/private/x "y" {entry} "z")'),
        "a NO [NOPERM] What the server shares with all is configured",
    )
    same(client.ok('GETMETADATA "" /private/x'), '* METADATA "" (/private/x NIL)')


def _configured(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "imapd.toml"
    path.write_text(
        'store = "memory:"\nauth = ["static:secret"]\n'
        '[listen]\nimap = ["tcp:0:interface=127.0.0.1"]\n' + text
    )
    return prepare(configured(path), MemoryReactorClock())


def test_configured(tmp_path: Path) -> None:
    """The keys of [metadata] are what the server shares."""
    prepared = _configured(tmp_path, '[metadata]\nadmin = "tel:+4912345"\ncomment = "Hi"\n')
    client = Server(dialect=prepared.factory.policy.dialect).client()
    same(
        client.ok('GETMETADATA "" (/shared/comment /shared/admin)'),
        '* METADATA "" (/shared/comment "Hi" /shared/admin "tel:+4912345")',
    )


def test_misconfigured(tmp_path: Path) -> None:
    """RFC 5464, 3.2.1.1: /shared/admin must be a URI."""
    with pytest.raises(BadConfig, match=r"metadata\.admin: .* is not a URI; write admin = "):
        _configured(tmp_path, '[metadata]\nadmin = "root@example.org"\n')
