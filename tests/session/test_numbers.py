"""Sequence numbers belong to a session: what one client does, another hears when it may."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server, letter, same


@pytest.fixture
def pair(anywhere: Server) -> tuple[Dialogue, Dialogue]:
    """Two sessions that have selected a mailbox of four messages."""
    first = anywhere.client().fill(4).select()
    return first, anywhere.client(select="INBOX")


_Pair = tuple[Dialogue, Dialogue]


def _remove(client: Dialogue, *uids: int) -> None:
    numbers = ",".join(map(str, uids))
    client.ok(f"UID STORE {numbers} +FLAGS.SILENT (\\Deleted)")
    client.ok(f"UID EXPUNGE {numbers}")


def test_expunge_is_told_when_it_may_be(pair: _Pair) -> None:
    """During FETCH, STORE and SEARCH by number nothing is told to be gone; at NOOP it is."""
    one, other = pair
    _remove(other, 2)
    same(
        one.do("FETCH 3 UID"),
        "* 3 FETCH (UID 3)",
        "a OK FETCH completed",
    )
    same(
        one.do("STORE 4 +FLAGS (\\Flagged)"),
        "* 4 FETCH (FLAGS (\\Flagged \\Recent))",
        "a OK STORE completed",
    )
    same(one.do("SEARCH UID 3"), "* SEARCH 3", "a OK SEARCH completed")
    same(one.do("NOOP"), "* 2 EXPUNGE", "a OK NOOP completed")
    same(one.do("FETCH 3 UID"), "* 3 FETCH (UID 4)", "a OK FETCH completed")


@pytest.mark.parametrize(
    "command", ["UID FETCH 1 UID", "UID STORE 1 FLAGS.SILENT (\\Seen)", "CHECK", "NOOP",
                "STATUS other (MESSAGES)", "EXPUNGE", "COPY 1 other", "UID SEARCH UID 1"]
)  # fmt: skip
def test_commands_that_tell_of_the_gone(pair: _Pair, command: str) -> None:
    """Commands without sequence numbers in them, and others that may, tell what is gone."""
    one, other = pair
    one.ok("CREATE other")
    _remove(other, 2, 4)
    assert b"* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n" in one.ok(command)


def test_numbers_stay_until_told(pair: _Pair) -> None:
    """A client's numbers mean what they meant when it was told last."""
    one, other = pair
    _remove(other, 1, 2)
    same(one.do("STORE 3:4 FLAGS (\\Seen)"), "* 3 FETCH (FLAGS (\\Seen \\Recent))",
         "* 4 FETCH (FLAGS (\\Seen \\Recent))", "a OK STORE completed")  # fmt: skip
    same(one.do("NOOP"), "* 2 EXPUNGE", "* 1 EXPUNGE", "a OK NOOP completed")
    same(one.do("FETCH 1:* (UID FLAGS)"), "* 1 FETCH (UID 3 FLAGS (\\Seen \\Recent))",
         "* 2 FETCH (UID 4 FLAGS (\\Seen \\Recent))", "a OK FETCH completed")  # fmt: skip


def test_new_messages_do_not_move_numbers(pair: _Pair) -> None:
    """What is gone and what is new come in an order in which both make sense."""
    one, other = pair
    _remove(other, 1)
    other.append(letter("new"))
    same(
        one.do("FETCH 1:* UID"),
        "* 1 FETCH (UID 1)",
        "* 2 FETCH (UID 2)",
        "* 3 FETCH (UID 3)",
        "* 4 FETCH (UID 4)",
        "a OK FETCH completed",
    )
    same(
        one.do("NOOP"),
        "* 1 EXPUNGE",
        "* 4 EXISTS",
        "* {{recent}} RECENT",
        "a OK NOOP completed",
    )


def test_new_messages_are_told_during_fetch(pair: _Pair) -> None:
    """That messages have come may be told at any time."""
    one, other = pair
    other.append(letter("new"))
    answer = one.do("FETCH 1 UID")
    assert answer.startswith(b"* 1 FETCH (UID 1)\r\n* 5 EXISTS\r\n")


def test_flags_are_told(pair: _Pair) -> None:
    """Flags that another session changed are told with the next answer, once."""
    one, other = pair
    other.ok("STORE 2 +FLAGS (\\Answered)")
    same(
        one.do("NOOP"),
        "* 2 FETCH (UID 2 FLAGS (\\Answered \\Recent))",
        "a OK NOOP completed",
    )
    same(one.do("NOOP"), "a OK NOOP completed")
    same(other.do("NOOP"), "a OK NOOP completed")


def test_own_flags_are_not_told_twice(pair: _Pair) -> None:
    """A client's own STORE answers it once; with .SILENT not at all."""
    one, _ = pair
    same(
        one.do("STORE 1 FLAGS (\\Seen)"),
        "* 1 FETCH (FLAGS (\\Seen \\Recent))",
        "a OK STORE completed",
    )
    same(one.do("STORE 1 FLAGS.SILENT (\\Flagged)"), "a OK STORE completed")
    same(one.do("NOOP"), "a OK NOOP completed")


def test_silent_does_not_hide_others_changes(pair: _Pair) -> None:
    """A STORE that changes nothing does not swallow what another session changed."""
    one, other = pair
    other.ok("STORE 1 +FLAGS (\\Flagged)")
    same(
        one.do("STORE 1 +FLAGS.SILENT (\\Flagged)"),
        "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))",
        "a OK STORE completed",
    )


def test_keywords_are_announced(pair: _Pair) -> None:
    """A keyword that another session made up is in FLAGS before the first FETCH that has it."""
    one, other = pair
    other.ok("STORE 1 +FLAGS ($Work)")
    same(
        one.do("FETCH 1 FLAGS"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)",
        "* 1 FETCH (FLAGS (\\Recent $Work))",
        "* 1 FETCH (UID 1 FLAGS (\\Recent $Work))",
        "a OK FETCH completed",
    )


def test_vanished_bodies(pair: _Pair) -> None:
    """A message expunged elsewhere has NIL for its octets, never an empty literal, and a code says why."""
    one, other = pair
    _remove(other, 2)
    same(
        one.do("FETCH 2 (UID BODY[])"),
        "* 2 FETCH (UID 2 BODY[] NIL)",
        "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
    )
    same(
        one.do("FETCH 2 (UID BODY.PEEK[HEADER] BODY.PEEK[TEXT]<0.5>)"),
        "* 2 FETCH (UID 2 BODY[HEADER] NIL BODY[TEXT]<0> NIL)",
        "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
    )


@pytest.mark.parametrize(
    ("item", "value"),
    [("RFC822", "RFC822 NIL"), ("RFC822.TEXT", "RFC822.TEXT NIL"), ("RFC822.HEADER", "RFC822.HEADER NIL"),
     ("BINARY.PEEK[1]", "BINARY[1] NIL"), ("BODY[1.MIME]", "BODY[1.MIME] NIL")],
)  # fmt: skip
def test_vanished_items(pair: _Pair, item: str, value: str) -> None:
    """Every item that may be NIL is; with and without items that a column would answer."""
    one, other = pair
    _remove(other, 2)
    for others in ("UID", "UID ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE"):
        same(
            one.do(f"FETCH 2 ({others} {item})"),
            f"* 2 FETCH (UID 2 {value})",
            "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
        )


@pytest.mark.parametrize(
    "item", ["BODY", "BINARY.SIZE[1]", "ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE"]
)
def test_vanished_items_that_cannot_be_nil(pair: _Pair, item: str) -> None:
    """Items that the grammar has no NIL for are left out."""
    one, other = pair
    _remove(other, 2)
    same(
        one.do(f"FETCH 2 (UID {item})"),
        "* 2 FETCH (UID 2)",
        "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
    )
    answer = one.do(f"FETCH 1:3 ({item})")
    assert answer.count(b" FETCH (") == 2


def test_vanished_among_others(pair: _Pair) -> None:
    """The messages that are still there are fetched under their own numbers."""
    one, other = pair
    _remove(other, 2)
    same(
        one.do("FETCH 1:3 (UID BODY.PEEK[HEADER.FIELDS (Subject)])"),
        "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (Subject)] {14}",
        "Subject: 1",
        "",
        ")",
        "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (Subject)] NIL)",
        "* 3 FETCH (UID 3 BODY[HEADER.FIELDS (Subject)] {14}",
        "Subject: 3",
        "",
        ")",
        "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
    )


def test_store_on_vanished(pair: _Pair) -> None:
    """A STORE on what is gone says so."""
    one, other = pair
    _remove(other, 2)
    assert one.do("STORE 2 +FLAGS.SILENT (\\Seen)") == (
        b"a OK [EXPUNGEISSUED] Some of the messages no longer exist\r\n"
    )


def test_copy_of_vanished(pair: _Pair) -> None:
    """A COPY of what is gone copies nothing, and says so."""
    one, other = pair
    one.ok("CREATE other")
    _remove(other, 2)
    same(
        one.do("COPY 2 other"),
        "* 2 EXPUNGE",
        "a OK [EXPUNGEISSUED] None of the messages exists any more",
    )


def test_idle_tells(pair: _Pair) -> None:
    """A client that idles is told at once of new, changed and expunged messages."""
    one, other = pair
    assert one.do("IDLE") == b"+ idling\r\n"
    other.append(letter("new"))
    assert one.read().startswith(b"* 5 EXISTS\r\n")
    other.ok("STORE 1 +FLAGS (\\Seen)")
    same(one.read(), "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))")
    _remove(other, 2)
    assert one.read().endswith(b"* 2 EXPUNGE\r\n")
    assert one.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"
    same(one.do("FETCH 2 UID"), "* 2 FETCH (UID 3)", "a OK FETCH completed")


def test_move_is_seen_by_others(pair: _Pair) -> None:
    """Both mailboxes' watchers hear of a MOVE."""
    one, other = pair
    one.ok("CREATE other")
    third = one._server.client(select="other")
    third.do("IDLE")
    other.ok("MOVE 2:3 other")
    assert third.read().startswith(b"* 2 EXISTS\r\n")
    same(one.do("NOOP"), "* 3 EXPUNGE", "* 2 EXPUNGE", "a OK NOOP completed")
    third.send(b"DONE\r\n")


def test_a_deleted_mailbox(pair: _Pair) -> None:
    """When its mailbox is deleted, a session sees the messages go, and can leave."""
    one, other = pair
    one.ok("CREATE box")
    one.fill(2, "box").select("box")
    other.ok("DELETE box")
    same(one.do("NOOP"), "* 2 EXPUNGE", "* 1 EXPUNGE", "a OK NOOP completed")
    same(one.do("FETCH 1 UID"), "a BAD There is no message of that number")
    same(one.do("UID FETCH 1:* (UID ENVELOPE)"), "a OK UID FETCH completed")
    same(one.do("CLOSE"), "a OK CLOSE completed")
    same(one.do("SELECT box"), "a NO [NONEXISTENT] {{*}}")


@pytest.mark.parametrize("command", ["CLOSE", "UNSELECT", "SELECT INBOX", "EXAMINE INBOX"])
def test_leaving_a_deleted_mailbox(pair: _Pair, command: str) -> None:
    """A session can always leave a mailbox that is no more, also before it knows."""
    one, other = pair
    one.ok("CREATE box")
    one.fill(2, "box").select("box").ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("DELETE box")
    assert b"\r\na OK " in b"\r\n" + one.do(command)
    assert one.do("NOOP").endswith(b"a OK NOOP completed\r\n")


@pytest.mark.parametrize(
    "command",
    ["FETCH 1 BODY[]", "FETCH 1 ENVELOPE", "STORE 1 +FLAGS (\\Seen)", "COPY 1 INBOX", "MOVE 1 INBOX",
     "EXPUNGE", "SEARCH BODY x", "UID EXPUNGE 1", "FETCH 1 FLAGS", "SEARCH ALL", "NOOP"],
)  # fmt: skip
def test_commands_in_a_deleted_mailbox(pair: _Pair, command: str) -> None:
    """In a mailbox that was deleted under a session nothing breaks."""
    one, other = pair
    one.ok("CREATE box")
    one.fill(2, "box").select("box").ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("DELETE box")
    answer = one.do(command)
    assert b"SERVERBUG" not in answer
    assert b"a BAD" not in answer
    assert one.do("NOOP").endswith(b"a OK NOOP completed\r\n")


def test_idling_in_a_mailbox_that_is_deleted(pair: _Pair) -> None:
    """A client that idles hears at once that its messages are gone."""
    one, other = pair
    one.ok("CREATE box")
    one.fill(2, "box").select("box").do("IDLE")
    other.ok("DELETE box")
    assert one.read() == b"* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"
    assert one.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"


def test_a_renamed_mailbox(pair: _Pair) -> None:
    """A mailbox that is renamed under a session stays selected."""
    one, other = pair
    one.ok("CREATE box")
    one.fill(2, "box").select("box")
    other.ok("RENAME box chest")
    same(one.do("FETCH 2 UID"), "* 2 FETCH (UID 2)", "a OK FETCH completed")
    other.append(letter("new"), mailbox="chest")
    assert one.do("NOOP").startswith(b"* 3 EXISTS\r\n")


def test_users_are_apart(anywhere: Server) -> None:
    """One user sees nothing of another's mail."""
    alice, bob = anywhere.client("alice"), anywhere.client("bob")
    alice.fill(3).ok("CREATE secret")
    alice.select()
    bob.select()
    bob.do("IDLE")
    alice.append(letter("new"))
    alice.ok("STORE 1 +FLAGS (\\Deleted)")
    alice.ok("EXPUNGE")
    assert bob.read() == b""
    assert bob.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"
    same(bob.do("STATUS INBOX (MESSAGES)"), "* STATUS INBOX (MESSAGES 0)", "a OK STATUS completed")
    same(bob.do("SELECT secret"), "a NO [NONEXISTENT] {{*}}")
    assert b"secret" not in bob.do('LIST "" *')


@pytest.mark.parametrize("items", ["UID FLAGS", "UID RFC822.SIZE", "UID BODY.PEEK[HEADER]<0.4>"])
@pytest.mark.parametrize("asked", ["2,4,6", "1,3:70,72,80", "5:9,80,11:79"])
def test_here_and_there(anywhere: Server, items: str, asked: str) -> None:
    """Messages that are no neighbours have the rows that they have among all, in their order."""
    client = anywhere.client().fill(80).select()
    every = client.do(f"FETCH 1:* ({items})").splitlines(keepends=True)
    each = len(every[:-1]) // 80
    rows = [b"".join(every[at : at + each]) for at in range(0, 80 * each, each)]
    named = sorted(
        number
        for part in asked.split(",")
        for number in range(int(part.split(":")[0]), int(part.split(":")[-1]) + 1)
    )
    answer = client.do(f"FETCH {asked} ({items})")
    assert answer == b"".join(rows[number - 1] for number in named) + b"a OK FETCH completed\r\n"


def test_vanished_here_and_there(anywhere: Server) -> None:
    """Of messages that are no neighbours some were expunged elsewhere: the others have their rows."""
    one = anywhere.client().fill(80).select()
    other = anywhere.client(select="INBOX")
    rows = one.command("FETCH 1:80 (UID RFC822.SIZE)")
    _remove(other, 1, 5, 9, 40)
    for asked in ((1, 5, 7), (3, 5, 7, 9), (2, 9)):
        same(
            one.do(f"FETCH {','.join(map(str, asked))} (UID RFC822.SIZE)"),
            *(
                f"* {number} FETCH (UID {number})" if number in (1, 5, 9) else rows[number - 1]
                for number in asked
            ),
            "a OK [EXPUNGEISSUED] Some of the messages no longer exist",
        )
