"""Every command that finds messages takes every key, every charset and every way to be told."""

from __future__ import annotations

import encodings
import pkgutil
import re
from base64 import b64encode
from collections.abc import Callable

import pytest

from imapd.query import charset
from tests.dialogue import Dialogue, Server, letter

#: What may stand before search keys, and whether numbers in the answer are UIDs.
_COMMANDS = {
    "SEARCH": ("SEARCH RETURN ({}) CHARSET UTF-8 ", False),
    "UID SEARCH": ("UID SEARCH RETURN ({}) CHARSET UTF-8 ", True),
    "SORT": ("SORT RETURN ({}) (ARRIVAL) UTF-8 ", False),
    "UID SORT": ("UID SORT RETURN ({}) (ARRIVAL) UTF-8 ", True),
    "ESEARCH": ("ESEARCH RETURN ({}) CHARSET UTF-8 ", True),
    "ESEARCH IN": ("ESEARCH IN (mailboxes INBOX) RETURN ({}) CHARSET UTF-8 ", True),
}
#: Those that may set $.
_SAVING = [name for name in _COMMANDS if name != "ESEARCH IN"]


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected three messages with the UIDs 2 to 4."""
    client = anywhere.login().fill(3)
    client.append(
        letter("four", "Hello.\r\n", "X-Long: a\r\n folded\r\n\tfield"), flags="\\Flagged $Work"
    )
    client.select().ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    client.ok('STORE 2 ANNOTATION (/comment (value.priv "look here"))')
    client.ok('SETMETADATA "" (/private/filters/values/f "FLAGGED SUBJECT four")')
    return client


def _items(client: Dialogue, name: str, options: str, keys: str) -> str:
    """What is told behind the correlators; nothing if nothing is."""
    head, by_uid = _COMMANDS[name]
    answer = client.ok(head.format(options) + keys).decode()
    lines = [line for line in answer.split("\r\n") if line.startswith("* ESEARCH ")]
    if not lines:
        return ""
    (line,) = lines
    match = re.fullmatch(r"\* ESEARCH \([^)]*\)( UID)?(?: (.*))?", line)
    assert match is not None, line
    assert (match[1] is not None) is by_uid
    return match[2] or ""


@pytest.mark.parametrize("name", _COMMANDS)
@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("MODSEQ 1", [1, 2, 3]),
        ("NOT MODSEQ 4294967295", [1, 2, 3]),
        ("NOT EMAILID Mx", [1, 2, 3]),
        ("NOT THREADID Tx", [1, 2, 3]),
        ("SAVEDATESUPPORTED", [1, 2, 3]),
        ("SAVEDSINCE 1-Jan-2000 NOT SAVEDBEFORE 1-Jan-2000", [1, 2, 3]),
        ("SAVEDON 1-Jan-2000", []),
        ("YOUNGER 1", [1, 2, 3]),
        ("OLDER 1", []),
        ("FILTER f", [3]),
        ("FUZZY SUBJECT fourt", [3]),
        ('ANNOTATION /comment value.priv "look"', [2]),
        ('NOT ANNOTATION * value "look"', [1, 3]),
        ("UIDAFTER 2", [2, 3]),
        ("UIDBEFORE 4", [1, 2]),
        ("KEYWORD $work", [3]),
        ('HEADER X-Long "a folded field"', [3]),
        ("OR FLAGGED SUBJECT 2", [1, 3]),
        ("2:*", [2, 3]),
        ("UID 4:*", [3]),
    ],
)
def test_keys(alice: Dialogue, name: str, keys: str, found: list[int]) -> None:
    """The keys of every extension mean the same in every command."""
    said = _items(alice, name, "COUNT MIN MAX", keys)
    said = re.sub(r" ?MODSEQ \d+", "", said)
    off = 1 if _COMMANDS[name][1] else 0
    if found:
        expected = f"MIN {found[0] + off} MAX {found[-1] + off} COUNT {len(found)}"
    else:
        expected = "" if name.startswith("ESEARCH") else "COUNT 0"
    assert said == expected


@pytest.mark.parametrize("name", _COMMANDS)
@pytest.mark.parametrize(
    ("options", "by_number", "by_uid"),
    [
        ("", "ALL 1:3", "ALL 2:4"),
        ("ALL", "ALL 1:3", "ALL 2:4"),
        ("MIN", "MIN 1", "MIN 2"),
        ("MAX", "MAX 3", "MAX 4"),
        ("MIN COUNT", "MIN 1 COUNT 3", "MIN 2 COUNT 3"),
        ("PARTIAL 2:3", "PARTIAL (2:3 2:3)", "PARTIAL (2:3 3:4)"),
        ("PARTIAL -1:-2", "PARTIAL (-1:-2 2:3)", "PARTIAL (-1:-2 3:4)"),
        ("PARTIAL 9:10", "PARTIAL (9:10 NIL)", "PARTIAL (9:10 NIL)"),
        ("COUNT PARTIAL 1:1", "COUNT 3 PARTIAL (1:1 1)", "COUNT 3 PARTIAL (1:1 2)"),
    ],
)
def test_return_options(
    alice: Dialogue, name: str, options: str, by_number: str, by_uid: str
) -> None:
    """RETURN (RFC 4731) and PARTIAL (RFC 9394) are the same for all."""
    told = by_uid if _COMMANDS[name][1] else by_number
    assert _items(alice, name, options, "ALL") == told


@pytest.mark.parametrize("name", _SAVING)
def test_saved(alice: Dialogue, name: str) -> None:
    """Each can set $ (RFC 5182), and each can use it."""
    head, _ = _COMMANDS[name]
    assert b"ESEARCH" not in alice.ok(head.format("SAVE") + "OR FLAGGED SUBJECT 2")
    assert alice.command("SEARCH $")[0] == "* SEARCH 1 3"
    for other in _COMMANDS:
        if other != "ESEARCH IN":
            assert _items(alice, other, "COUNT", "$") == "COUNT 2"
            assert _items(alice, other, "COUNT", "UID $") == "COUNT 2"
    assert alice.ok("FETCH $ UID") == b"* 1 FETCH (UID 2)\r\n* 3 FETCH (UID 4)\r\n"


@pytest.mark.parametrize("name", _COMMANDS)
def test_what_is_wrong(alice: Dialogue, name: str) -> None:
    """What is too long, too deep or in no charset that is known is refused by each."""
    head = _COMMANDS[name][0].format("COUNT")
    deep = ("(" * 40 + "ALL" + ")" * 40, "NOT " * 40 + "ALL", "FUZZY " * 40 + "ALL")
    for keys in ("FOO", *deep, "ALL " * 2_001):
        assert alice.do(head + keys).startswith(b"a BAD "), keys[:20]
    answer = alice.do(head.replace("UTF-8", "x-none") + "ALL")
    assert answer.startswith(b"a NO [BADCHARSET (US-ASCII UTF-8)] ")


# Charsets.

_SAMPLES = (
    "naïve café", "Καλημέρα κόσμε", "доброе утро", "שלום עולם", "مرحبا بالعالم", "日本語の文章です",
    "안녕하세요", "你好世界", "สวัสดี", "Dobrý večer", "გამარჯობა", "Xin chào", "hello there",
)  # fmt: skip


def _charsets() -> list[tuple[str, str]]:
    """Every charset that Python knows, each with a text that can be written in it."""
    found = []
    for module in sorted(each.name for each in pkgutil.iter_modules(encodings.__path__)):
        if charset.codec(module.encode("ascii")) is None:
            continue
        for sample in _SAMPLES:
            try:
                octets = sample.encode(module)
            except UnicodeEncodeError:
                continue
            if octets.decode(module) == sample:
                found.append((module, sample))
                break
    return found


_CHARSETS = _charsets()


@pytest.fixture(scope="module")
def letters() -> Dialogue:
    """A client whose INBOX has a message in each charset, its subject in encoded words of both kinds."""
    server = Server()
    client = server.login()
    for name, sample in _CHARSETS:
        octets = sample.encode(name)
        # Who writes a mark of byte order writes it once.
        half = sample[: len(sample) // 2].encode(name), sample[len(sample) // 2 :].encode(name)
        parts = half if b"".join(half).decode(name) == sample else (octets,)
        words = "\r\n ".join(f"=?{name}?B?{b64encode(part).decode()}?=" for part in parts)
        quoted = "".join(f"={octet:02X}" for octet in octets)
        client.append(
            f"From: =?{name}?Q?{quoted}?= <a@example.org>\r\nSubject: {words}\r\nX-Name: {name}\r\n"
            f"Content-Type: text/plain; charset={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            f"{b64encode(octets).decode()}\r\n".encode("ascii")
        )
    Server.made.remove(server)  # it outlives the test that asks for it first
    return client.select()


_Ask = Callable[[str, str, str], bytes]


@pytest.mark.parametrize(("name", "sample"), _CHARSETS, ids=[name for name, _ in _CHARSETS])
def test_charset(letters: Dialogue, name: str, sample: str) -> None:
    """A string in any charset is found in encoded words, in folded fields, and in bodies."""
    number = [each for each, _ in _CHARSETS].index(name) + 1
    octets = sample.encode(name)
    for key in ("SUBJECT", "FROM", "HEADER Subject", "BODY", "TEXT", "FUZZY SUBJECT"):
        for head in (f"SEARCH CHARSET {name} {key}", f"SORT (ARRIVAL) {name} {key}"):
            answer = letters.do(f"{head} {{{len(octets)}+}}\r\n".encode("ascii") + octets)
            assert str(number).encode("ascii") in answer.split(b"\r\n")[0].split(), (head, answer)


def test_every_charset() -> None:
    """The test above has many to try."""
    names = {name for name, _ in _CHARSETS}
    assert len(names) > 80
    assert {
        "utf_7",
        "utf_16",
        "iso2022_jp",
        "gb18030",
        "big5hkscs",
        "koi8_t",
        "euc_kr",
        "cp037",
    } <= names
