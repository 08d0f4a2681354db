"""FILTERS as a client sees it (RFC 5466)."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from imapd import commands, extensions
from imapd.config import BadConfig, configured
from imapd.dialect import Dialect
from imapd.extensions import filters
from imapd.model.limits import Limits
from imapd.preparing import prepare
from tests.dialogue import Dialogue, Server, letter, same

_LETTERS = (
    letter("one", "x" * 6_000),
    letter("two", "short\r\n", "From: boss@example.com"),
    letter("Grüße", "y" * 6_000),
)


def _set(client: Dialogue, name: str, value: str | bytes, scope: str = "private") -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    return client.do(f'SETMETADATA "" (/{scope}/filters/values/{name}'.encode() +
                     b" {%d+}\r\n%b)" % (len(octets), octets))  # fmt: skip


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client of RFC 3501 that has selected three messages, and has the RFC's filter."""
    client = anywhere.login().append(*_LETTERS).select()
    assert _set(client, "on-the-road", 'OR SMALLER 5000 FROM "boss@example.com"').startswith(
        b"a OK"
    )
    return client


def _found(client: Dialogue, keys: str) -> str:
    return client.command(f"SEARCH {keys}")[0]


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "FILTERS" in server.login().command("CAPABILITY")[0].split(" ")


def test_search(alice: Dialogue) -> None:
    """The program stands for the name, which may be written in any case (3.1)."""
    assert _found(alice, "FILTER on-the-road") == "* SEARCH 2"
    assert _found(alice, "UID 1:1 FILTER on-the-road") == "* SEARCH"
    assert _found(alice, "filter ON-THE-ROAD SINCE 3-Dec-1990") == "* SEARCH 2"
    assert _found(alice, "OR FILTER on-the-road SUBJECT one") == "* SEARCH 1 2"


def test_changed_and_removed(alice: Dialogue) -> None:
    """What is set last counts; without a value there is no filter (3.2)."""
    _set(alice, "on-the-road", "SUBJECT one")
    assert _found(alice, "FILTER on-the-road") == "* SEARCH 1"
    alice.ok('SETMETADATA "" (/private/filters/values/on-the-road NIL)')
    assert _found(alice, "FILTER on-the-road") == (
        "a NO [UNDEFINED-FILTER on-the-road] There is no such filter"
    )


def test_several_keys_are_one(alice: Dialogue) -> None:
    """A program of several keys counts as one, whatever stands before its name."""
    _set(alice, "both", "SMALLER 5000 SUBJECT two")
    assert _found(alice, "NOT FILTER both") == "* SEARCH 1 3"
    assert _found(alice, "OR FILTER both FILTER on-the-road") == "* SEARCH 2"


def test_utf8(alice: Dialogue) -> None:
    """Strings of a filter are UTF-8, whatever the client writes itself (3.1)."""
    _set(alice, "greetings", 'SUBJECT "grüße"')
    assert _found(alice, "FILTER greetings") == "* SEARCH 3"
    assert _found(alice, "CHARSET UTF-8 FILTER greetings") == "* SEARCH 3"
    assert _found(alice, "CHARSET US-ASCII FILTER greetings") == "* SEARCH 3"
    _set(alice, "literal", b"SUBJECT {7}\r\nGr\xc3\xbc\xc3\x9fe")
    assert _found(alice, "FILTER literal") == "* SEARCH 3"


@pytest.mark.parametrize("charset", ["ISO-8859-1", "KOI8-R", "x-unknown"])
def test_other_charsets(alice: Dialogue, charset: str) -> None:
    """Any other CHARSET is BAD with BADCHARSET, where FILTER is (3.1: MUST)."""
    line = _found(alice, f"CHARSET {charset} FILTER on-the-road")
    assert line.startswith("a BAD [BADCHARSET (UTF-8 US-ASCII)] ")


def test_filters_in_filters(alice: Dialogue) -> None:
    """A filter may name others (3.1), also in keys that look at strings in another way."""
    _set(alice, "f1", "FILTER on-the-road")
    _set(alice, "f2", "NOT FILTER f1")
    _set(alice, "f3", "FILTER f2 FUZZY SUBJECT gruse")
    _set(alice, "f4", "OR FILTER f3 SUBJECT one")
    assert _found(alice, "FILTER f1") == "* SEARCH 2"
    assert _found(alice, "FILTER f2") == "* SEARCH 1 3"
    assert _found(alice, "FILTER f3") == "* SEARCH 3"
    assert _found(alice, "FILTER f4") == "* SEARCH 1 3"
    _set(alice, "mistaken", "SUBJECT greuse")
    assert _found(alice, "FILTER mistaken") == "* SEARCH"
    _set(alice, "gruse", "SUBJECT gruse")
    assert _found(alice, "OR FUZZY FILTER gruse FILTER gruse") == "* SEARCH 3"


def test_it_is_of_that_moment(alice: Dialogue) -> None:
    """Keys of other extensions work in it, and mean what they mean when it is used."""
    _set(alice, "fresh", "YOUNGER 3600 MODSEQ 1")
    alice.append(letter("now"), date=" 9-Sep-2001 01:46:40 +0000")
    answer = alice.ok("UID SEARCH RETURN (ALL) FILTER fresh")
    assert b'* ESEARCH (TAG "a") UID ALL ' in answer
    assert b" MODSEQ " in answer


def test_numbers(alice: Dialogue) -> None:
    """Sequence numbers in it are those of the moment; there are none for a client without them."""
    _set(alice, "second", "2")
    assert _found(alice, "FILTER second") == "* SEARCH 2"
    alice.ok("ENABLE UIDONLY")
    assert alice.command("UID SEARCH FILTER second")[0].startswith("a BAD [UIDREQUIRED] ")


def test_a_filter_that_is_gone(alice: Dialogue) -> None:
    """The name that is told is the one that is missing; $ is empty then."""
    _set(alice, "outer", "FILTER inner")
    alice.ok("SEARCH RETURN (SAVE) ALL")
    assert alice.command("SEARCH RETURN (SAVE) FILTER outer")[0].startswith(
        "a NO [UNDEFINED-FILTER inner] "
    )
    assert _found(alice, "$") == "* SEARCH"


def test_of_others(alice: Dialogue, anywhere: Server) -> None:
    """A private filter is its owner's alone."""
    bob = anywhere.client("bob", "INBOX")
    assert _found(bob, "FILTER on-the-road").startswith("a NO [UNDEFINED-FILTER on-the-road] ")


def test_loops(alice: Dialogue) -> None:
    """A filter that comes to name itself cannot be set; several at once neither (3.1)."""
    assert _set(alice, "self", "FILTER self").startswith(b"a NO [UNDEFINED-FILTER self] ")
    assert _set(alice, "a", "FILTER b").startswith(b"a OK")
    assert _set(alice, "b", "FILTER c").startswith(b"a OK")
    assert _set(alice, "c", "SEEN FILTER a").startswith(b"a NO [UNDEFINED-FILTER ")
    assert _found(alice, "FILTER a").startswith("a NO [UNDEFINED-FILTER c] ")
    both = (
        'SETMETADATA "" (/private/filters/values/x "FILTER y" /private/filters/values/y "FILTER x")'
    )
    assert alice.do(both).startswith(b"a NO [UNDEFINED-FILTER ")
    same(
        alice.do('GETMETADATA "" /private/filters/values/x'),
        '* METADATA "" (/private/filters/values/x NIL)',
        "a OK GETMETADATA completed",
    )


def test_how_deep(alice: Dialogue) -> None:
    """There is an end to filters in filters."""
    _set(alice, "d0", "ALL")
    answers = [_set(alice, f"d{n}", f"FILTER d{n - 1}")[:5] for n in range(1, 15)]
    assert answers[:9] == [b"a OK "] * 9
    assert b"a NO " in answers
    assert _found(alice, "FILTER d9") == "* SEARCH 1 2 3"


def test_how_much(anywhere: Server) -> None:
    """Filters that double each other come to an end long before they are long."""
    client = anywhere.login().append(letter()).select()
    _set(client, "g0", "ALL UNSEEN")
    for number in range(1, 9):
        _set(client, f"g{number}", " ".join([f"FILTER g{number - 1}"] * 3))
    assert _found(client, "FILTER g5") == "* SEARCH 1"
    assert _found(client, "FILTER g8").startswith("a NO ")
    assert _found(client, " ".join(["FILTER g5"] * 10)).startswith("a NO [LIMIT] ")


def test_how_nested(anywhere: Server) -> None:
    """Nor can they nest what one command could not."""
    client = anywhere.login().append(letter()).select()
    deep = "ALL"
    for number in range(10):
        answer = _set(client, f"n{number}", f"{'(UNSEEN ' * 30}{deep}{')' * 30}")
        deep = f"FILTER n{number}"
        if not answer.startswith(b"a OK"):
            break
    assert answer.startswith(b"a NO [LIMIT] ")
    assert number > 0


@pytest.mark.parametrize(
    "value",
    ["OR SMALLER", "FOO", "", "SUBJECT", "(SEEN", "SEEN)", "FILTER", "FILTER a/b", "SEEN\r\n",
     "RETURN (MIN) SEEN", "CHARSET UTF-8 SEEN", b'SUBJECT "\xff"', b"SUBJECT \xe9", "SUBJECT {9}\r\nabc"],
)  # fmt: skip
def test_no_search(alice: Dialogue, value: str | bytes) -> None:
    """What is no search cannot be set, and nothing is (3.2)."""
    assert _set(alice, "x", value).startswith(b"a NO [CANNOT] ")
    assert _found(alice, "FILTER x").startswith("a NO [UNDEFINED-FILTER x] ")


@pytest.mark.parametrize("name", ["a/b", '"a b"', '"a]"', '"a(b"'])
def test_no_name(alice: Dialogue, name: str) -> None:
    """A name is an atom without a slash (4)."""
    entry = (
        f'"/private/filters/values/{name}"'.replace('"a', "a").replace('b"', "b").replace(']"', "]")
    )
    answer = alice.do(f'SETMETADATA "" ("{entry.strip(chr(34))}" "ALL")')
    assert answer.startswith((b"a NO [CANNOT] ", b"a BAD "))
    assert alice.do(f"SEARCH FILTER {name}").startswith(b"a BAD ")


def test_elsewhere(alice: Dialogue) -> None:
    """Descriptions, and entries of mailboxes, may be anything."""
    alice.ok('SETMETADATA "" (/private/filters/descriptions/x "what I need")')
    alice.ok('SETMETADATA INBOX (/private/filters/values/x "no search")')
    assert _found(alice, "FILTER x").startswith("a NO ")


# Filters for all.


def _governed(**shared: str) -> Server:
    features = [*commands.FEATURES, *extensions.FEATURES]
    features[features.index(filters.FEATURE)] = filters.feature(shared)
    return Server(dialect=Dialect.of(features))


def test_shared() -> None:
    """A filter of the server's is there for all, until a user has one of the same name (1: MUST)."""
    server = _governed(two="SUBJECT two", Mine="FILTER two")
    client = server.login().append(*_LETTERS).select()
    assert _found(client, "FILTER two") == "* SEARCH 2"
    assert _found(client, "FILTER mine") == "* SEARCH 2"
    assert _set(client, "two", "SUBJECT one", "shared").startswith(b"a NO [NOPERM] ")
    _set(client, "two", "SUBJECT one")
    assert _found(client, "FILTER two") == "* SEARCH 1"
    assert _found(server.client("bob", "INBOX"), "FILTER two") == "* SEARCH"


def test_configuration(tmp_path: Path) -> None:
    """They are configured, and told as annotations; what is no search is refused at start."""
    path = tmp_path / "imapd.toml"
    head = (
        'store = "memory:"\nauth = ["static:x"]\n[listen]\nimap = ["tcp:0:interface=127.0.0.1"]\n'
    )
    head += "[metadata]\n"
    path.write_text(head + "filters = { Todo = 'UNANSWERED FLAGGED' }\n")
    prepared = prepare(configured(path), MemoryReactorClock())
    server = Server(dialect=prepared.factory.policy.dialect)
    client = server.login().append(letter(), flags="\\Flagged").select()
    assert _found(client, "FILTER todo") == "* SEARCH 1"
    assert b'/shared/filters/values/todo "UNANSWERED FLAGGED"' in client.do(
        'GETMETADATA "" /shared/filters/values/todo'
    )
    for wrong, said in (
        ("{ todo = 'OR SMALLER' }", "todo = 'OR SMALLER': The filter is no search"),
        ("{ todo = 'FILTER gone' }", "There is no such filter"),
        ("{ todo = 'FILTER todo' }", "comes to name itself"),
        ("{ 'a b' = 'ALL' }", "atoms"),
        ("['ALL']", "a table of names and searches"),
    ):
        path.write_text(head + f"filters = {wrong}\n")
        with pytest.raises(BadConfig, match=f"metadata.filters.*{said}"):
            prepare(configured(path), MemoryReactorClock())


def test_limits() -> None:
    """The longest program that a command could have is the longest of a filter."""
    server = Server(limits=Limits(search_keys=10))
    client = server.login().append(letter()).select()
    assert _set(client, "x", " ".join(["ALL"] * 10)).startswith(b"a OK")
    assert _set(client, "y", " ".join(["ALL"] * 11)).startswith(b"a NO [CANNOT] ")
    assert _found(client, "FILTER x") == "* SEARCH 1"
    assert _found(client, "FILTER x UNSEEN").startswith("a NO [LIMIT] ")
