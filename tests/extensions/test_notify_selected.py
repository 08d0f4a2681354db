"""What NOTIFY tells of the selected mailbox (RFC 5465, 3.1, 5.1 to 5.3 and 6.1)."""

from __future__ import annotations

import pytest

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, letter, same

_ALL = "MessageNew MessageExpunge FlagChange"


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client with three messages in INBOX, selected."""
    return anywhere.login(enable="IMAP4rev2").fill(3).select()


@pytest.fixture
def bob(anywhere: Server, alice: Dialogue) -> Dialogue:
    """Another session of hers."""
    del alice
    return anywhere.client(select="INBOX")


def test_new_messages(alice: Dialogue, bob: Dialogue) -> None:
    """A new message is told by EXISTS at once (5.2)."""
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.fill(1)
    assert alice.read() == b"* 4 EXISTS\r\n"


def test_new_messages_with_what_fetch_tells(alice: Dialogue, bob: Dialogue) -> None:
    """Behind EXISTS comes what was asked for of new messages; once for several (5.2)."""
    alice.ok("NOTIFY SET (selected (MessageNew (UID FLAGS RFC822.SIZE UID) MessageExpunge))")
    bob.append(letter("x", "y"), flags="\\Seen $New")
    same(
        alice.read(),
        "* 4 EXISTS",
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $New)",
        "* 4 FETCH (UID 4 FLAGS (\\Seen $New) RFC822.SIZE 48)",
    )
    bob.ok("COPY 1:2 INBOX")
    same(
        alice.read(),
        "* 6 EXISTS",
        "* 5 FETCH (UID 5 FLAGS () RFC822.SIZE 55)",
        "* 6 FETCH (UID 6 FLAGS () RFC822.SIZE 55)",
    )


def test_more_new_messages_than_one_command_works_on() -> None:
    """Each new message is told, also where commands work on no more than 1,000 (RFC 9738)."""
    server = Server(limits=Limits(messages=1_000))
    client, other = server.client(), server.client()
    other.fill(600, "INBOX").select("INBOX")
    client.select("INBOX")
    client.ok("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
    assert client.send(b"a APPEND INBOX {4}\r\n").startswith(b"+ ")
    other.ok("COPY 1:600 INBOX")
    other.ok("COPY 1:600 INBOX")
    told = client.send(b"test\r\n")
    assert told.count(b" EXISTS\r\n") == 1
    assert told.count(b" FETCH (UID ") == 1_200


def test_fetch_of_a_header(alice: Dialogue, bob: Dialogue) -> None:
    """Octets can be asked for as well, and come as literals (3.1)."""
    alice.ok(
        "NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge))"
    )
    bob.append(letter("hello"))
    same(
        alice.read(),
        "* 4 EXISTS",
        "* 4 FETCH (UID 4 BODY[HEADER.FIELDS (Subject)] {18}",
        "Subject: hello",
        "",
        ")",
    )


def test_two_pieces_of_one_part(alice: Dialogue, bob: Dialogue) -> None:
    """They are two items, as in FETCH (RFC 9051, 6.4.5.1)."""
    alice.ok(
        "NOTIFY SET (selected (MessageNew (BODY.PEEK[]<0.3> BODY.PEEK[]<3.4>) MessageExpunge))"
    )
    bob.append(b"Subject: hello\r\n\r\n")
    same(alice.read(), "* 4 EXISTS", "* 4 FETCH (BODY[]<0> {3}", "Sub BODY[]<3> {4}", "ject)")


def test_own_messages(alice: Dialogue, bob: Dialogue) -> None:
    """Of messages that the client itself put there no FETCH is told (5.2)."""
    alice.ok("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
    assert alice.ok("APPEND INBOX", letter()).endswith(b"* 4 EXISTS\r\n")
    assert alice.ok("COPY 1 INBOX") == b"* 5 EXISTS\r\n"
    bob.fill(1)
    same(alice.read(), "* 6 EXISTS", "* 6 FETCH (UID 6)")


def test_expunge_at_once(alice: Dialogue, bob: Dialogue) -> None:
    """With SELECTED, messages that went are told at once (6.1.1)."""
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.ok("STORE 2 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    assert alice.read() == b"* 2 EXPUNGE\r\n"


def test_expunge_with_qresync(alice: Dialogue, bob: Dialogue) -> None:
    """With QRESYNC, by VANISHED (5.3)."""
    alice.ok("ENABLE QRESYNC")
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.ok("STORE 2 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    assert alice.read() == b"* VANISHED 2\r\n"


def test_expunge_delayed(alice: Dialogue, bob: Dialogue) -> None:
    """With SELECTED-DELAYED, messages that went wait for a command that may tell it (6.1.2)."""
    alice.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
    bob.fill(1)
    assert alice.read() == b"* 4 EXISTS\r\n"
    bob.ok("STORE 2 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    assert alice.read() == b""
    assert alice.ok("FETCH 3 UID") == b"* 3 FETCH (UID 3)\r\n"
    assert alice.ok("NOOP") == b"* 2 EXPUNGE\r\n"


def test_expunge_delayed_in_idle(alice: Dialogue, bob: Dialogue) -> None:
    """IDLE is such a command (6.1.2)."""
    alice.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
    alice.send(b"a IDLE\r\n")
    bob.ok("STORE 2 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    assert alice.read() == b"* 2 EXPUNGE\r\n"


def test_expunge_and_numbers(alice: Dialogue, bob: Dialogue) -> None:
    """Also with SELECTED none is told while a command by numbers runs, but right behind it."""
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.ok("STORE 2 +FLAGS (\\Deleted)")
    view = alice.protocol.session.selected
    # Nobody says anything, as it may be.
    view.image.watchers.clear()
    bob.ok("EXPUNGE")
    same(
        alice.do("FETCH 3 UID"),
        "* 3 FETCH (UID 3)",
        "a OK FETCH completed",
        "* 2 EXPUNGE",
    )


def test_flags(alice: Dialogue, bob: Dialogue) -> None:
    """Flags that changed are told at once by FETCH, with UID and FLAGS, new keywords before (5.1)."""
    alice.ok(f"NOTIFY SET (selected ({_ALL}))")
    bob.ok("STORE 2 +FLAGS ($Junk)")
    same(
        alice.read(),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Junk)",
        "* 2 FETCH (UID 2 FLAGS ($Junk))",
    )


def test_flags_with_condstore(alice: Dialogue, bob: Dialogue) -> None:
    """With CONDSTORE, MODSEQ is among it."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok(f"NOTIFY SET (selected ({_ALL}))")
    bob.ok("STORE 2 +FLAGS (\\Seen)")
    same(alice.read(), "* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ ({{*}}))")


def test_uidonly(alice: Dialogue, bob: Dialogue) -> None:
    """With UIDONLY there are no numbers in any of it (RFC 9586, 3)."""
    alice.ok("ENABLE UIDONLY")
    alice.ok("NOTIFY SET (selected (MessageNew (RFC822.SIZE) MessageExpunge FlagChange))")
    bob.ok("STORE 1:2 +FLAGS (\\Deleted)")
    same(
        alice.read(),
        "* 1 UIDFETCH (FLAGS (\\Deleted))",
        "* 2 UIDFETCH (FLAGS (\\Deleted))",
    )
    bob.ok("EXPUNGE")
    bob.append(letter("x", "y"))
    same(
        alice.read(),
        "* VANISHED 1:2",
        "* 2 EXISTS",
        "* 4 UIDFETCH (RFC822.SIZE 48)",
    )


def test_modseq_switches_condstore_on(alice: Dialogue, bob: Dialogue) -> None:
    """MODSEQ of new messages is a use of CONDSTORE like any other (RFC 7162, 3.1)."""
    alice.ok("NOTIFY SET (selected (MessageNew (MODSEQ) MessageExpunge FlagChange))")
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    same(alice.read(), "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ ({{*}}))")


def test_no_flags(alice: Dialogue, bob: Dialogue) -> None:
    """Who did not ask for FlagChange is not told of flags, whatever it does (5)."""
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.ok("STORE 2 +FLAGS (\\Seen)")
    assert alice.read() == b""
    assert alice.ok("NOOP") == b""
    alice.send(b"a IDLE\r\n")
    bob.ok("STORE 2 +FLAGS (\\Flagged)")
    assert alice.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"


def test_accumulated_changes(alice: Dialogue, bob: Dialogue) -> None:
    """NOTIFY SET tells at once all that has not been told, also what was not wanted before (3.1)."""
    bob.fill(1)
    assert alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))") == b"* 4 EXISTS\r\n"
    bob.ok("STORE 2 +FLAGS (\\Seen)")
    assert alice.ok("NOOP") == b""
    assert alice.ok("NOTIFY SET (selected NONE)") == b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"
    bob.ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    bob.fill(1)
    assert alice.ok("NOOP") == b""
    same(
        alice.do("NOTIFY SET (personal (MailboxName))"),
        "* 1 EXPUNGE",
        "* 4 EXISTS",
        "a OK NOTIFY completed",
    )


@pytest.mark.parametrize("how", ["SET (selected NONE)", "SET (personal (MailboxName))", "NONE"])
def test_a_snapshot(alice: Dialogue, bob: Dialogue, how: str) -> None:
    """Without SELECTED, or with NONE, the mailbox stands still for the client (3.1, 5)."""
    alice.ok(f"NOTIFY {how}")
    bob.ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    bob.fill(2)
    assert alice.read() == b""
    for command in ("NOOP", "CHECK"):
        assert alice.ok(command) == b""
    assert alice.send(b"a IDLE\r\n") == b"+ idling\r\n"
    bob.fill(1)
    assert alice.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"
    assert alice.ok("FETCH 2:3 UID") == b"* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n"
    assert alice.do("FETCH 4 UID").startswith(b"a BAD ")
    assert b"* 5 EXISTS\r\n" in alice.ok("SELECT INBOX")


def test_results_of_own_commands(alice: Dialogue) -> None:
    """What the client's own commands do is their result, and told whatever was asked for (3)."""
    alice.ok("NOTIFY NONE")
    assert alice.ok("STORE 1 +FLAGS (\\Deleted)") == b"* 1 FETCH (FLAGS (\\Deleted))\r\n"
    assert alice.ok("EXPUNGE") == b"* 1 EXPUNGE\r\n"
    alice.ok("CREATE misc")
    assert alice.ok("MOVE 1 misc").endswith(b"\r\n* 1 EXPUNGE\r\n")
    assert alice.ok("FETCH 1 UID") == b"* 1 FETCH (UID 3)\r\n"


def test_recent(anywhere: Server, bob: Dialogue) -> None:
    r"""A client of IMAP4rev1 is told of \Recent as ever (5.2)."""
    client = anywhere.client(select="INBOX")
    client.ok("NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge))")
    bob.append(letter(), mailbox="INBOX")
    told = client.read() + client.ok("NOOP")
    assert told.startswith(b"* 4 EXISTS\r\n* ")
    assert b"* 4 FETCH (FLAGS (" in told


def test_before_and_after_select(alice: Dialogue, bob: Dialogue) -> None:
    """It means whichever mailbox is selected when something happens, and none where none is (6.1)."""
    alice.ok("UNSELECT")
    alice.ok("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
    bob.fill(1)
    assert alice.read() == b""
    alice.ok("CREATE misc")
    alice.select("misc")
    bob.fill(1, "misc")
    same(alice.read(), "* 1 EXISTS", "* 1 FETCH (UID 1)")


def test_a_deleted_mailbox(alice: Dialogue, bob: Dialogue) -> None:
    """When the selected mailbox is deleted, its messages are gone."""
    alice.ok("CREATE misc")
    alice.fill(1, "misc").select("misc")
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.ok("DELETE misc")
    assert alice.read() == b"* 1 EXPUNGE\r\n"


def test_one_row_with_a_search_context(alice: Dialogue, bob: Dialogue) -> None:
    """What NOTIFY and SEARCH tell of a new message is in one FETCH (5.2)."""
    alice.ok("NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge))")
    alice.ok("UID SEARCH RETURN (UPDATE (RFC822.SIZE FLAGS)) FLAGGED")
    bob.append(letter("x", "y"), flags="\\Flagged")
    same(
        alice.read(),
        "* 4 EXISTS",
        "* 4 FETCH (RFC822.SIZE 48 FLAGS (\\Flagged) UID 4)",
        '* ESEARCH (TAG "a") UID ADDTO (0 4)',
    )
    bob.append(letter("x", "y"))
    same(alice.read(), "* 5 EXISTS", "* 5 FETCH (UID 5 FLAGS ())")
    alice.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    bob.append(letter("x", "y"), flags="\\Flagged")
    told = alice.read()
    assert told.count(b" FETCH ") == 1
    assert b"RFC822.SIZE 48" in told


def test_refused_after_a_snapshot() -> None:
    """Only a NOTIFY that succeeds tells what has happened meanwhile (3.1)."""
    server = Server(limits=Limits(notify_mailboxes=2))
    client, other = server.client(select="INBOX"), server.client()
    other.commands(["CREATE a", "CREATE b"])
    client.ok("NOTIFY NONE")
    other.fill(1, "INBOX")
    same(
        client.do("NOTIFY SET (personal (MessageNew MessageExpunge))"),
        "a NO [NOTIFICATIONOVERFLOW] Those are too many mailboxes",
    )
    assert client.ok("NOTIFY SET (selected NONE)").startswith(b"* 1 EXISTS\r\n")
