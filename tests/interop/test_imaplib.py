"""Python's imaplib: all its commands, over TCP, STARTTLS and TLS."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from typing import Any

import pytest

from tests.interop.mail import CORRESPONDENCE, FOLDERS, KINDS, letters
from tests.interop.running import Account

#: What belongs to extensions; without them it must be refused and hurt nothing.
_OPTIONAL = {
    "DELETEACL": ("ACL", lambda m: m.deleteacl("INBOX", "nobody")),
    "GETACL": ("ACL", lambda m: m.getacl("INBOX")),
    "GETANNOTATION": ("ANNOTATEMORE", lambda m: m.getannotation("INBOX", '"/comment"', '"value"')),
    "MYRIGHTS": ("ACL", lambda m: m.myrights("INBOX")),
    "PARTIAL": ("RFC1730", lambda m: m.partial("1", "RFC822", "1", "10")),
    "PROXYAUTH": ("PROXYAUTH", lambda m: m.proxyauth("somebody")),
    "SETACL": ("ACL", lambda m: m.setacl("INBOX", "nobody", "lr")),
    "SETANNOTATION": (
        "ANNOTATEMORE",
        lambda m: m.setannotation("INBOX", '"/comment"', '("value.priv" "x")'),
    ),
}


class _Noting:
    """Notes the names of the commands that are sent."""

    def _command(self, name: str, *args: Any) -> Any:
        self.__dict__.setdefault("sent", set()).add(name)
        return super()._command(name, *args)  # type: ignore[misc]


class _Plain(_Noting, imaplib.IMAP4):
    pass


class _TLS(_Noting, imaplib.IMAP4_SSL):
    pass


def _connected(account: Account, security: str) -> Any:
    context = account.server.context()
    port = account.port(security)
    if security == "tls":
        return _TLS(account.host, port, ssl_context=context, timeout=20)
    client = _Plain(account.host, port, timeout=20)
    if security == "starttls":
        assert client.starttls(context)[0] == "OK"
    return client


@pytest.fixture
def stranger(account: Account, security: str) -> Iterator[Any]:
    """Not logged in."""
    client = _connected(account, security)
    yield client
    with suppress(OSError):
        client.shutdown()


@pytest.fixture
def client(account: Account) -> Iterator[imaplib.IMAP4]:
    """Logged in, without TLS."""
    client = _connected(account, "plain")
    client.login(account.user, account.password)
    yield client
    client.logout()


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    """What came with an OK."""
    kind, data = answer
    assert kind == "OK", answer
    return data


def _refused(call: Callable[[], tuple[str, list[Any]]]) -> None:
    """Both NO, which comes back, and BAD, which is raised."""
    try:
        kind, data = call()
    except imaplib.IMAP4.error:
        return
    assert kind == "NO", data


def _fetched(data: list[Any]) -> dict[int, bytes]:
    """The octets of each message, of a FETCH of one section."""
    return {int(item[0].split(None, 1)[0]): item[1] for item in data if isinstance(item, tuple)}


def _flags(line: bytes) -> set[bytes]:
    return set(imaplib.ParseFlags(line))


def test_every_command(account: Account, stranger: Any) -> None:
    """A conversation with every command that imaplib knows ends well, whatever carries it."""
    client = stranger
    one, two, three = letters(1, 3, ["plain", "attachments", "8-bit"])

    # Not authenticated.
    assert client.welcome.startswith(b"* OK [CAPABILITY ")
    assert b"IMAP4rev1" in _ok(client.capability())[0].split()
    with pytest.raises(imaplib.IMAP4.error):
        client.login(account.user, "wrong")
    secret = f"\0{account.user}\0{account.password}".encode()
    _ok(client.authenticate("PLAIN", lambda _: secret))
    _ok(client.enable("CONDSTORE"))

    # Authenticated.
    _ok(client.create("Work"))
    _ok(client.create('"Work/2025 and before"'))
    _ok(client.subscribe("Work"))
    listed = _ok(client.list())
    assert {re.search(rb'"/" "?(.*?)"?$', each)[1] for each in listed} >= {
        b"INBOX", b"Work", b"Work/2025 and before",
    }  # fmt: skip
    assert [each for each in _ok(client.lsub()) if each.endswith((b"Work", b'"Work"'))]
    _ok(client.rename('"Work/2025 and before"', "Old"))
    _ok(client.unsubscribe("Work"))
    assert _ok(client.namespace()) == [b'(("" "/")) NIL NIL']
    when = datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    _ok(client.append("Work", r"(\Seen Label)", when, one.octets))
    _ok(client.append("Work", "", None, two.octets))  # type: ignore[arg-type]
    _ok(client.append("Work", None, None, three.octets))  # type: ignore[arg-type]
    status = _ok(client.status("Work", "(MESSAGES UIDNEXT UNSEEN RECENT)"))
    assert status[0].endswith(b"(MESSAGES 3 UIDNEXT 4 UNSEEN 2 RECENT 3)")

    # Selected.
    assert _ok(client.select("Work")) == [b"3"]
    assert client.response("RECENT") == ("RECENT", [b"3"])
    _ok(client.noop())
    _ok(client.check())
    assert _ok(client.search(None, "UNSEEN")) == [b"2 3"]
    assert _ok(client.search("UTF-8", "KEYWORD", "label")) == [b"1"]
    by_size = sorted((len(each.octets), number) for number, each in enumerate((one, two, three), 1))
    assert _ok(client.sort("SIZE", "UTF-8", "ALL")) == [b"%d %d %d" % tuple(n for _, n in by_size)]
    assert _ok(client.uid("SORT", "(REVERSE SUBJECT DATE)", "UTF-8", "KEYWORD", "label")) == [b"1"]
    assert _ok(client.thread("ORDEREDSUBJECT", "UTF-8", "KEYWORD", "label")) == [b"(1)"]
    (first,) = _ok(client.fetch("1", "(FLAGS INTERNALDATE)"))
    assert _flags(first) == {b"\\Seen", b"Label", b"\\Recent"}
    assert time.mktime(imaplib.Internaldate2tuple(first)) == when.timestamp()
    bodies = _fetched(_ok(client.fetch("1:3", "(BODY.PEEK[])")))
    assert bodies == {1: one.octets, 2: two.octets, 3: three.octets}
    (second,) = _ok(client.store("2", "+FLAGS", r"(\Deleted $Forwarded)"))
    assert _flags(second) == {b"\\Deleted", b"$Forwarded", b"\\Recent"}
    _ok(client.copy("1:2", "Old"))
    uidvalidity = client.response("COPYUID")[1][0].split()[0]
    _ok(client._simple_command("MOVE", "3", "Old"))
    assert client.response("COPYUID")[1] == [b"%b 3 3" % uidvalidity]
    assert client.response("EXPUNGE") == ("EXPUNGE", [b"3"])
    assert _ok(client.expunge()) == [b"2"]
    assert _ok(client.uid("SEARCH", "ALL")) == [b"1"]
    assert _ok(client.uid("FETCH", "1", "(RFC822.SIZE)")) == [
        b"1 (UID 1 RFC822.SIZE %d)" % len(one.octets)
    ]
    root = b'"%b"' % account.user.encode()
    assert _ok(client.getquota(account.user)) == [root + b" ()"]
    assert _ok(client.getquotaroot("INBOX")) == [[b"INBOX " + root], [root + b" ()"]]
    _refused(lambda: client.setquota(account.user, "(STORAGE 512)"))
    for capability, call in _OPTIONAL.values():
        if capability not in client.capabilities:
            _refused(lambda call=call: call(client))
        elif capability == "QUOTA":
            assert call(client)[0] in ("OK", "NO"), "a quota may be there, and fixed"
    _ok(client._simple_command("UNSELECT"))
    client.state = "AUTH"
    assert _ok(client.select("Old", readonly=True)) == [b"3"]
    assert client.response("READ-ONLY")[1] is not None
    _ok(client.close())
    _ok(client.delete("Work"))
    assert client.logout()[0] == "BYE"

    # STARTTLS is for one kind of connection; IDLE came to imaplib with Python 3.14;
    # the last two are IMAPClient's, which adds them to imaplib's table.
    assert set(imaplib.Commands) - client.sent <= {"IDLE", "STARTTLS", "ID", "XLIST"}
    assert account.mailboxes() >= {"INBOX", "Old"}
    assert [octets for _, octets in account.messages("Old")] == [
        one.octets, two.octets, three.octets,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_octets(client: imaplib.IMAP4, kind: str) -> None:
    """What was stored is what every way of reading it gives."""
    (letter,) = letters(2, 1, [kind])
    _ok(client.append("INBOX", None, None, letter.octets))  # type: ignore[arg-type]
    client.select()
    header, _, text = letter.octets.partition(b"\r\n\r\n")
    header += b"\r\n\r\n"

    def section(item: str) -> bytes:
        # imaplib gives a literal in a pair, a quoted string in the line.
        found = _ok(client.fetch("1", f"({item})"))[0]
        return found[1] if isinstance(found, tuple) else re.search(rb'"(.*?)"', found)[1]

    half = len(letter.octets) // 2
    assert section("BODY.PEEK[]") == letter.octets
    assert section("BODY.PEEK[HEADER]") == section("RFC822.HEADER") == header
    assert section("BODY.PEEK[TEXT]") == text
    assert section(f"BODY.PEEK[]<0.{half}>") == letter.octets[:half]
    assert section(f"BODY.PEEK[]<{half}.999999>") == letter.octets[half:]
    assert section("BODY.PEEK[HEADER.FIELDS (message-id x-none)]") == (
        b"Message-ID: %b\r\n\r\n" % letter.message_id.encode()
    )
    assert _ok(client.fetch("1", "(FLAGS RFC822.SIZE)")) == [
        rb"1 (FLAGS (\Recent) RFC822.SIZE %d)" % len(letter.octets)
    ]
    assert section("RFC822.TEXT") == text
    assert section("RFC822") == letter.octets
    assert _ok(client.fetch("1", "(FLAGS)")) == [rb"1 (FLAGS (\Seen \Recent))"]


def test_parts_agree_with_email(client: imaplib.IMAP4) -> None:
    """Each part of a message, fetched alone, holds what Python's email package finds there."""
    for number, letter in enumerate(letters(3, 4, ["attachments"]), 1):
        _ok(client.append("INBOX", None, None, letter.octets))  # type: ignore[arg-type]
        client.select()
        for part, (_, octets) in enumerate(letter.attachments, 2):
            data = _ok(client.fetch(str(number), f"(BODY.PEEK[{part}.MIME] BODY.PEEK[{part}])"))
            mime, body = (each[1] for each in data if isinstance(each, tuple))
            assert message_from_bytes(mime + body).get_payload(decode=True) == octets
            data = _ok(client.fetch(str(number), f"(BINARY.PEEK[{part}] BINARY.SIZE[{part}])"))
            assert _fetched(data)[number] == octets
            assert b"BINARY.SIZE[%d] %d)" % (part, len(octets)) in data[-1]


def test_threads(client: imaplib.IMAP4) -> None:
    """Conversations, by number and by UID."""
    for each in CORRESPONDENCE:
        _ok(client.append("INBOX", "", None, each))  # type: ignore[arg-type]
    _ok(client.select())
    for algorithm in ("REFERENCES", "REFS"):
        assert _ok(client.thread(algorithm, "UTF-8", "ALL")) == [b"(1 (2 3)(4))(5)"]
    assert _ok(client.thread("REFERENCES", "UTF-8", "NOT", "2")) == [b"(1 (3)(4))(5)"]
    assert _ok(client.thread("ORDEREDSUBJECT", "UTF-8", "ALL")) == [b"(1 (2)(4))(3)(5)"]
    assert _ok(client.thread("REFS", "UTF-8", "SUBJECT", "dinner")) == [b""]
    _ok(client.store("1", "+FLAGS", r"\Deleted"))
    _ok(client.expunge())
    assert _ok(client.thread("REFERENCES", "UTF-8", "ALL")) == [b"((1 2)(3))(4)"]
    assert _ok(client.uid("THREAD", "REFERENCES", "UTF-8", "ALL")) == [b"((2 3)(4))(5)"]


def test_folder_names(client: imaplib.IMAP4, account: Account) -> None:
    """Names in modified UTF-7, as imaplib leaves them to its user, come back as they went."""
    from imapclient.imap_utf7 import encode

    for name in FOLDERS:
        quoted = '"' + encode(name).decode().replace("\\", "\\\\").replace('"', '\\"') + '"'
        _ok(client.create(quoted))
        assert _ok(client.select(quoted)) == [b"0"]
        _ok(client.close())
        (line,) = _ok(client.list('""', quoted))
        assert line.endswith((quoted.encode(), quoted.strip('"').encode()))
    assert account.mailboxes() >= set(FOLDERS)


def test_bad_input_ends_no_connection(client: imaplib.IMAP4) -> None:
    """Nonsense is answered with BAD or NO, and the next command works."""
    nonsense = (
        ("FETCH", "1"), ("FETCH", "0", "FLAGS"), ("STORE", "1", "FLAGS"), ("SEARCH", "FROBNICATE"),
        ("COPY", "1", "nowhere"), ("UID", "FROBNICATE"), ("SELECT",), ("APPEND", "INBOX", "nothing"),
        ("CREATE", '"unfinished'), ("STATUS", "INBOX", "(NOTHING)"), ("LIST", ")"),
    )  # fmt: skip
    client.select()
    for name, *args in nonsense:
        _refused(lambda name=name, args=args: client._simple_command(name, *args))
        assert client.noop()[0] == "OK", name


def test_revision_2(client: imaplib.IMAP4, account: Account) -> None:
    """A client that enables IMAP4rev2 gets names in UTF-8, ESEARCH, and nothing of RECENT."""
    account.fill("Entwürfe/日本語", letters(4, 1)[0].octets)
    assert b"IMAP4rev2" in _ok(client.capability())[0].split()
    _ok(client._simple_command("ENABLE", "IMAP4rev2"))
    assert client.response("ENABLED")[1] == [b"IMAP4rev2"]
    client._mode_utf8()
    names = [each.decode().rpartition(' "/" ')[2].strip('"') for each in _ok(client.list())]
    assert names == ["INBOX", "Entwürfe", "Entwürfe/日本語"]
    _ok(client.select('"Entwürfe/日本語"'))
    assert client.response("RECENT")[1] == [None]
    _ok(client._simple_command("SEARCH", "RETURN", "(MIN MAX COUNT)", "SUBJECT", '"4.0"'))
    assert client.response("SEARCH")[1] == [None]
    (found,) = client.response("ESEARCH")[1]
    assert found.endswith(b") MIN 1 MAX 1 COUNT 1")
    with pytest.raises(imaplib.IMAP4.error, match="Ärger"):
        _refused_aloud(client.select('"Ärger"'))


def _refused_aloud(answer: tuple[str, list[Any]]) -> None:
    """Raise what came with a NO."""
    kind, data = answer
    assert kind == "NO"
    raise imaplib.IMAP4.error(data[0].decode())
