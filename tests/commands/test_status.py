"""STATUS, from octets to octets."""

from __future__ import annotations

import pytest

from tests.dialogue import Dialogue, Server


@pytest.fixture
def server() -> Server:
    """Alice has a mailbox "blurdybloop" of three messages: one seen, one deleted, all recent."""
    server = Server()
    client = server.login()
    client.commands(["CREATE blurdybloop"])
    for flags, size in ((b"\\Seen", 10), (b"\\Deleted", 200), (b"", 3_000)):
        message = b"x" * (size - 4) + b"\r\n\r\n"
        answer = client.send(b"x APPEND blurdybloop (%b) {%d+}\r\n%b\r\n" % (flags, size, message))
        assert b"x OK" in answer
    return server


@pytest.fixture
def client(server: Server) -> Dialogue:
    """A client that has logged in and selected nothing."""
    return server.login()


def test_rfc9051_example(client: Dialogue) -> None:
    """The items asked for, in that order (RFC 9051, 6.3.11)."""
    assert client.command("STATUS blurdybloop (UIDNEXT MESSAGES)") == [
        "* STATUS blurdybloop (UIDNEXT 4 MESSAGES 3)",
        "a OK STATUS completed",
    ]


def test_every_item(client: Dialogue) -> None:
    """All that can be asked, in any case, each once however often it is asked."""
    assert client.command(
        "status blurdybloop (messages MESSAGES recent uidnext uidvalidity unseen deleted size "
        "highestmodseq deleted-storage)"
    ) == [
        "* STATUS blurdybloop (MESSAGES 3 RECENT 3 UIDNEXT 4 UIDVALIDITY 1700000001 UNSEEN 2 "
        "DELETED 1 SIZE 3210 HIGHESTMODSEQ 4 DELETED-STORAGE 200)",
        "a OK STATUS completed",
    ]


def test_selected_mailbox(client: Dialogue) -> None:
    """The figures of the selected mailbox; what is recent there stays so for its session."""
    client.commands(["SELECT blurdybloop"])
    for _ in range(2):
        assert client.command("STATUS blurdybloop (MESSAGES RECENT UNSEEN)") == [
            "* STATUS blurdybloop (MESSAGES 3 RECENT 3 UNSEEN 2)",
            "a OK STATUS completed",
        ]


def test_recent_is_of_one_session(server: Server, client: Dialogue) -> None:
    r"""The session that selected the mailbox has \Recent; others see none, but for new mail."""
    client.commands(["SELECT blurdybloop"])
    other = server.login()
    ask = "STATUS blurdybloop (RECENT)"
    assert other.command(ask)[0] == "* STATUS blurdybloop (RECENT 0)"
    other.send(b"x APPEND INBOX {2+}\r\n\r\n\r\n")
    assert client.command("STATUS INBOX (RECENT)")[0] == "* STATUS INBOX (RECENT 1)"
    other.send(b"x APPEND blurdybloop {2+}\r\n\r\n\r\n")
    assert client.command(ask)[0] == "* STATUS blurdybloop (RECENT 4)"
    assert other.command(ask)[0] == "* STATUS blurdybloop (RECENT 0)"


def test_recent_where_messages_are_gone(client: Dialogue) -> None:
    """Expunged messages are not recent any more."""
    client.commands(["SELECT blurdybloop", "EXPUNGE"])
    assert client.command("STATUS blurdybloop (MESSAGES RECENT)")[0] == (
        "* STATUS blurdybloop (MESSAGES 2 RECENT 2)"
    )


def test_examined_mailbox(client: Dialogue) -> None:
    r"""EXAMINE leaves \Recent to who comes next."""
    client.commands(["EXAMINE blurdybloop"])
    assert client.command("STATUS blurdybloop (RECENT)")[0] == "* STATUS blurdybloop (RECENT 3)"


def test_nothing_else_is_selected(client: Dialogue) -> None:
    """STATUS leaves the session where it is."""
    client.commands(["SELECT INBOX", "STATUS blurdybloop (MESSAGES)"])
    assert client.command("FETCH 1 FLAGS") == ["a BAD There is no message of that number"]


@pytest.mark.parametrize(
    ("enable", "sent", "shown"),
    [
        ("", '"a b"', '"a b"'),
        ("", "&BBA-", "&BBA-"),
        ("", 'R"&"D', None),
        ("", "{3+}\r\nR&D", None),
        ("", "R&-D", "R&-D"),
        ("", "inBOX", "INBOX"),
        ("", '"quo\\"te"', '"quo\\"te"'),
        ("", '"nil"', '"nil"'),
        ("IMAP4rev2", '"А"', '"А"'),
        ("IMAP4rev2", "R&D", '"R&D"'),
    ],
)
def test_names(enable: str, sent: str, shown: str | None) -> None:
    """Names are written as this client writes them, and quoted where they must be."""
    client = Server().login(enable=enable)
    client.command(f"CREATE {sent}")
    answer = client.command(f"STATUS {sent} (MESSAGES)")
    if shown is None:
        assert len(answer) == 1
        assert answer[0].startswith(("a BAD ", "a NO [NONEXISTENT] "))
    else:
        assert answer == [f"* STATUS {shown} (MESSAGES 0)", "a OK STATUS completed"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("nowhere", "a NO [NONEXISTENT] there is no mailbox nowhere"),
        ("holder", "a NO [NONEXISTENT] holder holds only other mailboxes"),
        ("&AGE-", "a NO [NONEXISTENT] there is no mailbox  &AGE-"),
        ('"blurdy%"', "a NO [NONEXISTENT] there is no mailbox blurdy%"),
    ],
)
def test_no_such_mailbox(client: Dialogue, name: str, answer: str) -> None:
    """What cannot be selected has no status; wildcards mean nothing here."""
    client.commands(["CREATE holder/x", "DELETE holder"])
    assert client.command(f"STATUS {name} (MESSAGES)") == [answer]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "expected a space at octet 0"),
        (" INBOX", "expected a space at octet 6"),
        (" INBOX ()", "expected a word at octet 8"),
        (" INBOX MESSAGES", "expected '(' at octet 7"),
        (" INBOX (MESSAGES", "expected ')' at octet 16"),
        (" INBOX (NONSENSE)", "STATUS has no such item"),
        (" INBOX (MESSAGES) more", "expected the end of the command at octet 17"),
        (" blurdy% (MESSAGES)", "expected a space at octet 7"),
    ],
)
def test_bad(client: Dialogue, arguments: str, text: str) -> None:
    """What is not of the grammar is BAD: an unknown item too, and no item."""
    assert client.command(f"STATUS{arguments}") == [f"a BAD {text}"]
