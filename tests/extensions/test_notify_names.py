"""What NOTIFY tells of mailboxes that come, go and change their names (RFC 5465, 5.4 and 5.5)."""

from __future__ import annotations

import pytest

from imapd.extensions import notify_names
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.account import MaildirAccount
from imapd.store.memory.account import MemoryAccount
from imapd.store.watching import Watching
from tests.dialogue import Dialogue, Server, letter, same


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that wants to hear of all names and subscriptions."""
    client = anywhere.client()
    client.commands(["CREATE Lists", "CREATE Lists/a", "CREATE misc"])
    client.ok("NOTIFY SET (personal (MailboxName SubscriptionChange))")
    return client


@pytest.fixture
def bob(anywhere: Server, alice: Dialogue) -> Dialogue:
    """Another session of hers."""
    del alice
    return anywhere.client()


def test_create(alice: Dialogue, bob: Dialogue) -> None:
    """A mailbox that was made is told by LIST (5.4)."""
    bob.ok("CREATE NewMailbox")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" NewMailbox')


def test_create_below(alice: Dialogue, bob: Dialogue) -> None:
    """So is its direct parent, which has children now (5.4)."""
    bob.ok("CREATE misc/new")
    same(
        alice.read(),
        '* LIST (\\HasChildren) "/" misc',
        '* LIST (\\HasNoChildren) "/" misc/new',
    )


def test_create_for_a_use(alice: Dialogue, bob: Dialogue) -> None:
    """All attributes are told, special uses too."""
    bob.ok("CREATE Papers (USE (\\Drafts))")
    same(alice.read(), '* LIST (\\HasNoChildren \\Drafts) "/" Papers')


def test_delete(alice: Dialogue, bob: Dialogue) -> None:
    r"""A mailbox that was deleted is \NonExistent, and its parent has lost a child (5.4)."""
    bob.ok("DELETE Lists/a")
    same(
        alice.read(),
        '* LIST (\\HasNoChildren) "/" Lists',
        '* LIST (\\NonExistent \\HasNoChildren) "/" Lists/a',
    )


def test_delete_above_others(alice: Dialogue, bob: Dialogue) -> None:
    r"""What only holds others afterwards is \NonExistent as well: it is no mailbox (5.4)."""
    bob.ok("DELETE Lists")
    same(alice.read(), '* LIST (\\NonExistent \\HasChildren) "/" Lists')
    bob.ok("DELETE Lists/a")
    same(
        alice.read(),
        '* LIST (\\NonExistent \\HasNoChildren) "/" Lists',
        '* LIST (\\NonExistent \\HasNoChildren) "/" Lists/a',
    )


def test_delete_what_is_subscribed(alice: Dialogue, bob: Dialogue) -> None:
    """A subscription stays when the mailbox goes."""
    bob.ok("SUBSCRIBE misc")
    same(alice.read(), '* LIST (\\Subscribed \\HasNoChildren) "/" misc')
    bob.ok("DELETE misc")
    same(alice.read(), '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" misc')


def test_rename(alice: Dialogue, bob: Dialogue) -> None:
    """A mailbox that was renamed is told under its new name with its old one (5.4)."""
    bob.ok("RENAME misc NewMailbox")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" NewMailbox ("OLDNAME" (misc))')


def test_rename_with_children(alice: Dialogue, bob: Dialogue) -> None:
    """Nothing is told of the children (5.4)."""
    bob.ok("RENAME Lists Posts")
    same(alice.read(), '* LIST (\\HasChildren) "/" Posts ("OLDNAME" (Lists))')


def test_rename_what_is_no_mailbox(alice: Dialogue, bob: Dialogue) -> None:
    """That holds also when what was renamed only holds others."""
    bob.commands(["CREATE Lists/b", "DELETE Lists"])
    alice.read()
    bob.ok("RENAME Lists Posts")
    same(alice.read(), '* LIST (\\NonExistent \\HasChildren) "/" Posts ("OLDNAME" (Lists))')


def test_rename_of_a_child(alice: Dialogue, bob: Dialogue) -> None:
    """A child that moves alone is told of."""
    bob.ok("RENAME Lists/a misc/a")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" misc/a ("OLDNAME" (Lists/a))')


def test_rename_of_inbox(alice: Dialogue, bob: Dialogue) -> None:
    """When INBOX is renamed, nothing is told of INBOX (5.4)."""
    bob.ok("RENAME INBOX old")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" old')


def test_an_exchange_of_names(alice: Dialogue, bob: Dialogue) -> None:
    """Two mailboxes that change their names are told as they are in the end."""
    bob.commands(["RENAME misc x", "CREATE misc"])
    same(
        alice.read(),
        '* LIST (\\HasNoChildren) "/" x ("OLDNAME" (misc))',
        '* LIST (\\HasNoChildren) "/" misc',
    )


def test_subscriptions(alice: Dialogue, bob: Dialogue) -> None:
    r"""\Subscribed is there if, and only if, the name is subscribed afterwards (5.5)."""
    bob.ok("SUBSCRIBE Lists")
    same(alice.read(), '* LIST (\\Subscribed \\HasChildren) "/" Lists')
    bob.ok("UNSUBSCRIBE Lists")
    same(alice.read(), '* LIST (\\HasChildren) "/" Lists')


def test_subscription_of_what_does_not_exist(alice: Dialogue, bob: Dialogue) -> None:
    """Attributes are exact also for a name without a mailbox (5.5)."""
    bob.ok("SUBSCRIBE later")
    same(alice.read(), '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" later')
    bob.ok("UNSUBSCRIBE later")
    same(alice.read(), '* LIST (\\NonExistent \\HasNoChildren) "/" later')


def test_only_what_was_asked_for(anywhere: Server, alice: Dialogue, bob: Dialogue) -> None:
    """Names and subscriptions are asked for each by itself, and for some mailboxes."""
    alice.ok("NOTIFY SET (mailboxes misc (MailboxName)) (subtree Lists (SubscriptionChange))")
    bob.commands(["SUBSCRIBE misc", "CREATE Lists/b", "CREATE other", "UNSUBSCRIBE misc"])
    assert alice.read() == b""
    bob.commands(["SUBSCRIBE Lists/b", "DELETE misc"])
    same(
        alice.read(),
        '* LIST (\\Subscribed \\HasNoChildren) "/" Lists/b',
        '* LIST (\\NonExistent \\HasNoChildren) "/" misc',
    )


def test_subscribed_mailboxes(alice: Dialogue, bob: Dialogue) -> None:
    """Of subscribed mailboxes, the list is looked at anew whenever it changes (6.4)."""
    alice.ok("NOTIFY SET (subscribed (MailboxName SubscriptionChange))")
    bob.commands(["DELETE misc", "SUBSCRIBE Lists/a"])
    same(alice.read(), '* LIST (\\Subscribed \\HasNoChildren) "/" Lists/a')
    bob.ok("RENAME Lists/a b")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" b ("OLDNAME" (Lists/a))')


def test_out_of_a_subtree(alice: Dialogue, bob: Dialogue) -> None:
    """Who watches a subtree hears of what leaves it, and of what comes into it."""
    alice.ok("NOTIFY SET (subtree Lists (MailboxName))")
    bob.commands(["RENAME Lists/a away", "RENAME misc Lists/c"])
    same(
        alice.read(),
        '* LIST (\\HasNoChildren) "/" away ("OLDNAME" (Lists/a))',
        '* LIST (\\HasNoChildren) "/" Lists/c ("OLDNAME" (misc))',
    )


def test_the_selected_mailbox(alice: Dialogue, bob: Dialogue) -> None:
    """The name of the selected mailbox is a name like others (3.1)."""
    alice.select("misc")
    bob.ok("RENAME misc else")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" else ("OLDNAME" (misc))')


def test_names_in_utf8(alice: Dialogue, bob: Dialogue) -> None:
    """Names are written as the client writes them."""
    bob.ok("CREATE Entw&APw-rfe")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" Entw&APw-rfe')
    alice.ok("ENABLE IMAP4rev2")
    bob.ok("RENAME Entw&APw-rfe &AN8-")
    same(alice.read(), '* LIST (\\HasNoChildren) "/" "ß" ("OLDNAME" ("Entwürfe"))')


def test_own_and_others(alice: Dialogue, bob: Dialogue) -> None:
    """What a client did to a name does not hide what another does to it (5)."""
    alice.ok("CREATE mine/deep")
    bob.ok("DELETE mine/deep")
    same(
        alice.read(),
        '* LIST (\\HasNoChildren) "/" mine',
        '* LIST (\\NonExistent \\HasNoChildren) "/" mine/deep',
    )


def test_a_lost_hint(server: Server) -> None:
    """What nobody said is found when the client asks by NOOP."""
    client = server.client()
    client.ok("NOTIFY SET (personal (MailboxName))")
    account = server.store.open_account("alice")
    watching, account._watching = account._watching, Watching()
    account.create("quietly")
    account._watching = watching
    assert client.read() == b""
    same(
        client.do("NOOP"),
        '* LIST (\\HasNoChildren) "/" quietly',
        "a OK NOOP completed",
    )


def test_more_than_can_be_remembered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads nothing while too much happens is told so, and then no more (5.8)."""
    monkeypatch.setattr(notify_names, "_LOG_MOST", 5)
    slow, quick, other = server.client(), server.client(), server.client()
    for each in (slow, quick):
        each.ok("NOTIFY SET (personal (MailboxName))")
    other.append(letter("big", "x" * 100_000))
    slow.select().stop_reading()
    slow.post(b"a FETCH 1 BODY.PEEK[]\r\n")
    for number in range(6):
        other.ok(f"CREATE n{number}")
    assert quick.read().count(b"* LIST ") == 6
    told = slow.read_on()
    assert told.count(b"* OK [NOTIFICATIONOVERFLOW] Notifications end here\r\n") == 1
    assert b"* LIST" not in told
    other.ok("CREATE one-more")
    assert slow.read() == b""


def test_the_store_fails(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store cannot be asked nothing is told and no command fails; then all is."""
    client, other = anywhere.client(), anywhere.client()
    client.ok("NOTIFY SET (personal (MailboxName))")

    def fail(self: object) -> None:
        raise StoreUnavailable("the disk is on fire")

    with monkeypatch.context() as patch:
        for account in (MemoryAccount, MaildirAccount):
            patch.setattr(account, "mailboxes", fail)
        other.ok("CREATE new")
        assert client.do("NOOP") == b"a OK NOOP completed\r\n"
        assert client.send(b"a IDLE\r\n") == b"+ idling\r\n"
        assert client.send(b"DONE\r\n") == b"a OK IDLE ended\r\n"
    assert b'* LIST (\\HasNoChildren) "/" new\r\n' in client.do("NOOP")
