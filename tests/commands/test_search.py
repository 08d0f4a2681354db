"""SEARCH and UID SEARCH, from octets to octets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imapd import commands
from imapd.commands import search_source
from imapd.dialect import Dialect, Feature, SearchKey, SearchReturn
from imapd.model.limits import Limits
from imapd.model.message import FLAGS, INTERNAL_DATE, MODSEQ, SIZE
from imapd.model.search import Cost, Key
from imapd.query.results import Found
from imapd.server import flow
from imapd.session import content
from imapd.store.errors import StoreUnavailable
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server

_LETTERS = [
    (
        "\\Seen $Work", " 1-Feb-1994 21:52:25 -0800",
        b'From: "Smith, Fred" <fred@example.com>\r\nTo: bob@example.com\r\n'
        b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: afternoon meeting\r\n\r\nHello Joe.\r\n",
    ),
    (
        "\\Answered", " 2-Feb-1994 00:00:00 +1200",
        b"From: =?iso-8859-1?Q?J=FCrgen?= <jm@example.org>\r\nCc: list@example.org\r\n"
        b"Date: Tue, 1 Feb 1994 10:00:00 +0000\r\nSubject: =?utf-8?B?0L7RgtC/0YPRgdC6?=\r\n"
        b"X-Spam: yes\r\n\r\nno words\r\n",
    ),
    (
        "\\Flagged \\Draft", "17-Jul-1996 02:44:25 -0700",
        b"From: Terry Gray <gray@cac.example.edu>\r\nBcc: secret@example.com\r\n"
        b"Subject: IMAP\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n0LzQsNGC0Ywg0Lgg0LHQvtC70YzRiNC1\r\n",
    ),
    (
        "\\Deleted", "18-Jul-1996 02:44:25 -0700",
        b"From: Fred Foobar <foobar@example.com>\r\nSubject: hello\r\n\r\n" + b"x" * 1_000,
    ),
]  # fmt: skip


def _fill(client: Dialogue) -> None:
    for flags, date, octets in _LETTERS:
        head = f'APPEND INBOX ({flags}) "{date}" {{{len(octets)}+}}\r\n'.encode("ascii")
        client.ok(head + octets)


@pytest.fixture
def server() -> Server:
    """Alice's INBOX has four messages."""
    server = Server()
    _fill(server.login())
    return server


@pytest.fixture
def client(server: Server) -> Dialogue:
    """A client of RFC 3501 that has selected the mailbox."""
    return server.client(select="INBOX")


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ("ALL", "1 2 3 4"),
        ("ANSWERED", "2"),
        ("BCC secret@", "3"),
        ("BEFORE 2-Feb-1994", "1"),
        ("BODY мать", "3"),
        ("CC list", "2"),
        ("DELETED", "4"),
        ("DRAFT", "3"),
        ("FLAGGED", "3"),
        ("FROM fred", "1 4"),
        ('FROM "smith, fred <fred"', "1"),
        ("FROM JÜRGEN", "2"),
        ('HEADER X-Spam ""', "2"),
        ("HEADER x-spam YES", "2"),
        ("KEYWORD $WORK", "1"),
        ("KEYWORD NIL", ""),
        ("LARGER 1000", "4"),
        ("NEW", "2 3 4"),
        ("OLD", ""),
        ("ON 2-Feb-1994", "2"),
        ("RECENT", "1 2 3 4"),
        ("SEEN", "1"),
        ("SENTBEFORE 7-Feb-1994", "2"),
        ("SENTON 7-Feb-1994", "1"),
        ("SENTSINCE 1-Feb-1994", "1 2"),
        ("NOT SENTSINCE 1-Feb-1994", "3 4"),
        ("SINCE 17-Jul-1996", "3 4"),
        ("SMALLER 1000", "1 2 3"),
        ("SUBJECT ОТПУСК", "2"),
        ("SUBJECT NIL", ""),
        ("TEXT hello", "1 4"),
        ("TEXT x-spam", "2"),
        ("TO bob", "1"),
        ("UID 2:3", "2 3"),
        ("UNANSWERED", "1 3 4"),
        ("UNDELETED", "1 2 3"),
        ("UNDRAFT", "1 2 4"),
        ("UNFLAGGED", "1 2 4"),
        ("UNKEYWORD $Work", "2 3 4"),
        ("UNSEEN", "2 3 4"),
        ("2:*", "2 3 4"),
        ("(OR (SEEN) (DRAFT))", "1 3"),
        ("NOT ((OR SEEN DRAFT))", "2 4"),
        ("DELETED FROM fred SINCE 1-Feb-1994", "4"),
        # Numbers that no message has match nothing.
        ("5", ""),
        ("4:9 UNSEEN", "4"),
        ("7:*", "4"),
        ("UID 100:200", ""),
        ("NOT 9", "1 2 3 4"),
    ],
)
def test_keys(client: Dialogue, keys: str, numbers: str) -> None:
    """Each key finds what it should, in ascending order, and an answer comes in any case."""
    quoted = " ".join(w if w.isascii() else f'"{w}"' for w in keys.split(" "))
    answer = f"* SEARCH {numbers}".rstrip()
    assert client.command(f"SEARCH {quoted}") == [answer, "a OK SEARCH completed"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("SEARCH RETURN () UNSEEN", "* ESEARCH (TAG \"a\") ALL 2:4"),
        ("SEARCH RETURN (ALL) UNSEEN", "* ESEARCH (TAG \"a\") ALL 2:4"),
        ("search return (min) unseen", "* ESEARCH (TAG \"a\") MIN 2"),
        ("SEARCH RETURN (MAX) UNSEEN", "* ESEARCH (TAG \"a\") MAX 4"),
        ("SEARCH RETURN (MIN MAX) SEEN", "* ESEARCH (TAG \"a\") MIN 1 MAX 1"),
        ("SEARCH RETURN (COUNT) UNSEEN", "* ESEARCH (TAG \"a\") COUNT 3"),
        ("SEARCH RETURN (COUNT ALL MAX MIN) OR SEEN 3:4",
         "* ESEARCH (TAG \"a\") MIN 1 MAX 4 ALL 1,3:4 COUNT 3"),
        ("SEARCH RETURN (MIN MIN) ALL", "* ESEARCH (TAG \"a\") MIN 1"),
        ("SEARCH RETURN ( MIN  MAX ) ALL", "* ESEARCH (TAG \"a\") MIN 1 MAX 4"),
        ("SEARCH RETURN (MIN MAX ALL) SUBJECT nowhere", "* ESEARCH (TAG \"a\")"),
        ("SEARCH RETURN (MIN COUNT) SUBJECT nowhere", "* ESEARCH (TAG \"a\") COUNT 0"),
        ("SEARCH RETURN (COUNT) CHARSET utf8 ALL", "* ESEARCH (TAG \"a\") COUNT 4"),
        ("UID SEARCH RETURN (MIN COUNT) ALL", "* ESEARCH (TAG \"a\") UID MIN 1 COUNT 4"),
        ("UID SEARCH RETURN () SUBJECT nowhere", "* ESEARCH (TAG \"a\") UID"),
        ("UID SEARCH UNSEEN", "* SEARCH 2 3 4"),
    ],
)  # fmt: skip
def test_answers(client: Dialogue, command: str, answer: str) -> None:
    """RETURN says what is told, in one ESEARCH (RFC 4731)."""
    name = "UID SEARCH" if command.startswith("UID") else "SEARCH"
    assert client.command(command) == [answer, f"a OK {name} completed"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("SEARCH UNSEEN", '* ESEARCH (TAG "a") ALL 2:4'),
        ("UID SEARCH UNSEEN", '* ESEARCH (TAG "a") UID ALL 2:4'),
        ("SEARCH SUBJECT nowhere", '* ESEARCH (TAG "a")'),
        ("SEARCH RETURN (COUNT) ALL", '* ESEARCH (TAG "a") COUNT 4'),
        ('SEARCH SUBJECT "отпуск"', '* ESEARCH (TAG "a") ALL 2'),
        ("SEARCH NEW", '* ESEARCH (TAG "a")'),
    ],
)
def test_rev2(server: Server, command: str, answer: str) -> None:
    """After ENABLE IMAP4rev2 it is always ESEARCH (RFC 9051, 6.4.4)."""
    client = server.login(enable="IMAP4rev2").select("INBOX")
    assert client.command(command)[0] == answer


def test_the_tag(client: Dialogue) -> None:
    """The correlator is the command's own tag, in each of several commands sent at once."""
    answer = client.send(b"A.1] SEARCH RETURN (MIN) ALL\r\nx-2 SEARCH RETURN (MIN) 3\r\n")
    assert answer == (
        b'* ESEARCH (TAG "A.1]") MIN 1\r\nA.1] OK SEARCH completed\r\n'
        b'* ESEARCH (TAG "x-2") MIN 3\r\nx-2 OK SEARCH completed\r\n'
    )


@pytest.mark.parametrize("charset", ["utf8", "utf-8", "UTF-8", "US-ASCII", '"us-ascii"', "KOI8-R"])
def test_charsets(client: Dialogue, charset: str) -> None:
    """A charset may be spelt in any way."""
    assert client.command(f"SEARCH CHARSET {charset} SUBJECT meeting")[0] == "* SEARCH 1"


@pytest.mark.parametrize(
    ("charset", "octets"),
    [
        (b"", "отпуск".encode()),
        (b"CHARSET UTF-8 ", "ОТПУСК".encode()),
        (b"CHARSET KOI8-R ", "отпуск".encode("koi8-r")),
        (b"CHARSET windows-1251 ", "отпуск".encode("cp1251")),
    ],
)
def test_eight_bit_strings(client: Dialogue, charset: bytes, octets: bytes) -> None:
    """Raw octets in quoted strings, and literals of both kinds, are read in the charset."""
    found = b"* SEARCH 2\r\na OK SEARCH completed\r\n"
    assert client.do(b'SEARCH %bSUBJECT "%b"' % (charset, octets)) == found
    assert client.do(b"SEARCH %bSUBJECT {%d+}\r\n%b" % (charset, len(octets), octets)) == found
    assert client.do(b"SEARCH %bSUBJECT" % charset, octets) == found


def test_latin_1_without_charset(client: Dialogue) -> None:
    """What is not UTF-8 was meant as Latin-1."""
    assert client.do(b'SEARCH FROM "j\xfcrgen"').startswith(b"* SEARCH 2\r\n")


@pytest.mark.parametrize("charset", ["x-unknown", "base64", "idna"])
def test_bad_charset(client: Dialogue, charset: str) -> None:
    """An unknown charset is NO with the ones that are sure to work."""
    assert client.command(f"SEARCH CHARSET {charset} TEXT x") == [
        "a NO [BADCHARSET (US-ASCII UTF-8)] That charset is not known here"
    ]


def test_charset_and_utf8_accept(client: Dialogue) -> None:
    """After ENABLE UTF8=ACCEPT, CHARSET is BAD (RFC 6855, 3); IMAP4rev2 takes it again."""
    session = client.protocol.session
    session.enabled = frozenset(("UTF8=ACCEPT",))
    assert client.command("SEARCH CHARSET UTF-8 ALL")[0].startswith("a BAD ")
    assert client.command("SEARCH 1")[0] == "* SEARCH 1"
    session.enabled |= {"IMAP4rev2"}
    assert client.command("SEARCH CHARSET UTF-8 1")[0] == '* ESEARCH (TAG "a") ALL 1'


@pytest.mark.parametrize(
    "command",
    [
        "SEARCH", "SEARCH ", "UID SEARCH", "SEARCH RETURN (MIN)", "SEARCH RETURN MIN ALL",
        "SEARCH RETURN (MEDIAN) ALL", "SEARCH RETURN (MIN", "SEARCH CHARSET", "SEARCH CHARSET UTF-8",
        "SEARCH CHARSET x-unknown FOO", "SEARCH FOO", "SEARCH (ALL", "SEARCH ALL)",
    ],
)  # fmt: skip
def test_bad(client: Dialogue, command: str) -> None:
    """What is not of the grammar's form is BAD, and nothing else is said."""
    lines = client.command(command)
    assert len(lines) == 1
    assert lines[0].startswith("a BAD ")


def test_nothing_selected(server: Server) -> None:
    """SEARCH is for a selected mailbox."""
    assert server.login().command("SEARCH ALL") == ["a BAD SEARCH is not for this state"]


def test_empty_mailbox() -> None:
    """A mailbox without messages has none that match, whatever numbers are named."""
    client = Server().client(select="INBOX")
    for keys in ("ALL", "1", "1:*", "*", "UID 1:*", "TEXT x", "NOT 5", "$"):
        assert client.command(f"SEARCH {keys}") == ["* SEARCH", "a OK SEARCH completed"]


# The saved result (RFC 5182).


@pytest.mark.parametrize(
    ("options", "answer", "saved"),
    [
        ("SAVE", None, "2 3 4"),
        ("SAVE ALL", "ALL 2:4", "2 3 4"),
        ("SAVE COUNT", "COUNT 3", "2 3 4"),
        ("SAVE MIN", "MIN 2", "2"),
        ("MAX SAVE", "MAX 4", "4"),
        ("MAX SAVE MIN", "MIN 2 MAX 4", "2 4"),
        ("MAX SAVE MIN COUNT", "MIN 2 MAX 4 COUNT 3", "2 3 4"),
        ("ALL SAVE MIN", "MIN 2 ALL 2:4", "2 3 4"),
        ("MIN", "MIN 2", ""),
    ],
)
def test_save(client: Dialogue, options: str, answer: str | None, saved: str) -> None:
    """What $ is afterwards (RFC 9051, 6.4.4.1, Table 4)."""
    told = [] if answer is None else [f'* ESEARCH (TAG "a") {answer}']
    done = "a OK SEARCH completed"
    assert client.command(f"SEARCH RETURN ({options}) UNSEEN") == [*told, done]
    assert client.command("SEARCH $") == [f"* SEARCH {saved}".rstrip(), done]
    assert client.command("SEARCH UID $")[0] == f"* SEARCH {saved}".rstrip()


def test_save_nothing(client: Dialogue) -> None:
    """When nothing is found, $ is empty, and is no error to use."""
    client.ok("SEARCH RETURN (SAVE) ALL")
    client.ok("SEARCH RETURN (SAVE MIN) SUBJECT nowhere")
    assert client.command("SEARCH $")[0] == "* SEARCH"
    assert client.command("FETCH $ UID") == ["a OK FETCH completed"]


def test_save_by_uid(client: Dialogue) -> None:
    """A result saved by UID SEARCH serves commands by number, and the other way round."""
    client.ok("UID SEARCH RETURN (SAVE) FLAGGED")
    assert client.command("FETCH $ UID")[0] == "* 3 FETCH (UID 3)"
    assert client.command("SEARCH OR $ 1")[0] == "* SEARCH 1 3"


def test_save_from_the_saved(client: Dialogue) -> None:
    """A search may use $ and replace it."""
    client.ok("SEARCH RETURN (SAVE) UNSEEN")
    client.ok("SEARCH RETURN (SAVE) $ SINCE 17-Jul-1996")
    assert client.command("SEARCH $")[0] == "* SEARCH 3 4"


def test_save_and_no(client: Dialogue) -> None:
    """A search that is refused empties $ if it was to save; BAD leaves it, as does no SAVE."""
    client.ok("SEARCH RETURN (SAVE) UNSEEN")
    assert client.command("SEARCH CHARSET x-none ALL")[0].startswith("a NO [BADCHARSET")
    assert client.command("SEARCH RETURN (SAVE) FOO")[0].startswith("a BAD ")
    assert client.command("SEARCH $")[0] == "* SEARCH 2 3 4"
    assert client.command("SEARCH RETURN (SAVE) CHARSET x-none ALL")[0].startswith("a NO [BADCH")
    assert client.command("SEARCH $")[0] == "* SEARCH"


def test_save_too_much() -> None:
    """A result with more holes than the server keeps is refused, and $ is empty."""
    server = Server(limits=Limits(saved_ranges=1))
    _fill(server.login())
    client = server.client(select="INBOX")
    client.ok("SEARCH RETURN (SAVE) 1:2")
    assert client.command("SEARCH RETURN (SAVE) OR 1 3") == [
        "a NO [NOTSAVED] The result is too large to be saved"
    ]
    assert client.command("SEARCH $")[0] == "* SEARCH"


def test_select_forgets(client: Dialogue) -> None:
    """SELECT empties $."""
    client.ok("SEARCH RETURN (SAVE) ALL")
    client.select("INBOX")
    assert client.command("SEARCH $")[0] == "* SEARCH"


# Other sessions.


@pytest.fixture
def expunged(server: Server, client: Dialogue) -> Dialogue:
    """The client, which has saved 2:4, after another session removed the second message."""
    client.ok("SEARCH RETURN (SAVE) 2:4")
    other = server.client(select="INBOX")
    other.ok("STORE 4 -FLAGS (\\Deleted)")
    other.ok("STORE 2 +FLAGS (\\Deleted)")
    other.ok("EXPUNGE")
    client.read()
    return client


def test_numbers_stay(expunged: Dialogue) -> None:
    """SEARCH does not tell of removals: the numbers it gives are the client's (RFC 9051, 7.5.1)."""
    lines = expunged.command("SEARCH UNSEEN")
    assert lines[0] == "* SEARCH 2 3 4"
    assert not [line for line in lines if "EXPUNGE" in line]
    assert expunged.command("SEARCH SUBJECT hello")[0] == "* SEARCH 4"
    assert expunged.command("NOOP")[0] == "* 2 EXPUNGE"
    assert expunged.command("SEARCH SUBJECT hello")[0] == "* SEARCH 3"


def test_uid_search_tells(expunged: Dialogue) -> None:
    """UID SEARCH may tell of removals, after its answer."""
    lines = expunged.command("UID SEARCH RETURN () UNSEEN")
    assert lines[0] == '* ESEARCH (TAG "a") UID ALL 2:4'
    assert "* 2 EXPUNGE" in lines[1:]
    assert expunged.command("UID SEARCH RETURN () UNSEEN")[0] == '* ESEARCH (TAG "a") UID ALL 3:4'


@pytest.mark.parametrize("keys", ["TEXT words", "NOT TEXT foo", "LARGER 1", "NOT SUBJECT x"])
def test_gone_messages(expunged: Dialogue, keys: str) -> None:
    """A message that is gone is not found by what it said, nor by what it did not say."""
    found = expunged.command(f"SEARCH {keys}")[0].split()[2:]
    assert "2" not in found


def test_saved_and_removed(expunged: Dialogue) -> None:
    """A removed message is no longer in $ (RFC 5182, 2.1)."""
    expunged.command("NOOP")
    assert expunged.command("SEARCH $")[0] == "* SEARCH 2 3"
    assert expunged.command("UID SEARCH $")[0] == "* SEARCH 3 4"


def test_holes(expunged: Dialogue) -> None:
    """A set of UIDs in an answer has no UID that no message has (RFC 9051, 7.3.4)."""
    expunged.command("NOOP")
    assert expunged.command("UID SEARCH RETURN (ALL) ALL")[0] == '* ESEARCH (TAG "a") UID ALL 1,3:4'
    assert expunged.command("SEARCH RETURN (ALL) ALL")[0] == '* ESEARCH (TAG "a") ALL 1:3'


def test_content_of_a_message_that_goes(
    client: Dialogue, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that goes while it is searched for is passed over."""
    box: Any = server.store.open_account("alice").open("INBOX")
    original = type(box).scan

    def scan(self: Any, uids: Any, columns: Any) -> Any:
        for batch in original(self, uids, columns):
            yield batch
            self.store_flags(uids, memory.FlagChange.ADD, frozenset(("\\Deleted",)))
            self.expunge(uids)

    monkeypatch.setattr(type(box), "scan", scan)
    assert client.command('SEARCH TEXT "hello joe"')[0] == "* SEARCH"


# Stores and work.


def test_a_store_that_fails(client: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a message cannot be read just now, the search is refused, and $ is empty."""

    def read(self: Any, uid: int) -> Any:
        raise StoreUnavailable

    client.ok("SEARCH RETURN (SAVE) ALL")
    monkeypatch.setattr(memory.MemoryMailbox, "read", read)
    assert client.command("SEARCH RETURN (SAVE) BODY x")[0].startswith("a NO [UNAVAILABLE] ")
    assert client.command("SEARCH $")[0] == "* SEARCH"


def test_a_store_without_columns(client: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store keeps no headers or dates, the messages themselves are read."""
    monkeypatch.setattr(memory, "_SERVED", frozenset((FLAGS, MODSEQ, INTERNAL_DATE, SIZE)))
    assert client.command("SEARCH SUBJECT hello")[0] == "* SEARCH 4"
    assert client.command("SEARCH SENTON 7-Feb-1994")[0] == "* SEARCH 1"
    assert client.command("SEARCH LARGER 1000 FROM fred")[0] == "* SEARCH 4"


def test_large_messages(client: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a large message is decoded in a thread."""
    in_thread: list[str] = []

    async def defer(function: Callable[..., Any], *arguments: Any) -> Any:
        in_thread.append(function.__name__)
        return function(*arguments)

    monkeypatch.setattr(search_source, "_INLINE", 1_000)
    monkeypatch.setattr(search_source, "deferToThread", defer)
    monkeypatch.setattr(content, "deferToThread", defer)
    assert client.command("SEARCH BODY xxx")[0] == "* SEARCH 4"
    assert in_thread == ["prepare"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The UIDs of the messages that are opened; each turn of the reactor is over at once."""
    opened: list[int] = []
    original = memory.MemoryMailbox.read

    def noted(self: Any, uid: int) -> Any:
        opened.append(uid)
        return original(self, uid)

    monkeypatch.setattr(memory.MemoryMailbox, "read", noted)
    monkeypatch.setattr(flow, "_SLICE", -1.0)
    return opened


def test_abandoned(client: Dialogue, read: list[int]) -> None:
    """When the client hangs up, its search stops."""
    client.post(b"a SEARCH BODY nowhere\r\n")
    client.hang_up()
    assert len(read) < 3


def test_finished(client: Dialogue, read: list[int]) -> None:
    """A search that needs many turns comes to the same end, and opens each message once."""
    assert client.command("SEARCH OR BODY nowhere BODY xxx")[0] == "* SEARCH 4"
    assert read == [1, 2, 3, 4]


def test_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long answer is one line, though written in pieces."""
    monkeypatch.setattr("imapd.query.results._TOGETHER", 2)
    server = Server()
    _fill(server.login())
    client = server.client(select="INBOX")
    assert client.command("SEARCH ALL")[0] == "* SEARCH 1 2 3 4"
    assert client.command("SORT (ARRIVAL) UTF-8 1:3")[0] == "* SORT 2 1 3"


# What features add.


def _modseq(found: Found, _: object) -> bytes | None:
    if not found.places:
        return None
    return b"%d" % max(found.known(MODSEQ, place, place + 1)[0] for place in found.places)


def _partial(found: Found, most: int) -> bytes | None:
    return b"(%d)" % len(found.places[:most])


@pytest.fixture
def extended() -> Dialogue:
    """A client of a server that has a key and two return options more."""
    feature = Feature(
        name="X",
        rfc=0,
        search_keys=(
            SearchKey("X-MODSEQ", lambda c: Key("X-MODSEQ", Cost.VIEW, (MODSEQ,), lambda m: m > 3)),
        ),
        search_returns=(
            SearchReturn("X-MODSEQ", lambda c: None, _modseq, implied_by="X-MODSEQ"),
            SearchReturn(
                "X-PARTIAL", lambda c: (c.space(), c.number())[1], _partial,
                saves=lambda found, most: found.places[:most], most=lambda most: most,
            ),
        ),
    )  # fmt: skip
    server = Server(dialect=Dialect.of([*commands.FEATURES, feature]))
    _fill(server.login())
    return server.client(select="INBOX")


def test_implied_return(extended: Dialogue) -> None:
    """A key may make an item be told that nobody asked for (RFC 7162, 3.1.5)."""
    assert extended.command("SEARCH X-MODSEQ")[0] == "* SEARCH 3 4 (X-MODSEQ 5)"
    assert extended.command("SEARCH X-MODSEQ SEEN")[0] == "* SEARCH"
    assert extended.command("SEARCH RETURN (COUNT) X-MODSEQ")[0] == (
        '* ESEARCH (TAG "a") COUNT 2 X-MODSEQ 5'
    )
    assert extended.command("SEARCH RETURN (X-MODSEQ) ALL")[0] == '* ESEARCH (TAG "a") X-MODSEQ 5'


def test_return_with_a_parameter(extended: Dialogue) -> None:
    """A return option takes parameters, and has its say in what is saved."""
    assert extended.command("SEARCH RETURN (SAVE X-PARTIAL 2) UNSEEN")[0] == (
        '* ESEARCH (TAG "a") X-PARTIAL (2)'
    )
    assert extended.command("SEARCH $")[0] == "* SEARCH 2 3"


def test_capabilities(server: Server) -> None:
    """ESEARCH and SEARCHRES are advertised."""
    names = server.login().command("CAPABILITY")[0].split()
    assert {"ESEARCH", "SEARCHRES"} <= set(names)


def test_a_result_that_is_named_many_times(
    client: Dialogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last result is looked up once in a search, however often the search names it."""
    client.ok("SEARCH RETURN (SAVE) OR 1 4")
    looked_up = []
    spans = search_source.Selected.spans

    def noted(source: search_source.Selected, numbers: Any) -> Any:
        looked_up.append(numbers)
        return spans(source, numbers)

    monkeypatch.setattr(search_source.Selected, "spans", noted)
    for option, answer in (("ALL", "ALL 1,4"), ("MAX", "MAX 4")):
        looked_up.clear()
        told = client.command(f"SEARCH RETURN ({option}) " + " ".join(["$"] * 1_000))
        assert told == [f'* ESEARCH (TAG "a") {answer}', "a OK SEARCH completed"]
        assert len(looked_up) == 1
