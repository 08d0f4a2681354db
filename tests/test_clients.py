"""What real clients do and expect, line by line (CLIENTS.md): each has cost some server a bug report.

A line that a test elsewhere shows already is in `ELSEWHERE`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.dialogue import Dialogue, Server, letter, same

#: Part of a line, and the test that shows it.
ELSEWHERE = {
    "mbsync sends up to 50 commands in one write": "server/test_imap.py::test_fifty_commands_in_one_write",
    "Gnus pipelines SELECT+FETCH": "server/test_imap.py::test_pipelined_commands_keep_their_order",
    "LSUB % shows an unsubscribed parent": "transcripts/test_transcripts.py::test_example",
    "an empty flag list": "commands/test_append.py::test_forms",
    "EXAMINE of a name that doesn't exist": "commands/test_select.py::test_failure_leaves_nothing_selected",
    "Continuations are + text": "commands/test_login.py::test_login_with_literals_that_wait",
    "HIGHESTMODSEQ always": "commands/test_select.py::test_select",
    "CLOSE after EXAMINE is OK": "commands/test_select.py::test_close_after_examine_keeps",
    "Custom keywords are announced": "session/test_numbers.py::test_keywords_are_announced",
    r"\Recent: one session gets it": "session/test_recent.py::test_first_come",
    "EXAMINE keeps it": "session/test_recent.py::test_examine_keeps_it",
    "STATUS RECENT and SEARCH NEW/OLD/RECENT agree": "session/test_recent.py::test_status_and_search_agree",
    "sessions keep their old numbering": "session/test_numbers.py::test_numbers_stay_until_told",
    "NIL for its bodies": "session/test_numbers.py::test_vanished_bodies",
    r"RFC822.TEXT set \Seen and say so": "commands/test_fetch.py::test_reading_sets_seen",
    "HEADER.FIELDS (from from) is echoed": "commands/test_fetch.py::test_items",
    "APPEND or COPY to a missing mailbox": "commands/test_changing.py::test_to_nowhere",
    "COPY keeps INTERNALDATE with its zone": "commands/test_changing.py::test_copy",
    "MOVE into the same mailbox": "commands/test_changing.py::test_move_into_the_same_mailbox",
    "BINARY answers say BINARY[...]": "commands/test_fetch.py::test_items",
    "a non-synchronising literal's bytes must not run": "wire/test_connection.py::test_events",
}


@pytest.mark.parametrize("line", sorted(ELSEWHERE))
def test_elsewhere(line: str) -> None:
    """The test that is said to show a line is there."""
    path, _, name = ELSEWHERE[line].partition("::")
    tree = ast.parse((Path(__file__).parent / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """A client that has selected a mailbox with three messages."""
    anywhere.client().fill(3).select()
    return anywhere.client(select="INBOX")


# Habits.


def test_roundcube(server: Server) -> None:
    """Roundcube opens a new connection for every page: 44 log-ins in a short visit."""
    for _ in range(44):
        client = server.client(select="INBOX")
        assert client.do("LOGOUT").endswith(b"a OK LOGOUT completed\r\n")


def test_mutt_enables_what_is_not_there(server: Server) -> None:
    """Mutt sends ENABLE UTF8=ACCEPT whether or not it is advertised: OK, and what is there is enabled."""
    client = server.client()
    enabled = client.do("ENABLE UTF8=ACCEPT")
    assert enabled in (
        b"* ENABLED\r\na OK ENABLE completed\r\n",
        b"* ENABLED UTF8=ACCEPT\r\na OK ENABLE completed\r\n",
    )
    advertised = b"UTF8=ACCEPT" in server.client().do("CAPABILITY")
    assert (b"UTF8=ACCEPT" in enabled) == advertised


@pytest.mark.parametrize(
    "command",
    [
        "uid move 1 other",
        'list (subscribed) "" "*" return (special-use)',
        "store 1 +Flags (\\seen)",
        "Store 1 +flags (\\DELETED)",
        "uid fetch 1 (flags Body.Peek[Header])",
        "Uid Search Unseen",
        "status inbox (messages UidNext)",
        "examine inbox",
        "Noop",
    ],
)
def test_case_is_free(client: Dialogue, command: str) -> None:
    """Thunderbird, alpine and others write commands in any case."""
    client.ok("CREATE other")
    assert b"\r\na OK " in b"\r\n" + client.do(command)


def test_node_imap(server: Server) -> None:
    """node-imap uses the tag IDLE."""
    client = server.client(select="INBOX")
    assert client.send(b"IDLE IDLE\r\n") == b"+ idling\r\n"
    assert client.send(b"DONE\r\n") == b"IDLE OK IDLE ended\r\n"


@pytest.mark.parametrize("name", ["&BBAE-", "R&-D", "a.b-c_d", "Sent/2020", "[Gmail]", "a]b"])
def test_names_come_as_atoms(anywhere: Server, name: str) -> None:
    """Names come unquoted when they are atoms."""
    if name == "&BBAE-":
        name = "&BBAEMQ-"
    client = anywhere.client()
    same(client.do(f"CREATE {name}"), "a OK [MAILBOXID ({{*}})] CREATE completed")
    assert client.do(f"SELECT {name}").endswith(b"a OK [READ-WRITE] Selected\r\n")
    same(
        client.do(f"STATUS {name} (MESSAGES)"),
        f"* STATUS {name} (MESSAGES 0)",
        "a OK STATUS completed",
    )


def test_create_with_a_separator_at_its_end(anywhere: Server) -> None:
    """CREATE name/ must work."""
    client = anywhere.client()
    same(client.do("CREATE name/"), "a OK [MAILBOXID ({{*}})] CREATE completed")
    same(client.do("CREATE name/below"), "a OK [MAILBOXID ({{*}})] CREATE completed")


@pytest.mark.parametrize(
    "items",
    [
        "(UID FLAGS UID FLAGS)",
        "(BODY.PEEK[HEADER] BODY.PEEK[TEXT]<0.20>)",
        "(RFC822.SIZE RFC822.HEADER)",
        "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (References)])",
        "RFC822",
        "RFC822.TEXT",
        "(BODYSTRUCTURE BODY)",
    ],
)
def test_fetch_lists(client: Dialogue, items: str) -> None:
    """FETCH lists repeat items and mix sections; fetchmail and Twisted still use RFC822.*."""
    assert client.do(f"FETCH 1:* {items}").endswith(b"a OK FETCH completed\r\n")


@pytest.mark.parametrize(
    "command",
    [
        "SEARCH CHARSET utf8 SUBJECT 1",
        "SEARCH CHARSET utf-8 SUBJECT 1",
        "SEARCH CHARSET US-ASCII SUBJECT 1",
        "SEARCH (OR (SUBJECT 1) (SUBJECT 7))",
        "SEARCH NOT ((OR (SUBJECT 2) (SUBJECT 3)))",
        "SEARCH SUBJECT {1+}\r\n1",
        "SEARCH 1",
        "SEARCH 1 ALL",
        'SEARCH CHARSET UTF-8 NOT SUBJECT "\u00e9" SUBJECT 1',
        'SEARCH NOT SUBJECT "\u00e9" SUBJECT 1',
        "SEARCH NOT SUBJECT NIL SUBJECT 1",
        "SEARCH UNKEYWORD NIL SUBJECT 1",
    ],
)
def test_search_forms(client: Dialogue, command: str) -> None:
    """SEARCH comes with many charsets, parentheses, literals, raw 8 bits, numbers, NIL as a word."""
    same(client.do(command), "* SEARCH 1", "a OK SEARCH completed")


@pytest.mark.parametrize(
    "command",
    [
        'LIST (SUBSCRIBED) "" "*"',
        'LIST (SPECIAL-USE) "" "*" RETURN (SUBSCRIBED)',
        'LIST "" "*" RETURN (CHILDREN)',
        'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN HIGHESTMODSEQ))',
        'LIST "" "%" RETURN (SUBSCRIBED SPECIAL-USE)',
        "STATUS INBOX (MESSAGES UIDNEXT UNSEEN RECENT UIDVALIDITY HIGHESTMODSEQ)",
    ],
)
def test_list_forms(client: Dialogue, command: str) -> None:
    """LIST comes in many forms; STATUS of the selected mailbox is normal."""
    assert client.do(command).split(b"\r\n")[-2].startswith(b"a OK ")


@pytest.mark.parametrize("command", [b"ID (%b)", b"UID FETCH %b FLAGS"])
def test_long_lines(client: Dialogue, command: bytes) -> None:
    """Some send a 30 KB ID or a very long UID set before anyone expects it."""
    long = b'"name" "%b"' % (b"x" * 30_000) if command.startswith(b"ID") else b""
    uids = b",".join(b"%d" % uid for uid in range(1, 12_000, 2))
    answer = client.do(command % (long or uids))
    # ID may be unknown, and its value too long for RFC 2971; the conversation goes on.
    assert answer.startswith((b"a BAD ", b"* ID ", b"* 1 FETCH ", b"a NO ", b"a OK "))
    same(client.do("NOOP"), "a OK NOOP completed")


def test_a_very_long_uid_set(client: Dialogue) -> None:
    """... and such a set is answered."""
    uids = ",".join(str(uid) for uid in range(1, 12_000, 2))
    assert len(uids) > 30_000
    same(
        client.do(f"UID FETCH {uids} FLAGS"),
        "* 1 FETCH (UID 1 FLAGS ())",
        "* 3 FETCH (UID 3 FLAGS ())",
        "a OK UID FETCH completed",
    )


def test_thunderbird_without_move(client: Dialogue) -> None:
    r"""Thunderbird without MOVE copies, sets \Deleted and never expunges."""
    client.ok("CREATE Trash")
    same(client.do("UID COPY 2 Trash"), "a OK [COPYUID {{uidvalidity}} 2 1] UID COPY completed")
    same(
        client.do("UID STORE 2 +FLAGS (\\Deleted \\Seen)"),
        "* 2 FETCH (UID 2 FLAGS (\\Deleted \\Seen))",
        "a OK UID STORE completed",
    )
    same(client.do("SELECT Trash").split(b"\r\n")[1] + b"\r\n", "* 1 EXISTS")
    assert b"* 3 EXISTS" in client.do("SELECT INBOX")


def test_getmail(client: Dialogue) -> None:
    r"""Getmail and others end with CLOSE after setting \Deleted \Seen together."""
    client.ok("UID STORE 1 FLAGS (\\Deleted \\Seen)")
    same(client.do("CLOSE"), "a OK CLOSE completed")
    same(
        client.do("STATUS INBOX (MESSAGES)"), "* STATUS INBOX (MESSAGES 2)", "a OK STATUS completed"
    )


# Expectations.


def test_search_that_finds_nothing(client: Dialogue) -> None:
    """An untagged SEARCH comes even when nothing matches."""
    same(client.do("SEARCH SUBJECT nothing"), "* SEARCH", "a OK SEARCH completed")


def test_codes_are_followed_by_text(server: Server) -> None:
    """Response codes are in upper case, always followed by text."""
    import re

    client = server.client().fill(1).select()
    answers = b"".join(
        client.do(command)
        for command in (
            "SELECT INBOX",
            "EXAMINE INBOX",
            "COPY 1 INBOX",
            "COPY 1 x",
            "CREATE INBOX",
            "DELETE nowhere",
            "SELECT nowhere",
            "APPEND x {3}",
            "SEARCH CHARSET x ALL",
        )
    )
    coded = [line for line in answers.split(b"\r\n") if b"[" in line]
    assert len(coded) > 15
    for line in coded:
        assert re.match(rb"(?:\*|a) (?:OK|NO|BAD) \[[A-Z][A-Z-]*(?: [^]]+)?\] [^ ]", line), line


def test_invalid_names(anywhere: Server) -> None:
    """A mailbox name in invalid modified UTF-7: SELECT gives NO, LIST gives OK."""
    client = anywhere.client()
    for name in ("&", "&Jjo", "&U,BTFw-&ZeVnLIqe-", "a&b", "&AGE-"):
        same(client.do(f'SELECT "{name}"'), "a NO [NONEXISTENT] {{*}}")
        same(client.do(f'LIST "" "{name}"'), "a OK LIST completed")


def test_uidvalidity_and_uidnext_never_repeat(anywhere: Server) -> None:
    """DELETE and CREATE again, or a swap by RENAME, never repeats a (UIDVALIDITY, UIDNEXT) pair."""
    client = anywhere.client()
    told: list[bytes] = []

    def look(name: str) -> None:
        told.append(client.ok(f"STATUS {name} (UIDVALIDITY UIDNEXT)").split(b" ", 3)[3])

    for _ in range(3):
        client.ok("CREATE box")
        look("box")
        client.append(letter(), mailbox="box")
        look("box")
        client.ok("DELETE box")
    client.ok("CREATE one")
    client.ok("CREATE two")
    look("one")
    look("two")
    client.ok("RENAME one three")
    client.ok("RENAME two one")
    client.ok("RENAME three two")
    client.append(letter(), mailbox="one").append(letter(), mailbox="two")
    look("one")
    look("two")
    assert len(set(told)) == len(told)


def test_a_message_inside_a_message(anywhere: Server) -> None:
    """BODY[1] of a message/rfc822 part is the whole message; a boundary's CRLF is not in it."""
    client = anywhere.client()
    inner = b"Subject: inner\r\n\r\ntext"
    boundary = b'multipart/mixed;\r\n boundary="quoted\\" and\r\n folded"'
    client.append(
        b"Content-Type: " + boundary + b"\r\n\r\n"
        b'--quoted" and folded\r\nContent-Type: message/rfc822\r\n\r\n' + inner + b"\r\n"
        b'--quoted" and folded--\r\n'
    ).select()
    same(
        client.do("FETCH 1 BODY.PEEK[1]"),
        b"* 1 FETCH (BODY[1] {%d}\r\n%b)" % (len(inner), inner),
        "a OK FETCH completed",
    )


def test_addresses(anywhere: Server) -> None:
    """ENVELOPE: groups, comments as names, source routes, encoded words left encoded; search finds names."""
    client = anywhere.client()
    client.append(
        b"From: fred@example.org (Fred Foobar)\r\n"
        b"To: friends: a@x.org, =?utf-8?q?=C3=A9?= <b@x.org>;\r\nCc: <@route.org:c@x.org>\r\n\r\n"
    ).select()
    answer = client.do("FETCH 1 ENVELOPE")
    assert b'(("Fred Foobar" NIL "fred" "example.org"))' in answer
    assert (
        b'((NIL NIL "friends" NIL)(NIL NIL "a" "x.org")'
        b'("=?utf-8?q?=C3=A9?=" NIL "b" "x.org")(NIL NIL NIL NIL))' in answer
    )
    assert b'((NIL "@route.org" "c" "x.org"))' in answer
    for key in ("FROM foobar", "TO friends", 'TO "\u00e9"', "CC c@x.org"):
        same(client.do(f"SEARCH {key}"), "* SEARCH 1", "a OK SEARCH completed")


def test_no_delay(server: Server) -> None:
    """Set TCP_NODELAY: without it a single FETCH takes 44 ms instead of 0.2."""
    assert server.connect().transport.no_delay is True
