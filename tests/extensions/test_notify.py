"""NOTIFY as a client sees it: the command, and messages of mailboxes that are not selected (RFC 5465)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from imapd.model.limits import Limits
from imapd.store.memory.account import MemoryAccount
from imapd.store.memory.mailbox import MemoryMailbox
from tests.dialogue import Dialogue, Server, letter, same

_SUPPORTED = (
    b"MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange"
    b" MailboxMetadataChange ServerMetadataChange"
)


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client with three mailboxes below Lists, two messages in the first."""
    client = anywhere.client()
    client.commands(["CREATE Lists", "CREATE Lists/a", "CREATE Lists/b", "CREATE misc"])
    return client.fill(2, "Lists/a")


@pytest.fixture
def bob(anywhere: Server, alice: Dialogue) -> Dialogue:
    """Another session of hers."""
    del alice
    return anywhere.client()


# The command.


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "EVER",
        "SET",
        "SET STATUS",
        "SET personal NONE",
        "SET ()",
        "SET (personal)",
        "SET (personal ())",
        "SET (everything NONE)",
        "SET (mailboxes NONE)",
        "SET (mailboxes () NONE)",
        "SET (personal NONE) STATUS",
        "SET (personal (MailboxName)",
        "NONE (personal NONE)",
        # 5: they go together.
        "SET (personal (MessageNew))",
        "SET (personal (MessageExpunge))",
        "SET (selected (MessageNew))",
        "SET (personal (FlagChange))",
        "SET (personal (MessageNew FlagChange))",
        "SET (personal (MessageNew AnnotationChange))",
        # 6.1: one of them, once, and for messages only.
        "SET (selected NONE) (selected NONE)",
        "SET (selected NONE) (selected-delayed NONE)",
        "SET (selected (MailboxName))",
        "SET (selected-delayed (SubscriptionChange))",
        "SET (selected (MailboxMetadataChange))",
        "SET (selected-delayed (MessageNew MessageExpunge ServerMetadataChange))",
        # 8: a list for FETCH, of the selected mailbox, and of what FETCH knows.
        "SET (personal (MessageNew (UID) MessageExpunge))",
        "SET (selected (MessageNew () MessageExpunge))",
        "SET (selected (MessageNew (ALL) MessageExpunge))",
        "SET (selected (MessageNew (UIDD) MessageExpunge))",
        "SET (selected (MessageNew (UID MessageExpunge))",
    ],
)
def test_wrong_arguments(server: Server, arguments: str) -> None:
    """What is not of the grammar's form is BAD (3.1, 5, 8)."""
    assert server.client().do(f"NOTIFY {arguments}").startswith(b"a BAD ")


@pytest.mark.parametrize("event", ["MessageRead", "x-other.event"])
@pytest.mark.parametrize("group", ["personal (%s)", "selected (MessageNew MessageExpunge %s)"])
def test_unknown_events(server: Server, event: str, group: str) -> None:
    """An event that the server does not have is NO, and all that it has are named (3.1)."""
    same(
        server.client().do(f"NOTIFY SET ({group % event})"),
        b"a NO [BADEVENT (%b)] There is no such event here" % _SUPPORTED,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "NONE",
        "none",
        "set (Selected-Delayed none)",
        "SET (subscribed (mailboxmetadatachange)) (inboxes (ServerMetadataChange MailboxMetadataChange))",
        "SET (inboxes (messagenew MESSAGEEXPUNGE)) (subscribed NONE)",
        'SET (subtree "a b" (MailboxName)) (mailboxes (x "y" INBOX) (MailboxName SubscriptionChange))',
        "SET (selected (MessageNew (UID FLAGS BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge FlagChange))",
    ],
)
def test_right_arguments(server: Server, arguments: str) -> None:
    """All that the grammar allows is taken, in any case (8)."""
    same(server.client().do(f"NOTIFY {arguments}"), "a OK NOTIFY completed")


def test_before_login(server: Server) -> None:
    """It is for who has logged in (8: command-auth)."""
    assert server.connect().do("NOTIFY NONE").startswith(b"a BAD ")


def test_a_refused_command_changes_nothing(alice: Dialogue, bob: Dialogue) -> None:
    """What was asked for before goes on when the next NOTIFY is refused."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    assert alice.do("NOTIFY SET (personal (Other))").startswith(b"a NO ")
    bob.fill(1, "misc")
    assert alice.read().startswith(b"* STATUS misc (")


# STATUS at the beginning.


def test_status(alice: Dialogue) -> None:
    """With STATUS, each mailbox is told of before the answer: MESSAGES, UIDNEXT, UIDVALIDITY (3.1)."""
    same(
        alice.do("NOTIFY SET STATUS (subtree Lists (MessageNew MessageExpunge))"),
        "* STATUS Lists (MESSAGES 0 UIDNEXT 1 UIDVALIDITY {{*}})",
        "* STATUS Lists/a (MESSAGES 2 UIDNEXT 3 UIDVALIDITY {{*}})",
        "* STATUS Lists/b (MESSAGES 0 UIDNEXT 1 UIDVALIDITY {{*}})",
        "a OK NOTIFY completed",
    )


def test_status_with_flags(alice: Dialogue) -> None:
    """Who wants FlagChange is told HIGHESTMODSEQ, for the server has CONDSTORE (3.1)."""
    same(
        alice.do("NOTIFY SET STATUS (mailboxes Lists/a (MessageNew MessageExpunge FlagChange))"),
        "* STATUS Lists/a (MESSAGES 2 UIDNEXT 3 UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})",
        "a OK NOTIFY completed",
    )


def test_status_without_condstore() -> None:
    """Where CONDSTORE is switched off there is no HIGHESTMODSEQ to tell (3.1)."""
    client = Server(without=["CONDSTORE"]).client()
    same(
        client.do("NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))"),
        "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY {{*}})",
        "a OK NOTIFY completed",
    )


def test_no_status(alice: Dialogue) -> None:
    """Without STATUS none is told (3.1)."""
    same(
        alice.do("NOTIFY SET (personal (MessageNew MessageExpunge))"),
        "a OK NOTIFY completed",
    )


def test_no_status_of_names(alice: Dialogue) -> None:
    """STATUS is of those mailboxes whose messages are of interest (3.1)."""
    same(
        alice.do(
            "NOTIFY SET STATUS (personal (MailboxName)) (mailboxes misc (MessageNew MessageExpunge))"
        ),
        "* STATUS misc (MESSAGES 0 UIDNEXT 1 UIDVALIDITY {{*}})",
        "a OK NOTIFY completed",
    )


def test_status_of_the_selected_mailbox(alice: Dialogue) -> None:
    """The mailbox that is selected is not among them (3.1)."""
    alice.select("misc")
    assert (
        b"misc"
        not in alice.do("NOTIFY SET STATUS (personal (MessageNew MessageExpunge))").split(b"a OK")[
            0
        ]
    )


def test_names_that_do_not_exist(alice: Dialogue) -> None:
    """They are passed over (3.1)."""
    same(
        alice.do("NOTIFY SET STATUS (mailboxes (none Lists/a) (MessageNew MessageExpunge))"),
        "* STATUS Lists/a (MESSAGES 2 UIDNEXT 3 UIDVALIDITY {{*}})",
        "a OK NOTIFY completed",
    )


# Messages in other mailboxes.


def test_new_messages(alice: Dialogue, bob: Dialogue) -> None:
    """A new message in another mailbox is told at once by STATUS, without any command (5.2)."""
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge))")
    bob.fill(1, "Lists/a")
    same(alice.read(), "* STATUS Lists/a (MESSAGES 3 UIDNEXT 4 UIDVALIDITY {{*}})")


def test_new_messages_with_condstore(alice: Dialogue, bob: Dialogue) -> None:
    """Who enabled CONDSTORE is told HIGHESTMODSEQ as well (5.2)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge))")
    bob.fill(1, "Lists/a")
    same(
        alice.read(),
        "* STATUS Lists/a (MESSAGES 3 UIDNEXT 4 UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})",
    )


def test_expunged_messages(alice: Dialogue, bob: Dialogue) -> None:
    """So are messages that went; the flags before are nobody's business who did not ask (5.3)."""
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge))")
    bob.select("Lists/a").ok("STORE 1 +FLAGS (\\Deleted)")
    assert alice.read() == b""
    bob.ok("EXPUNGE")
    same(alice.read(), "* STATUS Lists/a (MESSAGES 1 UIDNEXT 3 UIDVALIDITY {{*}})")


def test_expunged_messages_with_qresync(alice: Dialogue, bob: Dialogue) -> None:
    """Who enabled QRESYNC is told HIGHESTMODSEQ as well (5.3)."""
    alice.ok("ENABLE QRESYNC")
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge))")
    bob.select("Lists/a").ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    same(
        alice.read(),
        "* STATUS Lists/a (MESSAGES 1 UIDNEXT 3 UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})",
    )


def test_flags(alice: Dialogue, bob: Dialogue) -> None:
    """Who asked for FlagChange is told when the number of unread messages changes, of no other flag (5.1)."""
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge FlagChange))")
    bob.select("Lists/a").ok("STORE 1 +FLAGS (\\Flagged $Work)")
    assert alice.read() == b""
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    same(alice.read(), "* STATUS Lists/a (UIDVALIDITY {{*}} UNSEEN 1)")


def test_flags_with_condstore(alice: Dialogue, bob: Dialogue) -> None:
    """With CONDSTORE every change of flags is told: HIGHESTMODSEQ and UIDVALIDITY (5.1)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok("NOTIFY SET (mailboxes Lists/a (MessageNew MessageExpunge FlagChange))")
    bob.select("Lists/a").ok("STORE 1 +FLAGS (\\Flagged)")
    same(alice.read(), "* STATUS Lists/a (UIDVALIDITY {{*}} HIGHESTMODSEQ {{*}})")
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    same(alice.read(), "* STATUS Lists/a (UIDVALIDITY {{*}} UNSEEN 1 HIGHESTMODSEQ {{*}})")


def test_another_uidvalidity(alice: Dialogue, bob: Dialogue) -> None:
    """Who asked for FlagChange is told when a name gets another UIDVALIDITY (5.1)."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge FlagChange))")
    bob.commands(["DELETE misc", "CREATE misc"])
    same(alice.read(), "* STATUS misc (UIDVALIDITY {{*}})")


def test_a_mailbox_that_comes_later(alice: Dialogue, bob: Dialogue) -> None:
    """What is made below a subtree afterwards is watched too (6.5)."""
    alice.ok("NOTIFY SET (subtree Lists (MessageNew MessageExpunge))")
    bob.ok("CREATE Lists/a/new")
    assert alice.read() == b""
    bob.fill(1, "Lists/a/new")
    same(alice.read(), "* STATUS Lists/a/new (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})")


def test_a_mailbox_that_is_renamed(alice: Dialogue, bob: Dialogue) -> None:
    """What is renamed is watched under the name it has (6.5, 6.6)."""
    alice.ok("NOTIFY SET (subtree Lists (MessageNew MessageExpunge))")
    bob.commands(["RENAME Lists/a Lists/c", "RENAME Lists/b elsewhere", "RENAME misc Lists/misc"])
    bob.fill(1, "Lists/c").fill(1, "elsewhere").fill(1, "Lists/misc")
    same(
        alice.read(),
        "* STATUS Lists/c (MESSAGES 3 UIDNEXT 4 UIDVALIDITY {{*}})",
        "* STATUS Lists/misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})",
    )


def test_a_mailbox_that_goes(alice: Dialogue, bob: Dialogue) -> None:
    """Of one that is deleted nothing is told to who did not ask for names, and nothing goes wrong."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    bob.fill(1, "misc").ok("DELETE misc")
    assert alice.read().count(b"* STATUS") == 1
    assert alice.do("NOOP") == b"a OK NOOP completed\r\n"


def test_subscribed(alice: Dialogue, bob: Dialogue) -> None:
    """Subscribed means those that are subscribed when something happens (6.4)."""
    bob.commands(["SUBSCRIBE Lists/a"])
    alice.ok("NOTIFY SET (subscribed (MessageNew MessageExpunge))")
    bob.commands(["SUBSCRIBE misc", "UNSUBSCRIBE Lists/a"])
    bob.fill(1, "misc").fill(1, "Lists/a")
    same(alice.read(), "* STATUS misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})")


@pytest.mark.parametrize("word", ["personal", "inboxes"])
def test_personal(alice: Dialogue, bob: Dialogue, word: str) -> None:
    """All mailboxes of one's own; so are inboxes, for where mail is delivered is not known (6.2, 6.3)."""
    alice.ok(f"NOTIFY SET ({word} (MessageNew MessageExpunge))")
    bob.fill(1, "INBOX").fill(1, "misc")
    assert re.findall(rb"STATUS (\S+)", alice.read()) == [b"INBOX", b"misc"]


def test_subtree(alice: Dialogue, bob: Dialogue) -> None:
    """A mailbox and those below it, not those whose names begin alike (6.5)."""
    bob.ok("CREATE Listserv")
    alice.ok("NOTIFY SET (subtree (Lists) (MessageNew MessageExpunge))")
    bob.fill(1, "Listserv").fill(1, "Lists").fill(1, "Lists/b")
    assert re.findall(rb"STATUS (\S+)", alice.read()) == [b"Lists", b"Lists/b"]


def test_no_wildcards(alice: Dialogue, bob: Dialogue) -> None:
    """Wildcards in names are characters like others (6.6)."""
    alice.ok('NOTIFY SET (mailboxes ("*" "Lists/%") (MessageNew MessageExpunge)) '
             '(subtree "L*" (MessageNew MessageExpunge))')  # fmt: skip
    bob.fill(1, "Lists/a").fill(1, "misc")
    assert alice.do("NOOP") == b"a OK NOOP completed\r\n"


def test_none_of_some(alice: Dialogue, bob: Dialogue) -> None:
    """NONE of some mailboxes takes them out of what wider groups say; narrower ones stand (8)."""
    alice.ok(
        "NOTIFY SET (personal (MessageNew MessageExpunge)) (subtree Lists NONE) "
        "(mailboxes Lists/b (MessageNew MessageExpunge))"
    )
    bob.fill(1, "Lists/a").fill(1, "Lists/b").fill(1, "misc")
    assert re.findall(rb"STATUS (\S+)", alice.read()) == [b"Lists/b", b"misc"]


def test_several_groups(alice: Dialogue, bob: Dialogue) -> None:
    """The RFC's example: events of all groups that mean a mailbox are told (6)."""
    alice.ok(
        "NOTIFY SET (mailboxes INBOX (Messagenew messageExpunge)) (personal (SubscriptionChange))"
    )
    bob.fill(1).fill(1, "misc").ok("SUBSCRIBE INBOX")
    same(
        alice.read(),
        "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})",
        '* LIST (\\Subscribed \\HasNoChildren) "/" INBOX',
    )


def test_the_selected_mailbox_among_others(alice: Dialogue, bob: Dialogue) -> None:
    """Of the selected mailbox counts what is said of it as selected, by name or not (3.1)."""
    alice.select("misc")
    alice.ok("NOTIFY SET (personal (MessageNew MessageExpunge))")
    bob.fill(1, "misc")
    assert alice.do("NOOP") == b"a OK NOOP completed\r\n"
    same(
        alice.do("UNSELECT"),
        "* STATUS misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})",
        "a OK UNSELECT completed",
    )
    alice.select("INBOX")
    bob.fill(1, "misc")
    same(alice.read(), "* STATUS misc (MESSAGES 2 UIDNEXT 3 UIDVALIDITY {{*}})")


def test_a_mailbox_that_was_selected(alice: Dialogue, bob: Dialogue) -> None:
    """A mailbox that is left is one of the others again, and no news by itself."""
    alice.ok(
        "NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))"
    )
    alice.select("Lists/a")
    bob.fill(1, "Lists/a")
    assert alice.read().startswith(b"* 3 EXISTS\r\n")
    alice.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert alice.do("CLOSE") == b"a OK CLOSE completed\r\n"
    bob.fill(1, "Lists/a")
    same(alice.read(), "* STATUS Lists/a (MESSAGES 3 UIDNEXT 5 UIDVALIDITY {{*}})")


# Who did it.


def test_own_changes(alice: Dialogue) -> None:
    """What the client does itself is not told to it as news (5)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok(
        "NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"
    )
    answer = alice.do("APPEND misc", letter())
    assert re.fullmatch(rb"a OK \[APPENDUID \d+ 1\] APPEND completed\r\n", answer)
    alice.select("Lists/a")
    assert re.fullmatch(rb"a OK \[COPYUID .*\] COPY completed\r\n", alice.do("COPY 1 misc"))
    for command in (
        "CREATE deep/er", "RENAME deep/er deep/est", "SUBSCRIBE deep", "UNSUBSCRIBE deep",
        "DELETE deep/est", "RENAME INBOX old",
    ):  # fmt: skip
        assert alice.ok(command) == b""
    assert alice.do("NOOP") == b"a OK NOOP completed\r\n"


def test_own_and_others(alice: Dialogue, bob: Dialogue) -> None:
    """What others do besides is told all the same (5)."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    alice.fill(2, "misc")
    bob.fill(1, "misc")
    same(alice.read(), "* STATUS misc (MESSAGES 3 UIDNEXT 4 UIDVALIDITY {{*}})")
    alice.fill(1, "misc")
    same(alice.do("NOOP"), "a OK NOOP completed")


# NONE, and the end.


def test_none(alice: Dialogue, bob: Dialogue) -> None:
    """After NOTIFY NONE nothing is told at all, of no mailbox (3.1)."""
    alice.select("Lists/a")
    alice.ok(
        "NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))"
    )
    alice.ok("NOTIFY NONE")
    bob.fill(1, "Lists/a").fill(1, "misc").ok("CREATE another")
    assert alice.read() == b""
    assert alice.do("NOOP") == b"a OK NOOP completed\r\n"
    assert alice.send(b"a IDLE\r\n") == b"+ idling\r\n"
    assert alice.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"


def test_another_set_replaces(alice: Dialogue, bob: Dialogue) -> None:
    """NOTIFY SET replaces all that was asked for before (3.1)."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    alice.ok("NOTIFY SET (mailboxes Lists/b (MessageNew MessageExpunge))")
    bob.fill(1, "misc").fill(1, "Lists/b")
    assert re.findall(rb"STATUS (\S+)", alice.read()) == [b"Lists/b"]


def test_another_user(anywhere: Server) -> None:
    """UNAUTHENTICATE ends it, and mailboxes of another user are nobody else's."""
    client, other = anywhere.client(), anywhere.client("bob")
    client.ok("NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
    other.fill(1).ok("CREATE his")
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"
    client.ok("UNAUTHENTICATE")
    client.log_in("bob")
    other.fill(1)
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"


# When it is told.


def test_between_commands_only(alice: Dialogue, bob: Dialogue) -> None:
    """Nothing is told while a command waits for its message; when it is there, it is (3.1)."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    message = letter()
    assert alice.send(b"a APPEND Lists/b {%d}\r\n" % len(message)).startswith(b"+ ")
    bob.fill(1, "misc")
    assert alice.send(message[:10]) == b""
    same(
        alice.send(message[10:] + b"\r\n"),
        "* STATUS misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})",
        "a OK [APPENDUID {{*}} 1] APPEND completed",
    )


def test_in_idle(alice: Dialogue, bob: Dialogue) -> None:
    """IDLE tells just the same (4)."""
    alice.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge MailboxName))")
    assert alice.send(b"a IDLE\r\n") == b"+ idling\r\n"
    bob.fill(1, "misc").fill(1, "Lists/a")
    same(alice.read(), "* STATUS misc (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {{*}})")
    bob.ok("DELETE misc")
    same(alice.read(), '* LIST (\\NonExistent \\HasNoChildren) "/" misc')
    assert alice.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"


def test_it_is_no_sign_of_life(server: Server) -> None:
    """A client that only listens is logged out when its time is over, like any other."""
    listener, other = server.client(), server.client()
    listener.ok("NOTIFY SET (mailboxes INBOX (MessageNew MessageExpunge))")
    server.advance(1_000.0)
    other.fill(1)
    assert listener.read().startswith(b"* STATUS INBOX ")
    server.advance(861.0)
    assert listener.read().startswith(b"* BYE ")


# Bounds.


def test_too_many_mailboxes() -> None:
    """More mailboxes than the server wants to watch are refused, with NOTIFICATIONOVERFLOW (3.1)."""
    server = Server(limits=Limits(notify_mailboxes=2))
    client = server.client()
    client.commands(["CREATE x", "CREATE y"])
    same(
        client.do("NOTIFY SET (personal (MessageNew MessageExpunge))"),
        "a NO [NOTIFICATIONOVERFLOW] Those are too many mailboxes",
    )
    client.ok("NOTIFY SET (personal (MailboxName)) (mailboxes x (MessageNew MessageExpunge))")


def test_too_many_mailboxes_later() -> None:
    """When they become too many, the client is told once, and then nothing more (5.8)."""
    server = Server(limits=Limits(notify_mailboxes=2))
    client, other = server.client(), server.client()
    client.select()
    client.ok(
        "NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))"
    )
    other.commands(["CREATE x", "CREATE y"])
    same(client.read(), "* OK [NOTIFICATIONOVERFLOW] Notifications end here")
    other.fill(1).fill(1, "x").ok("CREATE z")
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"


def test_a_client_that_does_not_read(server: Server) -> None:
    """What changes often meanwhile is told of once, when the client reads again (9)."""
    client, other = server.client(), server.client()
    client.append(letter("big", "x" * 100_000), mailbox="INBOX").select()
    client.ok("NOTIFY SET (mailboxes misc (MessageNew MessageExpunge))")
    other.ok("CREATE misc")
    client.stop_reading()
    client.post(b"a FETCH 1 BODY.PEEK[]\r\n")
    other.fill(20, "misc")
    told = client.read_on()
    assert re.findall(rb"\* STATUS .*", told) == [
        b"* STATUS misc (MESSAGES 20 UIDNEXT 21 UIDVALIDITY 1700000001)\r"
    ]


# Work.


def test_work_follows_the_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One change in 1,000 mailboxes asks the store for one mailbox; a new name, once for all sessions."""
    server = Server()
    other = server.client()
    for number in range(1_000):
        other.post(b"a CREATE m%d\r\n" % number)
    server.settle()
    assert other.read().count(b" OK ") == 1_000
    listeners = [server.client() for _ in range(10)]
    for each in listeners:
        each.ok("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))")
    other.fill(1, "m500").select("m500")
    asked: list[str] = []
    status, mailboxes = MemoryMailbox.status, MemoryAccount.mailboxes

    def counted(name: str, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def count(store: Any) -> Any:
            asked.append(name)
            return call(store)

        return count

    monkeypatch.setattr(MemoryMailbox, "status", counted("status", status))
    monkeypatch.setattr(MemoryAccount, "mailboxes", counted("names", mailboxes))
    other.ok("STORE 1 +FLAGS (\\Seen)")
    assert asked == ["status"] * 10
    asked.clear()
    other.ok("CREATE new")
    assert asked.count("names") == 1
    for each in listeners:
        told = re.findall(rb"\* \S+", each.read())
        assert told == [b"* STATUS", b"* STATUS", b"* LIST", b"* STATUS"]


def test_nothing_is_watched_for_who_did_not_ask(server: Server) -> None:
    """A session without NOTIFY is asked nothing at a change elsewhere."""
    client, other = server.client(), server.client()
    other.ok("CREATE misc")
    listening = len(server.store.open_account("alice")._watching)
    client.ok("NOTIFY SET (personal (MailboxName))")
    assert len(server.store.open_account("alice")._watching) == listening + 1
    client.ok("NOTIFY NONE")
    assert len(server.store.open_account("alice")._watching) == listening
    client.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    assert len(server.store.open_account("alice")._watching) == listening
