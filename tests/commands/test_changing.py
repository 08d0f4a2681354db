"""STORE, COPY, MOVE, EXPUNGE, IDLE (RFC 9051, 6.4; RFC 4315; RFC 6851; RFC 2177): changing what is there."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server, letter, same


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """A client that has selected a mailbox of three messages, none of them recent any more."""
    anywhere.client().fill(3).select().ok("CREATE other")
    return anywhere.client(select="INBOX")


# STORE.


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("FLAGS (\\Seen)", "\\Seen"),
        ("flags \\seen \\DELETED", "\\Deleted \\Seen"),
        ("+Flags (\\DELETED)", "\\Flagged \\Deleted $Old"),
        ("+FLAGS (\\Flagged)", "\\Flagged $Old"),
        ("-FLAGS (\\Flagged)", "$Old"),
        ("-FLAGS ($OLD)", "\\Flagged"),
        ("FLAGS ()", ""),
        ("FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
         "\\Answered \\Flagged \\Deleted \\Seen \\Draft"),
        ("-FLAGS ($None)", "\\Flagged $Old"),
    ],
)  # fmt: skip
def test_store(client: Dialogue, command: str, flags: str) -> None:
    """Flags are set, added and taken away, in any case, with or without parentheses."""
    client.ok("STORE 2 FLAGS (\\Flagged $Old)")
    same(client.do(f"STORE 2 {command}"), f"* 2 FETCH (FLAGS ({flags}))", "a OK STORE completed")
    same(
        client.do(f"UID STORE 2 {command}"),
        f"* 2 FETCH (UID 2 FLAGS ({flags}))",
        "a OK UID STORE completed",
    )
    same(client.do("FETCH 1:2 FLAGS"), "* 1 FETCH (FLAGS ())", f"* 2 FETCH (FLAGS ({flags}))",
         "a OK FETCH completed")  # fmt: skip


def test_store_a_new_keyword(client: Dialogue) -> None:
    """A keyword that is new here is in FLAGS before the answer that has it."""
    same(
        client.do("STORE 1 +FLAGS ($Work)"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)",
        "* 1 FETCH (FLAGS ($Work))",
        "a OK STORE completed",
    )
    same(
        client.do("STORE 2 +FLAGS.SILENT ($Play)"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Play $Work)",
        "a OK STORE completed",
    )


def test_store_silent(client: Dialogue) -> None:
    """With .SILENT nothing is told of the flags (RFC 9051, 6.4.6)."""
    same(client.do("STORE 1:3 +flags.silent (\\Seen)"), "a OK STORE completed")
    same(client.do("UID STORE 1:* -FLAGS.Silent \\Seen"), "a OK UID STORE completed")


def test_store_on_uids_that_are_not_there(client: Dialogue) -> None:
    """UIDs that no message has are passed over."""
    same(client.do("UID STORE 7:9 FLAGS (\\Seen)"), "a OK UID STORE completed")


@pytest.mark.parametrize(
    "arguments",
    ["", " 1", " 1 FLAGS", " 1 FLAGS ", " 1 XFLAGS (\\Seen)", " 1 FLAGS (\\Seen", " 1 FLAGS \\Seen)",
     " 1 FLAGS (\\Recent)", " 1 FLAGS (\\*)", " 1 FLAGS (\\Nonsense)", " 1 FLAGS.LOUD (\\Seen)",
     " 4 FLAGS (\\Seen)", " 1 +FLAGS (a]b)", " 1 FLAGS (a\0b)", " 1 FLAGS (\xe9)"],
)  # fmt: skip
def test_store_bad(client: Dialogue, arguments: str) -> None:
    """What is not in the grammar is BAD, and changes nothing."""
    answer = client.do(b"STORE" + arguments.encode("latin-1"))
    assert answer.startswith(b"a BAD ")
    same(client.do("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS ())", "a OK FETCH completed")


# COPY and MOVE.


def test_copy(client: Dialogue) -> None:
    """COPY keeps flags and date, and says which UIDs became which (RFC 4315, 3)."""
    client.append(letter(), flags="\\Answered $Work", date=" 1-Apr-1999 12:00:00 +0530").ok("NOOP")
    same(
        client.do("COPY 3:4 other"),
        "a OK [COPYUID {{uidvalidity}} 3:4 1:2] COPY completed",
    )
    client.select("other")
    same(
        client.do("FETCH 1:* (UID FLAGS INTERNALDATE)"),
        "* 1 FETCH (UID 1 FLAGS (\\Recent) INTERNALDATE {{*}})",
        "* 2 FETCH (UID 2 FLAGS (\\Answered \\Recent $Work) INTERNALDATE "
        '" 1-Apr-1999 12:00:00 +0530")',
        "a OK FETCH completed",
    )


def test_copy_into_the_same_mailbox(client: Dialogue) -> None:
    """A copy may stay where the original is."""
    same(
        client.do("COPY 1 INBOX"),
        "* 4 EXISTS",
        "* 1 RECENT",
        "a OK [COPYUID {{uidvalidity}} 1 4] COPY completed",
    )


@pytest.mark.parametrize("command", ["COPY", "UID COPY", "MOVE", "UID MOVE"])
def test_to_nowhere(client: Dialogue, command: str) -> None:
    """To a mailbox that is not there: NO [TRYCREATE], and nothing has happened."""
    same(
        client.do(f"{command} 1 nowhere"),
        "a NO [TRYCREATE] There is no such mailbox; create it first",
    )
    same(client.do("FETCH 3 UID"), "* 3 FETCH (UID 3)", "a OK FETCH completed")


@pytest.mark.parametrize("command", ["UID COPY", "UID MOVE"])
def test_of_uids_that_are_not_there(client: Dialogue, command: str) -> None:
    """UIDs that no message has are passed over, and then there is no COPYUID."""
    same(client.do(f"{command} 7:9 other"), f"a OK {command} completed")


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
@pytest.mark.parametrize(
    "arguments", ["", " 1", " 1 ", " 4 other", " x other", " 1 other more", " 1 (other)"]
)
def test_copy_bad(client: Dialogue, command: str, arguments: str) -> None:
    """COPY and MOVE take messages and a name."""
    assert client.do(command + arguments).startswith(b"a BAD ")


def test_move(client: Dialogue) -> None:
    """MOVE says where the messages are before it says that they are gone (RFC 6851, 4.3)."""
    same(
        client.do("MOVE 1,3 other"),
        "* OK [COPYUID {{uidvalidity}} 1,3 1:2] Moved",
        "* 3 EXPUNGE",
        "* 1 EXPUNGE",
        "a OK MOVE completed",
    )
    same(client.do("uid move 2 other"), "* OK [COPYUID {{uidvalidity}} 2 3] Moved", "* 1 EXPUNGE",
         "a OK UID MOVE completed")  # fmt: skip
    assert b"* 3 EXISTS" in client.do("SELECT other")


def test_move_into_the_same_mailbox(client: Dialogue) -> None:
    """A message may be moved to the end of its own mailbox: it gets a new UID."""
    same(
        client.do("MOVE 1 INBOX"),
        "* OK [COPYUID {{uidvalidity}} 1 4] Moved",
        "* 1 EXPUNGE",
        "* 3 EXISTS",
        "* 1 RECENT",
        "a OK MOVE completed",
    )
    same(client.do("FETCH 3 UID"), "* 3 FETCH (UID 4)", "a OK FETCH completed")


# EXPUNGE.


def test_expunge(client: Dialogue) -> None:
    r"""EXPUNGE removes what has \Deleted, and numbers move as it is told."""
    client.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    same(client.do("EXPUNGE"), "* 2 EXPUNGE", "* 1 EXPUNGE", "a OK EXPUNGE completed")
    same(client.do("FETCH 1 UID"), "* 1 FETCH (UID 3)", "a OK FETCH completed")
    same(client.do("EXPUNGE"), "a OK EXPUNGE completed")


def test_uid_expunge(client: Dialogue) -> None:
    r"""UID EXPUNGE removes only what is named and has \Deleted (RFC 4315, 2.1)."""
    client.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    same(client.do("UID EXPUNGE 2:9"), "* 2 EXPUNGE", "a OK UID EXPUNGE completed")
    same(client.do("UID EXPUNGE 3"), "a OK UID EXPUNGE completed")
    same(client.do("UID SEARCH ALL"), "* SEARCH 1 3", "a OK UID SEARCH completed")


@pytest.mark.parametrize(
    "command", ["EXPUNGE 1", "UID EXPUNGE", "UID EXPUNGE x", "UID EXPUNGE 1 2"]
)
def test_expunge_bad(client: Dialogue, command: str) -> None:
    """EXPUNGE takes nothing, UID EXPUNGE a set."""
    assert client.do(command).startswith(b"a BAD ")


def test_a_uid_is_never_used_again(client: Dialogue) -> None:
    """The UID of a message that is gone is not another's."""
    client.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    assert b" 4] APPEND completed" in client.do("APPEND INBOX", letter())


# The result of a search, $ (RFC 5182).


def test_saved_result(client: Dialogue) -> None:
    """A dollar sign stands for what the last search found, in every command."""
    same(client.do("SEARCH RETURN (SAVE) UID 2:3"), "a OK SEARCH completed")
    same(client.do("FETCH $ UID"), "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "a OK FETCH completed")
    same(client.do("UID STORE $ +FLAGS.SILENT (\\Deleted)"), "a OK UID STORE completed")
    same(client.do("COPY $ other"), "a OK [COPYUID {{uidvalidity}} 2:3 1:2] COPY completed")
    same(client.do("UID EXPUNGE $"), "* 3 EXPUNGE", "* 2 EXPUNGE", "a OK UID EXPUNGE completed")
    same(client.do("FETCH $ UID"), "a OK FETCH completed")


# IDLE.


def test_idle(anywhere: Server) -> None:
    """IDLE says that it waits, and ends with DONE."""
    client = anywhere.client()
    assert client.do("IDLE") == b"+ idling\r\n"
    assert client.send(b"done\r\n") == b"a OK IDLE ended\r\n"
    client.select()
    assert client.do("idle") == b"+ idling\r\n"
    assert client.send(b"DONE\r\nb NOOP\r\n") == b"a OK IDLE ended\r\nb OK NOOP completed\r\n"


@pytest.mark.parametrize("step", [0, 1])
def test_idle_and_done_in_one(anywhere: Server, step: int) -> None:
    """A client that does not wait for leave is served all the same."""
    client = anywhere.client(select="INBOX")
    client.step = step
    assert client.send(b"a IDLE\r\nDONE\r\nb NOOP\r\n") == (
        b"+ idling\r\na OK IDLE ended\r\nb OK NOOP completed\r\n"
    )


@pytest.mark.parametrize("line", [b"NOOP", b"b NOOP", b"", b"DONE DONE", b"\xff"])
def test_idle_ends_otherwise(anywhere: Server, line: bytes) -> None:
    """Anything but DONE ends it with BAD, and is no command."""
    client = anywhere.client(select="INBOX")
    client.do("IDLE")
    assert client.send(line + b"\r\n") == b"a BAD IDLE ends with DONE\r\n"
    same(client.do("NOOP"), "a OK NOOP completed")


def test_idle_not_before_login(server: Server) -> None:
    """A stranger does not idle."""
    same(server.connect().do("IDLE"), "a BAD IDLE is not for this state")


def test_idle_tells_what_was_missed(anywhere: Server) -> None:
    """What happened just before IDLE is told when it begins."""
    client, other = anywhere.client(select="INBOX"), anywhere.client()
    other.append(letter())
    same(client.do("IDLE"), "+ idling", "* 1 EXISTS", "* 1 RECENT")
    client.send(b"DONE\r\n")


def test_idle_of_a_client_that_does_not_read(server: Server) -> None:
    """News wait while a client that idles does not read; what is told in the end is right."""
    client, other = server.client(select="INBOX"), server.client().fill(200).select()
    client.do("NOOP")
    client.do("IDLE")
    client.stop_reading()
    for number in range(300):
        other.ok(f"STORE 1:200 {'+-'[number % 2]}FLAGS.SILENT (\\Seen)")
    assert len(client.transport.out) < 400_000
    other.ok("STORE 1:199 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    answer = client.read_on()
    assert b"\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 200 " in answer
    same(client.send(b"DONE\r\n"), "a OK IDLE ended")
    same(
        client.do("FETCH 1 (UID FLAGS)"),
        "* 1 FETCH (UID 200 FLAGS ({{*}}))",
        "a OK FETCH completed",
    )


def test_hanging_up_while_idle(server: Server) -> None:
    """A connection that breaks while idle is no failure, whoever changes what then."""
    client, other = server.client(select="INBOX"), server.client()
    client.do("IDLE")
    client.hang_up()
    other.fill(2)
