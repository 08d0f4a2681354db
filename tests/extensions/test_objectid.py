"""OBJECTID as a client sees it (RFC 8474)."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from zope.interface import Interface

from imapd.dialect import Dialect
from imapd.extensions import objectid
from imapd.extensions.objectid import mailbox_id
from imapd.model.message import THREAD_ID
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server, letter
from tests.sharing.houses import ALICES, opened_up


class _INothing(Interface):
    """Nobody provides it."""


def _letter(own: str = "", *others: str, reply_to: str = "") -> bytes:
    headers = [f"Message-ID: <{own}@example.com>"] if own else []
    if others:
        headers.append("References: " + "\r\n ".join(f"<{other}@example.com>" for other in others))
    if reply_to:
        headers.append(f"In-Reply-To: <{reply_to}@example.com> (of yesterday)")
    return letter("hello", "Hello.\r\n", *headers)


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected an empty mailbox."""
    return anywhere.client(select="INBOX")


def _ids(client: Dialogue, item: str) -> list[str]:
    """What FETCH says of all messages."""
    answer = client.ok(f"FETCH 1:* {item}").decode("ascii").splitlines()
    found = [re.fullmatch(rf"\* \d+ FETCH \({item} (\([A-Za-z0-9_-]+\)|NIL)\)", line)
             for line in answer]  # fmt: skip
    assert all(found), answer
    return [match[1].strip("()") for match in found if match]


def _mailbox_id(client: Dialogue, name: str) -> str:
    """What STATUS says."""
    match = re.fullmatch(
        rf"\* STATUS {name} \(MAILBOXID \(([A-Za-z0-9_-]{{1,255}})\)\)\r\n",
        client.ok(f"STATUS {name} (MAILBOXID)").decode("ascii"),
    )
    assert match is not None
    return match[1]


def test_capability(alice: Dialogue) -> None:
    """It is advertised (3)."""
    assert "OBJECTID" in alice.command("CAPABILITY")[0].split(" ")


# Mailboxes.


def test_create(alice: Dialogue) -> None:
    """CREATE tells the id of the mailbox, and STATUS the same (4.1, 4.3)."""
    created = alice.command("CREATE foo")[-1]
    assert created == f"a OK [MAILBOXID ({_mailbox_id(alice, 'foo')})] CREATE completed"


@pytest.mark.parametrize("command", ["SELECT", "EXAMINE"])
def test_select(alice: Dialogue, command: str) -> None:
    """SELECT and EXAMINE tell it in an untagged OK (4.2)."""
    told = f"* OK [MAILBOXID ({_mailbox_id(alice, 'INBOX')})] "
    lines = alice.command(f"{command} INBOX")
    assert sum(line.startswith(told) for line in lines[:-1]) == 1


def test_mailboxes_differ(alice: Dialogue) -> None:
    """Each mailbox has an id of its own, that begins with a letter (4, 8.1)."""
    alice.commands(["CREATE foo", "CREATE bar"])
    found = [_mailbox_id(alice, name) for name in ("INBOX", "foo", "bar")]
    assert len(set(found)) == 3
    assert all(each[0].isalpha() for each in found)


def test_rename(alice: Dialogue) -> None:
    """A mailbox keeps its id under another name, and so do those below it (4)."""
    alice.commands(["CREATE foo/below"])
    before = _mailbox_id(alice, "foo"), _mailbox_id(alice, "foo/below")
    alice.commands(["RENAME foo renamed"])
    assert (_mailbox_id(alice, "renamed"), _mailbox_id(alice, "renamed/below")) == before


def test_rename_inbox(alice: Dialogue) -> None:
    """RENAME INBOX makes a new mailbox; the messages keep their ids (4, 8.2)."""
    alice.append(_letter("one"))
    alice.ok("NOOP")
    before, emails = _mailbox_id(alice, "INBOX"), _ids(alice, "EMAILID")
    alice.commands(["RENAME INBOX old"])
    assert _mailbox_id(alice, "INBOX") == before != _mailbox_id(alice, "old")
    assert _ids(alice.select("old"), "EMAILID") == emails


def test_made_again(alice: Dialogue) -> None:
    """A name that is used again is another mailbox (4)."""
    alice.commands(["CREATE foo"])
    before = _mailbox_id(alice, "foo")
    alice.commands(["DELETE foo", "CREATE foo"])
    assert _mailbox_id(alice, "foo") != before


def test_list_status(alice: Dialogue) -> None:
    """LIST tells it of many mailboxes (4.3)."""
    alice.commands(["CREATE bar"])
    assert alice.command('LIST "" * RETURN (STATUS (MAILBOXID MESSAGES))')[:-1] == [
        '* LIST (\\HasNoChildren) "/" INBOX',
        f"* STATUS INBOX (MAILBOXID ({_mailbox_id(alice, 'INBOX')}) MESSAGES 0)",
        '* LIST (\\HasNoChildren) "/" bar',
        f"* STATUS bar (MAILBOXID ({_mailbox_id(alice, 'bar')}) MESSAGES 0)",
    ]


@pytest.mark.parametrize("id", ["x" * 201, "a b", "Grüße", "", "(F)", "\ud800"])
def test_any_id(id: str) -> None:
    """Whatever a store calls its mailboxes, the id is of the form that clients expect (7)."""
    assert re.fullmatch(rb"\(G[0-9a-f]{64}\)", mailbox_id(id))
    assert mailbox_id(id) != mailbox_id(id + "x")


# Messages.


def test_emails_differ(alice: Dialogue) -> None:
    """Each message that is appended has an id of its own (5.1)."""
    alice.append(_letter("one"), _letter("one"), _letter("two")).select()
    assert len(set(_ids(alice, "EMAILID"))) == 3


def test_copy(alice: Dialogue) -> None:
    """A copy has both ids of its source, with other flags too, also if nobody asked before (5.1, 5.2)."""
    alice.append(_letter(), _letter("two")).select()
    alice.commands(["CREATE foo", "COPY 1:2 foo", "STORE 1 FLAGS (\\Seen)"])
    emails, threads = _ids(alice, "EMAILID"), _ids(alice, "THREADID")
    alice.select("foo")
    assert (_ids(alice, "EMAILID"), _ids(alice, "THREADID")) == (emails, threads)


def test_move(alice: Dialogue) -> None:
    """So has a message that was moved (5.1)."""
    alice.append(_letter("one"), _letter("two")).select()
    before = _ids(alice, "EMAILID"), _ids(alice, "THREADID")
    alice.commands(["CREATE foo", "MOVE 1:2 foo"])
    alice.select("foo")
    assert (_ids(alice, "EMAILID"), _ids(alice, "THREADID")) == before


def test_the_same_for_all(anywhere: Server, alice: Dialogue) -> None:
    """Other sessions are told the same ids, and so is a later one."""
    alice.append(_letter("one"), _letter("two", "one")).select()
    other = anywhere.client(select="INBOX")
    threads = _ids(other, "THREADID")
    assert (_ids(alice, "EMAILID"), _ids(alice, "THREADID")) == (_ids(other, "EMAILID"), threads)
    assert _ids(anywhere.client(select="INBOX"), "THREADID") == threads


# Threads.


def test_threads(alice: Dialogue) -> None:
    """Messages that refer to each other are of one thread, in other mailboxes too; others not (5.2)."""
    alice.commands(["CREATE sent"])
    alice.append(_letter("a"), _letter("b", "a"), _letter("x")).select()
    alice.append(_letter("c", "a", "b"), _letter("d", reply_to="c"), _letter(), mailbox="sent")
    first, second, alone = _ids(alice, "THREADID")
    assert first == second != alone
    third, fourth, nameless = _ids(alice.select("sent"), "THREADID")
    assert (third, fourth) == (first, first)
    assert nameless not in (first, alone)


def test_the_answer_is_asked_for_first(alice: Dialogue) -> None:
    """The order in which messages come, and are asked for, makes no difference."""
    alice.append(_letter("c", "a", "b"), _letter("b", "a"), _letter("a")).select()
    alice.ok("FETCH 1 THREADID")
    assert len(set(_ids(alice, "THREADID"))) == 1


def test_a_thread_stays(alice: Dialogue) -> None:
    """A message that belongs to two threads leaves them as they were (5.2: MUST NOT change)."""
    alice.append(_letter("a"), _letter("b")).select()
    before = _ids(alice, "THREADID")
    alice.append(_letter("c", "a", "b"))
    alice.ok("NOOP")
    after = _ids(alice, "THREADID")
    assert after[:2] == before
    assert after[2] in before


def test_threads_are_no_emails(alice: Dialogue) -> None:
    """No id is both an EMAILID and a THREADID (5.2)."""
    alice.append(_letter("a"), _letter()).select()
    assert not set(_ids(alice, "EMAILID")) & set(_ids(alice, "THREADID"))


def test_users_are_apart(anywhere: Server, alice: Dialogue) -> None:
    """Messages of two users are never the same message."""
    bob = anywhere.client("bob")
    for client in (alice, bob):
        client.append(_letter("a")).select()
    assert _ids(alice, "EMAILID") != _ids(bob, "EMAILID")


def test_who_shares_a_mailbox(anywhere: Server) -> None:
    """Who sees a mailbox of another user is told the same ids of messages and threads as its owner."""
    server = opened_up(anywhere)
    owner = server.client()
    owner.ok("CREATE box")
    owner.append(_letter("a"), _letter("b", "a"), mailbox="box").ok("SETACL box bob lr")
    guest = server.client("bob").select(f'"{ALICES}box"')
    threads = _ids(guest, "THREADID")
    assert threads[0] == threads[1] != "NIL"
    owner.select("box")
    assert (_ids(owner, "EMAILID"), _ids(owner, "THREADID")) == (_ids(guest, "EMAILID"), threads)


# SEARCH.


def test_search(alice: Dialogue) -> None:
    """SEARCH finds messages by both ids, exactly (6)."""
    alice.append(_letter("a"), _letter("b", "a"), _letter("x")).select()
    emails = _ids(alice, "EMAILID")
    assert alice.ok(f"SEARCH EMAILID {emails[1]}") == b"* SEARCH 2\r\n"
    assert alice.ok(f"SEARCH OR EMAILID {emails[0]} EMAILID {emails[2]}") == b"* SEARCH 1 3\r\n"
    for other in (
        "M",
        emails[0].lower(),
        "Mnothex",
        "nil",
        "-",
        emails[0][1:],
        emails[0] + "00",
        "T" + emails[0][1:],
    ):
        assert alice.ok(f"SEARCH EMAILID {other}") == b"* SEARCH\r\n"


def test_search_threads(alice: Dialogue) -> None:
    """SEARCH THREADID finds what nobody has asked about yet, too (6)."""
    alice.append(_letter("a"), _letter("x")).select()
    (thread, _) = _ids(alice, "THREADID")
    alice.append(_letter("b", "a"))
    alice.ok("NOOP")
    assert alice.ok(f"SEARCH THREADID {thread}") == b"* SEARCH 1 3\r\n"


@pytest.mark.parametrize(
    "command",
    ["SEARCH EMAILID", "SEARCH EMAILID a.b", 'SEARCH EMAILID "Mab"', "SEARCH THREADID " + "x" * 256,
     "SEARCH EMAILID (M1)", "STATUS INBOX (MAILBOXID 1)", "FETCH 1 EMAILID[]"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, command: str) -> None:
    """What the grammar has not is BAD."""
    alice.append(_letter())
    assert alice.do(command).startswith(b"a BAD ")


# Stores that know less.


def test_no_threads(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store knows no threads, THREADID is NIL, and no search finds any (5.2)."""
    monkeypatch.setattr(memory, "_SERVED", memory._SERVED - {THREAD_ID})
    client = server.client().append(_letter("a")).select()
    assert _ids(client, "THREADID") == ["NIL"]
    assert client.ok("SEARCH THREADID T61") == b"* SEARCH\r\n"
    assert client.ok("SEARCH NOT THREADID T61") == b"* SEARCH 1\r\n"


def test_no_ids(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store without ids does not advertise it, nor tell of it unasked."""
    monkeypatch.setattr(objectid, "IObjectIDs", _INothing)
    monkeypatch.setattr(server.factory, "policy", evolve(
        server.factory.policy, dialect=Dialect.of(
            evolve(each, requires=_INothing) if each is objectid.FEATURE else each
            for each in server.factory.policy.dialect.features
        ),
    ))  # fmt: skip
    client = server.client()
    assert "OBJECTID" not in client.command("CAPABILITY")[0].split(" ")
    assert client.command("CREATE foo") == ["a OK CREATE completed"]
    assert b"MAILBOXID" not in client.ok("SELECT foo")
