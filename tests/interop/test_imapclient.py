"""IMAPClient (PyPI): a library that parses every answer, over TCP, STARTTLS and TLS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from imapclient.response_types import Address

from tests.interop.mail import CORRESPONDENCE, FOLDERS, letters
from tests.interop.running import Account


@pytest.fixture
def client(account: Account, security: str) -> Iterator[IMAPClient]:
    """Logged in, by every kind of connection."""
    context = account.server.context()
    with IMAPClient(
        account.host,
        account.port(security),
        ssl=security == "tls",
        ssl_context=context,
        timeout=20,
    ) as client:
        if security == "starttls":
            client.starttls(context)
        with pytest.raises(LoginError):
            client.login(account.user, "wrong")
        client.login(account.user, account.password)
        yield client


def test_conversation(client: IMAPClient, account: Account) -> None:
    """Folders, appends, flags, labels, copies, moves and searches, each parsed and right."""
    one, two, three, four = letters(11, 4, ["attachments", "8-bit", "nested", "plain"])
    when = datetime(2020, 2, 29, 23, 59, 58, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    # Folders.
    for name in FOLDERS:
        client.create_folder(name)
    client.subscribe_folder("日本語")
    assert {name for _, _, name in client.list_folders()} >= {"INBOX", *FOLDERS}
    assert "日本語" in {name for _, _, name in client.list_sub_folders()}
    flags = {name: set(flags) for flags, _, name in client.list_folders()}
    assert b"\\HasChildren" in flags["日本語"]
    assert b"\\HasNoChildren" in flags["a&b"]
    assert client.folder_exists("Entwürfe/Ärger")
    assert not client.folder_exists("Entwürfe/Freude")
    client.rename_folder("日本語", "かな")
    assert client.folder_exists("かな/メール/二〇二六")
    client.delete_folder("with space")
    assert not client.folder_exists("with space")
    assert client.namespace().personal == (("", "/"),)

    # Messages.
    client.append("Entwürfe/Ärger", one.octets, [b"\\Seen", b"\\Draft", b"Mine"], when)
    for letter in (two, three, four):
        assert b"APPENDUID" in client.append("Entwürfe/Ärger", letter.octets)
    assert client.folder_status("Entwürfe/Ärger", ["MESSAGES", "UNSEEN", "UIDNEXT"]) == {
        b"MESSAGES": 4,
        b"UNSEEN": 3,
        b"UIDNEXT": 5,
    }
    selected = client.select_folder("Entwürfe/Ärger")
    assert (selected[b"EXISTS"], selected[b"UIDNEXT"], selected[b"READ-WRITE"]) == (4, 5, True)
    assert b"Mine" in selected[b"FLAGS"]
    assert b"\\*" in selected[b"PERMANENTFLAGS"]

    client.normalise_times = False
    got = client.fetch([1], ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"])
    assert {b"\\Seen", b"\\Draft", b"Mine"} <= set(got[1][b"FLAGS"])
    assert got[1][b"INTERNALDATE"] == when
    assert got[1][b"RFC822.SIZE"] == len(one.octets)
    envelope = got[1][b"ENVELOPE"]
    assert envelope.message_id == one.message_id.encode()
    assert envelope.from_[0].mailbox == b"from"
    assert envelope.to == (
        Address(b"=?iso-8859-1?q?J=FCrgen?=", None, b"to", b"example.org"),
        Address(None, None, b"Group", None),
        Address(None, None, b"a", b"example.org"),
        Address(None, None, b"b", b"example.org"),
        Address(None, None, None, None),
    )
    structure = got[1][b"BODYSTRUCTURE"]
    assert structure.is_multipart
    assert structure[1] == b"mixed"
    assert len(structure[0]) == 1 + len(one.attachments)
    assert structure[0][0][1] == b"alternative"

    both = {b"\\Flagged", b"$Forwarded", b"\\Recent"}
    added = client.add_flags([2, 3], [b"\\Flagged", b"$Forwarded"])
    assert {uid: set(flags) for uid, flags in added.items()} == {2: both, 3: both}
    assert set(client.get_flags([2])[2]) == both
    client.remove_flags([3], [b"\\Flagged"])
    client.set_flags([4], [b"\\Answered"])

    # Searches.
    assert client.search("FLAGGED") == [2]
    assert client.search(["KEYWORD", "mine"]) == [1]
    assert client.search(["SUBJECT", two.subject], "UTF-8") == [2]
    assert client.search(["FROM", four.sender, "ANSWERED"], "UTF-8") == [4]
    assert client.search(["OR", "DRAFT", ["ANSWERED", "NOT", "FLAGGED"]]) == [1, 4]
    assert client.search(["SINCE", datetime(2020, 3, 1), "TEXT", "SEE below"]) == [3]
    assert client.search(["HEADER", "Message-ID", three.message_id]) == [3]
    assert client.search("TEXT nowhere-to-be-found") == []

    # Orders.
    by_size = sorted((len(each.octets), uid) for uid, each in enumerate((one, two, three, four), 1))
    assert client.sort("SIZE") == [uid for _, uid in by_size]
    assert client.sort(["REVERSE SIZE"], ["NOT", "FLAGGED"]) == [
        uid for _, uid in reversed(by_size) if uid != 2
    ]
    assert client.sort("SUBJECT", ["FROM", four.sender, "ANSWERED"]) == [4]
    assert client.sort("DATE", "TEXT nowhere-to-be-found") == []

    # Conversations.
    client.create_folder("Talk")
    for each in CORRESPONDENCE:
        client.append("Talk", each)
    client.select_folder("Talk")
    assert client.thread() == ((1, (2, 3), (4,)), (5,))
    assert client.thread("REFS", "UNSEEN") == ((1, (2, 3), (4,)), (5,))
    assert client.thread("ORDEREDSUBJECT", ["NOT", "SUBJECT", "Lunch"]) == ((1, (2,), (4,)), (3,))
    assert client.thread(criteria=["UID", "2:4"]) == (((2, 3), (4,)),)
    assert client.thread(criteria="TEXT nowhere-to-be-found") == ()
    client.select_folder("Entwürfe/Ärger")

    # Elsewhere and away.
    client.copy([1, 2], "a&b")
    client.move([3], "a&b")
    client.delete_messages([2])
    client.uid_expunge([1])
    assert client.search() == [1, 2, 4]
    client.uid_expunge([1, 2])
    assert client.search() == [1, 4]
    client.expunge()
    assert client.search() == [1, 4]
    client.unselect_folder()
    assert client.select_folder("a&b", readonly=True)[b"READ-ONLY"]
    with pytest.raises(IMAPClientError):
        client.add_flags([1], [b"\\Seen"])
    client.close_folder()
    client.noop()
    client.id_({"name": "tests"}) if client.has_capability("ID") else None

    assert [octets for _, octets in account.messages("a&b")] == [
        one.octets, two.octets, three.octets,
    ]  # fmt: skip
    assert [octets for _, octets in account.messages("Entwürfe/Ärger")] == [
        one.octets, four.octets,
    ]  # fmt: skip


def test_idle(client: IMAPClient, account: Account) -> None:
    """An idling client is told at once of new mail, of flags and of what is gone."""
    one, two = letters(12, 2)
    account.fill("INBOX", one.octets)
    client.select_folder("INBOX")
    client.idle()
    with account.client() as other:
        other.append("INBOX", two.octets)
        assert (2, b"EXISTS") in _told(client, b"EXISTS")
        other.select_folder("INBOX")
        other.add_flags([1], [b"\\Flagged"])
        ((number, _, what),) = _told(client, b"FETCH")
        assert number == 1
        assert b"\\Flagged" in what[what.index(b"FLAGS") + 1]
        other.delete_messages([1])
        other.expunge()
        assert (1, b"EXPUNGE") in _told(client, b"EXPUNGE")
    client.idle_done()
    assert client.search() == [2]


def _told(client: IMAPClient, word: bytes) -> list[tuple[object, ...]]:
    """What the server says of its own accord up to a response of this name."""
    told: list[tuple[object, ...]] = []
    for _ in range(20):
        told += client.idle_check(timeout=1)
        if any(word in each for each in told):
            break
    return told


def test_many_at_once(account: Account) -> None:
    """Ten clients that write into one folder at the same time lose nothing."""
    account.fill("Shared")
    mail = letters(13, 100)
    failures: list[BaseException] = []

    def work(share: int) -> None:
        try:
            with account.client() as client:
                client.select_folder("Shared")
                for letter in mail[share::10]:
                    client.append("Shared", letter.octets)
                    client.search(["HEADER", "Message-ID", letter.message_id])
                    client.add_flags([1, 2, 3], [b"share%d" % share])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(share,)) for share in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    stored = account.messages("Shared")
    assert sorted(octets for _, octets in stored) == sorted(letter.octets for letter in mail)
    assert stored[0][0] == {f"share{share}" for share in range(10)}


def test_two_users(account: Account) -> None:
    """One user's mail is nowhere to be seen for another."""
    account.fill("Secret", letters(14, 1)[0].octets)
    other = Account(account.server, account.user + "-other")
    assert other.mailboxes().isdisjoint({"Secret"})
    with other.client() as client:
        for name in ("Secret", f"../{account.user}/Secret", f"/{account.user}/Secret"):
            with pytest.raises(IMAPClientError):
                client.select_folder(name)
