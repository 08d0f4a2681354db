"""FETCH (RFC 9051, 6.4.5 and 7.5.2): what is asked for, in the form in which it was asked."""

from __future__ import annotations

import pytest

from tests.answers import read_answers
from tests.dialogue import Dialogue, Server, letter, same

_MESSAGE = b"""From: "A. B" <a@example.org>\r
To: c@example.org\r
Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r
Date: Mon, 7 Feb 1994 21:52:25 -0800\r
Message-Id: <1@example.org>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="x"\r
\r
preamble\r
--x\r
Content-Type: text/plain; charset="us-ascii"\r
\r
Hello.\r
\r
--x\r
Content-Type: message/rfc822\r
\r
Subject: inner\r
Content-Type: application/octet-stream\r
Content-Transfer-Encoding: base64\r
\r
AAEC\r
--x--\r
"""


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """A client that has selected a mailbox with one message of several parts."""
    client = anywhere.client()
    return client.append(_MESSAGE, date="17-Jul-1996 02:44:25 -0700").select()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("BODY.PEEK[1]", "BODY[1] {8}\r\nHello.\r\n"),
        ("BODY.PEEK[1.MIME]", 'BODY[1.MIME] {48}\r\nContent-Type: text/plain; charset="us-ascii"\r\n\r\n'),
        ("BODY.PEEK[2.HEADER]", "BODY[2.HEADER] {93}\r\nSubject: inner\r\n"
         "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
        ("BODY.PEEK[2.TEXT]", "BODY[2.TEXT] {4}\r\nAAEC"),
        ("BODY.PEEK[2.1]", "BODY[2.1] {4}\r\nAAEC"),
        ("BODY.PEEK[2.1.MIME]", "BODY[2.1.MIME] {93}\r\nSubject: inner\r\n"
         "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
        ("BODY.PEEK[3]", "BODY[3] NIL"),
        ("BODY.PEEK[1.1]", "BODY[1.1] NIL"),
        ("BODY.PEEK[4.HEADER]", "BODY[4.HEADER] NIL"),
        ("BODY.PEEK[1]<2.3>", "BODY[1]<2> {3}\r\nllo"),
        ("BODY.PEEK[1]<7.100>", "BODY[1]<7> {1}\r\n\n"),
        ("BODY.PEEK[1]<8.1>", "BODY[1]<8> {0}\r\n"),
        ("BODY.PEEK[1]<9223372036854775806.9223372036854775807>", "BODY[1]<9223372036854775806> {0}\r\n"),
        ("BODY.PEEK[HEADER.FIELDS (Subject)]", "BODY[HEADER.FIELDS (Subject)] {38}\r\n"
         "Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\n"),
        ("body.peek[header.fields (from from)]", "BODY[header.fields (from from)] {32}\r\n"
         'From: "A. B" <a@example.org>\r\n\r\n'),
        ('BODY.PEEK[HEADER.FIELDS ("TO")]', 'BODY[HEADER.FIELDS ("TO")] {21}\r\nTo: c@example.org\r\n\r\n'),
        ("BODY.PEEK[HEADER.FIELDS (X-None)]", "BODY[HEADER.FIELDS (X-None)] {2}\r\n\r\n"),
        ("BODY.PEEK[2.HEADER.FIELDS (Subject)]",
         "BODY[2.HEADER.FIELDS (Subject)] {18}\r\nSubject: inner\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS.NOT (From To Subject Date Message-Id MIME-Version)]",
         "BODY[HEADER.FIELDS.NOT (From To Subject Date Message-Id MIME-Version)] {47}\r\n"
         'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'),
        ('BODY.PEEK[HEADER.FIELDS ("%s")]', 'BODY[HEADER.FIELDS ("%s")] {2}\r\n\r\n'),
        ("BINARY.PEEK[2.1]", "BINARY[2.1] ~{3}\r\n\0\1\2"),
        ("BINARY.PEEK[1]", "BINARY[1] {8}\r\nHello.\r\n"),
        ("BINARY.PEEK[1]<0.2>", "BINARY[1]<0> {2}\r\nHe"),
        ("BINARY.SIZE[2.1]", "BINARY.SIZE[2.1] 3"),
        ("INTERNALDATE", 'INTERNALDATE "17-Jul-1996 02:44:25 -0700"'),
        ("RFC822.SIZE", f"RFC822.SIZE {len(_MESSAGE)}"),
        ("UID", "UID 1"),
        ("FAST", f'FLAGS (\\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE {len(_MESSAGE)}'),
        ("ENVELOPE", 'ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "=?utf-8?q?=C3=A9t=C3=A9?=" '
         '(("A. B" NIL "a" "example.org")) (("A. B" NIL "a" "example.org")) (("A. B" NIL "a" "example.org")) '
         '((NIL NIL "c" "example.org")) NIL NIL NIL "<1@example.org>")'),
        ("(UID UID FLAGS UID)", "UID 1 FLAGS (\\Recent)"),
        ("( UID  FLAGS )", "UID 1 FLAGS (\\Recent)"),
        ("uid", "UID 1"),
    ],
)  # fmt: skip
def test_items(client: Dialogue, asked: str, told: str) -> None:
    """Each item is answered under the name by which it was asked."""
    same(client.do(f"FETCH 1 {asked}"), f"* 1 FETCH ({told})", "a OK FETCH completed")


@pytest.mark.parametrize(
    "item",
    ["BODY[]", "BODY[TEXT]", "BODY[HEADER]", "BODY[1]", "BODY[]<0.1>", "RFC822", "RFC822.TEXT", "BINARY[1]",
     "BODY[HEADER.FIELDS (To)]", "(BODY.PEEK[] BODY[])", "(BODY[] BODY.PEEK[])"],
)  # fmt: skip
def test_reading_sets_seen(client: Dialogue, item: str) -> None:
    r"""Reading a message sets \Seen, and says so in the same answer."""
    answer = client.do(f"FETCH 1 {item}")
    assert answer.endswith(b" FLAGS (\\Seen \\Recent))\r\na OK FETCH completed\r\n")
    assert b"FLAGS" not in client.do(f"FETCH 1 {item}")
    same(client.do("SEARCH SEEN"), "* SEARCH 1", "a OK SEARCH completed")


@pytest.mark.parametrize(
    "item",
    ["BODY.PEEK[]", "RFC822.HEADER", "BODY", "BODYSTRUCTURE", "ENVELOPE", "BINARY.PEEK[1]", "BINARY.SIZE[1]",
     "RFC822.SIZE", "ALL", "FULL"],
)  # fmt: skip
def test_looking_does_not(client: Dialogue, item: str) -> None:
    r"""Looking at it does not."""
    assert client.do(f"FETCH 1 {item}").endswith(b"a OK FETCH completed\r\n")
    same(client.do("SEARCH SEEN"), "* SEARCH", "a OK SEARCH completed")


def test_flags_asked_for_with_the_body(client: Dialogue) -> None:
    r"""When FLAGS is asked for anyway it comes once, with \Seen."""
    same(
        client.do("FETCH 1 (FLAGS BODY[1]<0.5> UID)"),
        "* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[1]<0> {5}",
        "Hello UID 1)",
        "a OK FETCH completed",
    )


def test_everything_is_in_the_grammar(client: Dialogue) -> None:
    """All items at once are read back by a reader that is strict."""
    odd = b"\xff\xff: \xff\r\nSubject: \xff\r\n\r\n\xff"
    client._server.deliver(letter("two", "", "Content-Type: text/html"), b"x", odd)
    client.ok("NOOP")
    answer = client.do(
        "UID FETCH 1:* (FLAGS ENVELOPE BODY BODYSTRUCTURE INTERNALDATE RFC822.SIZE RFC822 RFC822.HEADER "
        "RFC822.TEXT BODY[] BODY[HEADER] BODY[TEXT] BODY[1] BODY[1.MIME] BODY[2.1]<0.5> BINARY[1] "
        "BINARY.SIZE[1] BODY[HEADER.FIELDS (Subject To)])"
    )  # fmt: skip
    responses = read_answers(answer)
    assert [each[:3] for each in responses if each[1] != b"FETCH"] == [(b"a", b"OK", b"")]
    fetched = [each[3] for each in responses if each[1] == b"FETCH"]
    assert [each[b"UID"] for each in fetched] == [1, 2, 3, 4]
    assert all(len(each) == 19 for each in fetched)
    assert fetched[0][b"RFC822"] == fetched[0][b"BODY[]"] == _MESSAGE


def test_numbers(anywhere: Server) -> None:
    """Sets of every form mean what they say, in ascending order and each message once."""
    client = anywhere.client().fill(5).select()

    def numbers(command: str) -> list[int]:
        return [each[2] for each in read_answers(client.do(command)) if each[1] == b"FETCH"]

    assert numbers("FETCH 5,1:2,2 UID") == [1, 2, 5]
    assert numbers("FETCH 4:2 UID") == [2, 3, 4]
    assert numbers("FETCH * UID") == [5]
    assert numbers("FETCH *:4 UID") == [4, 5]
    assert numbers("UID FETCH 4:* FLAGS") == [4, 5]
    assert numbers("UID FETCH 9:* FLAGS") == [5]
    assert numbers("UID FETCH 9,17:20 FLAGS") == []
    assert numbers("UID FETCH 1:4294967295 FLAGS") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("numbers", ["6", "1:6", "6:*", "7:9", "1,6"])
def test_numbers_beyond(anywhere: Server, numbers: str) -> None:
    """A number that no message has is BAD (RFC 9051, 9: seq-number)."""
    client = anywhere.client().fill(5).select()
    same(client.do(f"FETCH {numbers} UID"), "a BAD There is no message of that number")


@pytest.mark.parametrize("numbers", ["1", "*", "1:*", "*:*"])
def test_numbers_where_there_is_nothing(server: Server, numbers: str) -> None:
    """In an empty mailbox every number is, also the asterisk; UIDs never are."""
    client = server.client(select="INBOX")
    same(client.do(f"FETCH {numbers} UID"), "a BAD There is no message of that number")
    same(client.do(f"UID FETCH {numbers} FLAGS"), "a OK UID FETCH completed")


@pytest.mark.parametrize(
    "arguments",
    ["", " 1", " 1 ", " 0 UID", " 1 ()", " 1 XYZZY", " a UID", " 1:2:3 UID", " 1, UID", " ,1 UID",
     " 1 (UID", " 1 UID)", " 4294967296 UID", " -1 UID", " 1 BODY[", " 1 BODY[0]", " 1 BODY[1.]",
     " 1 BODY[.1]", " 1 BODY[MIME]", " 1 BODY[HEADER.FIELDS]", " 1 BODY[HEADER.FIELDS ()]",
     " 1 BODY[]<0>", " 1 BODY[]<0.0>", " 1 BODY[]<-1.5>", " 1 BODY[TEXT.1]", " 1 BINARY[TEXT]",
     " 1 BINARY.SIZE[]<0.5>", " 1 (ALL)", " 1 UID FLAGS",
     " 1 BODY[HEADER.FIELDS (\xe9)]", " 1 BODY[HEADER.FIELDS ({3+}\r\na\r\n)]"],
)  # fmt: skip
def test_bad(server: Server, arguments: str) -> None:
    """What is not in the grammar is BAD, whatever is selected."""
    client = server.client().fill(1).select()
    answer = client.do(b"FETCH" + arguments.encode("latin-1"))
    assert answer.startswith(b"a BAD ")
    assert answer.count(b"\r\n") == 1


def test_many_messages(anywhere: Server) -> None:
    """A thousand messages and more are told, each once."""
    client = anywhere.client().fill(3).select()
    for _ in range(9):
        client.ok("COPY 1:* INBOX")
    answer = client.do("FETCH 1:* (UID FLAGS RFC822.SIZE)")
    responses = [each for each in read_answers(answer) if each[1] == b"FETCH"]
    assert [each[2] for each in responses] == list(range(1, 1_537))
    assert [each[3][b"UID"] for each in responses] == list(range(1, 1_537))


def test_two_lengths_from_one_octet(anywhere: Server) -> None:
    """The same section, cut at one place to two lengths, is two items: both are answered."""
    client = anywhere.client().fill(1).select()
    assert client.ok("FETCH 1 (BODY.PEEK[]<0.3> BODY.PEEK[]<0.5> BODY.PEEK[]<0.3>)") == (
        b"* 1 FETCH (BODY[]<0> {3}\r\nFro BODY[]<0> {5}\r\nFrom:)\r\n"
    )


def test_the_same_items_again(client: Dialogue) -> None:
    """What one command adds to the items of another is not in the next that asks for the same."""
    for _ in range(2):
        assert client.do("UID FETCH 1 (RFC822.SIZE)").startswith(b"* 1 FETCH (UID 1 RFC822.SIZE")
        assert client.do("FETCH 1 (RFC822.SIZE)").startswith(b"* 1 FETCH (RFC822.SIZE")
    client.do("ENABLE CONDSTORE")
    assert b"MODSEQ" in client.do("FETCH 1 (RFC822.SIZE) (CHANGEDSINCE 0)")
    assert client.do("FETCH 1 (RFC822.SIZE)").startswith(b"* 1 FETCH (RFC822.SIZE")
