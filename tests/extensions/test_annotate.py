"""ANNOTATE-EXPERIMENT-1 (RFC 5257): annotations of messages and of their parts."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from zope.interface import implementer_only

from imapd.model.limits import Limits
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryAccount
from imapd.store.memory.annotating import MemoryAnnotations
from tests.dialogue import Dialogue, Server, letter, same
from tests.distant import DistantStore

_MULTIPART = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\none\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntwo\r\n--x--\r\n"
)


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Who has selected a mailbox with a plain message, and one of two parts."""
    client = anywhere.client()
    client.append(letter("one"), _MULTIPART)
    return client.select()


def _has(client: Dialogue, number: int = 1) -> bytes:
    """All values that a message is annotated with."""
    found = client.ok(f"FETCH {number} (ANNOTATION (* value))")
    return found.removeprefix(b"* %d FETCH (ANNOTATION " % number).removesuffix(b")\r\n")


# Capabilities, and levels of support.


def test_capability(client: Dialogue) -> None:
    """RFC 5257, 1: the capability says that the extension is there."""
    assert b"ANNOTATE-EXPERIMENT-1" in client.ok("CAPABILITY").split()


def test_switched_off() -> None:
    """Without the capability there is nothing of it."""
    client = Server(without=["ANNOTATE-EXPERIMENT-1"]).client()
    client.append(letter("one"))
    assert b"ANNOTATE" not in client.ok("CAPABILITY")
    assert b"ANNOTATIONS" not in client.ok("SELECT INBOX")
    for command, text in (
        ("SELECT INBOX (ANNOTATE)", "The command has no parameter of that name"),
        ("FETCH 1 (ANNOTATION (/comment value))", "FETCH has no item of that name"),
        ('STORE 1 ANNOTATION (/comment (value.priv "x"))', "STORE has no item of that name"),
        ("SEARCH ANNOTATION /comment value x", "SEARCH has no key of that name"),
    ):
        same(client.do(command), f"a BAD {text}")
        client.select()


@pytest.mark.parametrize(
    ("command", "size"), [("SELECT INBOX", "65536"), ("EXAMINE INBOX", "READ-ONLY")]
)
def test_the_level_of_support(client: Dialogue, command: str, size: str) -> None:
    """RFC 5257, 4.1: SELECT and EXAMINE MUST say it; the size of a value that can be written."""
    assert f"* OK [ANNOTATIONS {size}] ".encode() in client.ok(command)


def test_a_store_without_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5257, 4.1: NONE; nothing is there, and nothing can be stored."""

    @implementer_only(IAccount)
    class Plain(MemoryAccount):
        """An account with nothing optional."""

    monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", Plain)
    monkeypatch.setattr("imapd.store.memory.mailbox.MemoryMailbox.__conform__", lambda *_: None)
    client = Server().client()
    assert b"ANNOTATE" not in client.ok("CAPABILITY")
    client.append(letter("one"))
    assert b"* OK [ANNOTATIONS NONE] " in client.ok("SELECT INBOX (ANNOTATE)")
    refused = "a NO [CANNOT] Messages have no annotations there"
    same(client.do('STORE 1 ANNOTATION (/comment (value.priv "x"))'), refused)
    same(client.do('APPEND INBOX ANNOTATION (/comment (value.priv "x"))', letter("two")), refused)
    same(client.ok('SEARCH ANNOTATION * value "x"'), "* SEARCH")


def test_a_distant_store() -> None:
    """A store of the required methods alone: of messages in it nothing is known."""
    clock = Clock()
    client = Server(DistantStore(clock), clock=clock).client()
    client.append(letter("one"))
    assert b"* OK [ANNOTATIONS NONE] " in client.ok("SELECT INBOX")
    same(
        client.ok("FETCH 1 (ANNOTATION (/comment (value.priv size.priv)))"),
        '* 1 FETCH (ANNOTATION (/comment (value.priv NIL size.priv "0")))',
    )


def test_nothing_private(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5257, 4.1: NOPRIVATE; FETCH tells NIL, STORE and APPEND MUST be NO."""

    class Shared(MemoryAnnotations):
        """Everything is shared."""

        def __init__(self, *args: object) -> None:
            super().__init__(*args, private_annotations=False)  # type: ignore[arg-type]

    monkeypatch.setattr("imapd.store.memory.mailbox.MemoryAnnotations", Shared)
    client = Server().client()
    client.append(letter("one"))
    assert b"* OK [ANNOTATIONS 65536 NOPRIVATE] " in client.ok("SELECT INBOX")
    assert b"* OK [ANNOTATIONS READ-ONLY NOPRIVATE] " in client.ok("EXAMINE INBOX")
    client.select()
    refused = "a NO [NOPERM] Such annotations cannot be changed there"
    same(client.do('STORE 1 ANNOTATION (/a (value.priv "x" value.shared "y"))'), refused)
    same(client.do('APPEND INBOX ANNOTATION (/a (value.priv "x"))', letter("two")), refused)
    client.ok('STORE 1 ANNOTATION (/a (value.shared "y"))')
    same(
        client.ok("FETCH 1 (ANNOTATION (/a value))"),
        '* 1 FETCH (ANNOTATION (/a (value.priv NIL value.shared "y")))',
    )


# Names of entries and attributes.

_NONE = "That is no name of an entry"


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ("/a//b", _NONE),
        ("/a/", _NONE),
        ("/", _NONE),
        ("//comment", _NONE),
        ("comment", _NONE),
        ('""', _NONE),
        ('"/\xe4"', _NONE),
        ("/" + "x" * 1_000, _NONE),
        ("/1", _NONE),
        ("/1/flags", _NONE),
        ("/1/vendor", _NONE),
        ("/vendor", _NONE),
        ("/flags", "/flags is reserved"),
        ("/flags/seen", "/flags is reserved"),
        ("/0/comment", "That is no part"),
        ("/01/comment", "That is no part"),
        ("/1./comment", "That is no part"),
        ("/1..2/comment", "That is no part"),
        ("/1.MIME/comment", "That is no part"),
        ("/9x", "That is no part"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "FETCH 1 (ANNOTATION ({} value))",
        "FETCH 1 (ANNOTATION ((/comment {}) value))",
        "STORE 1 ANNOTATION ({} (value.priv NIL))",
        "SEARCH ANNOTATION {} value x",
        "APPEND INBOX ANNOTATION ({} (value.priv NIL)) {{1+}}\r\nx",
    ],
)
def test_entries_that_are_none(server: Server, command: str, entry: str, answer: str) -> None:
    """RFC 5257, 3.2 and 3.2.1: invalid names MUST be BAD in any command that uses them."""
    client = server.client()
    client.append(letter("one"))
    client.select()
    same(client.do(command.format(entry)), f"a BAD {answer}")


@pytest.mark.parametrize("pattern", ["/a//*", "/%/", '"*/\xe4"', "a*", "/0/*", "/1.x/%"])
@pytest.mark.parametrize(
    "command", ["FETCH 1 (ANNOTATION ({} value))", "SEARCH ANNOTATION {} value x"]
)
def test_patterns_that_are_none(client: Dialogue, command: str, pattern: str) -> None:
    """Patterns keep to the same rules."""
    answer = client.do(command.format(pattern))
    assert answer.startswith(b"a BAD That is no "), answer


@pytest.mark.parametrize("pattern", ['"/a*b"', '"/a%b"', "{4+}\r\n/a*b"])
def test_no_wildcards_where_something_is_stored(client: Dialogue, pattern: str) -> None:
    """RFC 5257, 3.2: names MUST NOT contain asterisks and percent signs."""
    same(client.do(f"STORE 1 ANNOTATION ({pattern} (value.priv NIL))"), f"a BAD {_NONE}")


@pytest.mark.parametrize(
    "entry",
    ["/comment", "/Comment", "/altsubject", "/vendor/foobar/label.priv", '"/with space"', "/a&b",
     "/1/comment", "/1/vendor/x", '"/NIL"'],
)  # fmt: skip
def test_entries(client: Dialogue, entry: str) -> None:
    """RFC 5257, 3.2: any number of levels; names are case-sensitive, and told as they are."""
    client.ok(f'STORE 1 ANNOTATION ({entry} (value.priv "x"))')
    told = entry if " " in entry else entry.strip('"')
    same(
        client.ok(f"FETCH 1 (ANNOTATION ({entry} value.priv))"),
        f'* 1 FETCH (ANNOTATION ({told} (value.priv "x")))',
    )
    same(
        client.ok("FETCH 1 (ANNOTATION (/COMMENT value.priv))"),
        "* 1 FETCH (ANNOTATION (/COMMENT (value.priv NIL)))",
    )


@pytest.mark.parametrize(
    "attribute",
    ["vlaue", "Value", "value.", "value..priv", ".value", "value.mine", "priv", "value.priv.shared",
     "content-type", '""', "size.x"],
)  # fmt: skip
def test_attributes_that_are_none(client: Dialogue, attribute: str) -> None:
    """RFC 5257, 3.2: names of attributes are case-sensitive; what is none is BAD."""
    for command in (
        f"FETCH 1 (ANNOTATION (/comment {attribute}))",
        f"FETCH 1 (ANNOTATION (/comment (value {attribute})))",
    ):
        same(client.do(command), "a BAD There is no attribute of that name")


@pytest.mark.parametrize("attribute", ["value", "size", "size.priv", "size.shared", "other.priv"])
def test_what_cannot_be_stored(client: Dialogue, attribute: str) -> None:
    """RFC 5257, 3.2.2: a suffix MUST be given to store; the size is read-only."""
    refused = "a BAD What is stored is value.priv or value.shared"
    same(client.do(f'STORE 1 ANNOTATION (/comment ({attribute} "1"))'), refused)
    same(client.do(f'APPEND INBOX ANNOTATION (/comment ({attribute} "1")) {{1+}}\r\nx'), refused)


@pytest.mark.parametrize(
    "command",
    [
        "STORE 1 ANNOTATION",
        "STORE 1 ANNOTATION ()",
        "STORE 1 ANNOTATION (/comment)",
        "STORE 1 ANNOTATION (/comment ())",
        'STORE 1 ANNOTATION (/comment (value.priv "x")',
        'STORE 1 ANNOTATION (/comment (value.priv "x")) x',
        "STORE 1 ANNOTATION (/comment (value.priv))",
        "STORE 1 ANNOTATION (/comment (value.priv x))",
        "STORE 1 +ANNOTATION (/comment (value.priv NIL))",
        "FETCH 1 ANNOTATION",
        "FETCH 1 (ANNOTATION)",
        "FETCH 1 (ANNOTATION /comment value)",
        "FETCH 1 (ANNOTATION (/comment))",
        "FETCH 1 (ANNOTATION (() value))",
        "FETCH 1 (ANNOTATION (/comment ()))",
        "SEARCH ANNOTATION",
        "SEARCH ANNOTATION /comment",
        "SEARCH ANNOTATION /comment value",
        "SEARCH ANNOTATION /comment (value) x",
        "APPEND INBOX ANNOTATION {1+}\r\nx",
        "APPEND INBOX ANNOTATION () {1+}\r\nx",
        "APPEND INBOX ANNOTATION (/comment (value.priv NIL {1+}\r\nx",
        'APPEND INBOX ANNOTATION (/comment (value.priv "x)) {1+}\r\nx',
        "APPEND INBOX ANNOTATION (/comment (value.priv NIL))",
        "APPEND INBOX ANNOTATION (/comment (value.priv NIL)) ANNOTATION (/x (value.priv NIL)) {1+}\r\nx",
        "SELECT INBOX (ANNOTATE ANNOTATE)",
        "SELECT INBOX (ANNOTATE x)",
    ],
)
def test_bad_syntax(client: Dialogue, command: str) -> None:
    """What is not in the grammar is BAD, and nothing is done."""
    answer = client.do(command)
    assert b"a BAD " in answer, answer
    client.select()
    assert client.ok("STATUS INBOX (MESSAGES)") == b"* STATUS INBOX (MESSAGES 2)\r\n"
    assert _has(client) == b""


# Parts.


@pytest.mark.parametrize(
    ("number", "part"), [(1, "2"), (1, "1.1"), (2, "3"), (2, "1.1"), (2, "2.2")]
)
def test_parts_that_are_not_there(client: Dialogue, number: int, part: str) -> None:
    """RFC 5257, 3.2.1: a specifier of a part that does not exist MUST be BAD; nothing is changed."""
    missing = "a BAD There is no such part"
    same(client.do(f"FETCH {number} (ANNOTATION (/{part}/comment value))"), missing)
    store = (
        f'STORE {number} ANNOTATION (/comment (value.priv "x") /{part}/comment (value.priv "x"))'
    )
    same(client.do(store), missing)
    assert _has(client, number) == b""


def test_parts_of_some_messages_only(client: Dialogue) -> None:
    """All messages that are named must have the part, or none is annotated."""
    store = 'STORE {} ANNOTATION (/2/comment (value.priv "x"))'
    same(client.do(store.format("1:2")), "a BAD There is no such part")
    client.ok(store.format("2"))
    same(
        client.ok("FETCH 1:2 (ANNOTATION (/2/* value.priv))"),
        '* 2 FETCH (ANNOTATION (/2/comment (value.priv "x")))',
    )


def test_parts_of_a_new_message(client: Dialogue) -> None:
    """APPEND knows the parts of the message that comes with them."""
    append = 'APPEND INBOX ANNOTATION (/2.1/comment (value.priv "x"))'
    client.ok(append, _MULTIPART)
    asked = client.do(append, letter("one"))
    same(asked, "a BAD There is no such part")
    assert _has(client, 3) == b'(/2.1/comment (value.priv "x" value.shared NIL))'


def test_flags_of_parts(client: Dialogue) -> None:
    """RFC 5257, 3.2.1: the value of these MUST be 1, 0 or NIL."""
    for flag in ("seen", "answered", "flagged", "forwarded"):
        for value in ('"1"', '"0"', "NIL"):
            client.ok(f"STORE 1 ANNOTATION (/1/flags/{flag} (value.shared {value}))")
        for value in ('"2"', '""', '"true"'):
            same(
                client.do(f"STORE 1 ANNOTATION (/1/flags/{flag} (value.shared {value}))"),
                "a BAD A flag is 1, 0 or NIL",
            )


def test_no_flag_changes_by_itself(client: Dialogue) -> None:
    """RFC 5257, 3.2.1: there is no implicit change of a part's flags by the server."""
    client.ok('STORE 1 ANNOTATION (/1/flags/seen (value.priv "0"))')
    client.ok("FETCH 1 (BODY[1])")
    assert _has(client) == b'(/1/flags/seen (value.priv "0" value.shared NIL))'


# FETCH.


def test_what_is_not_there(client: Dialogue) -> None:
    """RFC 5257, 3.2.2: of an entry that does not exist, the value MUST be NIL and the size 0."""
    same(
        client.ok("FETCH 1 (ANNOTATION (/none (size value)))"),
        '* 1 FETCH (ANNOTATION (/none (size.priv "0" size.shared "0" value.priv NIL value.shared NIL)))',
    )


def test_patterns(client: Dialogue) -> None:
    """RFC 5257, 4.3: ``*`` stands for anything, ``%`` for anything but slashes."""
    client.ok(
        'STORE 1 ANNOTATION (/comment (value.priv "a") /altsubject (value.shared "b")'
        ' /vendor/x/y (value.priv "c") /1/comment (value.priv "d"))'
    )

    def found(patterns: str, attribute: str = "value.priv") -> bytes:
        return client.ok(f"FETCH 1 (ANNOTATION ({patterns} {attribute}))")

    same(found("/%"), '* 1 FETCH (ANNOTATION (/comment (value.priv "a")))')
    same(found("/%/%"), '* 1 FETCH (ANNOTATION (/1/comment (value.priv "d")))')
    same(
        found("(/*t /vendor/*)"),
        '* 1 FETCH (ANNOTATION (/1/comment (value.priv "d") /comment (value.priv "a")'
        ' /vendor/x/y (value.priv "c")))',
    )
    same(
        found("(/comment %/comment)"),
        '* 1 FETCH (ANNOTATION (/comment (value.priv "a")))',
    )
    assert found("/x%") == b""
    same(found("/%", "size.shared"), '* 1 FETCH (ANNOTATION (/altsubject (size.shared "1")))')


def test_what_is_asked_twice_is_told_once(client: Dialogue) -> None:
    """Within one item or in several; what different items ask of one entry is told together."""
    client.ok('STORE 1 ANNOTATION (/a (value.priv "x") /b (value.shared "y"))')
    same(
        client.ok(
            "FETCH 1 (ANNOTATION ((/a /a /%) (value.priv value)) FLAGS ANNOTATION (/a size.priv)"
            " ANNOTATION (/c value.shared))"
        ),
        '* 1 FETCH (ANNOTATION (/a (value.priv "x" value.shared NIL size.priv "1")'
        ' /b (value.priv NIL value.shared "y") /c (value.shared NIL)) FLAGS (\\Recent))',
    )


def test_beside_other_items(client: Dialogue) -> None:
    """A message without any has no such item in its row, whatever else is asked."""
    client.ok('STORE 2 ANNOTATION (/a (value.priv "x"))')
    same(
        client.ok("UID FETCH 1:2 (ANNOTATION (* value.priv) RFC822.SIZE)"),
        f"* 1 FETCH (UID 1 RFC822.SIZE {len(letter('one'))})",
        f'* 2 FETCH (UID 2 ANNOTATION (/a (value.priv "x")) RFC822.SIZE {len(_MULTIPART)})',
    )
    same(
        client.ok("FETCH 1:2 (ANNOTATION (* value.priv) BODY.PEEK[HEADER.FIELDS (X-None)])"),
        "* 1 FETCH (BODY[HEADER.FIELDS (X-None)] {2}", "", ")",
        '* 2 FETCH (ANNOTATION (/a (value.priv "x")) BODY[HEADER.FIELDS (X-None)] {2}', "", ")",
    )  # fmt: skip


def test_any_octets(client: Dialogue) -> None:
    """RFC 5257, 3.2.2: binary data is taken, and told as literal8 if it has NUL."""
    client.ok(
        b'STORE 1 ANNOTATION (/a (value.priv ~{4+}\r\n\0\xff\r\n value.shared {3+}\r\n"\\\xe9))'
    )
    assert _has(client) == b'(/a (value.priv ~{4}\r\n\0\xff\r\n value.shared {3}\r\n"\\\xe9))'
    same(
        client.ok("FETCH 1 (ANNOTATION (/a size))"),
        '* 1 FETCH (ANNOTATION (/a (size.priv "4" size.shared "3")))',
    )


def test_an_empty_value_is_one(client: Dialogue) -> None:
    """RFC 5257, 3.2: a value is NIL, or a string of zero or more octets."""
    client.ok('STORE 1 ANNOTATION (/a (value.priv ""))')
    assert _has(client) == b'(/a (value.priv "" value.shared NIL))'


def test_many_large_ones(anywhere: Server) -> None:
    """Rows of many kilobytes come whole, in order."""
    client = anywhere.client()
    client.fill(5).select()
    value = b"x" * 60_000
    client.ok(b"STORE 1:5 ANNOTATION (/a (value.priv {60000+}\r\n%b))" % value)
    row = b"* %d FETCH (ANNOTATION (/a (value.priv {60000}\r\n%b)))\r\n"
    assert client.ok("FETCH 1:5 (ANNOTATION (/* value.priv))") == b"".join(
        row % (number, value) for number in range(1, 6)
    )


def test_too_much_is_asked(client: Dialogue) -> None:
    """What is looked for in each message is bounded."""
    names = " ".join(f"/{n}x*" for n in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    same(client.do(f"FETCH 1 (ANNOTATION (({names}) value))"), "a BAD too many patterns of entries")
    names = " ".join(f"/a{n}" for n in range(600))
    item = f"ANNOTATION (({names}) value.priv)"
    client.ok(f"FETCH 1 {item}")
    other = item.replace("/a", "/b")
    same(client.do(f"FETCH 1 ({item} {other})"), "a BAD too many entries")


# STORE.


def test_store(client: Dialogue) -> None:
    """RFC 5257, 4.5: entries are added and replaced, NIL removes; nothing is told."""
    same(
        client.do('STORE 1:2 ANNOTATION (/a (value.priv "1" value.shared "2"))'),
        "a OK STORE completed",
    )
    same(client.do('UID STORE 2 ANNOTATION (/a (value.priv NIL) /b (value.shared "3"))'),
         "a OK UID STORE completed")  # fmt: skip
    assert _has(client) == b'(/a (value.priv "1" value.shared "2"))'
    assert _has(client, 2) == (
        b'(/a (value.priv NIL value.shared "2") /b (value.priv NIL value.shared "3"))'
    )
    client.ok("STORE 1 ANNOTATION (/a (value.priv NIL value.shared NIL))")
    assert _has(client) == b""


def test_store_for_who_knows_modseqs(client: Dialogue) -> None:
    """RFC 5257, 4.5: with CONDSTORE, the new MODSEQ is told; what was so already keeps its own."""
    client.ok("ENABLE CONDSTORE")
    store = 'STORE 1 ANNOTATION (/a (value.priv "1"))'
    first = client.ok(store)
    assert first.startswith(b"* 1 FETCH (UID 1 MODSEQ (")
    assert client.ok(store) == first
    assert client.ok(store.replace('"1"', "NIL")) != first


def test_unchangedsince(client: Dialogue) -> None:
    """RFC 7162, 3.1.3: a message that changed since is left alone, be it its flags or annotations."""
    client.ok("ENABLE CONDSTORE")
    modseq = int(client.ok("FETCH 2 (MODSEQ)").partition(b"MODSEQ (")[2].partition(b")")[0])
    client.ok('STORE 1 ANNOTATION (/a (value.priv "1"))')
    answer = client.do(f'STORE 1:2 (UNCHANGEDSINCE {modseq}) ANNOTATION (/a (value.priv "2"))')
    assert b"a OK [MODIFIED 1] " in answer
    assert _has(client) == b'(/a (value.priv "1" value.shared NIL))'
    assert _has(client, 2) == b'(/a (value.priv "2" value.shared NIL))'
    answer = client.do(f"STORE 2 (UNCHANGEDSINCE {modseq}) +FLAGS (\\Seen)")
    assert b"a OK [MODIFIED 2] " in answer


def test_changedsince(client: Dialogue) -> None:
    """A message that was annotated is one that changed (RFC 7162, 1)."""
    status = client.ok("STATUS INBOX (HIGHESTMODSEQ)")
    highest = int(status.rpartition(b" ")[2].partition(b")")[0])
    client.ok('STORE 2 ANNOTATION (/a (value.priv "1"))')
    same(
        client.ok(f"FETCH 1:* (ANNOTATION (/a value.priv)) (CHANGEDSINCE {highest})"),
        f'* 2 FETCH (ANNOTATION (/a (value.priv "1")) MODSEQ ({highest + 1}))',
    )


def test_examined(client: Dialogue) -> None:
    """RFC 5257, 3.4: nothing is stored in what was opened read-only; READ-ONLY said so."""
    client.ok("EXAMINE INBOX")
    for whose in ("priv", "shared"):
        same(
            client.do(f'STORE 1 ANNOTATION (/a (value.{whose} "x"))'),
            "a NO [NOPERM] The mailbox is selected read-only",
        )
    assert _has(client) == b""


def test_too_big(client: Dialogue) -> None:
    """RFC 5257, 4.5: a value above the size that SELECT told MUST be NO [ANNOTATE TOOBIG]."""
    client.ok(b"STORE 1 ANNOTATION (/a (value.priv {65536+}\r\n%b))" % (b"x" * 65_536))
    small = Server(limits=Limits(metadata_value=1_024)).client()
    small.append(letter("one"))
    small.select()
    store = 'STORE 1 ANNOTATION (/b (value.priv "") /a (value.shared "{}"))'
    same(small.do(store.format("x" * 1_025)), "a NO [ANNOTATE TOOBIG] The value is too long")
    assert _has(small) == b""
    small.ok(store.format("x" * 1_024))
    append = 'APPEND INBOX ANNOTATION (/a (value.priv "{}"))'
    same(
        small.do(append.format("x" * 1_025), letter("x")),
        "a NO [ANNOTATE TOOBIG] The value is too long",
    )


def test_too_many(server: Server) -> None:
    """RFC 5257, 4.5: NO [ANNOTATE TOOMANY], and nothing is changed; others can be changed still."""
    server = Server(limits=Limits(metadata_entries=10))
    client = server.client()
    client.append(letter("one"), letter("two"))
    client.select()
    for number in range(10):
        client.ok(f'STORE 1 ANNOTATION (/n{number} (value.priv "x" value.shared "y"))')
    too_many = "a NO [ANNOTATE TOOMANY] Too many annotations"
    same(client.do('STORE 2,1 ANNOTATION (/more (value.priv "x"))'), too_many)
    same(client.do('STORE 1 ANNOTATION (/more (value.shared "x"))'), too_many)
    assert _has(client, 2) == b""
    client.ok('STORE 1 ANNOTATION (/n1 (value.priv "other"))')
    client.ok('STORE 1 ANNOTATION (/n1 (value.priv NIL) /more (value.priv "x"))')
    eleven = " ".join(f'/n{number} (value.priv "x")' for number in range(11))
    for command in (f"STORE 2 ANNOTATION ({eleven})", f"APPEND INBOX ANNOTATION ({eleven})"):
        literal = letter("x") if command.startswith("APPEND") else None
        same(client.do(command, literal), "a NO [ANNOTATE TOOMANY] Too many annotations")


def test_too_much_together() -> None:
    """All annotations of an account are bounded: NO [OVERQUOTA]."""
    client = Server(limits=Limits(metadata=100)).client()
    client.fill(2).select()
    same(
        client.do(f'STORE 1:2 ANNOTATION (/a (value.priv "{"x" * 49}"))'),
        "a NO [OVERQUOTA] There is no room for more annotations",
    )
    client.ok(f'STORE 1:2 ANNOTATION (/a (value.priv "{"x" * 48}"))')


def test_messages_that_are_gone(anywhere: Server) -> None:
    """A message that somebody removed meanwhile is passed over."""
    client, other = anywhere.client(), anywhere.client()
    client.fill(2).select()
    other.select()
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    answer = client.do('STORE 1:2 ANNOTATION (/a (value.priv "x"))')
    assert answer.endswith(b"a OK [EXPUNGEISSUED] Some of the messages no longer exist\r\n"), answer
    client.ok("NOOP")
    assert _has(client) == b'(/a (value.priv "x" value.shared NIL))'


# COPY, MOVE, REPLACE, APPEND.


@pytest.mark.parametrize("command", ["COPY", "MOVE", "UID COPY", "UID MOVE"])
def test_they_go_along(client: Dialogue, command: str) -> None:
    """RFC 5257, 4.6: copies MUST have what is private to the user, and what is shared."""
    client.ok("CREATE box")
    client.ok(
        'STORE 2 ANNOTATION (/a (value.priv "1" value.shared "2") /1/comment (value.priv "3"))'
    )
    had = _has(client, 2)
    client.ok(f"{command} 2 box")
    client.select("box")
    assert _has(client) == had


def test_replace_leaves_them_behind(client: Dialogue) -> None:
    """RFC 8508, 2: there is no inheritance of annotations; but a replacement can have its own."""
    client.ok('STORE 1 ANNOTATION (/a (value.priv "1"))')
    client.ok('REPLACE 1 INBOX ANNOTATION (/b (value.shared "2"))', letter("new"))
    assert _has(client, 2) == b'(/b (value.priv NIL value.shared "2"))'


def test_append(client: Dialogue) -> None:
    """RFC 5257, 4.7: a message can come with flags, a date and annotations; NIL is nothing."""
    client.ok(
        'APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" annotation'
        ' (/a (value.priv "1" value.shared "2") /b (value.priv NIL))',
        letter("three"),
    )
    assert _has(client, 3) == b'(/a (value.priv "1" value.shared "2"))'
    assert b"FLAGS (\\Seen" in client.ok("FETCH 3 (FLAGS)")


def test_append_with_literals(anywhere: Server) -> None:
    """Names and values may be literals of any kind, in front of that of the message."""
    client = anywhere.client()
    for step in (0, 7, 1):
        client.step = step
        answer = client.send(
            b'a APPEND {5+}\r\nINBOX ANNOTATION ({4+}\r\n/a)b (value.priv {6+}\r\n("()\r\n'
            b' value.shared ~{3+}\r\n\0\r\n) "/(\\"" (value.priv "\\")")) {12+}\r\nSubject: x\r\n\r\n'
        )
        assert answer.endswith(b"] APPEND completed\r\n"), answer
    client.select()
    for number in (1, 2, 3):
        assert _has(client, number) == (
            b'("/(\\"" (value.priv "\\")" value.shared NIL) "/a)b"'
            b' (value.priv {6}\r\n("()\r\n value.shared ~{3}\r\n\0\r\n))'
        )
    same(client.ok("FETCH 1 (RFC822.SIZE)"), "* 1 FETCH (RFC822.SIZE 12)")


def test_append_asks_for_literals(anywhere: Server) -> None:
    """A client that waits is told to go on, for each."""
    client = anywhere.client()
    same(
        client.send(b"a APPEND INBOX ANNOTATION (/a (value.priv {3}\r\n"), "+ Ready for the message"
    )
    same(client.send(b"one)) {12}\r\n"), "+ Ready for the message")
    assert client.send(b"Subject: x\r\n\r\n").startswith(b"a OK [APPENDUID ")
    client.select()
    assert _has(client) == b'(/a (value.priv "one" value.shared NIL))'


def test_append_several(anywhere: Server) -> None:
    """RFC 5257, 4.7: with MULTIAPPEND each message has its own; all or none."""
    client = anywhere.client()
    one, three = b"ANNOTATION (/a (value.priv {1+}\r\n1))", b'ANNOTATION (/a (value.priv "3"))'
    client.ok(b"APPEND INBOX %b {1+}\r\nx {1+}\r\ny %b {1+}\r\nz" % (one, three))
    client.select()
    assert [_has(client, number) for number in (1, 3)] == [
        b'(/a (value.priv "1" value.shared NIL))', b'(/a (value.priv "3" value.shared NIL))'
    ]  # fmt: skip
    answer = client.do(b"APPEND INBOX {1+}\r\nx %b {1+}\r\nz" % three.replace(b"/a", b"/2/a"))
    assert answer == b"a BAD There is no such part\r\n"
    assert b"(MESSAGES 3)" in client.ok("STATUS INBOX (MESSAGES)")


def test_append_of_too_many_literals(anywhere: Server) -> None:
    """What stands before a message is bounded, as every command is."""
    client = Server(limits=Limits(command=10_000, literal=3_000)).client()
    big = b"{3000+}\r\n%b" % (b"x" * 3_000)
    names = b" ".join(b"/n%d (value.priv %b)" % (number, big) for number in range(4))
    answer = client.send(b"a APPEND INBOX ANNOTATION (%b) {1+}\r\nx\r\nb NOOP\r\n" % names)
    assert answer == b"a BAD The command is too long\r\nb OK NOOP completed\r\n"
    answer = client.send(b"a APPEND INBOX ANNOTATION (/a (value.priv {3001}\r\n")
    assert answer == b"a BAD the literal is too long\r\n"


def test_append_to_nowhere(client: Dialogue) -> None:
    """The mailbox must be there, as without annotations."""
    same(
        client.do('APPEND none ANNOTATION (/a (value.priv "x"))', letter("x")),
        "a NO [TRYCREATE] There is no such mailbox; create it first",
    )


# SEARCH.


def test_search(client: Dialogue) -> None:
    """RFC 5257, 4.8: by entry or pattern, by whose value it is, by text in any case."""
    client.ok(
        'STORE 1 ANNOTATION (/comment (value.priv "Grüße an Alle") /vendor/x/y (value.shared "z"))'
    )
    client.ok('STORE 2 ANNOTATION (/comment (value.shared "alles"))')
    for key, found in (
        ('/comment value "ALL"', " 1 2"),
        ('/comment value.priv "alle"', " 1"),
        ('/comment value.shared "alle"', " 2"),
        ('/Comment value "alle"', ""),
        ('/% value "z"', ""),
        ('* value "z"', " 1"),
        ('/vendor/* value.shared ""', " 1"),
        ('/comment value.priv "alles"', ""),
        ("/comment value {7+}\r\ngr\u00fcSSe", " 1"),
        ("/comment value.priv NIL", " 2"),
        ("/none value NIL", " 1 2"),
        ("/comment value NIL", ""),
    ):
        same(client.ok(f"SEARCH CHARSET UTF-8 ANNOTATION {key}"), f"* SEARCH{found}")
    same(client.ok('SEARCH NOT ANNOTATION /comment value.priv "alle"'), "* SEARCH 2")
    same(client.ok('SEARCH OR SUBJECT none ANNOTATION * value "z"'), "* SEARCH 1")


@pytest.mark.parametrize("attribute", ["size", "size.priv", "other"])
def test_what_cannot_be_searched(client: Dialogue, attribute: str) -> None:
    """RFC 5257, 4.8: any attribute but the value MUST be BAD."""
    assert client.do(f'SEARCH ANNOTATION /comment {attribute} "1"').startswith(b"a BAD ")


def test_search_in_other_charsets(client: Dialogue) -> None:
    """RFC 5257, 7: text is compared as in other searches; what is no UTF-8 is found too."""
    client.ok(b"STORE 1 ANNOTATION (/a (value.priv {5+}\r\ngr\xc3\xbcn))")
    client.ok(b"STORE 2 ANNOTATION (/a (value.priv {4+}\r\ngr\xfcn))")
    same(
        client.ok(b"SEARCH CHARSET ISO-8859-1 ANNOTATION /a value {4+}\r\nGR\xdcN"), "* SEARCH 1 2"
    )


def test_search_again(client: Dialogue) -> None:
    """What was found once is not found any more when it has changed."""
    for value, found in (("x", " 1"), ("y", ""), ("x", " 1")):
        client.ok(f'STORE 1 ANNOTATION (/a (value.priv "{value}"))')
        same(client.ok('SEARCH ANNOTATION /a value "x"'), f"* SEARCH{found}")


# SORT.


def test_sort(anywhere: Server) -> None:
    """RFC 5257, 4.9: by the value of one entry, in any case; where there is none, it is empty."""
    client = anywhere.client()
    client.fill(5).select()
    for number, value in ((1, "b"), (2, "A"), (4, "\u00e9"), (5, "E")):
        client.ok(
            f"STORE {number} ANNOTATION (/a (value.shared {{{len(value.encode())}+}}\r\n{value}))"
        )
    client.ok('STORE 3 ANNOTATION (/a (value.priv "z") /b (value.shared "z"))')
    sort = "SORT ({}ANNOTATION /a value.shared) UTF-8 ALL"
    same(client.ok(sort.format("")), "* SORT 3 2 1 5 4")
    same(client.ok(sort.format("REVERSE ")), "* SORT 4 5 1 2 3")
    same(client.ok("SORT (ANNOTATION /a value.priv ARRIVAL) UTF-8 ALL"), "* SORT 1 2 4 5 3")
    client.ok('STORE 4 ANNOTATION (/a (value.shared "0"))')
    same(client.ok("UID " + sort.format("")), "* SORT 3 4 2 1 5")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("/a value", "What is sorted by is value.priv or value.shared"),
        ("/a size.priv", "What is sorted by is value.priv or value.shared"),
        ("/a other.priv", "There is no attribute of that name"),
        ("/a (value.priv)", "What is sorted by is value.priv or value.shared"),
        ('"/*" value.priv', "That is no name of an entry"),
        ("/flags value.priv", "/flags is reserved"),
    ],
)
def test_what_cannot_be_sorted_by(client: Dialogue, key: str, text: str) -> None:
    """RFC 5257, 4.9: a suffix MUST be given, wildcards are not allowed; other attributes MUST be BAD."""
    same(client.do(f"SORT (ANNOTATION {key}) UTF-8 ALL"), f"a BAD {text}")


# What others change.


def test_told_unasked(anywhere: Server) -> None:
    """RFC 5257, 4.4: each message once, with the names of all entries that were set or removed, no values."""
    other, client = anywhere.client(), anywhere.client()
    other.fill(3).select()
    client.ok("SELECT INBOX (ANNOTATE)")
    other.ok('STORE 1,3 ANNOTATION (/a (value.priv "x") /b (value.shared "y"))')
    other.ok('STORE 3 ANNOTATION (/a (value.priv NIL) "/c d" (value.priv ""))')
    same(
        client.ok("NOOP"),
        "* 1 FETCH (UID 1 FLAGS ())",
        "* 3 FETCH (UID 3 FLAGS ())",
        "* 1 FETCH (UID 1 ANNOTATION (/a /b))",
        '* 3 FETCH (UID 3 ANNOTATION (/a /b "/c d"))',
    )
    client.ok('STORE 2 ANNOTATION (/own (value.priv "x"))')
    assert client.ok("NOOP") == b""
    client.do("IDLE")
    other.ok("STORE 2 ANNOTATION (/b (value.shared {3+}\r\none))")
    same(
        client.send(b""),
        "* 2 FETCH (UID 2 FLAGS ())",
        "* 2 FETCH (UID 2 ANNOTATION (/b))",
    )


def test_only_who_asked_is_told(anywhere: Server) -> None:
    """RFC 5257, 4.2: the parameter holds for one SELECT; without it only the change itself is told."""
    other, client = anywhere.client(), anywhere.client()
    other.fill(1).select()
    client.ok("SELECT INBOX (ANNOTATE)")
    client.ok("SELECT INBOX")
    other.ok('STORE 1 ANNOTATION (/a (value.priv "x"))')
    same(client.ok("NOOP"), "* 1 FETCH (UID 1 FLAGS ())")
    client.ok("EXAMINE INBOX (ANNOTATE CONDSTORE)")
    other.ok('STORE 1 ANNOTATION (/a (value.priv "y"))')
    told = client.ok("NOOP")
    assert b" FLAGS () MODSEQ (" in told
    assert b" ANNOTATION (/a) MODSEQ (" in told


def test_told_by_uid(anywhere: Server) -> None:
    """After ENABLE UIDONLY there are no sequence numbers in it (RFC 9586)."""
    other, client = anywhere.client(), anywhere.client()
    other.fill(1).select()
    client.ok("ENABLE UIDONLY")
    client.ok("SELECT INBOX (ANNOTATE)")
    other.ok('STORE 1 ANNOTATION (/a (value.priv "x"))')
    same(client.ok("NOOP"), "* 1 UIDFETCH (FLAGS ())", "* 1 UIDFETCH (ANNOTATION (/a))")


def test_told_before_removals(anywhere: Server) -> None:
    """Numbers are those that the client knows, while it is not told what is gone."""
    other, client = anywhere.client(), anywhere.client()
    other.fill(3).select()
    client.ok("SELECT INBOX (ANNOTATE)")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    other.ok('STORE 2 ANNOTATION (/a (value.priv "x"))')
    answers = client.ok("FETCH 3 (UID)") + client.ok("NOOP")
    assert answers.count(b"ANNOTATION") == 1
    before, _, _ = answers.partition(b"ANNOTATION (/a)")
    number = 2 if b"EXPUNGE" in before else 3
    assert before.endswith(b"* %d FETCH (UID 3 " % number), answers
