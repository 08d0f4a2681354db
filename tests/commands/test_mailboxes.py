"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, from octets to octets."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server


@pytest.fixture
def client() -> Dialogue:
    """A client that has logged in."""
    return Server().login()


def _names(client: Dialogue) -> list[str]:
    r"""Every name, with a colon before those that are \Noselect."""
    rows = client.command('LIST "" *')[:-1]
    return [(":" if "\\Noselect" in row else "") + row.split('"/" ')[1] for row in rows]


def _subscribed(client: Dialogue) -> list[str]:
    return [row.split('"/" ')[1] for row in client.command('LSUB "" *')[:-1]]


def _append(client: Dialogue, mailbox: bytes, count: int = 1) -> None:
    for _ in range(count):
        assert b"x OK" in client.send(b"x APPEND %b {2+}\r\n\r\n\r\n" % mailbox)


# CREATE (RFC 9051, 6.3.4).


def test_create_example(client: Dialogue) -> None:
    """A delimiter at the end declares what needs no declaration."""
    client.commands(["CREATE owatagusiam/", "CREATE owatagusiam/blurdybloop"])
    assert _names(client) == ["INBOX", "owatagusiam", "owatagusiam/blurdybloop"]


def test_create_makes_parents(client: Dialogue) -> None:
    """What is missing above a mailbox is made with it."""
    client.commands(["CREATE foo/bar/zap"])
    assert _names(client) == ["INBOX", "foo", "foo/bar", "foo/bar/zap"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("inbox", "NO [ALREADYEXISTS] there is a mailbox INBOX"),
        ("INBOX/", "NO [ALREADYEXISTS] there is a mailbox INBOX"),
        ("foo", "NO [ALREADYEXISTS] there is a mailbox foo"),
        ("foo/", "NO [ALREADYEXISTS] there is a mailbox foo"),
        ('""', "NO [CANNOT] a level of the name is empty"),
        ("/", "NO [CANNOT] a level of the name is empty"),
        ("/x", "NO [CANNOT] a level of the name is empty"),
        ("x//", "NO [CANNOT] a level of the name is empty"),
        ("x//y", "NO [CANNOT] a level of the name is empty"),
        ('"\t"', "NO [CANNOT] The name is not in the encoding of mailbox names"),
        ("&AAc-", "NO [CANNOT] the name has control characters"),
        ("x" * 1_001, "NO [CANNOT] the name is too long"),
        ("&BBAE-", "NO [CANNOT] The name is not in the encoding of mailbox names"),
        ("R&D", "NO [CANNOT] The name is not in the encoding of mailbox names"),
        ("x*", "BAD expected a space at octet 2"),
        ("", "BAD expected a string at octet 1"),
        ("x ()", "BAD expected a word at octet 4"),
        ("x (NONSENSE)", "BAD CREATE has no such parameter"),
        ("x (USE (Sent))", "BAD expected a special use at octet 9"),
        ("x (USE)", "BAD expected a space at octet 7"),
        ("x y", "BAD expected '(' at octet 3"),
    ],
)
def test_create_refused(client: Dialogue, name: str, answer: str) -> None:
    """What cannot be made is not, and the answer says which kind of wrong it is."""
    client.commands(["CREATE foo"])
    assert client.command(f"CREATE {name}") == [f"a {answer}"]
    assert _names(client) == ["INBOX", "foo"]


def test_create_what_only_holds_others(client: Dialogue) -> None:
    r"""A \Noselect name becomes a mailbox."""
    client.commands(["CREATE foo/bar", "DELETE foo", "CREATE foo"])
    assert _names(client) == ["INBOX", "foo", "foo/bar"]


def test_created_again(client: Dialogue) -> None:
    """A name that is used again has another UIDVALIDITY."""
    client.commands(["CREATE foo"])
    first = client.command("STATUS foo (UIDVALIDITY UIDNEXT)")[0]
    client.commands(["DELETE foo", "CREATE foo"])
    again = client.command("STATUS foo (UIDVALIDITY UIDNEXT)")[0]
    assert (first, again) == (
        "* STATUS foo (UIDVALIDITY 1700000001 UIDNEXT 1)",
        "* STATUS foo (UIDVALIDITY 1700000002 UIDNEXT 1)",
    )


def test_create_is_seen_by_others() -> None:
    """Another session of the user lists it at once; another user does not."""
    server = Server()
    first, second, bob = server.login(), server.login(), server.login("bob")
    first.commands(["CREATE foo"])
    assert (_names(second), _names(bob)) == (["INBOX", "foo"], ["INBOX"])


_DECOMPOSED, _COMPOSED = "e\u0301", "\u00e9"


def test_create_normalized() -> None:
    """A client of IMAP4rev2 is told the name that was made of its own (RFC 9051, 6.3.4)."""
    client = Server().login(enable="IMAP4rev2")
    assert client.ok(f'CREATE "{_DECOMPOSED}/"').decode("utf-8") == (
        f'* LIST () "/" "{_COMPOSED}" ("OLDNAME" ("{_DECOMPOSED}"))\r\n'
    )
    assert _names(client) == ['"INBOX"', f'"{_COMPOSED}"']


def test_create_as_sent(client: Dialogue) -> None:
    """To a client of IMAP4rev1, which could not be told, a name stays as it was sent."""
    assert client.ok("CREATE e&AwE-") == b""
    assert _names(client) == ["INBOX", "e&AwE-"]


# CREATE-SPECIAL-USE (RFC 6154, 5.3).


def test_create_special_use_example(client: Dialogue) -> None:
    """What a mailbox is for, in any case; a view of all messages is not to be had."""
    assert client.ok("CREATE MySpecial (USE (\\Drafts \\sent))") == b""
    assert client.command("CREATE Everything (USE (\\All))") == [
        "a NO [USEATTR] \\All is not supported"
    ]
    assert client.command('LIST "" *') == [
        '* LIST (\\HasNoChildren) "/" INBOX',
        '* LIST (\\HasNoChildren \\Drafts \\Sent) "/" MySpecial',
        "a OK LIST completed",
    ]


@pytest.mark.parametrize("use", ["\\Nonsense", "\\Sent \\Nonsense", "\\Flagged"])
def test_create_unknown_use(client: Dialogue, use: str) -> None:
    """A use that cannot be had makes no mailbox."""
    assert client.command(f"CREATE x (USE ({use}))") == [
        f"a NO [USEATTR] {use.split()[-1]} is not supported"
    ]
    assert _names(client) == ["INBOX"]


@pytest.mark.parametrize(
    "use",
    [
        "\\Archive",
        "\\Drafts",
        "\\Important",
        "\\Junk",
        "\\Memos",
        "\\Scheduled",
        "\\Sent",
        "\\Snoozed",
        "\\Trash",
    ],
)
def test_create_each_use(client: Dialogue, use: str) -> None:
    """What mail clients make mailboxes for."""
    client.commands([f"CREATE x (use ({use}))"])
    assert client.command('LIST (SPECIAL-USE) "" *') == [
        f'* LIST (\\HasNoChildren {use}) "/" x',
        "a OK LIST completed",
    ]


def test_create_for_no_use(client: Dialogue) -> None:
    """An empty list of uses is no use."""
    client.commands(["CREATE x (USE ())"])
    assert client.command('LIST (SPECIAL-USE) "" *') == ["a OK LIST completed"]


# DELETE (RFC 9051, 6.3.5).


def test_delete_example(client: Dialogue) -> None:
    r"""A mailbox with others below it leaves its name, \Noselect, which goes with the last of them."""
    client.commands(["CREATE blurdybloop", "CREATE foo/bar"])
    assert client.command("DELETE blurdybloop") == ["a OK DELETE completed"]
    assert client.command("DELETE foo") == ["a OK DELETE completed"]
    assert _names(client) == ["INBOX", ":foo", "foo/bar"]
    assert client.command("DELETE foo") == ["a NO [HASCHILDREN] foo has mailboxes below it"]
    assert client.command("DELETE foo/bar") == ["a OK DELETE completed"]
    assert _names(client) == ["INBOX"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Inbox", "NO [CANNOT] INBOX stays"),
        ("nowhere", "NO [NONEXISTENT] there is no mailbox nowhere"),
        ('"foo%"', "NO [NONEXISTENT] there is no mailbox foo%"),
        ("", "BAD expected a string at octet 1"),
        ("foo bar", "BAD expected the end of the command at octet 4"),
    ],
)
def test_delete_refused(client: Dialogue, name: str, answer: str) -> None:
    """INBOX stays, and what is not there cannot go."""
    client.commands(["CREATE foo"])
    assert client.command(f"DELETE {name}") == [f"a {answer}"]
    assert _names(client) == ["INBOX", "foo"]


def test_delete_keeps_the_subscription(client: Dialogue) -> None:
    """A deleted mailbox is still subscribed (RFC 9051, 6.3.7)."""
    client.commands(["CREATE foo", "SUBSCRIBE foo", "DELETE foo"])
    assert client.command('LIST (SUBSCRIBED) "" *') == [
        '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" foo',
        "a OK LIST completed",
    ]


def test_delete_selected(client: Dialogue) -> None:
    """Nothing is selected when the selected mailbox has been deleted, and the client is told."""
    client.commands(["CREATE foo", "SELECT foo"])
    assert client.command("DELETE foo") == [
        "* OK [CLOSED] The selected mailbox was deleted",
        "a OK DELETE completed",
    ]
    assert client.command("FETCH 1 FLAGS") == ["a BAD FETCH is not for this state"]
    client.commands(["SELECT INBOX"])


def test_delete_selected_refused(client: Dialogue) -> None:
    """What was selected stays so when it is not deleted."""
    client.commands(["SELECT INBOX"])
    assert client.command("DELETE INBOX") == ["a NO [CANNOT] INBOX stays"]
    client.commands(["CLOSE"])


def test_delete_another_than_selected(client: Dialogue) -> None:
    """The selected mailbox is left alone when another goes."""
    client.commands(["CREATE foo", "SELECT INBOX"])
    assert client.command("DELETE foo") == ["a OK DELETE completed"]
    client.commands(["CLOSE"])


def test_delete_what_another_has_selected() -> None:
    """A session that has it selected sees its messages go."""
    server = Server()
    first, second = server.login(), server.login()
    first.commands(["CREATE foo"])
    _append(first, b"foo", 2)
    second.commands(["SELECT foo"])
    first.commands(["DELETE foo"])
    assert second.command("NOOP") == ["* 2 EXPUNGE", "* 1 EXPUNGE", "a OK NOOP completed"]


# RENAME (RFC 9051, 6.3.6).


def test_rename_examples(client: Dialogue) -> None:
    """A name takes with it what is below it, be it a mailbox or not."""
    client.commands(["CREATE blurdybloop", "CREATE foo/bar", "DELETE foo"])
    assert client.command("RENAME blurdybloop sarasoop") == ["a OK RENAME completed"]
    assert client.command("RENAME foo zowie") == ["a OK RENAME completed"]
    assert _names(client) == ["INBOX", "sarasoop", ":zowie", "zowie/bar"]


def test_rename_inbox(client: Dialogue) -> None:
    """Its messages go to the new mailbox; INBOX and what is below it stay."""
    client.commands(["CREATE INBOX/bar"])
    _append(client, b"INBOX", 2)
    assert client.command("RENAME INBOX old-mail") == ["a OK RENAME completed"]
    assert _names(client) == ["INBOX", "INBOX/bar", "old-mail"]
    assert client.command("STATUS INBOX (MESSAGES)")[0] == "* STATUS INBOX (MESSAGES 0)"
    assert client.command("STATUS old-mail (MESSAGES)")[0] == "* STATUS old-mail (MESSAGES 2)"


def test_rename_selected_inbox(client: Dialogue) -> None:
    """Who has INBOX selected sees its messages go, and has INBOX selected still."""
    _append(client, b"INBOX", 2)
    client.commands(["SELECT INBOX"])
    assert client.command("RENAME INBOX old") == [
        "* 2 EXPUNGE",
        "* 1 EXPUNGE",
        "a OK RENAME completed",
    ]
    assert client.protocol.session.selected.name == "INBOX"


def test_rename_makes_parents(client: Dialogue) -> None:
    """What is missing above the new name is made; a delimiter at its end is dropped."""
    client.commands(["CREATE foo/bar/zap"])
    assert client.command("RENAME foo/bar/zap baz/rag/zowie/") == ["a OK RENAME completed"]
    assert _names(client) == ["INBOX", "baz", "baz/rag", "baz/rag/zowie", "foo", "foo/bar"]


def test_rename_keeps_messages_and_subscriptions(client: Dialogue) -> None:
    """UIDs and their validity stay with the mailbox; a subscription is of a name."""
    client.commands(["CREATE X", "SUBSCRIBE X"])
    _append(client, b"X", 2)
    before = client.command("STATUS X (MESSAGES UIDNEXT UIDVALIDITY)")[0]
    client.commands(["RENAME X Y"])
    after = client.command("STATUS Y (MESSAGES UIDNEXT UIDVALIDITY)")[0]
    assert (before, after, _subscribed(client)) == (
        "* STATUS X (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1700000001)",
        "* STATUS Y (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1700000001)",
        ["X"],
    )


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        ("nowhere x", "NO [NONEXISTENT] there is no mailbox nowhere"),
        ("foo bar", "NO [ALREADYEXISTS] there is a mailbox bar"),
        ("foo foo", "NO [ALREADYEXISTS] there is a mailbox foo"),
        ("foo inbox", "NO [ALREADYEXISTS] there is a mailbox INBOX"),
        ("inbox bar", "NO [ALREADYEXISTS] there is a mailbox bar"),
        ("foo foo/x", "NO [CANNOT] foo/x is inside foo"),
        ("foo x//y", "NO [CANNOT] a level of the name is empty"),
        ('foo ""', "NO [CANNOT] a level of the name is empty"),
        ("foo &AGE-", "NO [CANNOT] The name is not in the encoding of mailbox names"),
        ("foo", "BAD expected a space at octet 4"),
        ("foo x y", "BAD expected the end of the command at octet 6"),
    ],
)
def test_rename_refused(client: Dialogue, names: str, answer: str) -> None:
    """Nothing changes when the old name is not there, or the new one is or cannot be."""
    client.commands(["CREATE foo", "CREATE bar"])
    assert client.command(f"RENAME {names}") == [f"a {answer}"]
    assert _names(client) == ["INBOX", "bar", "foo"]


@pytest.mark.parametrize(("old", "selected"), [("foo", "foo"), ("top", "top/foo")])
def test_rename_selected(client: Dialogue, old: str, selected: str) -> None:
    """The selected mailbox stays selected under its new name, and takes changes."""
    client.commands([f"CREATE {selected}"])
    _append(client, selected.encode("ascii"))
    client.commands([f"SELECT {selected}", f"RENAME {old} new"])
    assert client.command("STORE 1 +FLAGS (\\Seen)") == [
        "* 1 FETCH (FLAGS (\\Seen \\Recent))",
        "a OK STORE completed",
    ]
    view = client.protocol.session.selected
    assert view.name == selected.replace(old, "new")


def test_rename_another_than_selected(client: Dialogue) -> None:
    """A name that only begins alike is not below it."""
    client.commands(["CREATE foo", "CREATE foolish", "SELECT foolish", "RENAME foo new"])
    assert client.protocol.session.selected.name == "foolish"


def test_rename_swap(client: Dialogue) -> None:
    """Two mailboxes that change places keep their own UIDs and validity."""
    client.commands(["CREATE x", "CREATE y"])
    _append(client, b"x", 2)
    client.commands(["RENAME x z", "RENAME y x", "RENAME z y"])
    assert [client.command(f"STATUS {name} (UIDVALIDITY UIDNEXT)")[0] for name in "xy"] == [
        "* STATUS x (UIDVALIDITY 1700000002 UIDNEXT 1)",
        "* STATUS y (UIDVALIDITY 1700000001 UIDNEXT 3)",
    ]


def test_rename_normalized() -> None:
    """The old name and what the new one became (RFC 9051, 6.3.6)."""
    client = Server().login(enable="IMAP4rev2")
    client.commands(["CREATE X"])
    assert client.command(f'RENAME X "{_DECOMPOSED}"') == [
        f'* LIST () "/" "{_COMPOSED}" ("OLDNAME" ("X"))',
        "a OK RENAME completed",
    ]


# SUBSCRIBE and UNSUBSCRIBE (RFC 9051, 6.3.7 and 6.3.8).


def test_subscribe(client: Dialogue) -> None:
    """What is there and what is not; twice is as good as once."""
    client.commands(["CREATE foo", "SUBSCRIBE foo", "SUBSCRIBE foo", "SUBSCRIBE inbox"])
    assert client.command("SUBSCRIBE #news.comp.mail.mime") == ["a OK SUBSCRIBE completed"]
    assert _subscribed(client) == ["INBOX", "#news.comp.mail.mime", "foo"]


def test_unsubscribe(client: Dialogue) -> None:
    """What is subscribed and what is not."""
    client.commands(["SUBSCRIBE gone", "SUBSCRIBE INBOX"])
    assert client.command("UNSUBSCRIBE gone") == ["a OK UNSUBSCRIBE completed"]
    assert client.command("UNSUBSCRIBE gone") == ["a OK UNSUBSCRIBE completed"]
    assert client.command("UNSUBSCRIBE never") == ["a OK UNSUBSCRIBE completed"]
    assert _subscribed(client) == ["INBOX"]


def test_subscribe_with_delimiter(client: Dialogue) -> None:
    """A delimiter at the end is dropped, as by CREATE."""
    client.commands(["SUBSCRIBE foo/", "SUBSCRIBE bar"])
    assert _subscribed(client) == ["bar", "foo"]
    client.commands(["UNSUBSCRIBE bar/", "UNSUBSCRIBE foo"])
    assert _subscribed(client) == []


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("x//y", "NO [CANNOT] a level of the name is empty"),
        ("&AGE-", "NO [CANNOT] The name is not in the encoding of mailbox names"),
        ("", "BAD expected a string at octet 1"),
        ("foo bar", "BAD expected the end of the command at octet 4"),
    ],
)
def test_subscribe_refused(client: Dialogue, name: str, answer: str) -> None:
    """A name that no mailbox can have is not subscribed."""
    assert client.command(f"SUBSCRIBE {name}") == [f"a {answer}"]
    assert _subscribed(client) == []


@pytest.mark.parametrize("command", ["CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE"])
def test_before_login(command: str) -> None:
    """Who has not logged in has no mailboxes."""
    assert Server().connect().command(f"{command} x") == [f"a BAD {command} is not for this state"]
